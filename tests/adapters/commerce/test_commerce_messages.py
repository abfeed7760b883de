"""What goes over the wire, byte by byte, and answers that break the interface in small ways."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from adapters.errors import AdapterMisconfigured
from adapters.kinds.commerce import ApiKey, CommerceAdapter
from adapters.kinds.commerce.signature import sign_call
from adapters.port import (
    DatasetName,
    DatasetShape,
    Indeterminate,
    Lacking,
    Record,
    Subject,
    Untold,
)
from tests.adapters.asking import disclosed, query_of
from tests.adapters.commerce.asking import (
    ACTIVE,
    CODE,
    COMPANY,
    ENTERPRISE,
    HOLDER,
    KEY,
    POSITIONS,
    RECORD,
    VERIFY,
    verification,
)
from tests.adapters.commerce.scripted import (
    VECTOR_MS,
    Register,
    enterprise_query,
    positions_query,
    reply,
    verify_query,
)

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "commerce.md").read_text("utf-8")


def vector(title: str) -> str:
    """Return a value of the table of section 2."""
    match = re.search(rf"^\| {re.escape(title)} \| `(.+?)` \|$", PAGE, re.MULTILINE)
    assert match
    return match[1]


def test_the_signature_is_that_of_the_page() -> None:
    """Every byte of the vector."""
    body = vector("体（ASCII，无空格）").encode("ascii")

    headers = sign_call(KEY, "POST", "/api/v1/enterprises/Qyxxcx", body, VECTOR_MS)

    assert headers == {
        "X-Cm-Key": "hrss-gateway",
        "X-Cm-Date": vector("`X-Cm-Date`"),
        "X-Cm-Digest": vector("`X-Cm-Digest`"),
        "X-Cm-Signature": vector("`X-Cm-Signature`"),
    }
    assert KEY.secret.decode("ascii") == vector("secret（ASCII）")


async def test_a_question_is_the_page_s_vector_byte_by_byte(
    adapter: CommerceAdapter, register: Register
) -> None:
    """Body and headers of the whole path, from query to wire."""
    register.answer(reply(RECORD))

    outcome = await adapter.fetch(enterprise_query())

    ((method, path, body, headers),) = register.asked
    assert disclosed(enterprise_query(), outcome) == {"name": "济南演示科技有限公司"}
    assert (method, path) == ("POST", "/api/v1/enterprises/Qyxxcx")
    assert body.decode() == vector("体（ASCII，无空格）")
    assert headers["X-Cm-Signature"] == vector("`X-Cm-Signature`")
    assert headers["Content-Type"] == "application/json; charset=utf-8"


async def test_claims_are_sent_as_they_were_made(
    adapter: CommerceAdapter, register: Register
) -> None:
    """The register compares code point by code point: nothing is folded, and null is never sent."""
    register.answer(reply(verification()))
    claims = {"name": "济南（演示）科技有限公司", "legal_representative": "阿卜杜•热西提"}

    outcome = await adapter.fetch(verify_query(claims))

    ((_, path, body, _),) = register.asked
    assert isinstance(outcome, Record)
    assert path == "/api/v1/enterprises/Qyxxyz"
    assert body.decode() == (
        '{"uniscid":"91370100MA3FAKE04Q","entname":"济南（演示）科技有限公司",'
        '"name":"阿卜杜•热西提","authcode":"HRSS-DEMO","sxbm":"M2","bjbh":"BJ-2026-000001"}'
    )


async def test_the_subjects_name_counts_as_a_claim_where_no_other_is_made(
    adapter: CommerceAdapter, register: Register
) -> None:
    """All agrees must not be told of a name that was stated and not looked at."""
    register.answers += [web.json_response(reply(verification())) for _ in range(2)]

    await adapter.fetch(verify_query({"address": "甲路1号"}, name="某公司"))
    await adapter.fetch(verify_query({"name": "另一公司"}, name="某公司"))

    bodies = [body.decode() for _, _, body, _ in register.asked]
    assert '"entname":"某公司","dom":"甲路1号"' in bodies[0]
    assert '"entname":"另一公司"' in bodies[1]
    assert "某公司" not in bodies[1]


@pytest.mark.parametrize(
    "claims",
    [{}, {"name": ""}, {"name": "甲" * 121}, {"legal_representative": "甲" * 61}, {"other": "甲"}],
    ids=["none", "empty", "long", "long person", "foreign"],
)
async def test_nothing_to_verify_is_the_requesters_to_mend(
    adapter: CommerceAdapter, register: Register, claims: Mapping[str, str]
) -> None:
    """The register would refuse the question, so it is not asked."""
    outcome = await adapter.fetch(verify_query(claims))

    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert register.asked == []


@pytest.mark.parametrize(
    ("dataset", "subject"),
    [(ENTERPRISE, HOLDER), (VERIFY, HOLDER), (POSITIONS, COMPANY)],
    ids=["enterprise of a person", "verification of a person", "positions of a company"],
)
async def test_the_wrong_kind_of_subject_is_not_told_to_have_nothing(
    adapter: CommerceAdapter, register: Register, dataset: DatasetShape, subject: Subject
) -> None:
    """The catalog's "none held" of positions is NO, and a company was not looked for."""
    query = replace(
        query_of(POSITIONS, ("", None), ACTIVE, {"name": "甲"}),
        dataset=dataset,
        subject=subject,
    )

    outcome = await adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert register.asked == []


async def test_a_dataset_it_does_not_serve_is_not_connected(adapter: CommerceAdapter) -> None:
    """Another version has other fields."""
    query = replace(
        enterprise_query(), dataset=replace(ENTERPRISE, name=DatasetName("cm.enterprise@2"))
    )

    outcome = await adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)


@pytest.mark.parametrize("name", [None, "", "甲" * 61])
async def test_a_person_without_a_usable_name_lacks_it(
    adapter: CommerceAdapter, register: Register, name: str | None
) -> None:
    """Said before the register is asked; a company needs none."""
    query = positions_query(name)

    outcome = await adapter.fetch(query)

    assert adapter.find_lacking(query) is Lacking.SUBJECT_NAME
    assert adapter.find_lacking(replace(query, subject=HOLDER)) is None
    assert adapter.find_lacking(enterprise_query()) is None
    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert register.asked == []


async def test_a_wrong_check_character_is_a_warning_and_no_refusal(
    adapter: CommerceAdapter, register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    """Some lawful codes fail it: the register decides, and no code is written down."""
    caplog.set_level(logging.WARNING, logger="adapters")
    silent = []
    for last in "0123456789ABCDEFGHJKLMNPQRTUWXY":
        subject = replace(COMPANY, identifier=CODE[:17] + last)
        register.answer(reply({**RECORD, "uniscid": subject.identifier}))
        caplog.clear()

        assert isinstance(await adapter.fetch(enterprise_query(subject)), Record)
        assert CODE[:17] not in caplog.text
        if "check character" not in caplog.text:
            silent.append(subject)

    assert silent == [COMPANY]


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        (("", KEY.secret, "a"), "key_id"),
        (("hrss gateway", KEY.secret, "a"), "key_id"),
        (("k" * 65, KEY.secret, "a"), "key_id"),
        (("k", b"s" * 15, "a"), "secret_file"),
        (("k", KEY.secret, ""), "authcode_file"),
        (("k", KEY.secret, "甲" * 65), "authcode_file"),
    ],
)
def test_a_key_the_department_would_not_have_registered_is_refused(
    wrong: tuple[str, bytes, str], setting: str
) -> None:
    """When the adapter is built, by the name of the setting; nothing of the secret is shown."""
    with pytest.raises(AdapterMisconfigured, match=setting):
        ApiKey(key_id=wrong[0], secret=wrong[1], authcode=wrong[2])

    assert "demo-commerce" not in repr(KEY)
    assert "HRSS-DEMO" not in repr(KEY)


async def test_health_is_a_signed_call_that_names_nobody(
    adapter: CommerceAdapter, register: Register
) -> None:
    """It proves the key, and tells by code why it is refused."""
    register.answer(reply())
    register.answer({"code": "4010", "msg": "", "data": []}, 401)
    register.answer({"code": "2004", "msg": "", "data": []}, 200)

    healths = [await adapter.examine_health() for _ in range(3)]

    assert [(each.reachable, each.detail) for each in healths] == [
        (True, "OK"),
        (False, "PROVIDER_FAULT"),
        (False, "PROVIDER_MALFORMED"),
    ]
    method, path, body, headers = register.asked[0]
    assert (method, path, body) == ("GET", "/api/v1/webhooks", b"")
    assert (
        headers["X-Cm-Signature"] == sign_call(KEY, "GET", path, None, VECTOR_MS)["X-Cm-Signature"]
    )
