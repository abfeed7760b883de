"""Every link between the documents leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)


def _anchor(heading: str) -> str:
    """Return the anchor a forge gives a heading: `## Two words` becomes `two-words`."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return kept.replace(" ", "-")


def _leads_nowhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    if not anchor or target.suffix != ".md":
        return False
    return anchor not in {_anchor(text) for text in HEADING.findall(target.read_text("utf-8"))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_docs_link_leads_somewhere(page: Path) -> None:
    """A relative link names an existing file, and a heading that file has."""
    text = CODE.sub("", page.read_text("utf-8"))

    links = [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]

    assert [link for link in links if _leads_nowhere(page, link)] == []
