"""Step 5: an officer's assertion counts for this request, this channel and these questions only."""

import dataclasses
import json
from collections.abc import Callable

import pytest

from certs.algorithms import Suite, generate_private_key
from gateway.errors import Reason
from gateway.model import EntryKind
from gateway.outcome import Answered
from hutong.client import AssertionContext, Identity, Officer, Question
from hutong.client.requests import build_exchange
from hutong.exchange.v1 import exchange_pb2
from signing.signer import FileSigner
from tests.gateway.asking import (
    CORE_FIELDS,
    STAFF,
    core_question,
    deceased_question,
    moment,
    officer_of,
    retold,
)
from tests.gateway.core import Core, answer_of
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

Change = Callable[[AssertionContext], AssertionContext]
MINUTE_MS = 60_000


@dataclasses.dataclass(frozen=True)
class Lying:
    """An officer's issuer that asserts something else than is asked."""

    honest: Officer
    change: Change

    def issue(self, context: AssertionContext) -> str:
        """Issue for a changed context."""
        return self.honest.issue(self.change(context))


def _changed(**members: object) -> Change:
    def change(context: AssertionContext) -> AssertionContext:
        return dataclasses.replace(context, **members)  # type: ignore[arg-type] # names vary

    return change


def _purpose(**members: str) -> Change:
    def change(context: AssertionContext) -> AssertionContext:
        purpose = dataclasses.replace(context.purpose, **members)
        return dataclasses.replace(context, purpose=purpose)

    return change


def _query(**members: object) -> Change:
    def change(context: AssertionContext) -> AssertionContext:
        query = dataclasses.replace(context.queries[0], **members)  # type: ignore[arg-type] # the same
        return dataclasses.replace(context, queries=(query,))

    return change


def _older(milliseconds: int) -> Change:
    def change(context: AssertionContext) -> AssertionContext:
        return dataclasses.replace(context, now_ms=context.now_ms - milliseconds)

    return change


def _asking(identity: Identity, change: Change) -> Question:
    honest = identity.officer(STAFF)
    return dataclasses.replace(core_question(identity), officer=Lying(honest, change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_changed(request_id=bytes(16)), Reason.ASSERTION_MISMATCH),
        (_changed(gateway_id="11370000MB2DEM0202/gateway"), Reason.ASSERTION_MISMATCH),
        (_changed(system_id="12370000MB2DEM0882/fund"), Reason.ASSERTION_MISMATCH),
        (_changed(tls_thumbprint=bytes(32)), Reason.ASSERTION_MISMATCH),
        (_changed(subject_digest=bytes(32)), Reason.ASSERTION_MISMATCH),
        (_purpose(matter="M5"), Reason.ASSERTION_MISMATCH),
        (_purpose(case_number="SB-M2-000004"), Reason.ASSERTION_MISMATCH),
        (_query(agreement="XY-2026-202"), Reason.ASSERTION_MISMATCH),
        (_query(dataset="ps.household@1"), Reason.ASSERTION_MISMATCH),
        (_query(fields=("full_name",)), Reason.ASSERTION_MISMATCH),
        (_query(fields=(*CORE_FIELDS, "ethnicity")), Reason.ASSERTION_MISMATCH),
        (_older(10 * MINUTE_MS), Reason.ASSERTION_INVALID),
        (_older(-10 * MINUTE_MS), Reason.ASSERTION_INVALID),
    ],
)
async def test_an_assertion_for_something_else_is_refused(
    core: Core, retirement: Identity, change: Change, reason: Reason
) -> None:
    """Another request, channel, case, subject, field, agreement or time: refused, nothing asked."""
    question = _asking(retirement, change)
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), reason)

    assert core.events == ["refuse"]


async def test_an_assertion_signed_by_a_stranger_is_refused(
    core: Core, retirement: Identity
) -> None:
    """Only the officer keys of the requesting organisation sign assertions."""
    stranger = Officer(signer=FileSigner.of(generate_private_key(Suite.ES256)), staff=STAFF)
    question = dataclasses.replace(core_question(retirement), officer=stranger)
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.ASSERTION_INVALID)


async def test_an_assertion_signed_by_the_envelope_key_is_refused(
    core: Core, retirement: Identity
) -> None:
    """A key has one usage: the system cannot assert its own officers."""
    itself = Officer(signer=retirement.signer, staff=STAFF)
    question = dataclasses.replace(core_question(retirement), officer=itself)
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.ASSERTION_INVALID)


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", "机关.机关.机关", "." * 5000]
)
async def test_a_token_that_is_none_is_refused(
    core: Core, retirement: Identity, token: str
) -> None:
    """Whatever stands where the assertion belongs is refused without internals."""

    def change(statement: exchange_pb2.ExchangeStatement) -> None:
        statement.purpose.officer_assertion = token

    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(
        retirement, retold(retirement, request, exchange_pb2.ExchangeStatement, change)
    )

    require_refused(outcome, Reason.ASSERTION_INVALID)


async def test_a_request_without_officer_is_a_system_job_and_has_no_role(
    core: Core, retirement: Identity
) -> None:
    """An agreement for officers answers no system job."""
    question = dataclasses.replace(core_question(retirement), officer=None)
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.AGREEMENT_NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("who", "changes", "relation"),
    [
        ("officer_with_relative", {}, b"self,same_surname"),
        ("officer_with_relative", {"identifier": "370104198309239011", "name": "王守正"}, b"self"),
        ("ordinary_pensioner", {"name": "王大力"}, b"same_surname"),
        ("ordinary_pensioner", {}, b"none"),
        ("name_dot_2022", {"name": "买买提·吐尔逊"}, b"none"),
        ("fifteen_digit_id", {"identifier": "370811310409901"}, b"self"),
    ],
)
async def test_a_look_at_oneself_or_a_relative_is_committed_to(
    core: Core, retirement: Identity, who: str, changes: dict[str, str], relation: bytes
) -> None:
    """Codes for the reviewer stand behind a commitment of the answer's entry, and nowhere else."""
    officer = officer_of(retirement, **changes)
    question = dataclasses.replace(core_question(retirement, who), officer=officer)
    request = build_exchange(retirement, question, moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    assert isinstance(outcome, Answered)
    receipt = answer_of(outcome.envelope).receipt
    (draft,) = core.log.entries(EntryKind.ANSWER)
    committed = {each.member: each.value for each in draft.committed}
    assert committed["relation"] == relation
    assert len(json.loads(receipt.entry)["relation"]) == 64
    assert [each.member for each in receipt.openings] == ["answer"]


async def test_a_system_job_is_related_to_nobody(core: Core, recertification: Identity) -> None:
    """There is no officer to be related: the log says that it does not know."""
    request = build_exchange(recertification, deceased_question(), moment(core.now_ms))

    assert isinstance(await core.ask(recertification, request), Answered)

    (draft,) = core.log.entries(EntryKind.ANSWER)
    committed = {each.member: each.value for each in draft.committed}
    assert committed["relation"] == b"unknown"


async def test_the_officer_goes_to_the_department_and_into_no_entry(
    core: Core, retirement: Identity
) -> None:
    """Name and number of the officer reach the adapter and stand in no draft of the log."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    outcome = await core.ask(retirement, request)

    assert isinstance(outcome, Answered)
    end_user = core.spies["ps."].queries[0].end_user
    assert end_user is not None
    assert end_user.identifier == STAFF.identifier
    written = repr([(each.members, each.search) for each in core.log.drafts]).encode()
    committed = b"".join(part.value for each in core.log.drafts for part in each.committed[1:])
    for secret in (STAFF.token, STAFF.name or "", STAFF.identifier or ""):
        assert secret.encode() not in written + committed
