"""The command line without a server: endings, usage, help, policy, what cannot be read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.ending import Ended, ExitCode
from gateway.cli.root import NOUNS, run

BUNDLE = Path(__file__).parents[2] / "gateway" / "bundle"


def test_help_names_every_noun(capsys: pytest.CaptureFixture[str]) -> None:
    """`hutong --help` lists every noun and the exit codes."""
    code = run(["--help"])

    shown = capsys.readouterr().out
    assert code == ExitCode.YES
    assert all(noun in shown for noun in NOUNS)
    assert "Exit codes" in shown


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_explains_itself(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of a noun ends with 0 and says how it is used."""
    code = run([noun, "--help"])

    assert code == ExitCode.YES
    assert f"Usage: hutong {noun}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["demo", "--nonsense"],
        ["policy", "compile"],
        ["log", "show", "--config", "x", "--officer", "o"],
        ["log", "verify", "x"],
        ["serve"],
        ["sandbox", "enrol", "newcomer-9", "--dir", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_64(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A command line that cannot be meant ends with EX_USAGE, never with 2 (cannot tell)."""
    monkeypatch.delenv("HUTONG_CONFIG", raising=False)

    assert run(arguments) == ExitCode.USAGE


def test_a_log_that_cannot_be_looked_at_is_unreadable() -> None:
    """Its code is 3; 1 would say that somebody altered the log."""
    key = "sandbox.invalid/hutong/log+00000000+AQ"

    assert run(["log", "verify", "x" * 300, "--log-key", key]) == ExitCode.UNREADABLE


def test_help_loads_no_server() -> None:
    """Listing the commands imports neither gRPC nor HTTP."""
    program = (
        "import sys; from gateway.cli.root import run; run(['--help']);"
        "sys.exit(any(name in sys.modules for name in ('grpc', 'aiohttp', 'zeep')))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert ended.returncode == 0


def test_missing_configuration_is_unreadable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A configuration that is not there ends `check-config` with 3 and says so."""
    code = run(["check-config", "--config", str(tmp_path / "none.yaml")])

    assert code == ExitCode.UNREADABLE
    assert "none.yaml" in capsys.readouterr().err


def test_missing_identity_is_unreadable(tmp_path: Path) -> None:
    """`ask` without an identity directory ends with 3."""
    asked = ["--agreement", "XY-1", "--field", "a", "--subject-id", "1", "--matter", "M2"]

    code = run(["ask", "--identity", str(tmp_path), "--case", "C", *asked])

    assert code == ExitCode.UNREADABLE


def test_folder_in_use_takes_no_sandbox(tmp_path: Path) -> None:
    """A sandbox overwrites nothing."""
    (tmp_path / "something").touch()

    assert run(["sandbox", "--dir", str(tmp_path)]) == ExitCode.USAGE


def test_nobody_enrols_where_no_sandbox_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Enrolling needs a running sandbox, says so, and how one is started."""
    code = run(["sandbox", "enrol", "newcomer-1", "--dir", str(tmp_path)])

    told = capsys.readouterr().err
    assert code == ExitCode.UNREADABLE
    assert "No sandbox runs" in told
    assert f"sandbox --dir {tmp_path}" in told


def test_shipped_bundle_compiles(capsys: pytest.CaptureFixture[str]) -> None:
    """`policy compile` prints the digest that a configuration pins."""
    code = run(["policy", "compile", str(BUNDLE), "--start-date", "2026-11-23", "--json"])

    compiled = json.loads(capsys.readouterr().out)
    assert code == ExitCode.YES
    assert len(compiled["digest"]) == 64
    assert compiled["agreements"] > 0


def test_broken_bundle_is_refused_with_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`policy compile` of a folder without a bundle ends with 1 and names the file."""
    code = run(["policy", "compile", str(tmp_path), "--json"])

    problems = json.loads(capsys.readouterr().out)["problems"]
    assert code == ExitCode.NO
    assert problems[0]["file"] == "bundle.yaml"


def test_explanation_names_the_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    """`policy explain` says what would be released and under which agreement."""
    bundle = [str(BUNDLE), "--agreement", "XY-2026-201"]

    code = run(["policy", "explain", *bundle, "--field", "full_name", "--field", "ethnicity"])

    shown = capsys.readouterr().out
    assert code == ExitCode.YES
    assert "full_name: 掩码(1,0)" in shown
    assert "ethnicity: 不予提供" in shown
    assert "XY-2026-201" in shown


@pytest.mark.parametrize(
    ("level", "effect"), [("county", "概化(县)"), ("township", "概化(县)"), ("village", "不予提供")]
)
def test_an_explanation_is_for_an_officer_of_a_level(
    capsys: pytest.CaptureFixture[str], level: str, effect: str
) -> None:
    """Further down, less is released."""
    bundle = [str(BUNDLE), "--agreement", "XY-2026-201", "--level", level]

    run(["policy", "explain", *bundle, "--field", "registered_address"])

    assert f"registered_address: {effect}" in capsys.readouterr().out


def test_an_unknown_field_is_not_explained_as_withheld(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A misspelt name is wrong usage, and the names there are are told."""
    bundle = [str(BUNDLE), "--agreement", "XY-2026-201"]

    code = run(["policy", "explain", *bundle, "--field", "full_nam"])

    told = capsys.readouterr().err
    assert code == ExitCode.USAGE
    assert "no field full_nam" in told
    assert "full_name" in told


def test_unreadable_log_is_told_from_a_tampered_one(tmp_path: Path) -> None:
    """`log verify` of a file that is none ends with 3."""
    key = "sandbox.invalid/hutong/log+24cb3f03+AVIpgC4vMrbDj9FfUfbBeASEZDPxcaD08A2vLQXfmk4E"
    (tmp_path / "access.db").write_bytes(b"nothing")

    code = run(["log", "verify", str(tmp_path / "access.db"), "--log-key", key])

    assert code in {ExitCode.INDETERMINATE, ExitCode.UNREADABLE}


def test_ending_keeps_code_and_text() -> None:
    """What ends a command says its code and a text for people."""
    ended = Ended(ExitCode.NO, "no")

    assert (ended.code, ended.text, str(ended)) == (ExitCode.NO, "no", "no")
