"""`hutong log init` and `hutong policy facts`: made once, read whole, refused without a trace."""

import asyncio
import io
import json
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from adapters.port import Subject, SubjectType
from gateway.access_log.epochs import EpochKeys
from gateway.cli.ending import ExitCode
from gateway.cli.root import run
from gateway.clock import VirtualClock
from gateway.config import load_config
from gateway.policy.ports import (
    CaseRecord,
    CaseState,
    ConsentKind,
    Register,
    RegisterQuestion,
    Relation,
)
from gateway.policy.ports_sqlite import SqliteRegisters
from gateway.policy.vocabulary import UNKNOWN
from signing.signer import load_key_file

FUND = "12370000MB2DEM0882"
PERSON = "370102198203159010"
KEY = b"k" * 32
PARTY = {"type": "RESIDENT_ID", "identifier": PERSON.lower(), "relation": "party"}
CASE = {
    "kind": "case",
    "organisation": FUND,
    "number": "GJJ-1",
    "state": "open",
    "matter": "M14",
    "division": "370102",
    "parties": [PARTY],
}
CONSENT = {
    "kind": "consent",
    "type": "RESIDENT_ID",
    "identifier": PERSON,
    "organisation": FUND,
    "matter": "M14",
    "since": "2026-11-01T00:00:00+08:00",
    "until": "2026-12-01T00:00:00+08:00",
}
PROTECTED = {"kind": "protected", "type": "RESIDENT_ID", "identifier": PERSON}
AT_MS = 1_794_000_000_000
"""A moment of November 2026."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folder of a gateway that has a configuration and nothing else."""

    root: Path

    @property
    def config(self) -> str:
        """The configuration file."""
        return str(self.root / "config.yaml")

    def facts(self, *facts: Mapping[str, object] | str) -> int:
        """Deliver facts in a file of mode 0600."""
        path = self.root / "facts.jsonl"
        lines = [each if isinstance(each, str) else json.dumps(each) for each in facts]
        path.touch(mode=0o600)
        path.write_text("\n".join(lines), "utf-8")
        return run(["policy", "facts", str(path), "--config", self.config])

    def registers(self) -> SqliteRegisters:
        """Open the registers as the gateway does."""
        return SqliteRegisters.open(self.root / "registers.db", KEY)

    def case(self) -> object:
        """Return the case as policy asks for it."""
        registers = self.registers()
        try:
            return asyncio.run(registers.fetch_case(_asked()))
        finally:
            registers.close()


def _asked() -> RegisterQuestion:
    return RegisterQuestion(
        organisation=FUND,
        matter="M14",
        case_number="GJJ-1",
        subject=_person(),
        at_ms=AT_MS,
        needed=frozenset(Register),
    )


def _person() -> Subject:
    return Subject(type=SubjectType.RESIDENT_ID, identifier=PERSON)


def write_config(folder: Path) -> Place:
    """Write a configuration whose files are still to be made."""
    key = {"key": "x.key", "passphrase_file": "x.pass", "certificate": "x.crt"}
    config = {
        "system_id": "11370000MB2DEM0105/gateway",
        "trust": "trust",
        "policy": "policy",
        "policy_digest": "0" * 64,
        "policy_start_date": "2026-11-23",
        "registers": "registers.db",
        "registers_key_file": "registers-key",
        "pseudonym_secret_file": "secret",
        "envelope_signer": key,
        "tls": key,
        "log": {
            "origin": "gateway.hrss.example/log",
            "database": "log/access.db",
            "epoch_keys": "keys/epochs",
            "epoch_passphrase_file": "keys/epochs.pass",
            "signer": {"key": "keys/log.key", "passphrase_file": "keys/log.pass"},
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    (folder / "registers-key").touch(mode=0o600)
    (folder / "registers-key").write_bytes(KEY)
    return Place(root=folder)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A configuration whose files are still to be made."""
    return write_config(tmp_path)


def test_log_begins_with_its_keys(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """`log init` makes signing key and epoch keys, and prints what partners verify with."""
    code = run(["log", "init", "--config", place.config])

    keys = place.root / "keys"
    passphrase = (keys / "log.pass").read_bytes().strip()
    private = load_key_file(keys / "log.key", passphrase)
    vkey = capsys.readouterr().out.strip()
    EpochKeys.load(
        keys / "epochs",
        origin="gateway.hrss.example/log",
        passphrase=(keys / "epochs.pass").read_bytes().strip(),
    )
    assert code == ExitCode.YES
    assert vkey.startswith("gateway.hrss.example/log+")
    assert private.public_key.suite == "EdDSA"
    assert {stat.S_IMODE(each.stat().st_mode) for each in keys.iterdir()} == {0o600}


@pytest.mark.parametrize("left", ["keys/log.key", "keys/epochs", "log/access.db"])
def test_log_that_has_begun_gets_no_new_keys(place: Place, left: str) -> None:
    """Where a key or the log is there, nothing is made: old entries need the old keys."""
    (place.root / left).parent.mkdir()
    (place.root / left).write_text("mine", "utf-8")

    code = run(["log", "init", "--config", place.config])

    made = [path for path in place.root.glob("keys/*") if path != place.root / left]
    assert code == ExitCode.NO
    assert (place.root / left).read_text("utf-8") == "mine"
    assert made == []


def test_passphrase_of_the_operator_is_used(place: Place) -> None:
    """A passphrase that a credential file holds already is not replaced."""
    (place.root / "keys").mkdir()
    (place.root / "keys" / "log.pass").touch(mode=0o600)
    (place.root / "keys" / "log.pass").write_bytes(b"chosen by the operator\n")

    code = run(["log", "init", "--config", place.config])

    opened = load_key_file(place.root / "keys" / "log.key", b"chosen by the operator")
    assert code == ExitCode.YES
    assert opened.suite == "EdDSA"


def test_passphrase_open_to_others_is_refused(place: Place) -> None:
    """A credential that others can read protects nothing: 3, and no key under it."""
    (place.root / "keys").mkdir()
    (place.root / "keys" / "log.pass").write_bytes(b"chosen by the operator\n")
    (place.root / "keys" / "log.pass").chmod(0o644)

    code = run(["log", "init", "--config", place.config])

    assert code == ExitCode.UNREADABLE
    assert not (place.root / "keys" / "log.key").exists()


def test_log_without_configuration_is_unreadable(tmp_path: Path) -> None:
    """A configuration that is not there ends `log init` with 3."""
    assert run(["log", "init", "--config", str(tmp_path / "none.yaml")]) == ExitCode.UNREADABLE


def test_subject_of_a_look_comes_over_standard_input(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `-` it stands in no list of processes: the look about it is the one entry found."""
    run(["log", "init", "--config", place.config])
    load_config(Path(place.config)).log.database.touch(mode=0o600)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PERSON.lower()}\n"))
    options = ["--officer", "安全员-3", "--for-case", "FH-1", "--subject", "-"]

    code = run(["log", "show", "--config", place.config, *options])

    printed = capsys.readouterr()
    assert code == ExitCode.YES
    assert '"kind":"view"' in printed.out
    assert PERSON not in printed.out + printed.err


def test_look_while_the_clock_is_back_ends_with_2(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a gateway too: what cannot be dated is not logged, and nothing is shown."""
    run(["log", "init", "--config", place.config])
    load_config(Path(place.config)).log.database.touch(mode=0o600)
    behind = VirtualClock(0)
    behind.raise_floor(AT_MS)
    monkeypatch.setattr("gateway.cli.looking.SystemClock", lambda: behind)
    options = ["--officer", "安全员-3", "--for-case", "FH-1", "--org", FUND, "--case", "C-1"]

    code = run(["log", "show", "--config", place.config, *options])

    assert code == ExitCode.INDETERMINATE
    assert "CLOCK_BACKWARDS" in capsys.readouterr().err


def test_case_is_told_with_its_parties(place: Place) -> None:
    """A delivered case is what policy finds, with the relation of the person asked about."""
    code = place.facts(CASE)

    assert code == ExitCode.YES
    assert place.case() == CaseRecord(
        state=CaseState.OPEN,
        matter="M14",
        organisation=FUND,
        division="370102",
        relation=Relation.PARTY,
        in_investigation=UNKNOWN,
        special_grade=UNKNOWN,
    )


def test_newest_delivery_of_a_case_counts(place: Place) -> None:
    """A case that is closed is closed from its next delivery on."""
    place.facts(CASE)

    code = place.facts(CASE | {"state": "closed", "special_grade": True})

    case = place.case()
    assert code == ExitCode.YES
    assert isinstance(case, CaseRecord)
    assert (case.state, case.special_grade) == (CaseState.CLOSED, True)


def test_consents_and_protection_are_told(place: Place) -> None:
    """Each kind of line reaches the register it is for."""
    kinds = [CONSENT | {"kind": kind} for kind in ("consent", "mandate", "guardian")]

    code = place.facts(*kinds, PROTECTED)

    registers = place.registers()

    async def asked() -> list[object]:
        return [
            await registers.fetch_consent(ConsentKind.CONSENT, _asked()),
            await registers.fetch_consent(ConsentKind.MANDATE, _asked()),
            await registers.fetch_guardian_consent(_asked()),
            await registers.fetch_protected(_asked()),
        ]

    told = asyncio.run(asked())
    registers.close()
    assert code == ExitCode.YES
    assert told == [True, True, True, True]


def test_facts_come_over_standard_input(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads a pipe, so that no file with personal data has to lie anywhere."""
    piped = io.TextIOWrapper(io.BytesIO(json.dumps(CASE).encode()))
    monkeypatch.setattr(sys, "stdin", piped)

    code = run(["policy", "facts", "-", "--config", place.config])

    assert code == ExitCode.YES
    assert isinstance(place.case(), CaseRecord)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense", "line"),
        ("{}", "line"),
        (json.dumps(CASE | {"kind": "nonsense"}), "line"),
        (json.dumps(CASE | {"stat": "open"}), "case.stat"),
        (json.dumps(CASE | {"state": "opened"}), "case.state"),
        (json.dumps(CASE | {"organisation": "1137"}), "case.organisation"),
        (json.dumps(CASE | {"parties": []}), "case.parties"),
        (json.dumps(CONSENT | {"until": "2026-12-01T00:00:00"}), "consent.until"),
        (json.dumps(PROTECTED | {"identifier": "370102198203159011"}), "identifier is out of form"),
    ],
)
def test_one_bad_line_writes_nothing(
    place: Place, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    """A line out of form ends with 3 and its number; the good line before it is not written."""
    code = place.facts(CASE, line)

    text = capsys.readouterr().err
    assert code == ExitCode.UNREADABLE
    assert "line 2" in text
    assert told in text
    assert "3701021982" not in text
    assert place.case() is None


def test_a_bad_line_is_named_as_an_editor_counts(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty lines count too."""
    code = place.facts(CASE, "", "nonsense")

    assert code == ExitCode.UNREADABLE
    assert "line 3" in capsys.readouterr().err


def test_registers_that_take_nothing_end_in_words(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no database ends with 3, and says that nothing was written."""
    (place.root / "registers.db").write_bytes(b"no database at all, whatever its name says")

    code = place.facts(CASE)

    assert code == ExitCode.UNREADABLE
    assert "nothing was written" in capsys.readouterr().err


def test_a_delivery_is_written_whole_or_not(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """A case that names a party twice takes back the case before it."""
    twice = CASE | {"number": "GJJ-2", "parties": [PARTY, PARTY]}

    code = place.facts(CASE, twice)

    assert code == ExitCode.UNREADABLE
    assert "nothing was written" in capsys.readouterr().err
    assert place.case() is None


def test_facts_open_to_others_are_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with personal data that others can read is named and not read."""
    path = place.root / "facts.jsonl"
    path.write_text(json.dumps(CASE), "utf-8")
    path.chmod(0o644)

    code = run(["policy", "facts", str(path), "--config", place.config])

    assert code == ExitCode.UNREADABLE
    assert "chmod 600" in capsys.readouterr().err
    assert place.case() is None


def test_too_large_a_delivery_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does not fit in the bound is not read by halves."""
    monkeypatch.setattr("gateway.cli.facts.MAX_FILE", 100)

    code = place.facts(CASE)

    assert code == ExitCode.UNREADABLE
    assert "split it" in capsys.readouterr().err
    assert place.case() is None
