"""Every department returns every field it has; exactly the granted ones leave, in all 14 matters.

A sandbox of all systems, whose departments return all they hold: six by the fault `every_field`,
banks by nature, HRSS because its rows are read whole, civil affairs' front-end copy (M1) because
its lines are laid out whole. Each field the catalog has is asked.
"""

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.cli.demo.people import OFFICER
from gateway.cli.demo.run import POPULATION
from gateway.cli.sandbox.cases import UNCONSENTED
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from gateway.cli.sandbox.simulated import SIMULATED
from hutong.client import Answered, FieldOutcome, Refused
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.agreed import code_of, fields_of, read_agreements, read_matters
from tests.gateway.canary_search import find_texts, searched, spellings
from tests.gateway.held import texts_held, texts_of_nobody_else
from tests.gateway.overreturning import (
    ALWAYS,
    Item,
    Left,
    ask_everything,
    count_strikes,
    lines_kept,
    overreturn,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.integration,
    # The departments, the gateway and the keys of sixteen systems, on a machine that is busy.
    pytest.mark.timeout(240),
]

NEVER_TOLD = frozenset(
    {
        ("XY-2026-904", "name_match"),
        ("XY-2026-904", "id_match"),
        ("XY-2026-904", "account_usable"),
    }
)
"""Granted fields that come out for nobody: banks verify the accounts of people, not of employers
(docs/adapters/bank.md)."""
PORTRAITS = "XY-2026-802"
"""Asked with the consent of whoever is asked about, which some did not give."""
CLAIMS = frozenset(
    {
        *("iss", "aud", "nonce", "vct", "custody", "sub_digest", "answer_state"),
        *("iat", "exp", "_sd_alg", "_sd"),
    }
)
"""What a record says in clear (docs/records.md, section 2)."""
WITHHELD_MEMBERS = frozenset({"field", "effect", "effect_text", "outcome"})
"""What an answer says of a field that is withheld (exchange.proto, `FieldAnswer`)."""
LONG = 8
"""Octets of a text that is searched for, and of each of its spellings: among some ten thousand
texts, six characters of base64 would be found by chance once in some hundred runs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What left of a sandbox, and the sandbox."""

    left: Left
    sandbox: Sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def overreturning(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A sandbox of its own, whose departments return all they hold: others would be disturbed."""
    root = tmp_path_factory.mktemp("overreturn") / "sandbox"
    async with prepared(SandboxOptions(root=root, population=POPULATION)) as sandbox:
        await overreturn(sandbox.simulators)
        yield sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ran(overreturning: Sandbox) -> Ran:
    """Ask everything once."""
    lines: list[bytes] = []
    with lines_kept(lines), pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.app.want_process", lambda _said: True)
        async with serving(overreturning) as gateway:
            matters, shown = await ask_everything(overreturning, gateway)
    struck = await count_strikes(overreturning.simulators)
    left = Left(matters=matters, struck=struck, shown=b"".join((shown, *lines)))
    return Ran(left=left, sandbox=overreturning)


async def test_every_department_can_be_made_to_return_all_it_holds(overreturning: Sandbox) -> None:
    """Whoever has no such fault always does; nothing has been asked yet, so nothing has struck."""
    struck = await count_strikes(overreturning.simulators)

    assert overreturning.simulators.keys() == SIMULATED.keys()
    assert struck == dict.fromkeys(SIMULATED.keys() - ALWAYS, 0)


async def test_every_agreement_of_every_matter_is_asked_about(ran: Ran) -> None:
    """Nothing of the bundle is left out, and every system asks under its own agreements."""
    asked = {item.agreement for item in ran.left.items}

    assert asked == read_agreements().keys()
    assert {item.person.matter for item in ran.left.items} == read_matters()
    assert len(read_matters()) == 14


async def test_every_department_returned_all_it_holds(ran: Ran) -> None:
    """Where a department had to be told to, it did; banks and our own tables always do."""
    assert ran.left.struck.keys() == SIMULATED.keys() - ALWAYS
    assert all(ran.left.struck.values()), ran.left.struck


async def test_exactly_the_granted_fields_leave_under_the_granted_effect(ran: Ran) -> None:
    """Each field asked is withheld, or told under the very effect that the agreement writes."""
    wrong = [
        (item.person.case, item.agreement, given, item.granted)
        for item in ran.left.items
        if (given := _given(item)) != _due(item)
    ]

    assert wrong == []


async def test_every_granted_field_is_told_of_somebody(ran: Ran) -> None:
    """No grant holds for want of an answer: each came out as a value or a finding at least once."""
    told = {(item.agreement, field) for item in ran.left.items for field in _told(item)}
    granted = {(item.agreement, field) for item in ran.left.items for field in item.granted}

    assert granted - told == NEVER_TOLD


async def test_what_is_answered_has_no_room_for_anything_else(ran: Ran) -> None:
    """No unknown member, no value beside a withheld field, no disclosure but of what is granted."""
    answered = [item for item in ran.left.items if isinstance(item.outcome, Answered)]

    for item in answered:
        _require_tight_body(item)
        _require_tight_record(item)
    assert len(answered) > len(read_agreements())
    # Both forms of a record have been looked into.
    forms = Counter(item.record.header["alg"] == "SM2SM3" for item in answered if item.record)
    assert forms.keys() == {True, False}


async def test_the_search_finds_what_was_released(ran: Ran) -> None:
    """What may leave is found where it left to, so what is not found has not left."""
    seen = 0
    for matter in ran.left.matters:
        for item in matter.items:
            released = {text for text in item.released if len(text.encode()) >= LONG}
            assert find_texts(released, [matter.wire], LONG) == released
            seen += len(released)
    assert seen > len(read_agreements())


async def test_nothing_else_a_department_holds_left_with_an_answer(ran: Ran) -> None:
    """Answers, records opened to the last part, receipts and refusals hold no value ungranted."""
    found = []
    for matter in ran.left.matters:
        held = texts_held(matter.index)
        for item in matter.items:
            found += [(item.agreement, text) for text in _beyond(held, item.released, _parts(item))]
        released = tuple(text for item in matter.items for text in item.released)
        found += [("wire", text) for text in _beyond(held, released, (matter.wire,))]

    assert found == []


async def test_no_released_value_carries_another(ran: Ran) -> None:
    """A value that left is what a department holds, or the beginning of it, or holds none of it."""
    carried = [
        (item.agreement, text)
        for matter in ran.left.matters
        for item in matter.items
        for value in item.released
        for text in _carried(value, texts_held(matter.index))
    ]

    assert carried == []


async def test_what_is_masked_or_made_coarser_is_not_what_is_held(ran: Ran) -> None:
    """Under another effect than in clear, no value left as a department holds it."""
    coarse = [
        (matter.index, item.agreement, value)
        for matter in ran.left.matters
        for item in matter.items
        for value in item.coarse
    ]

    assert len(coarse) > 10
    assert [each for each in coarse if each[2] in texts_held(each[0])] == []


async def test_nothing_a_department_returned_stays_at_the_gateway(ran: Ran) -> None:
    """The log's files, metrics, readiness and lines hold no value, granted ones included."""
    root = ran.sandbox.world.folders.root
    contents = dict(searched(root)) | {Path("shown"): ran.left.shown}
    secrets = {OFFICER.token, OFFICER.name or "", OFFICER.identifier or ""}
    for matter in ran.left.matters:
        secrets |= texts_of_nobody_else(matter.index)
        secrets |= {text for item in matter.items for text in item.personal}
    # A day of this century may be a certificate's or an entry's.
    days = {text for text in secrets if text[:2] == "20" and text.count("-") == 2}
    secrets = {text for text in secrets - days if len(text.encode()) >= LONG}

    found = find_texts(secrets, contents.values(), LONG)

    assert ran.sandbox.world.folders.log_file in contents
    # A line that was printed, and a metric: both have been looked into.
    assert b"reason=NOTHING_GRANTED" in ran.left.shown
    assert b"hutong_" in ran.left.shown
    assert len(secrets) > 400
    assert found == set()


def _due(item: Item) -> Mapping[str, str]:
    if item.agreement == PORTRAITS and item.person.case in UNCONSENTED:
        return {}
    return item.granted


def _given(item: Item) -> dict[str, str]:
    """Return what left under which effect; a refusal gives nothing."""
    if isinstance(item.outcome, Refused):
        assert item.outcome.reason == "NOTHING_GRANTED"
        return {}
    assert tuple(each.name for each in item.outcome.fields) == fields_of(item.dataset)
    return {
        each.name: each.effect_text
        for each in item.outcome.fields
        if each.outcome is not FieldOutcome.WITHHELD
    }


def _told(item: Item) -> tuple[str, ...]:
    if isinstance(item.outcome, Refused):
        return ()
    told = {FieldOutcome.VALUE, FieldOutcome.FINDING}
    return tuple(each.name for each in item.outcome.fields if each.outcome in told)


def _require_tight_body(item: Item) -> None:
    assert isinstance(item.outcome, Answered)
    written = item.outcome.receipt.answer_body
    assert written is not None
    body = exchange_pb2.AnswerBody.FromString(written)
    body.DiscardUnknownFields()
    assert body.ByteSize() == len(written)
    for each in body.fields:
        if each.field not in item.granted:
            assert {one.name for one, _ in each.ListFields()} <= WITHHELD_MEMBERS
            assert each.effect == exchange_pb2.EFFECT_WITHHOLD


def _require_tight_record(item: Item) -> None:
    if (record := item.record) is None:
        return
    assert record.header.keys() <= {"alg", "kid", "typ", "x5c"}
    assert record.claims.keys() == CLAIMS
    # One place per field of the catalog, whatever is held: their number tells nothing.
    assert len(record.claims["_sd"]) == len(fields_of(item.dataset))
    disclosed = {name: content for _salt, name, content in record.disclosures}
    assert len(disclosed) == len(record.disclosures)
    assert disclosed.keys() <= item.granted.keys()
    for name, content in disclosed.items():
        assert content.keys() in ({"effect", "value"}, {"effect", "finding"})
        assert content["effect"].partition("(")[0] == code_of(item.granted[name])


def _parts(item: Item) -> tuple[bytes, ...]:
    """Return what left for one item: answer, record without its base64, receipt."""
    outcome = item.outcome
    receipt = b"" if outcome.receipt is None else outcome.receipt.encode()
    if isinstance(outcome, Refused):
        return (receipt, repr(outcome).encode())
    body = outcome.receipt.answer_body or b""
    return (body, receipt, b"" if item.record is None else item.record.text)


def _carried(value: str, held: frozenset[str]) -> set[str]:
    """Return the longer texts held that stand in a released value and are not what was granted."""
    # An address down to the county begins the whole address, and has a city and a county in it.
    if any(text.startswith(value) for text in held):
        return set()
    return {text for text in held if len(text.encode()) >= LONG and text in value}


def _beyond(held: frozenset[str], released: Sequence[str], parts: Sequence[bytes]) -> set[str]:
    """Return what is found of the texts held, once what was released is struck out.

    Struck out first, because two days of one month begin alike in base64.
    """
    granted = {each for text in released for each in spellings(text) if len(each) >= LONG}
    for spelling in sorted(granted, key=len, reverse=True):
        parts = [part.replace(spelling, bytes(1)) for part in parts]
    # What stands inside a released text was granted with it; of short ones the record's tight
    # form leaves no room, and by chance they stand in numbers of organisations.
    ungranted = {
        text
        for text in held
        if len(text.encode()) >= LONG and not any(text in value for value in released)
    }
    return find_texts(ungranted, parts, LONG)
