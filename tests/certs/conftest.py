"""A small synthetic world for trust: one authority, one organisation, one system."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.authority import Authority, TlsPurpose
from certs.certificate import Certificate
from certs.naming import SubjectName
from certs.registry_file import (
    KeyPurpose,
    KeyRecord,
    KeyState,
    OrganisationKind,
    OrganisationRecord,
    RegistryDocument,
    SystemClass,
    SystemRecord,
    SystemRole,
)
from certs.revocation import parse_crl
from certs.trust_material import TrustMaterial

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORGANISATION = "11370000MB2DEM0105"

Declare: TypeAlias = Callable[..., KeyRecord]
Document: TypeAlias = Callable[..., RegistryDocument]
Material: TypeAlias = Callable[..., TrustMaterial]


@pytest.fixture(scope="session")
def at() -> datetime:
    """Return the moment at which the world is made."""
    return NOON


@pytest.fixture(scope="session")
def uscc() -> str:
    """Return the synthetic code of the one organisation."""
    return ORGANISATION


@pytest.fixture
def authority() -> Authority:
    """Return a fresh P-256 authority."""
    return Authority.create(SubjectName(common_name="Test root"), at=NOON)


@pytest.fixture
def envelope_key() -> PrivateKey:
    """Return a fresh P-256 signing key."""
    return generate_private_key(Suite.ES256)


@pytest.fixture
def subject() -> SubjectName:
    """Return the name on certificates of the one organisation."""
    return SubjectName(common_name="gateway", organisation=ORGANISATION)


@pytest.fixture
def tls_leaf(authority: Authority, subject: SubjectName) -> Certificate:
    """Return a TLS certificate of the authority."""
    key = generate_private_key(Suite.ES256).public_key
    return authority.issue_tls(subject, key, TlsPurpose.BOTH, at=NOON)


@pytest.fixture
def envelope_leaf(
    authority: Authority, subject: SubjectName, envelope_key: PrivateKey
) -> Certificate:
    """Return an envelope certificate of the authority."""
    return authority.issue_signing(subject, envelope_key.public_key, KeyPurpose.ENVELOPE, at=NOON)


@pytest.fixture
def declare() -> Declare:
    """Return a maker of registry keys that are active for a year."""

    def make(
        usage: KeyPurpose, certificate: Certificate, state: KeyState = KeyState.ACTIVE
    ) -> KeyRecord:
        return KeyRecord(
            usage=usage,
            certificate=certificate,
            state=state,
            not_before=NOON - timedelta(days=1),
            not_after=NOON + timedelta(days=365),
        )

    return make


@pytest.fixture
def document() -> Document:
    """Return a maker of registries with one organisation and one system."""

    def make(
        *keys: KeyRecord, own: tuple[KeyRecord, ...] = (), uscc: str = ORGANISATION
    ) -> RegistryDocument:
        system = SystemRecord(
            slug="gateway",
            system_class=SystemClass.GRPC,
            roles=frozenset({SystemRole.GATEWAY, SystemRole.REQUESTER}),
            keys=keys,
        )
        organisation = OrganisationRecord(
            uscc=uscc,
            name_zh="示例人社厅",
            name_en="Example HRSS",
            kind=OrganisationKind.DEPARTMENT,
            keys=own,
            systems=(system,),
        )
        return RegistryDocument(organisations=(organisation,))

    return make


@pytest.fixture
def material(authority: Authority) -> Material:
    """Return a maker of trust material around the authority, with a fresh CRL."""

    def make(
        registry: RegistryDocument, sequence: int = 1, crl: bytes | None = None
    ) -> TrustMaterial:
        return TrustMaterial(
            sequence=sequence,
            issued_at=NOON,
            expires_at=NOON + timedelta(days=30),
            anchors=(authority.certificate,),
            crls=(parse_crl(crl or authority.crl(at=NOON)),),
            registry=registry,
        )

    return make
