"""docs/identifiers.md says what the code does."""

from pathlib import Path

from adapters.mapping.codes import TABLES, code_table
from adapters.mapping.identifiers import KINDS, MEANINGS, POLICY, IdentifierKind, Problem
from adapters.mapping.names import SEPARATORS

PAGE = (Path(__file__).parents[3] / "docs" / "identifiers.md").read_text("utf-8")


def rows(section: str) -> list[list[str]]:
    """Return the cells of the table of one section, without its head and code marks."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_every_problem_stands_there_with_its_severity() -> None:
    """In the order of the code."""
    assert rows("Severity") == [[each, POLICY[each], MEANINGS[each]] for each in Problem]


def test_every_identifier_stands_there_with_its_rule() -> None:
    """Name, rule, problems, source and an example that the other tests find right."""
    expected = [
        [
            kind,
            KINDS[kind].zh,
            KINDS[kind].rule,
            ", ".join(KINDS[kind].problems) or "none",
            KINDS[kind].source,
            KINDS[kind].example,
        ]
        for kind in IdentifierKind
    ]

    assert rows("Identifiers") == expected


def test_every_code_table_stands_there_with_its_size() -> None:
    """Name, number of codes, source."""
    expected = [
        [name, str(len(code_table(name).entries)), source] for name, source in TABLES.items()
    ]

    assert rows("Code tables") == expected


def test_the_separators_of_names_stand_there() -> None:
    """All four code points."""
    assert all(f"U+{ord(dot):04X}" in PAGE for dot in SEPARATORS)
