"""Every mistake on a command line is told in two languages, with a reason, the side, a remedy."""

import json
from pathlib import Path

import pytest

from gateway.cli.ending import ExitCode
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

MISTAKES: list[tuple[list[str], CommandReason, str]] = [
    (["ask", *ASK, "--field", "full_name"], C.OPTION_MISSING, "--case"),
    (["ask", "--case", "C-1", *ASK], C.OPTION_MISSING, "--field"),
    (["log", "show", "--config", "x", "--officer", "o"], C.OPTION_MISSING, "--for-case"),
    (["log", "verify"], C.OPTION_MISSING, "log"),
    (["sandbox", "enrol", "newcomer-1"], C.OPTION_MISSING, "--dir"),
    (["nonsense"], C.USAGE_WRONG, ""),
    (["ask", "--nonsense"], C.USAGE_WRONG, ""),
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
    code, text = COMMAND_TEXTS[reason]
    assert ended == code
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
    code, text = COMMAND_TEXTS[reason]
    assert ended == code
    assert (told["reason"], told["side"]) == (reason, text.side)
    assert (told["text_zh"], told["text_en"]) == (text.zh, text.en)
    assert detail in told["detail"]


def test_a_noun_alone_shows_its_help_and_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types a noun to see what there is gets that, and no reproach."""
    code = run(["log"])

    told = capsys.readouterr()
    assert code == ExitCode.USAGE
    assert "verify" in told.out + told.err
    assert "USAGE_WRONG" not in told.err


def test_every_reason_says_what_to_do() -> None:
    """No reason is left without words in two languages."""
    assert list(COMMAND_TEXTS) == list(CommandReason)
    for _, text in COMMAND_TEXTS.values():
        assert text.zh.endswith("。")
        assert text.en.endswith(".")
