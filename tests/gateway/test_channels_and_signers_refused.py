"""Steps 1 and 2: certificates that are expired, early, revoked or of somebody else open nothing."""

import asyncio
import dataclasses
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from certs.algorithms import Suite, generate_private_key
from certs.authority import RevocationReason, TlsPurpose
from certs.errors import CertificateRefused
from certs.naming import SubjectName
from certs.registry_file import (
    KeyPurpose,
    KeyRecord,
    KeyState,
    OrganisationRecord,
    RegistryDocument,
)
from certs.revocation import parse_crl
from certs.trust_material import TrustMaterial
from certs.trust_store import TrustStore, load_trust_store
from gateway.app import Gateway
from gateway.cli.sandbox.authority import LIFETIME
from gateway.cli.sandbox.running import Sandbox
from gateway.cli.sandbox.world import store_trust
from gateway.errors import Reason
from gateway.exchange import Exchange
from gateway.outcome import Answered, Outcome
from gateway.progress import Peer
from gateway.statement.kinds import QuestionKind
from gateway.trust import moment as utc
from hutong.client import Client, Identity, Refused, load_identity
from hutong.client.requests import SignedRequest, build_exchange
from signing.signer import FileSigner
from tests.gateway.asking import TITLE, call_of, core_question, moment
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

Swap = Callable[[KeyRecord], KeyRecord]
HOUR = timedelta(hours=1)


def _material(sandbox: Sandbox) -> TrustMaterial:
    return load_trust_store(sandbox.world.folders.trust)._material


def _swapped(material: TrustMaterial, system: str, usage: KeyPurpose, swap: Swap) -> TrustMaterial:
    """Return the material with one key record of one system changed."""
    uscc, _, slug = system.partition("/")

    def organisation(old: OrganisationRecord) -> OrganisationRecord:
        if old.uscc != uscc:
            return old
        systems = tuple(
            dataclasses.replace(
                each,
                keys=tuple(swap(key) if key.usage is usage else key for key in each.keys),
            )
            if each.slug == slug
            else each
            for each in old.systems
        )
        return dataclasses.replace(old, systems=systems)

    registry = RegistryDocument(
        organisations=tuple(organisation(each) for each in material.registry.organisations)
    )
    return dataclasses.replace(material, registry=registry)


def _revoking(sandbox: Sandbox, serial: int, ago: timedelta, core: Core) -> TrustMaterial:
    """Return the material with a newer list that names one certificate."""
    at = utc(core.now_ms)
    authority = sandbox.world.authority.authority
    state = authority.state
    again = type(authority)(authority.certificate, authority.private_key, state)
    again.revoke(serial, at=at - ago, reason=RevocationReason.KEY_COMPROMISE)
    crl = parse_crl(again.crl(at=at, next_update=at + timedelta(days=1)))
    return dataclasses.replace(_material(sandbox), crls=(crl,))


def _with_trust(core: Core, material: TrustMaterial) -> Exchange:
    parts = dataclasses.replace(core.parts, trust=TrustStore(lambda: material))
    return Exchange(parts, core.deciding)


async def _ask(exchange: Exchange, identity: Identity, request: SignedRequest) -> Outcome:
    return await exchange.answer(call_of(identity, request), QuestionKind.EXCHANGE)


def _request(core: Core, identity: Identity) -> SignedRequest:
    return build_exchange(identity, core_question(identity), moment(core.now_ms))


def _suspended(record: KeyRecord) -> KeyRecord:
    return dataclasses.replace(record, state=KeyState.SUSPENDED)


def _withdrawn(record: KeyRecord) -> KeyRecord:
    return dataclasses.replace(record, state=KeyState.REVOKED)


async def test_a_channel_without_certificate_is_refused(core: Core, retirement: Identity) -> None:
    """Who presents no certificate is nobody."""
    call = call_of(retirement, _request(core, retirement))
    nobody = dataclasses.replace(call, peer=Peer(leaf_thumbprint=None, address="ipv4:127.0.0.1"))

    outcome = await core.put(nobody, QuestionKind.EXCHANGE)

    refused = require_refused(outcome, Reason.CHANNEL_REFUSED)
    assert refused.envelope is None


async def test_a_channel_of_an_unregistered_certificate_is_refused(
    core: Core, retirement: Identity
) -> None:
    """A certificate that chains to the anchor and is not registered opens nothing."""
    call = call_of(retirement, _request(core, retirement))
    peer = Peer(leaf_thumbprint=bytes(32), address="ipv4:127.0.0.1")

    outcome = await core.put(dataclasses.replace(call, peer=peer), QuestionKind.EXCHANGE)

    require_refused(outcome, Reason.CHANNEL_REFUSED)
    assert core.events == []


@pytest.mark.parametrize("swap", [_suspended, _withdrawn])
async def test_a_suspended_channel_key_is_refused(
    core: Core, retirement: Identity, sandbox: Sandbox, swap: Swap
) -> None:
    """The registry's word on a TLS key counts from its reload on."""
    material = _swapped(_material(sandbox), retirement.system_id, KeyPurpose.TLS, swap)

    outcome = await _ask(_with_trust(core, material), retirement, _request(core, retirement))

    require_refused(outcome, Reason.CHANNEL_REFUSED)


@pytest.mark.parametrize("swap", [_suspended, _withdrawn])
async def test_a_suspended_envelope_key_is_refused(
    core: Core, retirement: Identity, sandbox: Sandbox, swap: Swap
) -> None:
    """A withdrawn envelope key signs nothing, on a channel that is still good."""
    material = _swapped(_material(sandbox), retirement.system_id, KeyPurpose.ENVELOPE, swap)

    outcome = await _ask(_with_trust(core, material), retirement, _request(core, retirement))

    assert not isinstance(outcome, Answered)
    assert outcome.reason in {
        Reason.SIGNER_REVOKED,
        Reason.SIGNER_NOT_CURRENT,
        Reason.SIGNER_UNKNOWN,
    }
    assert "fetch" not in core.events


async def test_a_revoked_envelope_certificate_is_refused(
    core: Core, retirement: Identity, sandbox: Sandbox
) -> None:
    """A certificate on the list signs nothing from the time of its revocation on."""
    envelope = sandbox.world.partners[retirement.system_id].envelope
    material = _revoking(sandbox, envelope.certificate.serial, HOUR, core)

    outcome = await _ask(_with_trust(core, material), retirement, _request(core, retirement))

    require_refused(outcome, Reason.SIGNER_REVOKED)
    assert "fetch" not in core.events


async def test_a_kept_answer_is_not_given_to_a_revoked_signer(
    core: Core, retirement: Identity, sandbox: Sandbox
) -> None:
    """The same bytes again are judged by today's revocation before their answer is given."""
    envelope = sandbox.world.partners[retirement.system_id].envelope
    request = _request(core, retirement)
    assert isinstance(await core.ask(retirement, request), Answered)
    material = _revoking(sandbox, envelope.certificate.serial, HOUR, core)

    outcome = await _ask(_with_trust(core, material), retirement, request)

    require_refused(outcome, Reason.SIGNER_REVOKED)


async def test_a_revoked_channel_certificate_is_refused(
    core: Core, retirement: Identity, sandbox: Sandbox
) -> None:
    """A revoked TLS certificate opens no channel, whatever was negotiated before."""
    tls = sandbox.world.partners[retirement.system_id].tls
    material = _revoking(sandbox, tls.certificate.serial, HOUR, core)

    outcome = await _ask(_with_trust(core, material), retirement, _request(core, retirement))

    require_refused(outcome, Reason.CHANNEL_REFUSED)


@pytest.mark.parametrize(
    ("starts", "lives"),
    [(-3 * LIFETIME, LIFETIME), (timedelta(days=1), LIFETIME)],
    ids=["expired", "not-yet-valid"],
)
@pytest.mark.parametrize("usage", [KeyPurpose.ENVELOPE, KeyPurpose.TLS])
async def test_a_certificate_out_of_its_dates_is_refused(
    core: Core,
    retirement: Identity,
    sandbox: Sandbox,
    starts: timedelta,
    lives: timedelta,
    usage: KeyPurpose,
) -> None:
    """Expired and early certificates are refused at the time the call came."""
    authority = sandbox.world.authority.authority
    key = generate_private_key(Suite.ES256)
    name = SubjectName(common_name="other dates", organisation="11370000MB2DEM0105")
    at = utc(core.now_ms) + starts
    if usage is KeyPurpose.TLS:
        made = authority.issue_tls(name, key.public_key, TlsPurpose.CLIENT, at=at, lifetime=lives)
    else:
        made = authority.issue_signing(name, key.public_key, usage, at=at, lifetime=lives)
    material = _swapped(
        _material(sandbox),
        retirement.system_id,
        usage,
        lambda record: dataclasses.replace(
            record, certificate=made, not_before=made.not_before, not_after=made.not_after
        ),
    )
    identity = (
        dataclasses.replace(
            retirement, tls=dataclasses.replace(retirement.tls, thumbprint=made.thumbprint_sha256)
        )
        if usage is KeyPurpose.TLS
        else dataclasses.replace(retirement, signer=FileSigner.of(key, made.der))
    )

    outcome = await _ask(_with_trust(core, material), identity, _request(core, identity))

    wanted = Reason.CHANNEL_REFUSED if usage is KeyPurpose.TLS else Reason.SIGNER_NOT_CURRENT
    require_refused(outcome, wanted)
    assert "fetch" not in core.events


@pytest.mark.parametrize("usage", [KeyPurpose.ENVELOPE, KeyPurpose.TLS])
async def test_a_certificate_of_another_organisation_is_not_registered(
    sandbox: Sandbox, retirement: Identity, core: Core, usage: KeyPurpose
) -> None:
    """A registry that gives a system the certificate of a stranger is refused as a whole."""
    authority = sandbox.world.authority.authority
    key = generate_private_key(Suite.ES256)
    name = SubjectName(common_name="stranger", organisation="12370000MB2DEM0882")
    at = utc(core.now_ms) - HOUR
    made = (
        authority.issue_tls(name, key.public_key, TlsPurpose.CLIENT, at=at)
        if usage is KeyPurpose.TLS
        else authority.issue_signing(name, key.public_key, usage, at=at)
    )

    def stranger(record: KeyRecord) -> KeyRecord:
        return dataclasses.replace(
            record, certificate=made, not_before=made.not_before, not_after=made.not_after
        )

    material = _swapped(_material(sandbox), retirement.system_id, usage, stranger)

    try:
        exchange = _with_trust(core, material)
    except CertificateRefused:
        return  # refused at load: the snapshot in force stays
    identity = (
        dataclasses.replace(retirement, signer=FileSigner.of(key, made.der))
        if usage is KeyPurpose.ENVELOPE
        else dataclasses.replace(
            retirement, tls=dataclasses.replace(retirement.tls, thumbprint=made.thumbprint_sha256)
        )
    )
    outcome = await _ask(exchange, identity, _request(core, identity))
    assert not isinstance(outcome, Answered)
    assert "fetch" not in core.events


async def test_a_trust_store_past_its_date_answers_nobody(
    core: Core, retirement: Identity, sandbox: Sandbox
) -> None:
    """Without current revocation nothing is judged good: a fault, not a guess."""
    at = utc(core.now_ms)
    material = dataclasses.replace(
        _material(sandbox), issued_at=at - 2 * HOUR, expires_at=at - timedelta(minutes=5)
    )

    outcome = await _ask(_with_trust(core, material), retirement, _request(core, retirement))

    require_refused(outcome, Reason.TRUST_UNAVAILABLE)
    assert core.events == []


async def test_a_revocation_list_past_its_date_answers_nobody(
    core: Core, retirement: Identity, sandbox: Sandbox
) -> None:
    """A list out of date beyond its grace of an hour says nothing, so nobody is believed."""
    at = utc(core.now_ms)
    authority = sandbox.world.authority.authority
    again = type(authority)(authority.certificate, authority.private_key, authority.state)
    stale = parse_crl(again.crl(at=at - 3 * HOUR, next_update=at - 2 * HOUR))
    material = dataclasses.replace(_material(sandbox), crls=(stale,))

    outcome = await _ask(_with_trust(core, material), retirement, _request(core, retirement))

    require_refused(outcome, Reason.TRUST_UNAVAILABLE)


async def test_one_system_that_calls_too_often_is_refused(core: Core, retirement: Identity) -> None:
    """The limit of a system is charged as soon as the channel is known."""
    request = _request(core, retirement)
    core.parts.limiter._limit = dataclasses.replace(
        core.parts.limiter._limit, per_second=0.001, burst=1
    )
    core.parts.limiter.charge(retirement.system_id, time.monotonic())

    refused = require_refused(await core.ask(retirement, request), Reason.RATE_LIMITED)

    assert refused.retry_after_s is not None
    assert refused.envelope is not None


async def test_one_system_cannot_take_every_place(core: Core, retirement: Identity) -> None:
    """Beyond its share of the calls under way a system waits, whoever else has room."""
    core.parts.in_flight._system_limit = 1
    gate = core.spies["ps."].gate = asyncio.Event()
    first = asyncio.ensure_future(core.ask(retirement, _request(core, retirement)))
    await asyncio.sleep(0.05)

    second = await core.ask(retirement, _request(core, retirement))
    gate.set()

    require_refused(second, Reason.RATE_LIMITED)
    assert isinstance(await first, Answered)
    assert isinstance(await core.ask(retirement, _request(core, retirement)), Answered)


async def test_a_revocation_reaches_a_running_gateway(sandbox: Sandbox, gateway: Gateway) -> None:
    """A newer list in the trust directory counts from its reload on, without a restart."""
    world, at = sandbox.world, utc(gateway.clock.now_ms())
    identity = load_identity(world.folders.partner("title"))
    envelope = world.partners[TITLE].envelope.certificate
    async with Client.open(identity) as client:
        before = await client.list_agreements()
        world.authority.authority.revoke(
            envelope.serial, at=at, reason=RevocationReason.KEY_COMPROMISE
        )
        store_trust(world, at)
        report = gateway.trust.reload()
        with pytest.raises(Refused) as caught:
            await client.list_agreements()

    assert before.agreements
    assert report.reason is None
    assert caught.value.reason == Reason.SIGNER_REVOKED
    assert caught.value.receipt is not None


async def test_a_full_gateway_says_busy(core: Core, retirement: Identity) -> None:
    """Beyond its limit the gateway refuses before it looks at anything."""
    core.parts.in_flight._limit = 0

    refused = require_refused(
        await core.ask(retirement, _request(core, retirement)), Reason.GATEWAY_BUSY
    )

    assert refused.retry_after_s is not None
    assert refused.envelope is None
    assert core.events == []


async def test_a_trust_directory_with_one_bad_file_keeps_what_is_in_force(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A reload that fails in any part changes nothing."""
    material = _material(sandbox)
    loads = [material, None]

    def load() -> TrustMaterial:
        held = loads.pop(0)
        if held is None:
            return load_trust_store(tmp_path)._material
        return held

    store = TrustStore(load)

    report = store.reload()

    assert report.reason is not None
    assert store.snapshot.sequence == material.sequence
