"""A department with SM2 keys only is proven by the same client as any other."""

import dataclasses

import pytest

from certs.errors import AlgorithmUnavailable
from certs.private_key import generate_private_key
from certs.registry_file import KeyPurpose
from certs.suites import Suite
from hutong.client import (
    AnswerState,
    Client,
    ClientReason,
    Effect,
    FieldOutcome,
    Question,
    Unproven,
)
from hutong.client.identity import pinned_key
from hutong.client.proof import Proving
from signing import record_verify
from signing.signer import FileSigner
from tests.client.gateway_double import GatewayDouble
from tests.client.synthetic_world import PROVIDER, World


@pytest.fixture
def national(client: Client, double: GatewayDouble, world: World) -> Client:
    """The client with an SM2 key pinned for the department, which signs with that key."""
    key = generate_private_key(Suite.SM2SM3)
    certificate = world.authority.issue_signing(
        world.subject, key.public_key, KeyPurpose.RECORD, at=world.record_certificate.not_before
    )
    double.world = dataclasses.replace(world, record=FileSigner.of(key))
    pinned = pinned_key(certificate, PROVIDER, KeyPurpose.RECORD)
    identity = dataclasses.replace(client.identity, record_keys={PROVIDER: {pinned.keyid: pinned}})
    client._proving = Proving(
        identity=identity, log=client._proving.log, now_ms=client._proving.now_ms
    )
    return client


async def test_a_disclosure_manifest_is_proven(national: Client, question: Question) -> None:
    """Its fields come back under their effects, its text stands in the answer."""
    answer = await national.exchange(question)

    assert answer.state is AnswerState.ANSWERED
    told = [each for each in answer.fields if each.outcome is FieldOutcome.VALUE]
    assert told
    assert all(each.effect is not Effect.WITHHOLD for each in told)
    assert answer.record is not None
    assert answer.record.count(".") == 2


async def test_a_machine_without_sm2_is_told_so(
    national: Client, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy is on this side: neither the gateway nor the department did anything wrong."""

    def lack(*_: object) -> None:
        raise AlgorithmUnavailable("SM2")

    monkeypatch.setattr(record_verify, "verify_signature", lack)

    with pytest.raises(Unproven) as told:
        await national.exchange(question)

    assert told.value.reason is ClientReason.RECORD_ALGORITHM_UNAVAILABLE
