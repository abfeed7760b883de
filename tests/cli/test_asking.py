"""`hutong ask` without a gateway: each mistake says what is wrong, whose side, what to do."""

import json
from pathlib import Path

import pytest

from gateway.cli.ending import ExitCode
from gateway.cli.root import run
from hutong.client import RECEIPT_FILES, ClientReason
from hutong.client.texts import REASON_TEXTS
from tests.client.synthetic_world import PERSON, build_world

R = ClientReason
AGREEMENT = "A-2026-001"
NAME = "李明哲"


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An identity directory whose gateway is down: nobody listens on port 1."""
    directory = tmp_path_factory.mktemp("asking") / "identity"
    build_world().write(directory)
    return directory


def _line(directory: Path, /, **changes: str) -> list[str]:
    """Return a command line that could be asked, with options changed or added."""
    options = {
        "--identity": str(directory),
        "--agreement": AGREEMENT,
        "--matter": "M2",
        "--case": "C-1",
        "--subject-id": PERSON,
        "--subject-name": NAME,
        "--field": "is_married",
        "--timeout": "1",
    }
    options |= {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return ["ask", *(part for option in options.items() for part in option)]


MISTAKES: list[tuple[dict[str, str], ClientReason, ExitCode]] = [
    ({"identity": "/nowhere"}, R.IDENTITY_NOT_FOUND, ExitCode.UNREADABLE),
    ({"agreement": "A-2026-002"}, R.AGREEMENT_UNLISTED, ExitCode.USAGE),
    ({"agreement": "A 1", "dataset": "aa.b@1", "basis": "b"}, R.AGREEMENT_INVALID, ExitCode.USAGE),
    ({"dataset": "mca.marriage"}, R.DATASET_INVALID, ExitCode.USAGE),
    ({"matter": "事项二"}, R.MATTER_INVALID, ExitCode.USAGE),
    ({"case": ""}, R.CASE_NUMBER_INVALID, ExitCode.USAGE),
    ({"basis": "依" * 201}, R.LEGAL_BASIS_INVALID, ExitCode.USAGE),
    ({"subject_id": "123"}, R.SUBJECT_INVALID, ExitCode.USAGE),
    ({"subject_id": PERSON[:-1] + "1"}, R.SUBJECT_INVALID, ExitCode.USAGE),
    ({"subject_type": "USCC", "subject_id": "1"}, R.SUBJECT_INVALID, ExitCode.USAGE),
    ({"subject_name": "李" * 61}, R.SUBJECT_NAME_INVALID, ExitCode.USAGE),
    ({"field": "Is-Married"}, R.NAME_INVALID, ExitCode.USAGE),
    ({"claim": "certificate_no"}, R.CLAIMS_INVALID, ExitCode.USAGE),
    ({"claim": "certificate_no="}, R.CLAIMS_INVALID, ExitCode.USAGE),
    ({"officer_division": "济南"}, R.OFFICER_INVALID, ExitCode.USAGE),
    ({"officer_role": ""}, R.OFFICER_INVALID, ExitCode.USAGE),
    ({}, R.UNAVAILABLE, ExitCode.INDETERMINATE),
]
IDS = [f"{reason}-{','.join(changes)}" for changes, reason, _ in MISTAKES]


@pytest.mark.parametrize(("changes", "reason", "code"), MISTAKES, ids=IDS)
def test_a_mistake_is_told_to_people(
    changes: dict[str, str],
    reason: ClientReason,
    code: ExitCode,
    identity: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Reason, side, both languages and the identity meant, on standard error; nothing personal."""
    ended = run(_line(identity, **changes))

    told = capsys.readouterr()
    text = REASON_TEXTS[reason]
    assert ended == code
    assert told.out == ""
    for part in (f"{reason} ({text.side})", text.zh, text.en, changes.get("identity", "identity")):
        assert part in told.err
    assert PERSON not in told.err
    assert NAME not in told.err


@pytest.mark.parametrize(("changes", "reason", "code"), MISTAKES, ids=IDS)
def test_a_mistake_is_told_to_machines(
    changes: dict[str, str],
    reason: ClientReason,
    code: ExitCode,
    identity: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With --json the same stands on standard output, with a code of the closed list."""
    ended = run([*_line(identity, **changes), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert ended == code
    assert told["reason"] == reason
    assert told["state"] == ("NO_ANSWER" if reason is R.UNAVAILABLE else "NOT_SENT")
    assert (told["text_zh"], told["text_en"]) == (REASON_TEXTS[reason].zh, REASON_TEXTS[reason].en)
    assert told["side"] == REASON_TEXTS[reason].side


def test_a_gateway_that_is_down_is_named(
    identity: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which address was tried stands beside the reason."""
    run(_line(identity))

    assert "127.0.0.1:1" in capsys.readouterr().err


def test_an_unlisted_agreement_names_those_that_are(
    identity: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistyped the number sees the right one."""
    run(_line(identity, agreement="A-2026-002"))

    assert AGREEMENT in capsys.readouterr().err


@pytest.mark.parametrize("level", ["县", "COUNTY", "country", ""])
def test_an_officer_level_of_no_list_is_wrong_usage(
    level: str, identity: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The five levels are named; nothing is sent."""
    code = run(_line(identity, officer_level=level))

    told = capsys.readouterr().err
    assert code == ExitCode.USAGE
    assert all(each in told for each in ("province", "city", "county", "township", "village"))


@pytest.mark.parametrize("taken", RECEIPT_FILES)
def test_a_folder_that_holds_a_receipt_is_refused_before_asking(
    taken: str, identity: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gateway is down and not even tried: the target is looked at first."""
    (tmp_path / taken).write_text("an earlier one")

    code = run(_line(identity, save_receipt=str(tmp_path)))

    told = capsys.readouterr().err
    assert code == ExitCode.UNREADABLE
    assert "FILE_NOT_WRITTEN" in told
    assert str(tmp_path / taken) in told
    assert (tmp_path / taken).read_text() == "an earlier one"


def test_a_file_is_no_folder_for_a_receipt(
    identity: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that is a file takes no receipt; the answer is not asked for."""
    (tmp_path / "file").touch()

    code = run(_line(identity, save_receipt=str(tmp_path / "file")))

    assert code == ExitCode.UNREADABLE
    assert "FILE_NOT_WRITTEN" in capsys.readouterr().err
