"""The commerce adapter against a register that breaks its own interface in small ways."""

import logging
from collections.abc import Mapping

import pytest

from adapters.kinds.commerce import CommerceAdapter
from adapters.kinds.commerce.adapter import MAX_BODY
from adapters.port import (
    Indeterminate,
    NotFound,
    Record,
    Subject,
    Untold,
)
from tests.adapters.asking import CLEAR, disclosed
from tests.adapters.commerce.asking import (
    CODE,
    COMPANY,
    POSITION,
    RECORD,
    TRADER,
    TRADER_RECORD,
)
from tests.adapters.commerce.scripted import (
    TRADER_SUBJECT,
    Register,
    enterprise_query,
    positions_query,
    reply,
)


async def test_a_sole_trader_is_asked_for_where_the_register_says_so(
    adapter: CommerceAdapter, register: Register
) -> None:
    """2006, then section 6."""
    register.answer(reply(code="2006"))
    register.answer(reply(TRADER_RECORD))
    query = enterprise_query(TRADER_SUBJECT, {"name": CLEAR, "entity_type": CLEAR})

    outcome = await adapter.fetch(query)

    assert disclosed(query, outcome) == {
        "name": "济南市历下区演示小吃店",
        "entity_type": "个体工商户",
    }
    assert register.asked[1][1] == "/api/v1/soletraders/query"
    assert register.asked[1][2].startswith(f'{{"epbno":"{TRADER}",'.encode())


@pytest.mark.parametrize(
    ("subject", "then"),
    [(COMPANY, reply(TRADER_RECORD)), (TRADER_SUBJECT, reply(code="2004"))],
    ids=["a company", "none held"],
)
async def test_a_sole_trader_against_its_own_code_is_malformed(
    adapter: CommerceAdapter, register: Register, subject: Subject, then: Mapping[str, object]
) -> None:
    """Two statements that cannot both be true."""
    register.answer(reply(code="2006"))
    register.answer(then)

    outcome = await adapter.fetch(enterprise_query(subject))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (reply(RECORD, RECORD), 200),
        (reply(), 200),
        (reply(RECORD, code="2004"), 200),
        (reply(RECORD, code="2006"), 200),
        (reply(code="2005"), 200),
        (reply(code="2001"), 200),
        (reply(RECORD), 201),
        (reply(code="2004"), 404),
        (reply(code="4040"), 200),
        (reply(RECORD), 400),
        ({"code": "2000", "data": RECORD}, 200),
        ({"code": "2000", "data": None}, 200),
        ({"code": "2004"}, 200),
        ({"code": "2000", "data": ["甲"]}, 200),
        ({"code": 2000, "data": [RECORD]}, 200),
        ({"data": [RECORD]}, 200),
    ],
)
async def test_code_status_and_records_must_agree(
    adapter: CommerceAdapter, register: Register, body: Mapping[str, object], status: int
) -> None:
    """Whatever does not is malformed: never a record, never "none held"."""
    register.answer(body, status)

    outcome = await adapter.fetch(enterprise_query())

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413])
async def test_a_refusal_is_untold_by_its_code_and_nothing_of_it_is_logged(
    adapter: CommerceAdapter, register: Register, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """`msg` is the department's text and may quote the question."""
    caplog.set_level(logging.DEBUG, logger="adapters")
    codes = {400: "4000", 401: "4011", 403: "4030", 404: "4040"}
    code = codes.get(status, f"{status}0")
    register.answer({"code": code, "msg": f"{CODE} 不受理", "data": []}, status)

    outcome = await adapter.fetch(enterprise_query())

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert f"code {code}" in caplog.text
    assert CODE not in caplog.text
    assert "不受理" not in caplog.text


async def test_number_and_name_that_disagree_are_unresolved(
    adapter: CommerceAdapter, register: Register
) -> None:
    """2005 is no "none held": somebody has to look."""
    register.answer(reply(code="2005"))
    query = positions_query()

    outcome = await adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_no_positions_is_no_because_the_catalog_says_so(
    adapter: CommerceAdapter, register: Register
) -> None:
    """2004."""
    register.answer(reply(code="2004"))
    query = positions_query()

    outcome = await adapter.fetch(query)

    assert isinstance(outcome, NotFound)
    assert disclosed(query, outcome) == {"has_active_entity": "NO"}


async def test_more_positions_than_the_page_promises_are_malformed(
    adapter: CommerceAdapter, register: Register
) -> None:
    """A hundred are read, one more is not."""
    register.answer(reply(*[POSITION] * 100))
    register.answer(reply(*[POSITION] * 101))
    query = positions_query()

    outcomes = [await adapter.fetch(query) for _ in range(2)]

    assert isinstance(outcomes[0], Record)
    assert outcomes[1] == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_an_answer_larger_than_promised_is_not_read(
    adapter: CommerceAdapter, register: Register
) -> None:
    """256 KiB; what a record is padded with counts."""
    register.answer(reply({**RECORD, "opscope": "甲" * (MAX_BODY // 3)}))

    outcome = await adapter.fetch(enterprise_query())

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)
