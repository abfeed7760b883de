"""Chains at a given time, over authorities that another library made."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs.certificate import Certificate, parse_certificate
from certs.chain import (
    MAX_ATTEMPTS,
    SIGNING,
    TIME_STAMPING,
    TLS_CLIENT,
    TLS_SERVER,
    KeyUsagePolicy,
    VerifiedCertificate,
    verify_chain,
)
from certs.errors import AlgorithmUnavailable, CertificateReason, CertificateRefused
from certs.revocation import RevocationStore, build_revocation_store, parse_crl
from certs.suites import ALGORITHMS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Anchors, intermediates and revocation, as a snapshot offers them."""

    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...] = ()
    revocations: RevocationStore
    expires_at: datetime = NOW + 60 * DAY


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """A foreign authority: its name, its key, its certificate."""

    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: Certificate


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a foreign certificate shall say."""

    ca: bool = True
    path_length: int | None = None
    usage: str = "sign"
    critical: bool = False
    days: int = 30
    curve: ec.EllipticCurve | None = None


AUTHORITY = Wish()
LEAF = Wish(ca=False)


def make(name: str, wish: Wish, by: Issuer | None = None) -> Issuer:
    """Return a foreign certificate and its key, self-signed without an issuer."""
    key = ec.generate_private_key(wish.curve or ec.SECP256R1())
    signer = key if by is None else by.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(name if by is None else by.name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + wish.days * DAY)
        .add_extension(x509.BasicConstraints(wish.ca, wish.path_length), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not wish.ca,
                content_commitment=False,
                key_encipherment=wish.usage == "encrypt",
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=wish.ca and wish.usage == "sign",
                crl_sign=wish.ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if wish.critical:
        unknown = x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00"
        )
        builder = builder.add_extension(unknown, critical=True)
    der = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return Issuer(name=name, key=key, certificate=parse_certificate(der))


def named(name: str) -> x509.Name:
    """Return a distinguished name."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def fresh(*issuers: Issuer, revoked: tuple[Certificate, ...] = ()) -> RevocationStore:
    """Return a store with one CRL of each issuer."""
    crls = []
    for issuer in issuers:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(named(issuer.name))
            .last_update(NOW)
            .next_update(NOW + DAY)
        )
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial)
            builder = builder.add_revoked_certificate(entry.revocation_date(NOW).build())
        signed = builder.sign(issuer.key, hashes.SHA256())
        crls.append(parse_crl(signed.public_bytes(serialization.Encoding.DER)))
    return build_revocation_store(crls, [issuer.certificate for issuer in issuers], {})


def refusal(
    leaf: Certificate,
    source: Source,
    *,
    at: datetime = NOW,
    usage: KeyUsagePolicy = SIGNING,
    carried: tuple[Certificate, ...] = (),
) -> CertificateReason:
    """Return why a chain is refused."""
    with pytest.raises(CertificateRefused) as caught:
        verify_chain(leaf, carried, source, at, usage)
    return caught.value.reason


@pytest.fixture
def root() -> Issuer:
    """Return a foreign root."""
    return make("root", AUTHORITY)


@pytest.fixture
def middle(root: Issuer) -> Issuer:
    """Return an intermediate of the root."""
    return make("middle", AUTHORITY, root)


@pytest.fixture
def leaf(middle: Issuer) -> Certificate:
    """Return a signing certificate of the intermediate."""
    return make("leaf", LEAF, middle).certificate


@pytest.fixture
def source(root: Issuer, middle: Issuer) -> Source:
    """Return a source that knows both authorities."""
    return Source(
        anchors=(root.certificate,),
        intermediates=(middle.certificate,),
        revocations=fresh(root, middle),
    )


def test_chain_over_an_intermediate_holds(
    leaf: Certificate, middle: Issuer, root: Issuer, source: Source
) -> None:
    """A leaf reaches its anchor and the proof carries the path."""
    found = verify_chain(leaf, (), source, NOW, SIGNING)

    assert isinstance(found, VerifiedCertificate)
    assert (leaf, middle.certificate, root.certificate) == found.path


def test_intermediate_that_came_with_the_message_helps(
    leaf: Certificate, middle: Issuer, root: Issuer
) -> None:
    """A carried intermediate completes the path; revocation of it must still be known."""
    source = Source(anchors=(root.certificate,), revocations=fresh(root, middle))

    found = verify_chain(leaf, (middle.certificate,), source, NOW, SIGNING)

    assert leaf is found.certificate


def test_carried_root_anchors_nothing(leaf: Certificate, middle: Issuer, root: Issuer) -> None:
    """A whole chain in a message is worth nothing without its anchor in the store."""
    other = make("root", AUTHORITY)
    source = Source(anchors=(other.certificate,), revocations=fresh(other))

    reason = refusal(leaf, source, carried=(middle.certificate, root.certificate))

    assert CertificateReason.NO_CHAIN is reason


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW - 2 * DAY, CertificateReason.NOT_YET_VALID),
        (NOW + 2 * DAY, CertificateReason.REVOCATION_UNKNOWN),
        (NOW + 31 * DAY, CertificateReason.EXPIRED),
        (NOW + 61 * DAY, CertificateReason.TRUST_STORE_EXPIRED),
    ],
)
def test_each_time_has_its_reason(
    at: datetime, reason: CertificateReason, leaf: Certificate, source: Source
) -> None:
    """The same chain is refused for different reasons at different times."""
    assert reason is refusal(leaf, source, at=at)


def test_revoked_leaf_is_refused_from_then_on(
    leaf: Certificate, middle: Issuer, root: Issuer
) -> None:
    """Revocation counts from its date: before it, what was signed stays good."""
    store = fresh(root, middle, revoked=(leaf,))
    source = Source(
        anchors=(root.certificate,), intermediates=(middle.certificate,), revocations=store
    )

    verify_chain(leaf, (), source, NOW - timedelta(seconds=1), SIGNING)

    assert CertificateReason.REVOKED is refusal(leaf, source)


def test_revoked_intermediate_takes_its_leaves_with_it(
    leaf: Certificate, middle: Issuer, root: Issuer
) -> None:
    """A revoked authority vouches for nobody."""
    store = fresh(root, middle, revoked=(middle.certificate,))
    source = Source(
        anchors=(root.certificate,), intermediates=(middle.certificate,), revocations=store
    )

    assert CertificateReason.REVOKED is refusal(leaf, source)


def test_missing_crl_of_one_member_is_unknown(
    leaf: Certificate, middle: Issuer, root: Issuer
) -> None:
    """Revocation has to be known for every member of the path."""
    source = Source(
        anchors=(root.certificate,), intermediates=(middle.certificate,), revocations=fresh(root)
    )

    assert CertificateReason.REVOCATION_UNKNOWN is refusal(leaf, source)


def test_algorithm_ends() -> None:
    """After the end of its algorithm a certificate is weak, however long it runs."""
    anchor = make("root", Wish(days=5000))
    late = make("leaf", Wish(ca=False, days=5000), anchor).certificate
    store = build_revocation_store([], [], {}, timedelta(0))
    end = max(row.accepted_until for row in ALGORITHMS.values())
    source = Source(
        anchors=(anchor.certificate,), revocations=store, expires_at=end + timedelta(days=365)
    )

    assert CertificateReason.WEAK_ALGORITHM is refusal(late, source, at=end)


def test_leaf_without_the_bit_has_the_wrong_usage(middle: Issuer, source: Source) -> None:
    """An authority's certificate does not sign envelopes."""
    assert CertificateReason.WRONG_USAGE is refusal(middle.certificate, source)


@pytest.mark.parametrize("usage", [TLS_CLIENT, TLS_SERVER, TIME_STAMPING])
def test_leaf_without_the_purpose_has_the_wrong_usage(
    usage: KeyUsagePolicy, leaf: Certificate, source: Source
) -> None:
    """A signing certificate is no TLS or time stamping certificate."""
    assert CertificateReason.WRONG_USAGE is refusal(leaf, source, usage=usage)


def test_issuer_that_is_no_authority_vouches_for_nobody(root: Issuer) -> None:
    """A leaf that signs a leaf is refused."""
    between = make("between", LEAF, root)
    below = make("below", LEAF, between).certificate
    source = Source(
        anchors=(root.certificate,),
        intermediates=(between.certificate,),
        revocations=fresh(root),
    )

    assert CertificateReason.WRONG_USAGE is refusal(below, source)


def test_issuer_without_the_signing_bit_vouches_for_nobody(root: Issuer) -> None:
    """An authority that may not sign certificates is refused."""
    between = make("between", Wish(usage="encrypt"), root)
    below = make("below", LEAF, between).certificate
    source = Source(
        anchors=(root.certificate,),
        intermediates=(between.certificate,),
        revocations=fresh(root),
    )

    assert CertificateReason.WRONG_USAGE is refusal(below, source)


def test_path_length_is_kept() -> None:
    """An authority that may have none below it has none below it."""
    narrow = make("narrow", Wish(path_length=0))
    between = make("between", AUTHORITY, narrow)
    below = make("below", LEAF, between).certificate
    source = Source(
        anchors=(narrow.certificate,),
        intermediates=(between.certificate,),
        revocations=fresh(narrow),
    )

    assert CertificateReason.NO_CHAIN is refusal(below, source)


def test_weak_issuer_is_named(root: Issuer) -> None:
    """A path over a P-384 authority is refused as weak."""
    between = make("between", Wish(curve=ec.SECP384R1()), root)
    below = make("below", LEAF, between).certificate
    source = Source(
        anchors=(root.certificate,),
        intermediates=(between.certificate,),
        revocations=fresh(root),
    )

    assert CertificateReason.WEAK_ALGORITHM is refusal(below, source)


def test_weak_leaf_is_named(root: Issuer) -> None:
    """A P-384 leaf is refused as weak."""
    below = make("below", Wish(ca=False, curve=ec.SECP384R1()), root).certificate
    source = Source(anchors=(root.certificate,), revocations=fresh(root))

    assert CertificateReason.WEAK_ALGORITHM is refusal(below, source)


def test_unknown_critical_extension_refuses(root: Issuer) -> None:
    """What a certificate calls critical and we do not know refuses it."""
    below = make("below", Wish(ca=False, critical=True), root).certificate
    source = Source(anchors=(root.certificate,), revocations=fresh(root))

    assert CertificateReason.MALFORMED is refusal(below, source)


def test_same_name_with_another_key_is_no_issuer(root: Issuer) -> None:
    """A namesake of the anchor gets nobody in."""
    namesake = make("root", AUTHORITY)
    below = make("below", LEAF, namesake).certificate
    source = Source(anchors=(root.certificate,), revocations=fresh(root))

    assert CertificateReason.NO_CHAIN is refusal(below, source)


def test_path_of_six_is_too_long(root: Issuer) -> None:
    """More than three intermediates are refused."""
    members = [root]
    for number in range(4):
        members.append(make(f"ca {number}", AUTHORITY, members[-1]))
    below = make("below", LEAF, members[-1]).certificate
    source = Source(
        anchors=(root.certificate,),
        intermediates=tuple(member.certificate for member in members[1:]),
        revocations=fresh(*members),
    )

    assert CertificateReason.NO_CHAIN is refusal(below, source)


def test_many_namesakes_cost_bounded_work(leaf: Certificate, root: Issuer) -> None:
    """A message full of authorities of one name cannot buy unbounded signature checks."""
    namesakes = tuple(make("middle", AUTHORITY, root).certificate for _ in range(MAX_ATTEMPTS + 2))
    source = Source(anchors=(root.certificate,), revocations=fresh(root))

    assert CertificateReason.NO_CHAIN is refusal(leaf, source, carried=namesakes)


def test_authorities_that_certify_each_other_do_not_loop(root: Issuer) -> None:
    """A circle without an anchor ends."""
    first = make("a", AUTHORITY)
    crossed = Issuer(name="b", key=first.key, certificate=first.certificate)
    second = make("a", AUTHORITY, first)
    below = make("below", LEAF, Issuer(name="a", key=second.key, certificate=second.certificate))
    source = Source(anchors=(root.certificate,), revocations=fresh(root))
    carried = (first.certificate, second.certificate, crossed.certificate)

    assert CertificateReason.NO_CHAIN is refusal(below.certificate, source, carried=carried)


def test_chain_that_this_machine_cannot_compute_is_weak(
    monkeypatch: pytest.MonkeyPatch, leaf: Certificate, source: Source
) -> None:
    """Where SM2 is missing, an SM2 chain is refused and nothing crashes."""

    def missing(*_: bytes) -> None:
        raise AlgorithmUnavailable("none")

    monkeypatch.setattr("certs.chain.verify_signed", missing)

    assert CertificateReason.WEAK_ALGORITHM is refusal(leaf, source)
