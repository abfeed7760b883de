"""The pages of docs/policy say what the code does."""

import re
from pathlib import Path

import yaml

from gateway.catalog.problems import PolicyReason
from gateway.policy import Bundle, RuleCode
from gateway.policy.effects import STEPS, DocumentEffect, parse_effect
from gateway.policy.predicates import PREDICATES
from tests.policy.conftest import SANDBOX, LoadSmall

PAGES = Path(__file__).parents[2] / "docs" / "policy"


def read_cells(page: str, column: int) -> list[str]:
    """Return what stands in one column of the tables of a page, headings left out."""
    lines = (PAGES / page).read_text("utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [row[column].strip() for row in rows if len(row) > column]


def test_the_reasons_table_lists_every_reason_once() -> None:
    """No reason is missing, none is invented."""
    listed = re.findall(r"`([A-Z_]+)`", "\n".join(read_cells("reasons.md", 0)))

    assert sorted(listed) == sorted(reason.value for reason in PolicyReason)


def test_the_table_of_decision_codes_is_complete() -> None:
    """R0 to R7."""
    listed = [cell for cell in read_cells("reasons.md", 0) if re.fullmatch(r"R\d", cell)]

    assert listed == sorted(code.value for code in RuleCode)


def test_every_spelling_of_the_effects_page_is_an_effect() -> None:
    """And every step and predicate stands there."""
    cells = "\n".join(read_cells("effects.md", 0))
    text = (PAGES / "effects.md").read_text("utf-8")

    for spelling in re.findall(r"`([^`]+)`", cells):
        parse_effect(spelling)
    assert all(f"概化({step})" in cells for step in STEPS)
    assert all(
        predicate.words.replace("N", "") in re.sub(r"\d", "", cells) for predicate in PREDICATES
    )
    assert all(effect.value in text for effect in DocumentEffect)


def test_the_facts_page_is_the_vocabulary(sandbox: Bundle) -> None:
    """Names, types and sources agree."""
    names, types, sources = (read_cells("facts.md", column)[2:] for column in range(3))
    listed = {
        name.strip("`"): (kind, source)
        for name, kind, source in zip(names, types, sources, strict=True)
    }

    assert listed == {
        fact.name: (fact.type.value, fact.source.value) for fact in sandbox.vocabulary.values()
    }


def test_the_worked_example_compiles(load_small: LoadSmall) -> None:
    """The agreement of the page compiles against the sandbox's own catalog and conditions."""
    page = (PAGES / "agreements.md").read_text("utf-8")
    found = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert found is not None

    bundle = load_small(
        agreements=found[1],
        head=(SANDBOX / "bundle.yaml").read_text("utf-8"),
        catalog=(SANDBOX / "catalog.yaml").read_text("utf-8"),
        conditions=(SANDBOX / "conditions.yaml").read_text("utf-8"),
        restrictions=(SANDBOX / "restrictions.yaml").read_text("utf-8"),
    )

    (written,) = yaml.safe_load(found[1])
    assert bundle.find_agreement(written["编号"]) is not None


def test_every_member_of_the_example_is_described() -> None:
    """Each member an officer writes has a row in the table."""
    page = (PAGES / "agreements.md").read_text("utf-8")
    found = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert found is not None
    (written,) = yaml.safe_load(found[1])
    described = "、".join(read_cells("agreements.md", 0))

    assert [name for name in written if name not in described and name != "名称"] == []
