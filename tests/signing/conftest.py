"""Schemas, keys and statements that several tests of signing share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from certs.algorithms import PrivateKey, PublicKey, Suite, generate_private_key
from certs.certificate import Certificate, parse_certificate
from certs.chain import Standing
from certs.identity import RegisteredKey
from certs.registry_file import KeyPurpose

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ORGANISATION = "11370000MB2DEM0105"

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _FIELD.TYPE_BOOL,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "uint32": _FIELD.TYPE_UINT32,
    "uint64": _FIELD.TYPE_UINT64,
    "sint32": _FIELD.TYPE_SINT32,
    "sint64": _FIELD.TYPE_SINT64,
    "fixed32": _FIELD.TYPE_FIXED32,
    "fixed64": _FIELD.TYPE_FIXED64,
    "sfixed32": _FIELD.TYPE_SFIXED32,
    "sfixed64": _FIELD.TYPE_SFIXED64,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
}


class Classes(Protocol):
    """Message classes by name."""

    def __getitem__(self, name: str) -> type[Message]:
        """Return the class of a message."""
        ...


@pytest.fixture(scope="session")
def classes() -> Classes:
    """Give a schema with every kind of field, numbers on both sides of the one-byte tag."""
    file = descriptor_pb2.FileDescriptorProto(name="every.proto", package="t", syntax="proto3")
    colour = file.enum_type.add(name="Colour")
    for name, number in (("NONE", 0), ("RED", 1), ("FAR", 300), ("MINUS", -5)):
        colour.value.add(name=name, number=number)
    _add_every(file, "Every", ".t.Every")
    # The same, but nothing in it holds another of itself.
    _add_every(file, "Flat", ".t.Tinted")
    _add_colours(file.message_type.add(name="Tinted"))
    # Real oneofs stand before the synthetic ones.
    choice = file.message_type.add(name="Choice")
    choice.oneof_decl.add(name="kind")
    choice.oneof_decl.add(name="other")
    choice.field.add(name="text", number=1, type=_FIELD.TYPE_STRING, label=1, oneof_index=0)
    choice.field.add(name="count", number=2, type=_FIELD.TYPE_INT32, label=1, oneof_index=0)
    choice.field.add(name="blob", number=3, type=_FIELD.TYPE_BYTES, label=1, oneof_index=1)
    _add_unsignable(file)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"t.{name}"))
        for name in ("Every", "Flat", "Choice", "WithFloat", "WithMap", "WithUnpacked")
    }


def _add_every(file: descriptor_pb2.FileDescriptorProto, name: str, inner: str) -> None:
    every = file.message_type.add(name=name)
    for number, (scalar, kind) in enumerate(_SCALARS.items(), start=1):
        every.field.add(name=f"one_{scalar}", number=number, type=kind, label=1)
        every.field.add(name=f"many_{scalar}", number=number + 20, type=kind, label=3)
        every.oneof_decl.add(name=f"_maybe_{scalar}")
        every.field.add(
            name=f"maybe_{scalar}",
            number=number + 40,
            type=kind,
            label=1,
            proto3_optional=True,
            oneof_index=len(every.oneof_decl) - 1,
        )
    _add_colours(every)
    for field, number, label in (("one_every", 16, 1), ("many_every", 17, 3)):
        every.field.add(
            name=field, number=number, type=_FIELD.TYPE_MESSAGE, label=label, type_name=inner
        )


def _add_colours(message: descriptor_pb2.DescriptorProto) -> None:
    for name, number, label in (("one_colour", 70, 1), ("many_colour", 71, 3)):
        message.field.add(
            name=name, number=number, type=_FIELD.TYPE_ENUM, label=label, type_name=".t.Colour"
        )


def _add_unsignable(file: descriptor_pb2.FileDescriptorProto) -> None:
    with_float = file.message_type.add(name="WithFloat")
    with_float.field.add(name="ratio", number=1, type=_FIELD.TYPE_DOUBLE, label=1)
    with_map = file.message_type.add(name="WithMap")
    entry = with_map.nested_type.add(name="NamesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=_FIELD.TYPE_STRING, label=1)
    with_map.field.add(
        name="names",
        number=1,
        type=_FIELD.TYPE_MESSAGE,
        label=3,
        type_name=".t.WithMap.NamesEntry",
    )
    unpacked = file.message_type.add(name="WithUnpacked")
    field = unpacked.field.add(name="counts", number=1, type=_FIELD.TYPE_INT32, label=3)
    field.options.packed = False


@pytest.fixture(scope="session")
def es256_key() -> PrivateKey:
    """Give a P-256 key."""
    return generate_private_key(Suite.ES256)


@pytest.fixture(scope="session")
def eddsa_key() -> PrivateKey:
    """Give an Ed25519 key."""
    return generate_private_key(Suite.EDDSA)


Register = Callable[..., RegisteredKey]


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """Give a certificate; signing never looks into it."""
    authority = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "HUTONG SANDBOX test")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(authority.public_key())
        .serial_number(1)
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=1))
        .sign(authority, None)
    )
    return parse_certificate(signed.public_bytes(Encoding.DER))


@pytest.fixture(scope="session")
def register(certificate: Certificate) -> Register:
    """Give what registers a private key's public half for one usage."""
    forever = AT + timedelta(days=365)
    standing = Standing(
        not_before=AT - timedelta(days=1),
        not_after=forever,
        algorithm_until=forever,
        known_until=None,
        revoked_at=None,
        store_until=forever,
    )

    def build(
        key: PrivateKey | PublicKey, usage: KeyPurpose = KeyPurpose.ENVELOPE
    ) -> RegisteredKey:
        public_key = key if isinstance(key, PublicKey) else key.public_key
        return RegisteredKey(
            owner=f"{ORGANISATION}/retirement",
            organisation=ORGANISATION,
            usage=usage,
            suite=public_key.suite,
            keyid=public_key.keyid,
            certificate=certificate,
            public_key=public_key,
            standing=standing,
        )

    return build
