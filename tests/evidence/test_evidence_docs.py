"""The page for auditors tells the reasons and the receipt file as the code has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hutong.evidence import EvidenceReason
from hutong.evidence.reasons import MEANINGS

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")


@pytest.mark.parametrize("reason", list(EvidenceReason))
def test_reason_is_told_on_the_page_as_in_the_code(reason: EvidenceReason) -> None:
    """Each reason stands there twice, with its exit code and its sentence."""
    meaning = MEANINGS[reason]

    for sentence in (meaning.zh, meaning.en):
        assert f"| `{reason}` | {int(meaning.outcome)} | {sentence} |" in PAGE


def test_page_names_no_reason_that_does_not_exist() -> None:
    """The tables hold the closed list and nothing else."""
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    reasons = [name for name in rows if name.isupper()]

    assert sorted(reasons) == sorted([*map(str, EvidenceReason)] * 2)
