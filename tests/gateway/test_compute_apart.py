"""The second process does what this one does."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.port import Indeterminate, NotFound, Query, Record
from gateway.app import Gateway
from gateway.compute.apart import ComputeApart
from gateway.compute.here import ComputeHere
from gateway.compute.port import Compute, FetchJob, OpenJob, ProveJob, SealJob
from gateway.distrust import (
    Distrusted,
    Minimised,
    Proven,
    build_expectation,
    require_proven,
    state_due,
)
from gateway.errors import Reason, Refusal
from gateway.model import Logged
from gateway.receipt import commit_to
from gateway.statement.answer import ANSWER_TYPE, Body, FieldOutcome
from gateway.statement.wrapper import parse_wrapper
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.envelope import parse_envelope
from signing.verifier import verify_envelope
from tests.gateway.computing import FIELD, HR, fetch_job

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


async def told(gateway: Gateway, query: Query) -> str:
    """Return the record of a query, made in this process."""
    outcome = await gateway.registry.by_dataset[HR].fetch(query)
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


async def test_both_processes_prove_a_record_alike(
    gateway: Gateway, apart: ComputeApart, here: ComputeHere, query: Query
) -> None:
    """What was granted of a record is the same wherever it is proven."""
    job = prove_job(gateway, query, await told(gateway, query))

    kept = await apart.prove(job)

    assert kept == await here.prove(job)
    assert set(kept.outcomes) == {FIELD}


async def test_the_department_is_asked_and_its_record_proven_in_one_job(
    gateway: Gateway, apart: ComputeApart, here: ComputeHere, query: Query
) -> None:
    """What comes back names its key and proves the same in this process."""
    job = fetch_job(gateway, query)

    proven = await apart.fetch(job)

    assert isinstance(proven, Proven)
    assert (proven.keyid, proven.found) == (job.keys[0].keyid, True)
    assert isinstance(proven.kept, Minimised)
    again = await here.prove(prove_job(gateway, query, proven.kept.record))
    assert again.outcomes == proven.kept.outcomes == {FIELD: FieldOutcome.VALUE}


async def test_a_record_of_nobody_is_proven_and_not_found(
    gateway: Gateway, apart: ComputeApart, query: Query
) -> None:
    """That nothing is held is proven like anything else, where it may be told."""
    nobody = dataclasses.replace(query.subject, identifier="110101190001011009", full_name=None)
    asked = dataclasses.replace(query, subject=nobody, tell_not_found=True)
    assert isinstance(await gateway.registry.by_dataset[HR].fetch(asked), NotFound)

    proven = await apart.fetch(fetch_job(gateway, asked))

    assert isinstance(proven, Proven)
    assert not proven.found
    assert isinstance(proven.kept, Minimised)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda job: dataclasses.replace(job, issuer="11370000MB2DEM0999"), "wrong_issuer"),
        (lambda job: dataclasses.replace(job, keys=()), "key_unknown"),
    ],
)
async def test_distrust_of_what_was_just_told_crosses_with_its_cause(
    gateway: Gateway,
    apart: ComputeApart,
    query: Query,
    change: Callable[[FetchJob], FetchJob],
    cause: str,
) -> None:
    """The record made in the same job is proven as strictly as any other."""
    proven = await apart.fetch(change(fetch_job(gateway, query)))

    assert isinstance(proven, Proven)
    assert isinstance(proven.kept, Distrusted)
    assert proven.kept.cause == cause
    assert bool(proven.keyid) is (cause != "key_unknown")


async def test_a_key_that_does_not_stand_is_distrusted_before_what_was_proven(
    gateway: Gateway, query: Query
) -> None:
    """The job proves, the gateway judges the key: also where the record itself is distrusted."""
    registry = gateway.trust.snapshot.registry
    keys = registry.record_keys(f"{gateway.registry.by_dataset[HR].organisation}/provider")
    wrong = Distrusted(Indeterminate.PROVIDER_UNPROVEN, "wrong_nonce")
    proven = Proven(keyid=next(iter(keys)), found=True, kept=wrong)

    causes = []
    for known, now_ms in ((keys, query.issued_at_ms), (keys, 2**42), ({}, query.issued_at_ms)):
        with pytest.raises(Distrusted) as caught:
            require_proven(proven, known, now_ms)
        causes.append(caught.value.cause)

    assert causes == ["wrong_nonce", "key_not_current", "key_unknown"]


async def test_what_was_proven_with_no_key_is_distrusted() -> None:
    """A record that is kept has the key it was proven with; without one it proves nothing."""
    kept = Minimised(record="", outcomes={}, dropped=0)

    with pytest.raises(Distrusted) as caught:
        require_proven(Proven(keyid="", found=True, kept=kept), {}, 0)

    assert caught.value.cause == "key_unknown"


async def test_distrust_crosses_with_its_cause(
    gateway: Gateway, apart: ComputeApart, query: Query
) -> None:
    """A record for another question is distrusted in the second process by name."""
    job = prove_job(gateway, query, await told(gateway, query))
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
