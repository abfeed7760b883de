"""What breaks in one item of a matter stays there; a receipt is of the caller's own exchange."""

import asyncio
import json
from pathlib import Path

import pytest

from adapters.port import Outcome, Query
from gateway.deciding import Applicable
from gateway.errors import Reason
from gateway.lookup import _receipt_of
from gateway.model import EntryKind, Logged
from gateway.opening import Question
from gateway.outcome import Answered
from gateway.progress import Progress
from hutong.accesslog.v1 import accesslog_pb2
from hutong.client import Identity, load_identity
from hutong.client.requests import (
    SignedRequest,
    build_exchange,
    build_matter,
    build_receipt,
)
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import (
    call_of,
    core_question,
    deceased_question,
    matter_question,
    moment,
    retold,
)
from tests.gateway.core import Core, SpyAdapter, answer_of
from tests.gateway.provoked import note, require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGER = "11370000MB2DEM0105/title"
OWN = "11370000MB2DEM0105/retirement"


async def _items(core: Core, identity: Identity, patience_s: float = 10.0) -> list[str]:
    """Ask the four questions of M2 and return how each of them ended."""
    request = build_matter(identity, matter_question(identity), moment(core.now_ms))
    call = call_of(
        identity,
        request,
        message_class=exchange_pb2.MatterStatement,
        patience_s=patience_s,
    )
    outcome = await core.put_matter(call)
    assert isinstance(outcome, Answered)
    response = exchange_pb2.ExchangeMatterResponse.FromString(outcome.envelope)
    return [_ending(item) for item in response.items]


def _ending(item: exchange_pb2.MatterItem) -> str:
    if item.HasField("refusal"):
        return item.refusal.reason
    answer = answer_of(item.answer.SerializeToString())
    body = exchange_pb2.AnswerBody.FromString(answer.body)
    if body.state == exchange_pb2.ANSWER_STATE_INDETERMINATE:
        name = exchange_pb2.IndeterminateReason.Name(body.indeterminate_reason)
        return name.removeprefix("INDETERMINATE_REASON_")
    return exchange_pb2.AnswerState.Name(body.state).removeprefix("ANSWER_STATE_")


def _break(_spy: SpyAdapter, _query: Query) -> Outcome:
    raise ZeroDivisionError


async def test_an_adapter_that_raises_costs_its_own_item(core: Core, retirement: Identity) -> None:
    """One department's adapter breaks: its item says PROVIDER_FAULT, its siblings are answered."""
    core.spies["ps."].twist = _break

    endings = await _items(core, retirement)

    assert endings == ["PROVIDER_FAULT", "ANSWERED", "ANSWERED", "ANSWERED"]


async def test_every_ask_of_a_broken_matter_is_closed(core: Core, retirement: Identity) -> None:
    """Also the item whose adapter raised has its `answer` in the log, and names its own `ask`."""
    core.spies["hr."].twist = _break

    await _items(core, retirement)

    asked = [dict(draft.members)["item"] for draft in core.log.entries(EntryKind.ASK)]
    answered = [dict(draft.members) for draft in core.log.entries(EntryKind.ANSWER)]
    assert sorted(map(str, asked)) == ["0", "1", "2", "3"]
    assert sorted(str(each["item"]) for each in answered) == ["0", "1", "2", "3"]
    assert len({each["ask"] for each in answered}) == 4


async def test_all_adapters_raising_is_still_one_answer(core: Core, retirement: Identity) -> None:
    """With every department broken the matter is answered, item by item, and nothing is refused."""
    for spy in core.spies.values():
        spy.twist = _break

    endings = await _items(core, retirement)

    assert endings == ["PROVIDER_FAULT"] * 4


async def test_a_fault_of_ours_costs_its_own_item(
    core: Core, retirement: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that breaks inside the gateway is refused as INTERNAL; the others are answered."""
    decide = core.deciding.decide

    # Patched, because no input is known that breaks a decision: that would be a bug to mend.
    async def breaking(
        progress: Progress, question: Question, item: int, under: Applicable
    ) -> object:
        if item == 2:
            raise ZeroDivisionError
        return await decide(progress, question, item, under)

    monkeypatch.setattr(core.deciding, "decide", breaking)

    endings = await _items(core, retirement)

    assert endings == ["ANSWERED", "ANSWERED", "INTERNAL", "ANSWERED"]
    assert core.events.count("answer") == 3
    note(Reason.INTERNAL)


async def test_a_silent_adapter_costs_its_own_item(core: Core, retirement: Identity) -> None:
    """A department that never answers is told as a time-out once the deadline comes."""
    core.spies["edu."].gate = asyncio.Event()

    endings = await _items(core, retirement, patience_s=2.0)

    assert endings == ["ANSWERED", "ANSWERED", "PROVIDER_TIMEOUT", "ANSWERED"]


def _under_the_same_id(core: Core, identity: Identity, request_id: bytes) -> SignedRequest:
    """Return a system job's question that carries another system's request id."""
    request = build_exchange(identity, deceased_question(), moment(core.now_ms))

    def same(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.header.request_id = request_id

    return retold(identity, request, exchange_pb2.ExchangeStatement, same)


async def _receipt(core: Core, identity: Identity, request_id: bytes) -> dict[str, object]:
    """Ask for a receipt and return the entry it proves."""
    request = build_receipt(identity, moment(core.now_ms), request_id)
    call = call_of(identity, request, message_class=accesslog_pb2.ReceiptStatement)
    outcome = await core.lookup.receipt(call)
    assert isinstance(outcome, Answered), outcome
    body = accesslog_pb2.ReceiptBody.FromString(answer_of(outcome.envelope).body)
    entry: dict[str, object] = json.loads(body.receipt.entry)
    return entry


def _asks(core: Core) -> dict[object, int]:
    """Return where the ask of each system stands, as its answer names it."""
    indices = [dict(draft.members)["ask"] for draft in core.log.entries(EntryKind.ANSWER)]
    systems = [dict(draft.members)["system"] for draft in core.log.entries(EntryKind.ASK)]
    return {system: int(str(index)) for system, index in zip(systems, indices, strict=True)}


async def test_two_systems_with_one_id_get_their_own_receipts(
    core: Core, retirement: Identity, recertification: Identity
) -> None:
    """A request id is unique per system: each gets the answer to its own ask, never the other's."""
    first = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    second = _under_the_same_id(core, recertification, first.request_id)
    await core.ask(retirement, first)
    await core.ask(recertification, second)

    receipts = [
        await _receipt(core, each, first.request_id) for each in (retirement, recertification)
    ]

    asks = _asks(core)
    assert [each["kind"] for each in receipts] == ["answer", "answer"]
    assert [each["ask"] for each in receipts] == [
        asks[retirement.system_id],
        asks[recertification.system_id],
    ]


async def test_order_does_not_decide_whose_receipt_it_is(
    core: Core, retirement: Identity, recertification: Identity
) -> None:
    """The later system's exchange does not hide the earlier one's, nor the other way round."""
    first = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    await core.ask(recertification, _under_the_same_id(core, recertification, first.request_id))
    await core.ask(retirement, first)

    receipt = await _receipt(core, retirement, first.request_id)

    assert receipt["ask"] == _asks(core)[retirement.system_id]


async def test_a_third_system_with_that_id_gets_none(
    core: Core, retirement: Identity, recertification: Identity, partners: Path
) -> None:
    """Whoever had no exchange under an id is refused, however many others had one."""
    first = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    await core.ask(retirement, first)
    await core.ask(recertification, _under_the_same_id(core, recertification, first.request_id))
    stranger = load_identity(partners / "loan")
    request = build_receipt(stranger, moment(core.now_ms), first.request_id)
    call = call_of(stranger, request, message_class=accesslog_pb2.ReceiptStatement)

    require_refused(await core.lookup.receipt(call), Reason.RECEIPT_UNAVAILABLE)


async def test_a_refused_system_gets_its_refusal_not_the_others_answer(
    core: Core, retirement: Identity, recertification: Identity
) -> None:
    """Under one id, one system was answered and one refused: each learns what became of its own."""
    first = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    await core.ask(retirement, first)
    second = _under_the_same_id(core, recertification, first.request_id)

    def elsewhere(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.query.agreement = "XY-2099-001"

    refused = retold(recertification, second, exchange_pb2.ExchangeStatement, elsewhere)
    require_refused(await core.ask(recertification, refused), Reason.AGREEMENT_NOT_APPLICABLE)

    receipt = await _receipt(core, recertification, first.request_id)

    assert receipt["kind"] == "refuse"
    assert receipt["system"] == recertification.system_id


def _logged(index: int, **members: str | int) -> Logged:
    entry = json.dumps(members).encode()
    return Logged(index=index, entry=entry, proof=(), checkpoint=b"")


ASK = _logged(5, kind="ask", system=OWN)
ANSWER = _logged(7, kind="answer", ask=5, state="ANSWERED")
IN_VAIN = _logged(7, kind="answer", ask=5, state="WITHHELD")
REFUSE = _logged(8, kind="refuse", system=OWN)
OTHER_ASK = _logged(4, kind="ask", system=STRANGER)
OTHER_ANSWER = _logged(6, kind="answer", ask=4, state="ANSWERED")
OTHER_REFUSE = _logged(3, kind="refuse", system=STRANGER)


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ((), None),
        ((OTHER_REFUSE, OTHER_ASK, OTHER_ANSWER), None),
        ((OTHER_ASK, ASK, OTHER_ANSWER, ANSWER), ANSWER),
        ((OTHER_ASK, ASK, OTHER_ANSWER), ASK),
        ((ASK, ANSWER, REFUSE), ANSWER),
        ((ASK, REFUSE), ASK),
        ((OTHER_ASK, OTHER_ANSWER, REFUSE), REFUSE),
        ((OTHER_REFUSE, REFUSE), REFUSE),
        ((ASK, IN_VAIN, REFUSE), REFUSE),
        ((ASK, IN_VAIN), None),
    ],
)
async def test_the_best_entry_of_ones_own_is_chosen(
    entries: tuple[Logged, ...], chosen: Logged | None
) -> None:
    """The answer before the ask before a refusal, never what was asked in vain or by others."""
    assert _receipt_of(entries, OWN) == chosen
