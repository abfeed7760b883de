"""A page in two languages says the same to type: commands and programs do not drift apart."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAIRS = [("README.md", "README.zh-CN.md"), ("docs/quickstart.md", "docs/quickstart.zh-CN.md")]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}.*\n?)+", re.MULTILINE)
REMARK = re.compile(r" +# .*$", re.MULTILINE)


def _typed(page: str) -> list[str]:
    """Return what a reader types, block by block, without the remarks for people."""
    text = (ROOT / page).read_text("utf-8")
    programs = [program for _, program in FENCED.findall(text)]
    commands = [REMARK.sub("", block) for block in INDENTED.findall(FENCED.sub("", text))]
    return [block.strip() for block in (*commands, *programs)]


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_docs_in_both_languages_have_the_same_commands(english: str, chinese: str) -> None:
    """Every command and program stands in both, in the same order, letter by letter."""
    typed = _typed(english)

    assert typed == _typed(chinese)
    assert len(typed) > 1


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_docs_in_both_languages_name_each_other(english: str, chinese: str) -> None:
    """Whoever opens the wrong one finds the other at the top."""
    for page, other in ((english, chinese), (chinese, english)):
        head = (ROOT / page).read_text("utf-8").splitlines()[:10]
        assert any(f"({Path(other).name})" in line for line in head)


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_docs_in_both_languages_have_the_same_sections(english: str, chinese: str) -> None:
    """A section that is added to one is missed in the other."""
    levels = [
        re.findall(r"^(#+) ", FENCED.sub("", (ROOT / page).read_text("utf-8")), re.MULTILINE)
        for page in (english, chinese)
    ]

    assert levels[0] == levels[1]
