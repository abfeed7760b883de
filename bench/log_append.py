"""How many entries a second the access log makes durable, each with its proof and checkpoint.

Pairs of `ask` and `answer` of 128 concurrent callers go through the whole path: spelling, salted
commitments, claim, charge, side table, tree, signed checkpoint, one synced commit per group.
Printed beside it: the same with one caller, where each entry pays for its own commit, and the
speed of the machine (Ed25519 signatures a second), without which no two runs compare.
"""

import asyncio
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certs.private_key import generate_private_key
from certs.suites import Suite
from gateway.access_log.log import AccessLog, LogOptions
from gateway.clock import VirtualClock
from gateway.credentials import KeyConfig, LogConfig
from gateway.log_key import describe_log, load_log_signer
from gateway.model import (
    Charge,
    Claim,
    Committed,
    EntryDraft,
    EntryKind,
    EntryValue,
    Logged,
    SearchColumns,
)
from signing.signer import write_key_file

CALLERS = 128
"""Concurrent callers of the goal: 20,000 entries a second on two cores."""
ROUNDS = 5
"""Short loads in turns, with the process that writes and without it, whose medians are reported."""
ENTRIES = 20_000
ENTRIES_ALONE = 3_000
_NOW_MS = 1_795_392_000_000
_ORG = "11370000MB2DEM0105"
_SYSTEM = f"{_ORG}/retirement"
_DIGEST = "ab" * 32


def measure() -> dict[str, float]:
    """Return entries a second, latencies in ms, sizes in bytes, and the machine's speed."""
    # The event loop that serves (gateway/cli/serve.py).
    loads = [
        [uvloop.run(_run(CALLERS, ENTRIES, apart=apart)) for apart in (True, False)]
        for _ in range(ROUNDS)
    ]
    grouped, together = (_medians(of_kind) for of_kind in zip(*loads, strict=True))
    rates = [apart["entries_per_s"] for apart, _ in loads]
    alone = uvloop.run(_run(1, ENTRIES_ALONE, apart=True))
    return (
        grouped
        | {f"one_process_{name}": value for name, value in together.items()}
        | {f"alone_{name}": value for name, value in alone.items()}
        | {
            "least_entries_per_s": min(rates),
            "most_entries_per_s": max(rates),
            "process_gain": statistics.median(
                apart["entries_per_s"] / one["entries_per_s"] for apart, one in loads
            ),
            "group_commit_gain": grouped["entries_per_s"] / alone["entries_per_s"],
            "ed25519_signatures_per_s": _signatures_per_s(),
        }
    )


def _medians(loads: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(load[name] for load in loads) for name in loads[0]}


async def _run(callers: int, entries: int, *, apart: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        config = _make_log(Path(folder))
        path = config.database
        log = AccessLog.open(
            path,
            origin=config.origin,
            signer=load_log_signer(config.signer),
            clock=VirtualClock(_NOW_MS),
            node="gw-1",
            options=LogOptions(apart=describe_log(config) if apart else None),
        )
        await log.start()
        latencies: list[float] = []
        sizes: list[int] = []
        # Drafts are the exchange's work: made beforehand, so that the log alone is measured.
        asks = [_ask(number, os.urandom(16)) for number in range(entries // 2)]
        drafts = iter([(draft, *_answer(draft.search.request_id or b"")) for draft in asks])
        # A gateway has none of them in its heap: its collector does not walk through them.
        gc.collect()
        gc.freeze()
        began, cpu_began = time.perf_counter(), time.process_time()
        await asyncio.gather(*(_exchange(log, drafts, latencies, sizes) for _ in range(callers)))
        elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu_began
        gc.unfreeze()
        await log.stop()
        stored = path.stat().st_size
    latencies.sort()
    return {
        "entries_per_s": len(latencies) / elapsed,
        "cpu_us_per_entry": cpu / len(latencies) * 1e6,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
        "entry_bytes": sum(sizes) / len(sizes),
        "stored_bytes_per_entry": stored / len(latencies),
    }


def _make_log(folder: Path) -> LogConfig:
    passphrase = folder / "passphrase"
    passphrase.write_bytes(os.urandom(16).hex().encode())
    passphrase.chmod(0o600)
    key = folder / "key.pem"
    write_key_file(key, generate_private_key(Suite.EDDSA), passphrase.read_bytes())
    return LogConfig(
        database=folder / "log.db",
        epoch_keys=folder / "epochs",
        epoch_passphrase_file=passphrase,
        origin="sandbox.invalid/hutong/log",
        signer=KeyConfig(key=key, passphrase_file=passphrase),
    )


async def _exchange(
    log: AccessLog,
    drafts: Iterable[tuple[EntryDraft, EntryDraft, dict[str, EntryValue]]],
    latencies: list[float],
    sizes: list[int],
) -> None:
    for ask, answer, members in drafts:
        asked = await _append(log, ask, latencies)
        members["ask"] = asked.index
        answered = await _append(log, answer, latencies)
        sizes += (len(asked.entry), len(answered.entry))


async def _append(log: AccessLog, draft: EntryDraft, latencies: list[float]) -> Logged:
    began = time.perf_counter()
    logged = await log.append(draft)
    latencies.append(time.perf_counter() - began)
    return logged


def _ask(number: int, request_id: bytes) -> EntryDraft:
    subject, officer, case = os.urandom(16), os.urandom(16), os.urandom(16)
    return EntryDraft(
        kind=EntryKind.ASK,
        members={
            "tx": request_id.hex(),
            "item": 0,
            "org": _ORG,
            "system": _SYSTEM,
            "cert": _DIGEST,
            "method": "Exchange",
            "matter": "M1",
            "basis": 0,
            "agreement": "A-2026-001",
            "dataset": "edu.diploma@1",
            "fields": ("full_name", "graduated_on"),
            "granted": (("full_name", "MASK(1,0)"), ("graduated_on", "GENERALISE(year)")),
            "policy": _DIGEST,
            "key": _DIGEST[:32],
            "charge": 1,
        },
        committed=(
            _request(),
            Committed(member="subject", value=subject),
            Committed(member="officer", value=officer),
            Committed(member="case", value=case),
            Committed(member="rules", value=b"r-17\nr-18"),
        ),
        search=SearchColumns(
            request_id=request_id,
            org=_ORG,
            system=_SYSTEM,
            subject=subject,
            officer=officer,
            case=case,
        ),
        claims=(
            Claim(
                space="request",
                key=request_id,
                value=b"v" * 32,
                expires_ms=_NOW_MS + 330_000 + number,
            ),
        ),
        charges=(Charge(counter=b"%d" % (number % 500), period="2026-11", cost=1, limit=10**9),),
    )


def _answer(request_id: bytes) -> tuple[EntryDraft, dict[str, EntryValue]]:
    """Return an answer and its members, in which the place of the ask is yet to be written."""
    members: dict[str, EntryValue] = {
        "tx": request_id.hex(),
        "item": 0,
        "ask": 0,
        "state": "ANSWERED",
        "values": 2,
        "findings": 0,
        "withheld": 0,
        "absent": 0,
        "indeterminate": 0,
        "ms": 12,
    }
    committed = (
        _request(),
        Committed(member="answer", value=b"a" * 512, salt=os.urandom(32), detached=True),
    )
    search = SearchColumns(request_id=request_id, org=_ORG, system=_SYSTEM)
    return (
        EntryDraft(kind=EntryKind.ANSWER, members=members, committed=committed, search=search),
        members,
    )


def _request() -> Committed:
    return Committed(member="request", value=b"p" * 400, salt=b"s" * 32, detached=True)


def _signatures_per_s() -> float:
    key = Ed25519PrivateKey.generate()
    began = time.perf_counter()
    for _ in range(2_000):
        key.sign(b"the speed of this machine")
    return 2_000 / (time.perf_counter() - began)


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:28} {value:12.2f}")
