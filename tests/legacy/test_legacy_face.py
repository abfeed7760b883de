"""A system that knows generation 1 only, over its own wire: every step of the path is walked."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from adapters.national.generation1 import Generation1
from adapters.national.signature import Mac
from adapters.transport import HttpAnswer, HttpCall
from certs.authority import Authority
from certs.certificate import PEM_LABEL
from certs.naming import SubjectName
from certs.pem import encode_pem
from gateway.app import Gateway
from gateway.cli.check_config import find_problems
from gateway.cli.sandbox.running import Sandbox
from gateway.config import Config
from gateway.errors import Reason
from gateway.legacy.face import build_context
from gateway.legacy.proof import WINDOW_MS
from gateway.trust import moment
from hutong.client import Client, load_identity
from hutong.client.errors import Refused
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import deceased_question
from tests.legacy.calling import body_of, leaves, ready
from tests.legacy.legacy_client import (
    APP_KEY,
    LEGACY,
    ORDINARY,
    OTHER,
    OTHER_SID,
    SID,
    LegacyClient,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]


@pytest.mark.parametrize(
    ("who", "finding"), [("ordinary_pensioner", "NO"), ("dead_in_ps_alive_in_ca", "YES")]
)
async def test_a_question_is_answered_in_the_dialect(
    client: LegacyClient, gateway: Gateway, sandbox: Sandbox, who: str, finding: str
) -> None:
    """With the finding, and our signed answer and its receipt inside; the log says how it came."""
    await ready(client, gateway)

    code, data = await asyncio.to_thread(client.ask, body_of(who))

    assert code == "0"
    assert data["state"] == "ANSWERED"
    assert data["fields"] == {
        "deceased": {"outcome": "FINDING", "effect": "PREDICATE", "value": finding}
    }
    envelope = envelope_pb2.SignedEnvelope.FromString(base64.b64decode(str(data["answer"])))
    answer = exchange_pb2.Answer.FromString(envelope.payload)
    body = exchange_pb2.AnswerBody.FromString(answer.body)
    assert body.header.receiver == LEGACY
    assert body.header.request_id.hex() == data["request_id"]
    assert answer.HasField("receipt")
    ask, told = leaves(sandbox)[-2:]
    assert (ask["kind"], ask["origin_auth"]) == ("ask", "hmac_without_body")
    assert (ask["system"], ask["granted"]) == (LEGACY, [["deceased", "PREDICATE(is_true)"]])
    assert "officer" not in ask
    assert (told["kind"], told["state"]) == ("answer", "ANSWERED")
    assert ask["tx"] == told["tx"] == data["request_id"]


async def test_what_cannot_be_told_is_no_no(
    client: LegacyClient, gateway: Gateway, sandbox: Sandbox
) -> None:
    """A failed call in the dialect, for the department's own reason."""
    await ready(client, gateway)
    department = sandbox.simulators["public_security"]
    guard = {"Authorization": f"Bearer {department.admin_token}"}
    faults = f"http://127.0.0.1:{department.admin_port}/faults"
    async with httpx.AsyncClient(headers=guard, trust_env=False) as admin:
        await admin.post(faults, json={"name": "server_error"})
        code, data = await asyncio.to_thread(client.ask, body_of())
        await admin.delete(faults)

    assert (code, data["state"], data["reason"]) == ("-1", "INDETERMINATE", "PROVIDER_UNAVAILABLE")
    assert data["fields"] == {
        "deceased": {"outcome": "INDETERMINATE", "effect": "PREDICATE", "value": ""}
    }


Refusing = Callable[[LegacyClient], tuple[str, dict[str, object]]]
REFUSALS: dict[str, tuple[Refusing, str, Reason]] = {
    "no values": (
        lambda client: client.ask(body_of(), rid=""),
        "E-105",
        Reason.ENVELOPE_MALFORMED,
    ),
    "time that is none": (
        lambda client: client.ask(body_of(), rtime="now"),
        "E-105",
        Reason.ENVELOPE_MALFORMED,
    ),
    "unknown id": (
        lambda client: client.ask(body_of(), sid="s_1137000000000_0009"),
        "E-106",
        Reason.SIGNER_UNKNOWN,
    ),
    "time long past": (
        lambda client: client.ask(body_of(), rtime=str(client.now_ms - WINDOW_MS - 5_000)),
        "E-102",
        Reason.EXPIRED,
    ),
    "time far ahead": (
        lambda client: client.ask(body_of(), rtime=str(client.now_ms + WINDOW_MS + 60_000)),
        "E-102",
        Reason.NOT_YET_VALID,
    ),
    "signature of another id": (
        lambda client: client.ask(
            body_of(), sign=client.values(client.key, rid="another")["gjgxjhpt_sign"]
        ),
        "E-101",
        Reason.SIGNATURE_INVALID,
    ),
    "signed with the application key": (
        lambda client: client.ask(
            body_of(),
            rid="1" * 32,
            sign=client.values("demo-app-key-0001", rid="1" * 32)["gjgxjhpt_sign"],
        ),
        "E-101",
        Reason.SIGNATURE_INVALID,
    ),
    "unknown service": (
        lambda client: client.ask(body_of(), service="photo"),
        "E-110",
        Reason.METHOD_MISMATCH,
    ),
    "no JSON": (lambda client: client.ask(b"{"), "E-108", Reason.STATEMENT_MALFORMED),
    "member too many": (
        lambda client: client.ask({**body_of(), "sjh": "1"}),
        "E-108",
        Reason.STATEMENT_MALFORMED,
    ),
    "member that is no text": (
        lambda client: client.ask({**body_of(), "zjhm": 1}),
        "E-108",
        Reason.STATEMENT_MALFORMED,
    ),
    "name twice": (
        lambda client: client.ask(b'{"zjhm":"1","zjhm":"2","xm":"","bjbh":"C"}'),
        "E-108",
        Reason.STATEMENT_MALFORMED,
    ),
    "case that is none": (
        lambda client: client.ask({**body_of(), "bjbh": "办件"}),
        "E-108",
        Reason.STATEMENT_MALFORMED,
    ),
    "person that can be none": (
        lambda client: client.ask({**body_of(), "zjhm": "370102196003073310"}),
        "E-108",
        Reason.SUBJECT_INVALID,
    ),
    "case that is not open": (
        lambda client: client.ask({**body_of(), "bjbh": "C-0"}),
        "E-106",
        Reason.NOTHING_GRANTED,
    ),
    "name left out": (
        lambda client: client.ask({**body_of(), "xm": ""}),
        "E-108",
        Reason.SUBJECT_NAME_NEEDED,
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_refusal_is_told_in_the_dialect_and_logged(
    client: LegacyClient, gateway: Gateway, sandbox: Sandbox, what: str
) -> None:
    """Its code, our reason, our signed refusal; no department hears of it."""
    refusing, code, reason = REFUSALS[what]
    await ready(client, gateway)
    before = len(leaves(sandbox))

    told, data = await asyncio.to_thread(refusing, client)

    assert (told, data["reason"], data["side"]) == (code, reason, "requester")
    assert data["refusal"]
    (entry,) = leaves(sandbox)[before:]
    assert (entry["kind"], entry["reason"]) == ("refuse", reason)
    assert (entry["system"], entry["origin_auth"]) == (LEGACY, "hmac_without_body")


async def test_an_oversized_body_is_refused(client: LegacyClient, gateway: Gateway) -> None:
    """Before it is read to its end."""
    await ready(client, gateway)

    code, data = await asyncio.to_thread(client.ask, b" " * 40_000)

    assert (code, data["reason"]) == ("E-105", "MESSAGE_TOO_LARGE")


async def test_a_body_that_does_not_come_is_not_waited_for(
    client: LegacyClient, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken call ends, and holds no place meanwhile."""
    await ready(client, gateway)
    monkeypatch.setattr("gateway.legacy.face.BODY_S", 0.2)

    def slowly() -> Iterator[bytes]:
        yield b"{"
        time.sleep(1.5)
        yield b"}"

    reply = await asyncio.to_thread(
        client.http.post,
        "/gjgxjhpt/rest/deceased",
        content=slowly(),
        headers=client.values(client.key),
    )

    assert reply.json()["data"]["reason"] == "MESSAGE_MISSING"


async def test_our_own_dialect_is_understood(client: LegacyClient, gateway: Gateway) -> None:
    """What we send to a platform is what we take from a legacy system: one page, both ends."""
    dialect = Generation1(app_key=APP_KEY, mac=Mac.SHA256, now_ms=gateway.clock.now_ms)

    async def send(call: HttpCall) -> HttpAnswer:
        reply = await asyncio.to_thread(
            client.http.request,
            call.method,
            call.path,
            content=call.body,
            headers=dict(call.headers),
        )
        return HttpAnswer(status=reply.status_code, headers=reply.headers, body=reply.content)

    asked = HttpCall(
        method="POST",
        path="/deceased",
        body=json.dumps(body_of("ordinary_graduate")).encode(),
        headers={"Content-Type": "application/json"},
        expect="application/json",
        idempotent=True,
    )
    answer = await dialect.carry(asked, SID, send)

    assert json.loads(answer.body)["data"]["fields"]["deceased"]["value"] == "NO"


async def test_what_is_configured_wrongly_is_found_before(config: Config) -> None:
    """By `check-config`, with the part named."""
    assert config.legacy is not None
    service = config.legacy.services[0].model_copy(update={"matter": "M2"})
    legacy = config.legacy.model_copy(update={"services": (service,)})
    changed = config.model_copy(update={"legacy": legacy})

    assert dict(find_problems(config, sandbox=True)) == {}
    problems = dict(find_problems(changed, sandbox=True))
    assert list(problems) == ["policy and departments"]
    assert "legacy.services.deceased" in problems["policy and departments"]


async def test_an_id_is_taken_once(client: LegacyClient, gateway: Gateway) -> None:
    """For a secret and for a question alike, with the same body or another."""
    await ready(client, gateway)
    await asyncio.to_thread(client.refresh, rid="a-secret")

    first, _ = await asyncio.to_thread(client.ask, body_of(), rid="a-question")
    outcomes = [
        await asyncio.to_thread(client.ask, body, rid=rid)
        for rid in ("a-question", "a-secret")
        for body in (body_of(), body_of("dead_in_ps_alive_in_ca"))
    ]
    again = await asyncio.to_thread(client.refresh, rid="a-secret")

    assert first == "0"
    assert [(code, data["reason"]) for code, data in outcomes] == [
        ("E-103", "REQUEST_ID_REUSED")
    ] * 4
    assert again["code"] == "E-103"


async def test_a_system_that_signs_is_not_let_in_here(
    gateway: Gateway, identities: dict[str, Path]
) -> None:
    """Whoever can sign must: its key would otherwise be worth no more than a shared one."""
    assert gateway.legacy is not None
    client = LegacyClient.open(gateway.legacy.port, identities[ORDINARY], identities["authority"])
    client.now_ms = gateway.clock.now_ms()

    answer = await asyncio.to_thread(client.refresh)
    client.http.close()

    assert answer["code"] == "E-106"
    assert isinstance(answer["data"], dict)
    assert answer["data"]["reason"] == "CHANNEL_REFUSED"


async def test_an_id_is_that_of_its_own_channel(
    gateway: Gateway, identities: dict[str, Path]
) -> None:
    """Another legacy system cannot ask under it, though it knew the key."""
    assert gateway.legacy is not None
    client = LegacyClient.open(gateway.legacy.port, identities[OTHER], identities["authority"])
    client.now_ms = gateway.clock.now_ms()

    own = await asyncio.to_thread(client.refresh, sid=OTHER_SID)
    others = await asyncio.to_thread(client.refresh)
    client.http.close()

    assert own["code"] == "0"
    assert others["code"] == "E-106"
    assert isinstance(others["data"], dict)
    assert others["data"]["reason"] == "SIGNER_UNKNOWN"


async def test_a_legacy_system_is_not_let_in_over_there(gateway: Gateway, sandbox: Sandbox) -> None:
    """Not even with a good signature: the entry would say more than was proven."""
    assert gateway.port
    identity = load_identity(sandbox.world.folders.partner("recertification"))
    async with Client.open(identity) as opened:
        with pytest.raises(Refused) as refused:
            await opened.exchange(deceased_question())

    assert refused.value.reason == "CHANNEL_REFUSED"


async def test_without_a_certificate_nobody_connects(
    gateway: Gateway, identities: dict[str, Path]
) -> None:
    """The dialect proves no body: the channel has to."""
    assert gateway.legacy is not None
    client = LegacyClient.open(gateway.legacy.port, None, identities["authority"])

    with pytest.raises(httpx.TransportError):
        await asyncio.to_thread(client.refresh)
    client.http.close()


async def test_nothing_of_a_person_stands_in_the_log(
    client: LegacyClient, gateway: Gateway, sandbox: Sandbox
) -> None:
    """As of any other question."""
    await ready(client, gateway)
    body = body_of("ordinary_graduate")
    await asyncio.to_thread(client.ask, body)

    octets = b"".join(
        path.read_bytes() for path in sandbox.world.folders.log.iterdir() if path.is_file()
    )

    for text in (body["zjhm"], body["xm"], client.key):
        assert text.encode() not in octets


async def test_changed_trust_reaches_the_next_handshake(
    gateway: Gateway, identities: dict[str, Path]
) -> None:
    """Whoever is no longer anchored does not connect any more, and does again when he is."""
    assert gateway.legacy is not None
    stranger = Authority.create(
        SubjectName(common_name="Nobody"),
        at=moment(gateway.clock.now_ms()),
        lifetime=timedelta(days=1),
    )
    others = encode_pem(stranger.certificate.der, PEM_LABEL)
    told = []
    for roots in (others, gateway.trust.snapshot.tls_roots_pem):
        gateway.legacy.renew(build_context(gateway.config.tls, roots))
        client = LegacyClient.open(gateway.legacy.port, identities[LEGACY], identities["authority"])
        client.now_ms = gateway.clock.now_ms()
        try:
            told.append((await asyncio.to_thread(client.refresh))["code"])
        except httpx.TransportError:
            told.append("refused")
        client.http.close()

    assert told == ["refused", "0"]
