"""What the command line tells with a reason: in two languages, with the side and a remedy.

A command line that cannot be parsed, for every command; beyond that for the commands that
docs/reasons.md names.
"""

import json
from pathlib import Path

import pytest

from gateway.cli.root import run
from gateway.cli.told import COMMAND_TEXTS, CommandReason

C = CommandReason
KEY = "sandbox.invalid/hutong/log+24cb3f03+AVIpgC4vMrbDj9FfUfbBeASEZDPxcaD08A2vLQXfmk4E"
ASK = ["--identity", "x", "--agreement", "A-1", "--matter", "M2", "--subject-id", "1"]
SPOILT = "spoilt"
"""A folder where a sandbox is noted as running, and nothing of it can be read."""
FULL = "full"
"""A folder that holds a log beside other things."""
LOG = "log/access.db"
BUNDLE = str(Path(__file__).parents[2] / "gateway" / "bundle")
EXIT_CODES = {
    C.USAGE_WRONG: 64,
    C.OPTION_MISSING: 64,
    C.SEAT_UNKNOWN: 64,
    C.SEAT_TAKEN: 1,
    C.SANDBOX_NOT_RUNNING: 3,
    C.SANDBOX_UNREADABLE: 3,
    C.SANDBOX_FOLDER_FOREIGN: 64,
    C.SANDBOX_FOLDER_UNUSABLE: 3,
    C.SANDBOX_RUNS_ALREADY: 1,
    C.SANDBOX_PEOPLE_FIXED: 64,
    C.SANDBOX_NODES_FIXED: 64,
    C.SANDBOX_PROVINCE_FIXED: 64,
    C.SANDBOX_ENDED: 1,
    C.PORT_TAKEN: 1,
    C.IDENTITY_FOLDER_IN_USE: 3,
    C.AGREEMENT_UNKNOWN: 64,
    C.FAULT_UNKNOWN: 64,
    C.LOG_KEY_UNNAMED: 64,
    C.LOG_NOT_A_FILE: 3,
    C.GATEWAY_SILENT: 2,
}
"""As docs/cli.md promises them; written out, so that the table under test is not its own judge."""

MISTAKES: list[tuple[list[str], CommandReason, str]] = [
    (["ask", *ASK, "--field", "full_name"], C.OPTION_MISSING, "--case"),
    (["ask", "--case", "C-1", *ASK], C.OPTION_MISSING, "--field"),
    (["log", "show", "--config", "x", "--officer", "o"], C.OPTION_MISSING, "--for-case"),
    (["log", "verify"], C.OPTION_MISSING, "log"),
    (["sandbox", "enrol", "newcomer-1"], C.OPTION_MISSING, "--dir"),
    (["nonsense"], C.USAGE_WRONG, ""),
    (["ask", "--nonsense"], C.USAGE_WRONG, "--nonsense"),
    (["ask", "--timeout", "soon"], C.USAGE_WRONG, "--timeout"),
    (["log", "verify", "x", "--log-key-fil", "y"], C.USAGE_WRONG, "--log-key-fil"),
    (["policy", "explain", BUNDLE, "--agreement", "XY-1"], C.AGREEMENT_UNKNOWN, "XY-2026-201"),
    (["simulate", "health", "--fault", "flood"], C.FAULT_UNKNOWN, "two_valid_rows"),
    (["simulate", "health", "--fault", "jwks_rotated:1"], C.FAULT_UNKNOWN, "two_valid_rows"),
    (["simulate", "tax", "--fault", "disk_full:0"], C.USAGE_WRONG, "--fault"),
    (["simulate", "tax", "--fault", "disk_full:soon"], C.USAGE_WRONG, "--fault"),
    (["log", "verify", "x"], C.LOG_KEY_UNNAMED, ""),
    (["log", "verify", "x", "--log-key", KEY, "--log-key-file", "y"], C.LOG_KEY_UNNAMED, ""),
    (["log", "verify", FULL, "--log-key", KEY], C.LOG_NOT_A_FILE, f"{FULL}/{LOG}"),
    (["log", "verify", f"{FULL}/log", "--log-key", KEY], C.LOG_NOT_A_FILE, f"{FULL}/{LOG}"),
    (["log", "verify", SPOILT, "--log-key", KEY], C.LOG_NOT_A_FILE, SPOILT),
    (["sandbox", "enrol", "newcomer-9", "--dir", "x"], C.SEAT_UNKNOWN, "newcomer-3"),
    (["sandbox", "enrol", "newcomer-1", "--dir", FULL], C.SANDBOX_NOT_RUNNING, FULL),
    (["sandbox", "enrol", "newcomer-1", "--dir", SPOILT], C.SANDBOX_UNREADABLE, SPOILT),
]
IDS = [f"{reason}-{number}" for number, (_, reason, _) in enumerate(MISTAKES)]


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FULL / "log").mkdir(parents=True)
    (tmp_path / FULL / LOG).touch()
    (tmp_path / SPOILT).mkdir()
    (tmp_path / SPOILT / "running.json").write_text('{"address": "127.0.0.1:1"}')
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("arguments", "reason", "detail"), MISTAKES, ids=IDS)
def test_a_mistake_is_told_to_people_in_two_languages(
    arguments: list[str],
    reason: CommandReason,
    detail: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Reason, side, both texts and what is meant, on standard error."""
    ended = run(arguments)

    told = capsys.readouterr()
    text = COMMAND_TEXTS[reason][1]
    assert ended == EXIT_CODES[reason]
    assert told.out == ""
    for part in (f"{reason} ({text.side})", text.zh, text.en, detail):
        assert part in told.err


@pytest.mark.parametrize(("arguments", "reason", "detail"), MISTAKES, ids=IDS)
def test_a_mistake_is_told_to_machines(
    arguments: list[str],
    reason: CommandReason,
    detail: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With --json the same stands on standard output."""
    ended = run([*arguments, "--json"])

    told = json.loads(capsys.readouterr().out)
    text = COMMAND_TEXTS[reason][1]
    assert ended == EXIT_CODES[reason]
    assert (told["reason"], told["side"]) == (reason, text.side)
    assert (told["text_zh"], told["text_en"]) == (text.zh, text.en)
    assert detail in told["detail"]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["ask", "--subject-id370102198203159010"], "370102198203159010"),
        (["ask", "-370102198203159010"], "370102198203159010"),
        (["ask", "--subject-nam=李明哲"], "李明哲"),
        (["ask", "--timeout", "李明哲"], "李明哲"),
        (["李明哲"], "李明哲"),
    ],
    ids=["run into the name", "after one dash", "of no option", "of another form", "as a noun"],
)
def test_a_value_is_never_repeated_to_machines(
    arguments: list[str], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names of options are told, what was typed for one is not."""
    ended = run([*arguments, "--json"])

    told = capsys.readouterr().out
    assert ended == EXIT_CODES[C.USAGE_WRONG]
    assert json.loads(told)["reason"] == "USAGE_WRONG"
    assert value not in told


def test_a_noun_alone_shows_its_help_and_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types a noun to see what there is gets that, and no reproach."""
    code = run(["log"])

    told = capsys.readouterr()
    assert code == EXIT_CODES[C.USAGE_WRONG]
    assert "verify" in told.out + told.err
    assert "USAGE_WRONG" not in told.err


def test_every_reason_says_what_to_do() -> None:
    """No reason is left without words in two languages."""
    assert list(COMMAND_TEXTS) == list(CommandReason)
    assert {each: int(code) for each, (code, _) in COMMAND_TEXTS.items()} == EXIT_CODES
    for _, text in COMMAND_TEXTS.values():
        assert text.zh.endswith("。")
        assert text.en.endswith(".")
