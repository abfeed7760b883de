"""The second process does what this one does."""

import dataclasses
from datetime import UTC, datetime

import pytest

from adapters.port import (
    Query,
    Record,
)
from gateway.app import Gateway
from gateway.compute.apart import ComputeApart
from gateway.compute.here import ComputeHere
from gateway.compute.port import Compute, OpenJob, ProveJob, SealJob
from gateway.distrust import Distrusted, Minimised, build_expectation, state_due
from gateway.errors import Reason, Refusal
from gateway.model import Logged
from gateway.receipt import commit_to
from gateway.statement.answer import ANSWER_TYPE, Body
from gateway.statement.wrapper import parse_wrapper
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.envelope import parse_envelope
from signing.verifier import verify_envelope
from tests.gateway.computing import FIELD, HR

pytestmark = pytest.mark.asyncio(loop_scope="session")


def prove_job(gateway: Gateway, query: Query, record: str) -> ProveJob:
    """Return the job of proving what the department told."""
    provider = gateway.registry.by_dataset[HR].organisation
    registry = gateway.trust.snapshot.registry
    (key,) = registry.record_keys(f"{provider}/provider").values()
    return ProveJob(
        compact=record,
        key=key.public_key,
        expected=build_expectation(query, provider, query.issued_at_ms),
        due=state_due(query, found=True),
        grants=query.grants,
    )


async def told(apart: ComputeApart, query: Query) -> str:
    """Return the record of a query that the second process answers."""
    outcome = await apart.fetch(query)
    assert isinstance(outcome, Record)
    return outcome.sd_jwt


async def test_both_processes_open_a_call_alike(
    apart: ComputeApart, here: ComputeHere, open_job: OpenJob
) -> None:
    """Statement, officer and key id are the same wherever they are read."""
    opened = await apart.open(open_job)

    assert opened == await here.open(open_job)
    assert opened.statement is not None
    assert opened.asserted is not None


async def test_both_processes_open_what_is_no_question(
    apart: ComputeApart, here: ComputeHere, open_job: OpenJob
) -> None:
    """Without a kind the payload is verified and not read."""
    job = dataclasses.replace(open_job, kind=None)

    opened = await apart.open(job)

    assert opened == await here.open(job)
    assert opened.header is None


async def test_a_refusal_crosses_with_reason_and_diagnostics(
    apart: ComputeApart, here: ComputeHere, open_job: OpenJob
) -> None:
    """Step 2 refuses in the second process as it does in this one."""
    spoilt = dataclasses.replace(open_job, payload_type="application/other")

    async def refused(compute: Compute) -> tuple[Reason, str]:
        with pytest.raises(Refusal) as caught:
            await compute.open(spoilt)
        return caught.value.reason, caught.value.diagnostics

    assert await refused(apart) == await refused(here)
    assert (await refused(apart))[0] is Reason.PAYLOAD_TYPE_WRONG


async def test_a_later_rule_is_kept_for_its_step(apart: ComputeApart, open_job: OpenJob) -> None:
    """An assertion over another channel refuses step 5; header and statement come all the same."""
    opened = await apart.open(dataclasses.replace(open_job, thumbprint=bytes(32)))

    assert opened.statement is not None
    assert opened.asserted is None
    assert opened.refusal is not None
    assert opened.refusal.reason is Reason.ASSERTION_MISMATCH


async def test_the_department_is_asked_and_its_record_proven_apart(
    gateway: Gateway, apart: ComputeApart, here: ComputeHere, query: Query
) -> None:
    """A record made in the second process proves the same in both."""
    job = prove_job(gateway, query, await told(apart, query))

    kept = await apart.prove(job)

    assert isinstance(kept, Minimised)
    assert kept == await here.prove(job)
    assert set(kept.outcomes) == {FIELD}


async def test_distrust_crosses_with_its_cause(
    gateway: Gateway, apart: ComputeApart, query: Query
) -> None:
    """A record for another question is distrusted in the second process by name."""
    job = prove_job(gateway, query, await told(apart, query))
    other = dataclasses.replace(job, expected=dataclasses.replace(job.expected, nonce="0" * 32))

    with pytest.raises(Distrusted) as caught:
        await apart.prove(other)

    assert caught.value.cause == "wrong_nonce"


async def test_an_answer_sealed_apart_verifies(gateway: Gateway, apart: ComputeApart) -> None:
    """The envelope holds the body and the receipt it was given, under the gateway's key."""
    commitment = commit_to(Body(data=b"body", type="t"))
    logged = Logged(index=7, entry=b"entry", proof=(b"p" * 32,), checkpoint=b"note")

    sealed = await apart.seal(SealJob(commitment=commitment, logged=logged))

    raw = envelope_pb2.SignedEnvelope.FromString(sealed)
    envelope = parse_envelope(
        raw.payload, raw.payload_type, [(each.value, each.keyid) for each in raw.signatures]
    )
    system = gateway.trust.snapshot.registry.system(gateway.config.system_id)
    assert system is not None
    now = datetime.fromtimestamp(gateway.clock.now_ms() / 1000, UTC)
    verify_envelope(envelope, system.envelope_keys, payload_types={ANSWER_TYPE}, at=now)
    answer = exchange_pb2.Answer.FromString(raw.payload)
    assert (answer.body, answer.receipt.index, answer.receipt.entry) == (b"body", 7, b"entry")
    assert answer.receipt.openings[0].salt == commitment.salt


async def test_the_wrapper_is_read_in_the_second_process(
    apart: ComputeApart, open_job: OpenJob
) -> None:
    """The payload that comes back is the carried one, byte by byte."""
    opened = await apart.open(open_job)

    assert opened.payload == parse_wrapper(open_job.body).payload
