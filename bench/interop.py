"""`python -m bench.interop`: what our gateway gives out, judged by programs that are not ours.

A sandbox runs; receipts, records and signatures of it go to verifiers of other projects, and the
example client in Node makes an exchange of its own. Each check says ok, failed, or not possible and
why; a check that is not possible fails nothing, for it needs programs no wheel brings.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from adapters.simulators.population import planted
from bench.interop_parts import (
    SDJWT,
    LiveRecord,
    compare_records_with_node,
    compare_records_with_sd_jwt,
    compare_sm2_with_gmalg,
    compare_sm2_with_openssl,
    install,
    require_program,
)
from bench.interop_receipts import (
    JUDGES,
    SECONDS,
    VERIFIERS,
    Case,
    Disagreement,
    Gap,
    Judge,
    build_cases,
    build_spoiled,
    judge_ours,
)
from bench.processes import running
from bench.world import (
    EDUCATION,
    MATTER,
    PARTICIPATION,
    SLUG,
    STAFF,
    BenchWorld,
    Lane,
    bench_world,
    build_questions,
    select_answered,
)
from hutong.client import Answered, AnswerState, Question
from hutong.evidence import encode_log_key
from signing.encoding import parse_b64url
from signing.record import parse_record_keyid

PROGRAMS: Final = ("openssl", "node", "npm", "go")
ROOT: Final = Path(__file__).resolve().parents[1]
NODE_CLIENT: Final = ROOT / "docs" / "clients" / "node"
ANSWERS: Final = 3
NODE_ENDS: Final = {"ANSWERED": 0, "NOT_FOUND": 0, "INDETERMINATE": 2}
"""How the Node client ends (docs/clients/node.md)."""
REGISTER: Final = Lane(
    name="population register",
    agreement="XY-2026-201",
    dataset="ps.person_core@1",
    fields=("full_name", "sex"),
)
WITHOUT_DIPLOMA: Final = "no_education"
SHARED_NUMBER: Final = "two_people_one_id"
"""Planted people of whom one department holds nothing, and another cannot tell who is meant."""
OFFICER: Final = {
    "name": "彭守正",
    "identifier": "370104198309239011",
    "call_reason": "退休审批",
}
"""What the register demands of the officer beside the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a running sandbox gave us, and where it is."""

    world: BenchWorld
    answers: tuple[tuple[Question, Answered], ...] = field(repr=False)

    @property
    def records(self) -> tuple[LiveRecord, ...]:
        """The records of all answers that carry one."""
        return tuple(_record(self, answered) for _, answered in self.answers if answered.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One comparison; it raises `Disagreement` or `Gap`, or returns."""

    name: str
    run: Callable[[Live, Path], None]


def build_checks() -> tuple[Check, ...]:
    """Return every comparison."""
    judges = tuple(
        Check(name=f"receipts before {name}", run=_judging(judge)) for name, judge in JUDGES.items()
    )
    return (
        *judges,
        Check(name="request and answer before verify.mjs", run=check_binding),
        Check(
            name="records before sd-jwt (Python)",
            run=lambda live, _: compare_records_with_sd_jwt(live.records),
        ),
        Check(
            name=f"records before {SDJWT}",
            run=lambda live, folder: compare_records_with_node(live.records, folder),
        ),
        Check(
            name="SM2 with openssl, both ways",
            run=lambda _, folder: compare_sm2_with_openssl(folder),
        ),
        Check(name="SM2 with gmalg, both ways", run=lambda _, f: compare_sm2_with_gmalg(f)),
        Check(name="exchange by the Node client", run=check_node_client),
    )


def _judging(judge: Judge) -> Callable[[Live, Path], None]:
    """Return a check that holds one verifier's verdicts against ours."""

    def check(live: Live, folder: Path) -> None:
        cases = [*_live_cases(live), *build_cases()]
        theirs = judge(cases, folder)
        wrong = [c.name for c, its in zip(cases, theirs, strict=True) if its is not judge_ours(c)]
        if wrong:
            raise Disagreement(f"{len(wrong)} of {len(cases)}, first {wrong[0]}")

    return check


def _live_cases(live: Live) -> list[Case]:
    log_key, cases = live.world.identity.log_key, []
    for number, (_, answered) in enumerate(live.answers):
        # Openings are for the parties; these verifiers know entry, proof and checkpoint.
        receipt = replace(answered.receipt.form, openings=())
        cases.append(Case(name=f"live {number}", receipt=receipt, log_key=log_key))
        cases += build_spoiled(f"live {number}", receipt, log_key)
    return cases


def check_binding(live: Live, folder: Path) -> None:
    """Let our second implementation tie a receipt to request and answer, and refuse another's."""
    first, second = (answered.receipt for _, answered in live.answers[:2])
    first.write_parts(folder)
    (folder / "other.bin").write_bytes(second.request_payload)
    command = [
        *(require_program("node"), str(VERIFIERS / "verify.mjs"), str(folder / "receipt.json")),
        *("--log-key", encode_log_key(live.world.identity.log_key)),
        *("--salt", first.commitment_salt.hex(), "--answer", str(folder / "answer.bin")),
    ]
    for request, expected in (("request.bin", 0), ("other.bin", 1)):
        done = subprocess.run(
            [*command, "--request", str(folder / request)],
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
        if done.returncode != expected:
            raise Disagreement(f"{request}: ends with {done.returncode}, not {expected}")


def check_node_client(live: Live, folder: Path) -> None:
    """Let a client of another language ask what ends in each state, and prove it by itself."""
    node = require_program("node")
    client = folder / "client"
    shutil.copytree(NODE_CLIENT, client, ignore=shutil.ignore_patterns("node_modules"))
    install("", client)
    identity = live.world.sandbox.world.folders.partner(SLUG)
    for state, question in _each_state(live).items():
        asked = folder / f"{state}.json"
        asked.write_text(json.dumps(_question_of(question)), encoding="utf-8")
        done = subprocess.run(
            [node, str(client / "client.mjs"), str(identity), str(asked), str(ROOT / "proto")],
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
        if done.returncode != NODE_ENDS[state]:
            raise Disagreement(f"{state}: the Node client ends with {done.returncode}")
        told = json.loads(done.stdout)["state"]
        if told != state:
            raise Disagreement(f"{state}: the Node client was told {told}")


def _each_state(live: Live) -> dict[str, Question]:
    """Return a question about planted people for each state an answer can have."""
    return {
        AnswerState.ANSWERED.name: live.answers[0][0],
        AnswerState.NOT_FOUND.name: _question_about(live, EDUCATION, WITHOUT_DIPLOMA),
        AnswerState.INDETERMINATE.name: _question_about(live, REGISTER, SHARED_NUMBER),
    }


def _question_about(live: Live, lane: Lane, name_of_case: str) -> Question:
    questions = zip(planted(), build_questions(live.world.identity, lane), strict=True)
    return next(asked for person, asked in questions if person.name_of_case == name_of_case)


def _question_of(question: Question) -> dict[str, object]:
    return {
        "agreement": question.agreement,
        "dataset": question.dataset,
        "fields": list(question.fields),
        "claims": [],
        "matter": MATTER,
        "legal_basis": question.purpose.legal_basis,
        "case_number": question.purpose.case_number,
        "subject": {
            "type": "SUBJECT_TYPE_RESIDENT_ID",
            "identifier": question.subject.identifier,
            "fullName": question.subject.full_name,
        },
        "staff": {
            "token": STAFF.token,
            "role": STAFF.role,
            "unit": STAFF.unit,
            "unit_code": STAFF.unit_code,
            "level": STAFF.level,
            "division": STAFF.division,
            **OFFICER,
        },
    }


def _record(live: Live, answered: Answered) -> LiveRecord:
    compact = answered.record or ""
    keys = live.world.identity.record_keys[answered.provider]
    encoded = (json.loads(parse_b64url(part)) for part in compact.split("~")[1:-1])
    return LiveRecord(
        compact=compact,
        key=keys[parse_record_keyid(compact)].certificate.public_key,
        values={name: value for _, name, value in encoded},
    )


async def compare(told: Callable[[str, str], None]) -> bool:
    """Run every check over one sandbox; return whether none failed."""
    with tempfile.TemporaryDirectory(prefix="hutong-interop-") as folder:
        async with bench_world(Path(folder)) as world, running("gateway", str(world.config)):
            live = Live(world=world, answers=await _ask(world))
            outcomes = [
                await asyncio.to_thread(run_check, check, live, told) for check in build_checks()
            ]
    return all(outcomes)


async def _ask(world: BenchWorld) -> tuple[tuple[Question, Answered], ...]:
    answered = []
    for lane in (PARTICIPATION, EDUCATION):
        questions = build_questions(world.identity, lane)[:ANSWERS]
        answered += await select_answered(world.identity, questions)
    return tuple(answered)


def run_check(check: Check, live: Live, told: Callable[[str, str], None]) -> bool:
    """Run one check in a folder of its own; return False when it failed."""
    with tempfile.TemporaryDirectory(prefix="hutong-check-") as folder:
        try:
            check.run(live, Path(folder))
        except Gap as gap:
            told(check.name, f"not possible ({gap})")
        except (Disagreement, subprocess.SubprocessError, ValueError) as error:
            told(check.name, f"[red]failed[/] ({type(error).__name__}: {error})")
            return False
        else:
            told(check.name, "[green]ok[/]")
    return True


def main() -> None:
    """Compare, print, and end with 1 if a check failed."""
    console = Console()
    here = {name: "found" if shutil.which(name) else "absent" for name in PROGRAMS}
    console.print("system programs used: " + ", ".join(f"{n} {s}" for n, s in here.items()))
    table = Table("check", "outcome")
    with console.status("running") as status:

        def told(name: str, outcome: str) -> None:
            table.add_row(name, outcome)
            status.update(name)

        held = asyncio.run(compare(told))
    console.print(table)
    sys.exit(not held)


if __name__ == "__main__":
    main()
