"""The type checker tells a claim from a proof."""

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]

PROGRAM = """
from signing.envelope import Envelope, VerifiedEnvelope


def release(proven: VerifiedEnvelope) -> bytes:
    return proven.payload


def sound(proven: VerifiedEnvelope) -> bytes:
    return release(proven)


def unsound(claimed: Envelope) -> bytes:
    return release(claimed)
"""


@pytest.mark.slow
def test_an_envelope_is_not_taken_for_a_verified_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passing `Envelope` where `VerifiedEnvelope` is wanted is the program's one type error."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    monkeypatch.setenv("MYPYPATH", str(ROOT))

    options = ["--strict", "--config-file=", "--follow-imports=silent", "--explicit-package-bases"]
    report, _, exit_status = api.run([*options, f"--cache-dir={tmp_path}", str(program)])

    assert exit_status == 1, report
    assert report.count("error:") == 1, report
    assert 'has incompatible type "Envelope"; expected "VerifiedEnvelope"' in report
