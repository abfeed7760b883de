"""Questions of a sandbox partner, and what may be wrong with their bytes.

A question is built by the SDK; `retold` opens its payload, lets a test change it, and signs it anew
with the same key, so that only the change is wrong.
"""

import dataclasses
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from google.protobuf.message import Message

from adapters.simulators.population import Planted, planted
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.running import Sandbox
from gateway.credentials import load_credential
from gateway.policy.delivery import Delivery, open_delivery
from gateway.progress import Call, Peer
from hutong.client import (
    DatasetQuery,
    Identity,
    MatterQuestion,
    Officer,
    Purpose,
    Question,
    Staff,
    Subject,
)
from hutong.client.requests import Moment, SignedRequest
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.signer import Signer, sign_envelope

RETIREMENT = "11370000MB2DEM0105/retirement"
TITLE = "11370000MB2DEM0105/title"
LOAN = "11370000MB2DEM0105/loan"
ASSISTANCE = "11370000MB2DEM045P/social-assistance"
"""A system of another organisation than the one that runs the gateway."""
RECERTIFICATION = "11370000MB2DEM0105/recertification"
SERVICE = "/hutong.exchange.v1.ExchangeService/"
BASIS = "社会保险法第五十七条"
CORE_FIELDS = ("full_name", "sex", "birth_date", "registered_address", "person_state")
STAFF = Staff(
    token="staff-0001",
    role="经办",
    unit="省社保中心（模拟）",
    unit_code="370000000000",
    level="province",
    division="370102",
    call_reason="退休申请",
    name="彭守正",
    identifier="370104198309239011",
)

M = TypeVar("M", bound=Message)


def person(name_of_case: str) -> Planted:
    """Return the first planted person of a case."""
    return next(each for each in planted() if each.name_of_case == name_of_case)


def subject_of(someone: Planted) -> Subject:
    """Return a planted person as the subject of a question."""
    return Subject(identifier=someone.id_number, full_name=someone.full_name)


def officer_of(identity: Identity, **changes: str) -> Officer:
    """Return an officer of the partner, with parts of his description changed."""
    return identity.officer(dataclasses.replace(STAFF, **changes))


def purpose_of(someone: Planted, matter: str = "M2", basis: str = BASIS) -> Purpose:
    """Return the purpose of a question in the case that the sandbox opened for somebody."""
    return Purpose(matter=matter, legal_basis=basis, case_number=case_number(matter, someone))


def delivery_to(sandbox: Sandbox) -> AbstractContextManager[Delivery]:
    """Return a delivery of facts to the registers of the running gateway."""
    folder = sandbox.world.folders.gateway
    return open_delivery(folder / "registers.db", load_credential(folder / "registers-key"))


def core_question(identity: Identity, who: str = "ordinary_pensioner") -> Question:
    """Return the question of M2 for the register's main facts."""
    someone = person(who)
    return Question(
        agreement="XY-2026-201",
        dataset="ps.person_core@1",
        fields=CORE_FIELDS,
        subject=subject_of(someone),
        purpose=purpose_of(someone),
        officer=officer_of(identity),
    )


def insured_question(identity: Identity, who: str = "ordinary_pensioner") -> Question:
    """Return the question of M2 for the registration in HRSS's own tables."""
    return dataclasses.replace(
        core_question(identity, who),
        agreement="XY-2026-203",
        dataset="hr.participation@1",
        fields=("first_date", "state"),
    )


def diploma_question(identity: Identity, who: str = "ordinary_graduate") -> Question:
    """Return the question of M2 for a diploma."""
    return dataclasses.replace(
        core_question(identity, who),
        agreement="XY-2026-205",
        dataset="edu.diploma@1",
        fields=("full_name", "institution_name", "certificate_no", "verified"),
    )


def deceased_question(who: str = "ordinary_pensioner") -> Question:
    """Return the question of a system job of M1: is the pensioner deceased?"""
    someone = person(who)
    return Question(
        agreement="XY-2026-101",
        dataset="ps.person_verify@1",
        fields=("deceased",),
        subject=subject_of(someone),
        purpose=purpose_of(someone, "M1", "社会保险经办条例第二十六条"),
    )


def certificate_question(who: str) -> Question:
    """Return the question of a system job of M1: is there a certificate of death?"""
    someone = person(who)
    return Question(
        agreement="XY-2026-104",
        dataset="hc.death_certificate@1",
        fields=("has_record",),
        subject=subject_of(someone),
        purpose=purpose_of(someone, "M1", "社会保险经办条例第二十六条"),
    )


def matter_question(identity: Identity, who: str = "ordinary_pensioner") -> MatterQuestion:
    """Return everything M2 asks, of three departments."""
    questions = (
        core_question(identity, who),
        insured_question(identity, who),
        diploma_question(identity, who),
    )
    extra = DatasetQuery(
        agreement="XY-2026-204", dataset="hr.contribution_record@1", fields=("months_paid",)
    )
    return MatterQuestion(
        queries=(*(each.query for each in questions), extra),
        subject=questions[0].subject,
        purpose=questions[0].purpose,
        officer=questions[0].officer,
    )


def moment(now_ms: int, retries: bytes = b"") -> Moment:
    """Return when a request is made, with nothing known of the log."""
    return Moment(now_ms=now_ms, known_size=0, retries=retries)


def wrapped(payload: bytes, payload_type: str, signer: Signer, keyid: str = "") -> bytes:
    """Return the message around an envelope over given bytes."""
    envelope = sign_envelope(signer, payload_type, payload)
    return spelled(payload, payload_type, envelope.signature, keyid or envelope.keyid)


def spelled(payload: bytes, payload_type: str, signature: bytes, keyid: str) -> bytes:
    """Return the message around an envelope of given parts, true or not."""
    return exchange_pb2.ExchangeRequest(
        envelope=envelope_pb2.SignedEnvelope(
            payload=payload,
            payload_type=payload_type,
            signatures=[envelope_pb2.Signature(value=signature, keyid=keyid)],
        )
    ).SerializeToString(deterministic=True)


def retold(
    identity: Identity,
    request: SignedRequest,
    message_class: type[M],
    change: Callable[[M], None],
) -> SignedRequest:
    """Return a request whose statement a test has changed, signed by its own system."""
    message = message_class.FromString(request.payload)
    change(message)
    payload = message.SerializeToString(deterministic=True)
    return dataclasses.replace(
        request,
        payload=payload,
        message=wrapped(payload, payload_type_of(message_class), identity.signer),
    )


def payload_type_of(message_class: type[Message]) -> str:
    """Return the payload type of a statement."""
    service, _, name = message_class.DESCRIPTOR.full_name.removeprefix("hutong.").partition(".v1.")
    return f"application/vnd.hutong.{service}.v1.{name}+protobuf"


def call_of(
    identity: Identity,
    request: SignedRequest,
    *,
    message_class: type[Message] = exchange_pb2.ExchangeStatement,
    method: str = "",
    patience_s: float = 10.0,
) -> Call:
    """Return a request as the edge hands it to the core."""
    return Call(
        method=method or request.method,
        payload_type=payload_type_of(message_class),
        body=request.message,
        peer=Peer(leaf_thumbprint=identity.tls.thumbprint, address="ipv4:127.0.0.1"),
        deadline=time.monotonic() + patience_s,
    )


def call_with(
    identity: Identity,
    message: bytes,
    *,
    method: str = f"{SERVICE}Exchange",
    patience_s: float = 10,
) -> Call:
    """Return given bytes as a call of Exchange."""
    return Call(
        method=method,
        payload_type=payload_type_of(exchange_pb2.ExchangeStatement),
        body=message,
        peer=Peer(leaf_thumbprint=identity.tls.thumbprint, address="ipv4:127.0.0.1"),
        deadline=time.monotonic() + patience_s,
    )
