"""Envelopes: what is signed, what is proven, what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs.algorithms import (
    PrivateKey,
    Suite,
    generate_private_key,
    load_private_key,
    parse_public_key,
    verify_signature,
)
from certs.errors import AlgorithmUnavailable
from certs.identity import RegisteredKey
from certs.registry_file import KeyPurpose
from signing.encoding import pae
from signing.envelope import Envelope, VerifiedEnvelope, parse_envelope
from signing.errors import Malformed, SignatureInvalid, SignerUnknown, WrongPayloadType
from signing.signer import FileSigner, sign_envelope
from signing.verifier import verify_envelope

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TYPE = "application/vnd.hutong.exchange.v1.ExchangeStatement+protobuf"
OTHER_TYPE = "application/vnd.hutong.exchange.v1.MatterStatement+protobuf"
PUBLISHED = Path(__file__).parents[1] / "vectors" / "signing" / "dsse_published.json"

Register = Callable[..., RegisteredKey]


@pytest.fixture(params=list(Suite), scope="module")
def key(request: pytest.FixtureRequest) -> PrivateKey:
    """Give a key of each suite; SM2 only where this machine has it."""
    try:
        return generate_private_key(request.param)
    except AlgorithmUnavailable as cause:
        pytest.skip(f"no SM2 here: {cause}")


def _verify(envelope: Envelope, *keys: RegisteredKey) -> VerifiedEnvelope:
    return verify_envelope(envelope, keys, payload_types={TYPE}, at=AT)


def test_signed_envelope_is_proven(key: PrivateKey, register: Register) -> None:
    """The proof carries the exact bytes, the registered key and the time."""
    registered = register(key)
    envelope = sign_envelope(FileSigner.of(key), TYPE, b"payload")

    proven = _verify(envelope, registered)

    assert (proven.payload, proven.payload_type) == (b"payload", TYPE)
    assert (proven.signer, proven.at) == (registered, AT)


def test_the_published_dsse_signature_verifies() -> None:
    """The example of DSSE's protocol.md, raw r and s, verifies over our encoding."""
    vector = json.loads(PUBLISHED.read_text())
    numbers = ec.EllipticCurvePublicNumbers(
        int(vector["x"]), int(vector["y"]), ec.SECP256R1()
    ).public_key()
    spki = numbers.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    verify_signature(
        parse_public_key(spki),
        bytes.fromhex(vector["signature"]),
        pae(vector["payload_type"], vector["payload"].encode()),
    )


def test_every_flipped_bit_of_an_envelope_is_refused(
    es256_key: PrivateKey, register: Register
) -> None:
    """Payload, signature, payload type and key id: no bit may change."""
    registered = register(es256_key)
    sound = sign_envelope(FileSigner.of(es256_key), TYPE, b"statement bytes")
    parts = (sound.payload, sound.payload_type.encode(), sound.signature, sound.keyid.encode())

    refused = 0
    for index, part in enumerate(parts):
        for bit in range(len(part) * 8):
            changed = bytearray(part)
            changed[bit // 8] ^= 1 << (bit % 8)
            payload, kind, signature, keyid = (
                bytes(changed) if place == index else other for place, other in enumerate(parts)
            )
            with pytest.raises((Malformed, SignatureInvalid, SignerUnknown, WrongPayloadType)):
                _verify(
                    parse_envelope(
                        payload,
                        kind.decode("latin-1"),
                        [(signature, keyid.decode("latin-1"))],
                    ),
                    registered,
                )
            refused += 1

    assert refused == 8 * sum(len(part) for part in parts)


def test_signature_over_another_payload_type_is_refused(
    es256_key: PrivateKey, register: Register
) -> None:
    """A signature for one kind of message is none for another."""
    signed = sign_envelope(FileSigner.of(es256_key), OTHER_TYPE, b"payload")
    relabelled = parse_envelope(signed.payload, TYPE, [(signed.signature, signed.keyid)])

    with pytest.raises(SignatureInvalid):
        _verify(relabelled, register(es256_key))


def test_payload_type_the_method_does_not_take_is_refused(
    es256_key: PrivateKey, register: Register
) -> None:
    """A sound signature does not make the wrong message right."""
    signed = sign_envelope(FileSigner.of(es256_key), OTHER_TYPE, b"payload")

    with pytest.raises(WrongPayloadType):
        _verify(signed, register(es256_key))


def test_key_that_is_not_handed_in_is_unknown(
    es256_key: PrivateKey, eddsa_key: PrivateKey, register: Register
) -> None:
    """Only the caller's keys are looked at, and no key at all refuses."""
    signed = sign_envelope(FileSigner.of(eddsa_key), TYPE, b"payload")

    for keys in ((), (register(es256_key),)):
        with pytest.raises(SignerUnknown):
            _verify(signed, *keys)


@pytest.mark.parametrize("usage", [use for use in KeyPurpose if use is not KeyPurpose.ENVELOPE])
def test_key_of_another_usage_is_unknown(
    es256_key: PrivateKey, register: Register, usage: KeyPurpose
) -> None:
    """A key that signs records, officers or checkpoints signs no envelope."""
    signed = sign_envelope(FileSigner.of(es256_key), TYPE, b"payload")

    with pytest.raises(SignerUnknown):
        _verify(signed, register(es256_key, usage))


def test_foreign_signature_under_a_registered_key_id_is_refused(
    es256_key: PrivateKey, eddsa_key: PrivateKey, register: Register
) -> None:
    """The key id is a hint: the registered key must have signed."""
    foreign = FileSigner.of(eddsa_key).sign(pae(TYPE, b"payload"))
    forged = parse_envelope(b"payload", TYPE, [(foreign, es256_key.public_key.keyid)])

    with pytest.raises(SignatureInvalid):
        _verify(forged, register(es256_key), register(eddsa_key))


@pytest.mark.parametrize("count", [0, 2])
def test_other_than_one_signature_is_malformed(count: int) -> None:
    """No signature and two signatures are refused before any is looked at."""
    with pytest.raises(Malformed, match="exactly one"):
        parse_envelope(b"payload", TYPE, [(bytes(64), "0" * 32)] * count)


@pytest.mark.parametrize(
    ("payload", "payload_type", "signature", "keyid"),
    [
        (b"", TYPE, bytes(64), "0" * 32),
        (bytes(65_537), TYPE, bytes(64), "0" * 32),
        (b"x", "", bytes(64), "0" * 32),
        (b"x", "政务", bytes(64), "0" * 32),
        (b"x", TYPE, bytes(63), "0" * 32),
        (b"x", TYPE, bytes(72), "0" * 32),
        (b"x", TYPE, bytes(64), "0" * 31),
        (b"x", TYPE, bytes(64), "A" * 32),
        (b"x", TYPE, bytes(64), "0" * 32 + "\n"),
    ],
)
def test_parts_out_of_form_are_malformed(
    payload: bytes, payload_type: str, signature: bytes, keyid: str
) -> None:
    """Each part has a fixed form; a DER signature is none."""
    with pytest.raises(Malformed):
        parse_envelope(payload, payload_type, [(signature, keyid)])


def test_payload_of_65536_bytes_is_accepted() -> None:
    """The bound is inclusive."""
    envelope = parse_envelope(bytes(65_536), TYPE, [(bytes(64), "0" * 32)])

    assert len(envelope.payload) == 65_536


def test_nobody_else_makes_a_verified_envelope(es256_key: PrivateKey, register: Register) -> None:
    """The constructor opens for the verifier's mark only."""
    with pytest.raises(TypeError, match="only signing"):
        VerifiedEnvelope(
            payload=b"x", payload_type=TYPE, signer=register(es256_key), at=AT, mark=object()
        )


def test_proof_cannot_be_altered_into_another(es256_key: PrivateKey, register: Register) -> None:
    """Copying a proof with other bytes needs the mark that only the verifier has."""
    proven = _verify(sign_envelope(FileSigner.of(es256_key), TYPE, b"payload"), register(es256_key))

    with pytest.raises((TypeError, ValueError)):
        replace(proven, payload=b"other", mark=object())


def test_repr_shows_no_payload(es256_key: PrivateKey, register: Register) -> None:
    """A payload holds personal data and stays out of tracebacks."""
    envelope = sign_envelope(FileSigner.of(es256_key), TYPE, b"11010519491231002X")

    assert "1101" not in repr(envelope)
    assert "1101" not in repr(_verify(envelope, register(es256_key)))


def test_sm2_signature_without_sm2_is_no_proof(
    es256_key: PrivateKey, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that cannot compute an algorithm has proven nothing."""

    def unavailable(*_args: object) -> None:
        raise AlgorithmUnavailable("this machine has no SM2")

    monkeypatch.setattr("signing.verifier.verify_signature", unavailable)
    envelope = sign_envelope(FileSigner.of(es256_key), TYPE, b"payload")

    with pytest.raises(SignatureInvalid):
        _verify(envelope, register(es256_key))


def test_key_survives_its_encoding(es256_key: PrivateKey, register: Register) -> None:
    """A key written and read again signs what the registered half verifies."""
    again = load_private_key(es256_key.encode_pkcs8(None), None)

    _verify(sign_envelope(FileSigner.of(again), TYPE, b"payload"), register(es256_key))
