"""The HRSS adapter: rows become records, and whose rows are never mixed."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kinds.hrss import (
    HrssAdapter,
)
from adapters.port import (
    DatasetName,
    Effect,
    EffectKind,
    Indeterminate,
    NotFound,
    Record,
    Subject,
    SubjectType,
    Untold,
)
from adapters.records import RecordSource
from adapters.simulators.population import hrss_database
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, query_of, read_outcome
from tests.adapters.hrss.tables import (
    CARD,
    CONTRACT,
    CONTRIBUTION,
    NAME,
    PARTICIPATION,
    PENSION,
    PERSON,
    QUALIFICATION,
    SHAPES,
    Tables,
    ask,
)


async def test_a_certificate_of_another_number_is_not_found(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """Not held is not the same as not valid."""
    tables.add("hr_qualification", certificate_no="Q1", state="有效", issue_date="2023-11-20")
    query = query_of(QUALIFICATION, (PERSON, NAME), {"verified": IS_TRUE}, {"certificate_no": "Q2"})

    outcome = await adapter.fetch(query)

    assert isinstance(outcome, NotFound)


async def test_no_certificate_named_is_nothing_to_verify(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """Without a claim the finding does not apply."""
    tables.add("hr_qualification", certificate_no="Q1", state="有效", issue_date="2023-11-20")

    found = await ask(adapter, QUALIFICATION, {"verified": IS_TRUE})

    assert found == {"verified": "NOT_APPLICABLE"}


async def test_only_granted_fields_leave_and_each_with_its_effect(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """Everything else of the row stays; digests do not tell how many fields there were."""
    tables.add(
        "hr_pension",
        benefit_state="正常",
        start_month="201603",
        monthly_amount="3120.50",
        last_certified="2025-06-02",
    )
    grants = {
        "monthly_amount": Effect(kind=EffectKind.GENERALISE, parameters=("thousand",)),
        "start_month": Effect(kind=EffectKind.GENERALISE, parameters=("year",)),
        "is_receiving": IS_TRUE,
    }
    query = query_of(PENSION, (PERSON, NAME), grants)

    outcome = await adapter.fetch(query)

    assert disclosed(query, outcome) == {
        "monthly_amount": "3000",
        "start_month": "2016",
        "is_receiving": "YES",
    }
    assert read_outcome(query, outcome).claims.state == "FOUND"


async def test_a_field_named_state_leaves(adapter: HrssAdapter, tables: Tables) -> None:
    """Two datasets of the catalog have a field of this name."""
    tables.add("hr_participation", state="参保")

    assert await ask(adapter, PARTICIPATION, {"state": CLEAR}) == {"state": "参保"}


async def test_lists_leave_as_lists(adapter: HrssAdapter, tables: Tables) -> None:
    """Kinds of insurance are a list of codes, months a list of objects."""
    tables.add("hr_participation", insured_kinds='["110","210"]', state="参保")
    tables.add(
        "hr_contribution_record",
        months_paid=216,
        recent_months='[{"period":"202610","base":"6500.00","paid":true}]',
    )

    kinds = await ask(adapter, PARTICIPATION, {"insured_kinds": CLEAR})
    months = await ask(
        adapter,
        CONTRIBUTION,
        {
            "recent_months": CLEAR,
            "paid_at_least": Effect(kind=EffectKind.PREDICATE, parameters=("at_least", "216")),
        },
    )

    assert kinds == {"insured_kinds": ["110", "210"]}
    assert months == {
        "recent_months": ['{"base":"6500.00","paid":true,"period":"202610"}'],
        "paid_at_least": "YES",
    }


@pytest.mark.parametrize(
    ("start", "end", "finding"),
    [
        ("2024-03-01", None, "YES"),
        ("2024-03-01", "2026-11-23", "YES"),
        ("2024-03-01", "2026-11-22", "NO"),
        ("2026-11-24", None, "NO"),
    ],
)
async def test_a_contract_is_active_from_its_first_to_its_last_day(
    adapter: HrssAdapter, tables: Tables, start: str, end: str | None, finding: str
) -> None:
    """Both days count; none without an end is over."""
    tables.add("hr_labour_contract", start_date=start, end_date=end)

    found = await ask(adapter, CONTRACT, {"has_active_contract": IS_TRUE})

    assert found == {"has_active_contract": finding}


async def test_a_replaced_card_does_not_hide_the_valid_one(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """The card in use is told, whatever order the rows have."""
    tables.add("hr_sscard", card_no="A00000002", card_state="正常", as_of="2020-01-01")
    tables.add("hr_sscard", card_no="A00000001", card_state="注销", as_of="2024-01-01")

    found = await ask(adapter, CARD, {"card_no": CLEAR, "has_valid_card": IS_TRUE})

    assert found == {"card_no": "A00000002", "has_valid_card": "YES"}


async def test_two_people_under_one_number_are_told_apart_by_name(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """The other person's row is not looked at."""
    tables.add("hr_pension", name="王芳", benefit_state="正常")
    tables.add("hr_pension", benefit_state="终止")

    assert await ask(adapter, PENSION, {"is_receiving": IS_TRUE}) == {"is_receiving": "NO"}


@pytest.mark.parametrize("name", [None, "赵六", "\u3013\u3013", "王\u25a1"])
async def test_whose_rows_nobody_can_tell_are_nobodys(
    adapter: HrssAdapter, tables: Tables, name: str | None
) -> None:
    """Two names and none asked, or another name asked: it could not be told."""
    tables.add("hr_pension", name="王芳", benefit_state="正常")
    tables.add("hr_pension", benefit_state="终止")

    outcome = await adapter.fetch(query_of(PENSION, (PERSON, name), {"is_receiving": IS_TRUE}))

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_no_row_is_not_found_with_the_findings_of_the_catalog(adapter: HrssAdapter) -> None:
    """No row of participation means not insured, because the catalog says so."""
    query = query_of(PARTICIPATION, (PERSON, NAME), {"is_insured": IS_TRUE, "first_date": CLEAR})

    outcome = await adapter.fetch(query)

    assert isinstance(outcome, NotFound)
    assert disclosed(query, outcome) == {"is_insured": "NO"}
    assert read_outcome(query, outcome).claims.state == "NOT_FOUND"


async def test_what_may_not_be_told_does_not_stand_in_the_record(adapter: HrssAdapter) -> None:
    """Without leave to tell, a record of nobody looks like any other."""
    query = replace(
        query_of(PARTICIPATION, (PERSON, NAME), {"is_insured": IS_TRUE}), tell_not_found=False
    )

    outcome = await adapter.fetch(query)

    assert read_outcome(query, outcome).claims.state == "NOT_TOLD"


async def test_an_organisation_has_no_person_tables(adapter: HrssAdapter) -> None:
    """A credit code names no person."""
    query = query_of(PENSION, (PERSON, NAME), {"is_receiving": IS_TRUE})
    subject = Subject(type=SubjectType.USCC, identifier="91370100MA3FAKE04Q")

    outcome = await adapter.fetch(replace(query, subject=subject))

    assert isinstance(outcome, NotFound)


async def test_more_rows_than_a_person_can_have_are_malformed(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """A thousand rows for a one-row question are an accident, not an answer."""
    for _ in range(40):
        tables.add("hr_pension", benefit_state="正常")

    outcome = await adapter.fetch(query_of(PENSION, (PERSON, NAME), {"is_receiving": IS_TRUE}))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_a_missing_database_is_unavailable(source: RecordSource, tmp_path: Path) -> None:
    """A database that cannot be read never means that nobody is insured."""
    adapter = HrssAdapter(
        source=source, datasets=frozenset({PENSION.name}), database=tmp_path / "none.sqlite"
    )

    outcome = await adapter.fetch(query_of(PENSION, (PERSON, NAME), {"is_receiving": IS_TRUE}))
    health = await adapter.examine_health()
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert not health.reachable


async def test_a_dataset_it_does_not_serve_is_not_connected(
    adapter: HrssAdapter, tables: Tables
) -> None:
    """Nor is another version of one it serves."""
    query = query_of(PENSION, (PERSON, NAME), {"is_receiving": IS_TRUE})
    later = replace(query, dataset=replace(PENSION, name=DatasetName("hr.pension@2")))

    assert await adapter.fetch(later) == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)
    assert (await adapter.examine_health()).reachable
    assert tables.path.exists()


async def test_the_published_tables_are_read(source: RecordSource, tmp_path: Path) -> None:
    """Every dataset answers for people of the synthetic population."""
    path = tmp_path / "population.sqlite"
    hrss_database(path, seed=1, size=200)
    with sqlite3.connect(path) as connection:
        people = connection.execute(
            "SELECT DISTINCT person_id, full_name FROM hr_pension"
        ).fetchall()
    adapter = HrssAdapter(
        source=source, datasets=frozenset(shape.name for shape in SHAPES), database=path
    )

    outcomes = [
        await adapter.fetch(
            query_of(shape, (person, name), {field.name: CLEAR for field in shape.fields})
        )
        for shape in SHAPES
        for person, name in people[:20]
    ]
    await adapter.close()
    connection.close()

    assert people
    assert not [outcome for outcome in outcomes if isinstance(outcome, Untold)]
    assert any(isinstance(outcome, Record) for outcome in outcomes)
