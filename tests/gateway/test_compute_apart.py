"""The second process does what this one does, and nothing is lost with it."""

import asyncio
import dataclasses
import marshal
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
import structlog.testing

from adapters.port import (
    DatasetName,
    Effect,
    EffectKind,
    FieldName,
    Grant,
    Query,
    Record,
    Subject,
    SubjectType,
)
from certs.identity import SystemId
from gateway.app import Gateway
from gateway.compute.apart import MODULE, ComputeApart
from gateway.compute.department import ApartDepartment
from gateway.compute.frames import encode_frame
from gateway.compute.here import ComputeHere
from gateway.compute.port import Compute, OpenJob, ProveJob, SealJob
from gateway.compute.protocol import Begin, Job
from gateway.distrust import Distrusted, Minimised, build_expectation, state_due
from gateway.errors import Reason, Refusal
from gateway.model import Logged
from gateway.receipt import commit_to
from gateway.statement.answer import ANSWER_TYPE, Body
from gateway.statement.kinds import QuestionKind
from gateway.statement.wrapper import parse_wrapper
from hutong.client import Identity
from hutong.client.requests import build_exchange
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.envelope import parse_envelope
from signing.verifier import verify_envelope
from tests.gateway.asking import call_of, core_question, moment, person
from tests.gateway.core import Core

pytestmark = pytest.mark.asyncio(loop_scope="session")

HR = DatasetName("hr.participation@1")
FIELD = FieldName("state")
BEGUN_S = 30.0


def begin_of(gateway: Gateway) -> Begin:
    """Return what the gateway tells its second process."""
    own = gateway.registry.by_dataset[HR]
    return Begin(
        config=gateway.config.model_dump_json(),
        organisation=own.organisation,
        datasets=tuple(sorted(own.datasets)),
    )


async def begun(apart: ComputeApart, other_than: int | None = None) -> int:
    """Wait until a process takes jobs and return its id."""
    async with asyncio.timeout(BEGUN_S):
        while (process := apart.process_id) in {None, other_than}:  # noqa: ASYNC110 - as an operator sees it
            await asyncio.sleep(0.02)
    assert process is not None
    return process


def lives(process: int) -> bool:
    """Say whether a process is there."""
    return Path(f"/proc/{process}").exists()


@pytest_asyncio.fixture(loop_scope="session")
async def apart(gateway: Gateway) -> AsyncIterator[ComputeApart]:
    """A second process of its own."""
    made = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    made.start()
    await begun(made)
    yield made
    await made.stop()


@pytest.fixture
def here(gateway: Gateway) -> ComputeHere:
    """The same jobs in this process."""
    return ComputeHere(gateway.exchange._parts.signer)


@pytest.fixture
def open_job(core: Core, retirement: Identity) -> OpenJob:
    """A call that names an officer."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))
    call = call_of(retirement, request)
    snapshot = core.parts.trust.snapshot
    thumbprint = call.peer.leaf_thumbprint
    assert thumbprint is not None
    system = snapshot.registry.system_by_tls_thumbprint(thumbprint)
    assert system is not None
    organisation = system.organisation.uscc
    return OpenJob(
        body=call.body,
        payload_type=call.payload_type,
        keys=system.envelope_keys,
        kind=QuestionKind.EXCHANGE,
        officer_keys=snapshot.registry.officer_keys(organisation),
        organisation=organisation,
        audience=core.parts.system_id,
        thumbprint=thumbprint,
        now_ms=core.now_ms,
    )


@pytest.fixture
def query(gateway: Gateway) -> Query:
    """A query for the tables that lie at the gateway."""
    return Query(
        request_id=bytes(range(16)),
        item=0,
        audience=SystemId("11370000MB2DEM0105/retirement"),
        dataset=gateway.exchange._deciding.bundle.shapes[HR],
        subject=Subject(
            type=SubjectType.RESIDENT_ID, identifier=person("ordinary_pensioner").id_number
        ),
        grants=(Grant(field=FIELD, effect=Effect(kind=EffectKind.CLEAR)),),
        claims={},
        matter="M2",
        case_number="C-1",
        end_user=None,
        tell_not_found=True,
        issued_at_ms=gateway.clock.now_ms(),
        deadline=time.monotonic() + 60,
    )


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


async def test_what_breaks_apart_is_done_here(
    gateway: Gateway, apart: ComputeApart, query: Query
) -> None:
    """A dataset the second process does not serve is given back, and the process goes on."""
    shape = dataclasses.replace(query.dataset, name=DatasetName("hr.unheard_of@1"))
    department = ApartDepartment(gateway.registry.by_dataset[HR], apart)

    assert await apart.fetch(dataclasses.replace(query, dataset=shape)) is None
    assert isinstance(await department.fetch(query), Record)


async def test_jobs_of_a_killed_process_are_done_here(
    apart: ComputeApart, here: ComputeHere, open_job: OpenJob
) -> None:
    """Jobs under way when it dies, and those after, end as if nothing had happened."""
    killed = await begun(apart)
    under_way = [asyncio.ensure_future(apart.open(open_job)) for _ in range(50)]
    await asyncio.sleep(0)

    os.kill(killed, signal.SIGKILL)

    expected = await here.open(open_job)
    assert all(opened == expected for opened in await asyncio.gather(*under_way))
    assert await apart.open(open_job) == expected


async def test_a_killed_process_is_replaced(apart: ComputeApart, open_job: OpenJob) -> None:
    """Another one takes jobs by itself."""
    killed = await begun(apart)

    os.kill(killed, signal.SIGKILL)

    assert await begun(apart, other_than=killed) != killed
    assert (await apart.open(open_job)).statement is not None


async def test_a_process_that_stands_still_is_replaced(
    apart: ComputeApart, open_job: OpenJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that lies is done here, and the process that left it lying is ended."""
    monkeypatch.setattr("gateway.compute.apart.STUCK_S", 0.2)
    monkeypatch.setattr("gateway.compute.apart.WATCH_S", 0.1)
    monkeypatch.setattr("gateway.compute.apart.END_S", 0.2)
    still = await begun(apart)
    os.kill(still, signal.SIGSTOP)

    opened = await asyncio.wait_for(apart.open(open_job), 10)

    assert opened.statement is not None
    monkeypatch.undo()
    assert await begun(apart, other_than=still) != still
    assert not lives(still)


async def test_the_second_process_ends_with_the_first(gateway: Gateway) -> None:
    """Whatever ends the gateway closes the socket, and nobody works for nobody."""
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    apart.start()
    process = await begun(apart)

    await apart.stop()

    assert not lives(process)
    assert apart.process_id is None


async def test_the_gauge_says_whether_a_second_process_works(gateway: Gateway) -> None:
    """One once it takes jobs, none after it has ended."""
    said: list[bool] = []
    signer = gateway.exchange._parts.signer
    apart = ComputeApart(ComputeHere(signer), begin_of(gateway), said.append)
    apart.start()
    await begun(apart)

    await apart.stop()

    assert said == [True, False]


async def test_the_wrapper_is_read_in_the_second_process(
    apart: ComputeApart, open_job: OpenJob
) -> None:
    """The payload that comes back is the carried one, byte by byte."""
    opened = await apart.open(open_job)

    assert opened.payload == parse_wrapper(open_job.body).payload


async def test_what_nobody_foresaw_is_met_here(apart: ComputeApart, open_job: OpenJob) -> None:
    """The process ends, the gateway does the job itself and meets the error, another takes over."""
    ended = await begun(apart)

    with pytest.raises(OverflowError):
        await apart.open(dataclasses.replace(open_job, now_ms=10**30))

    assert await begun(apart, other_than=ended) != ended


async def test_a_process_that_breaks_says_the_kind_and_no_value() -> None:
    """Diagnostics name what happened, never what it happened to."""
    canary = "姓名-CANARY"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", MODULE, str(theirs.fileno())),
            pass_fds=(theirs.fileno(),),
            stderr=asyncio.subprocess.PIPE,
        )
        theirs.close()
        ours.sendall(encode_frame([(1, Job.OPEN.value, marshal.dumps(canary))]))
        async with asyncio.timeout(BEGUN_S):
            _, said = await process.communicate()

    assert b"compute_broke" in said
    assert canary not in said.decode()
    assert b"Traceback" not in said


async def test_a_process_that_cannot_begin_leaves_the_jobs_here(
    gateway: Gateway, open_job: OpenJob
) -> None:
    """A configuration it cannot use ends it; the gateway answers all the same, and says so."""
    signer = gateway.exchange._parts.signer
    apart = ComputeApart(ComputeHere(signer), Begin(config="{}", organisation="", datasets=()))
    apart.start()

    with structlog.testing.capture_logs() as said:
        async with asyncio.timeout(BEGUN_S):
            while not said:  # noqa: ASYNC110 - said by another task
                await asyncio.sleep(0.05)
    opened = await apart.open(open_job)

    assert said[0]["event"] == "compute_process_not_begun"
    assert opened.statement is not None
    await apart.stop()


async def test_a_process_that_cannot_be_started_leaves_the_jobs_here(
    gateway: Gateway, open_job: OpenJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No fork, no second process: the gateway answers, keeps trying, and ends in good order."""
    monkeypatch.setattr("gateway.compute.apart.sys.executable", "/nowhere/python")
    apart = ComputeApart(ComputeHere(gateway.exchange._parts.signer), begin_of(gateway))
    apart.start()
    await asyncio.sleep(0.2)

    opened = await apart.open(open_job)
    await apart.stop()

    assert opened.statement is not None
    assert apart.process_id is None
