"""What the commerce simulator refuses, and that the refusals keep to the published document."""

import pytest
from openapi_core import OpenAPI

from adapters.simulators.commerce.changes import Feed
from adapters.simulators.commerce.faults import Fault
from adapters.simulators.commerce.register import Register
from adapters.simulators.faults import FaultBoard
from adapters.simulators.population import Population
from tests.simulators.commerce_client import (
    BASE,
    CHANGES,
    VERIFY,
    CommerceClient,
    answer_violates,
    request_violates,
)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?limit=0",
        "?limit=201",
        "?limit=05",
        "?limit=x",
        "?limit=5&limit=5",
        "?limit=5&page=1",
        "?limit=5&cursor=AAAAAAAAAAAAAAAA",
        "?limit=5&cursor=",
        "?limit=5&cursor=%E4%B8%AD",
    ],
)
def test_a_malformed_page_is_refused(registry: CommerceClient, query: str) -> None:
    """Limits, repeated and unknown parameters, cursors that are not ours."""
    answer = registry.get(CHANGES + query)

    assert (answer.status_code, answer.json()["code"]) == (400, "4000")


def test_a_cursor_beyond_the_end_is_gone(document: OpenAPI, registry: CommerceClient) -> None:
    """What was entered before a restart is no longer kept: 410, from the beginning again."""
    feed = Feed(Register(people=Population(seed=1, size=10), board=FaultBoard(Fault)))
    feed.load()
    known = feed.page(None, 200)[1]
    feed.items += feed.items * 50
    beyond = feed.page(known, 5_000)[1]

    good = registry.get(f"{CHANGES}?limit=5&cursor={known}")
    gone = registry.get(f"{CHANGES}?limit=5&cursor={beyond}")

    assert good.status_code == 200
    assert (gone.status_code, gone.json()["code"]) == (410, "4100")
    assert not answer_violates(document, gone)


WRONG_QUESTIONS = {
    "both keys": {"uniscid": "91370100MA3FAKE04Q", "entname": "某"},
    "no key": {},
    "unknown member": {"uniscid": "91370100MA3FAKE04Q", "more": "1"},
    "code of a wrong letter": {"uniscid": "91370100MA3FAKEO4Q"},
    "small letters": {"uniscid": "91370100ma3fake04q"},
    "empty name": {"entname": ""},
    "long name": {"entname": "长" * 121},
    "long case": {"uniscid": "91370100MA3FAKE04Q", "bjbh": "x" * 65},
}


@pytest.mark.parametrize("members", WRONG_QUESTIONS.values(), ids=WRONG_QUESTIONS.keys())
def test_a_malformed_question_is_refused_and_breaks_the_document(
    registry: CommerceClient, document: OpenAPI, members: dict[str, str]
) -> None:
    """What the department refuses, the judge refuses as well; the refusal itself is good."""
    answer = registry.ask(BASE, **members)

    assert request_violates(document, answer)
    assert not answer_violates(document, answer)
    assert (answer.status_code, answer.json()["code"]) == (400, "4000")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"authcode":"HRSS-DEMO","sxbm":"M5","bjbh":"c","entname":null}',
        b'{"authcode":"HRSS-DEMO","sxbm":"M5","bjbh":"c","entname":"a","entname":"b"}',
        b'{"authcode":"HRSS-DEMO","sxbm":"M5","bjbh":"c","entname":"\\ud800"}',
    ],
)
def test_a_body_that_is_no_question_is_refused(registry: CommerceClient, body: bytes) -> None:
    """Not JSON, no object, null, a repeated member, half a character."""
    answer = registry.send("POST", BASE, body, Content_Type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "4000")


@pytest.mark.parametrize(
    "members",
    [{}, {"regcap": "01"}, {"regcap": "1.00000"}, {"estdate": "20230230"}, {"cerno": "1" * 18}],
)
def test_a_malformed_check_is_refused(registry: CommerceClient, members: dict[str, str]) -> None:
    """No check at all, an amount of two spellings, a day of no calendar, a wrong check digit."""
    answer = registry.ask(VERIFY, uniscid="91370100MA3FAKE04Q", **members)

    assert (answer.status_code, answer.json()["code"]) == (400, "4000")


def test_other_refusals(registry: CommerceClient, document: OpenAPI) -> None:
    """Wrong authcode, unknown path, wrong method, too large, another content type."""
    question = {"uniscid": "91370100MA3FAKE04Q", "sxbm": "M5", "bjbh": "c"}
    authcode = registry.post(BASE, {**question, "authcode": "WRONG"})
    text = registry.send("POST", BASE, b"{}", Content_Type="text/plain")

    assert not answer_violates(document, authcode)
    assert (authcode.status_code, authcode.json()["code"]) == (403, "4030")
    assert registry.get("/api/v1/none").json()["code"] == "4040"
    assert registry.get(BASE).json()["code"] == "4050"
    assert registry.send("POST", BASE, b"x" * 16_385).json()["code"] == "4130"
    assert (text.status_code, text.json()["code"]) == (400, "4000")
