"""Decision records keep their form: numbered, short, with the same five questions answered."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("*.md"))
SECTIONS = ["Context", "Options", "Decision", "Consequences", "Revisit when"]
MAX_LINES = 60


def test_numbers_follow_each_other() -> None:
    """No number is used twice or left out."""
    numbers = [int(path.name[:4]) for path in RECORDS]

    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_record_is_short_and_complete(path: Path) -> None:
    """Whoever reads one record knows where to look in all of them."""
    text = path.read_text("utf-8")

    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)

    assert re.fullmatch(r"\d{4}(-[a-z0-9]+)+\.md", path.name)
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.search(
        r"^Status: (proposed|accepted|superseded by \d+), \d{4}-\d\d-\d\d$", text, re.MULTILINE
    )
    assert headings == SECTIONS
    assert text.count("\n") <= MAX_LINES
