"""The reasons of a provider node's refusals: one closed list, and the page that tells it."""

from pathlib import Path

import pytest

from adapters.port import Indeterminate
from adapters.provider_node.reasons import TEXTS, NodeReason, parse_reason

PAGE = Path(__file__).parents[2] / "docs" / "adapters" / "provider-node.md"


def test_page_lists_every_reason_as_the_code_does() -> None:
    """Code, side, what the requester is told and both texts stand in the page."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    documented = [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]

    expected = [
        [str(reason), text.side, str(text.told), text.zh, text.en] for reason, text in TEXTS.items()
    ]

    assert [row for row in documented if row[0] in set(NodeReason)] == expected
    assert list(TEXTS) == list(NodeReason)


def test_every_side_is_one_of_four() -> None:
    """The words are those of the gateway's own reasons."""
    assert {text.side for text in TEXTS.values()} <= {"requester", "gateway", "provider", "trust"}


def test_no_refusal_of_a_node_blames_the_question() -> None:
    """It had passed the gateway: that the two ends disagree is nothing a requester could mend."""
    told = {text.told for text in TEXTS.values()}

    assert told == {Indeterminate.PROVIDER_FAULT, Indeterminate.PROVIDER_UNAVAILABLE}


@pytest.mark.parametrize("text", ["", "internal", "INTERNAL ", "王守仁", "__class__"])
def test_text_that_is_no_reason_is_none(text: str) -> None:
    """What a node signed for a reason and is none is not passed on, least of all into a log."""
    assert parse_reason(text) is None
    assert parse_reason("INTERNAL") is NodeReason.INTERNAL
