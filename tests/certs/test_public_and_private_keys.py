"""Keys: which are accepted, in which spelling, and what they sign."""

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from certs.algorithms import (
    ALGORITHMS,
    AlgorithmName,
    PrivateKey,
    PublicKey,
    Suite,
    generate_private_key,
    load_private_key,
    parse_public_key,
    suite_of,
    verify_signature,
)
from certs.ed25519_points import ORDER_EIGHT_Y
from certs.errors import CertificateReason, CertificateRefused, KeyUnreadable, SignatureInvalid
from certs.pem import encode_pem, parse_single

PRIME = 2**255 - 19
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")
ALL_SUITES = list(Suite)

PrivateKeyOfOthers = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey | None


def spki_of(
    key: ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | rsa.RSAPublicKey
    | dsa.DSAPublicKey,
) -> bytes:
    """Return the SubjectPublicKeyInfo of a foreign key."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def reason_of(spki: bytes) -> CertificateReason:
    """Return why a key is refused."""
    with pytest.raises(CertificateRefused) as caught:
        parse_public_key(spki)
    return caught.value.reason


@pytest.fixture(scope="module")
def rsa_3072() -> rsa.RSAPublicKey:
    """Return an RSA key of the least accepted size."""
    return rsa.generate_private_key(65537, 3072).public_key()


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_signature_has_64_bytes_and_verifies(suite: Suite) -> None:
    """Each suite signs 64 bytes that verify under the public half."""
    private_key = generate_private_key(suite)

    signature = private_key.sign(b"a message")

    assert len(signature) == 64
    verify_signature(private_key.public_key, signature, b"a message")


@pytest.mark.parametrize("suite", ALL_SUITES)
@pytest.mark.parametrize("position", [0, 31, 32, 63])
def test_flipped_bit_is_refused(suite: Suite, position: int) -> None:
    """A signature with one changed bit proves nothing."""
    private_key = generate_private_key(suite)
    signature = bytearray(private_key.sign(b"a message"))
    signature[position] ^= 1

    with pytest.raises(SignatureInvalid):
        verify_signature(private_key.public_key, bytes(signature), b"a message")


@pytest.mark.parametrize("suite", ALL_SUITES)
@pytest.mark.parametrize("length", [0, 63, 65, 71])
def test_other_lengths_are_refused(suite: Suite, length: int) -> None:
    """No suite has signatures of another length, DER included."""
    public_key = generate_private_key(suite).public_key

    with pytest.raises(SignatureInvalid, match="64 bytes"):
        verify_signature(public_key, bytes(length), b"a message")


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_key_id_is_the_start_of_the_thumbprint(suite: Suite) -> None:
    """A key id is the first 32 hex digits of SHA-256 over the SubjectPublicKeyInfo."""
    public_key = generate_private_key(suite).public_key

    assert hashlib.sha256(public_key.spki).hexdigest()[:32] == public_key.keyid
    assert hashlib.sha256(public_key.spki).digest() == public_key.thumbprint
    assert suite is suite_of(public_key.spki)


def test_equal_keys_are_equal_values() -> None:
    """Two readings of one key are one value."""
    spki = generate_private_key(Suite.EDDSA).public_key.spki

    assert parse_public_key(spki) == parse_public_key(spki)


@pytest.mark.parametrize(
    "curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1(), ec.BrainpoolP256R1()]
)
def test_other_curves_are_weak(curve: ec.EllipticCurve) -> None:
    """P-384 and every other curve is refused: the table is closed, not a minimum."""
    spki = spki_of(ec.generate_private_key(curve).public_key())

    assert CertificateReason.WEAK_ALGORITHM is reason_of(spki)


def test_other_kinds_are_weak() -> None:
    """Ed448 is a good algorithm and not in the table."""
    spki = spki_of(ed448.Ed448PrivateKey.generate().public_key())

    assert CertificateReason.WEAK_ALGORITHM is reason_of(spki)


def test_unknown_kind_is_weak() -> None:
    """A key whose algorithm nobody knows is refused as such."""
    spki = bytes.fromhex("300f300806062a03040506070303000102")

    assert CertificateReason.WEAK_ALGORITHM is reason_of(spki)


def test_rsa_below_3072_is_weak() -> None:
    """RSA with 2048 bits is refused."""
    spki = spki_of(rsa.generate_private_key(65537, 2048).public_key())

    assert CertificateReason.WEAK_ALGORITHM is reason_of(spki)


def test_rsa_with_exponent_three_is_weak() -> None:
    """RSA with a tiny exponent is refused at any size."""
    spki = spki_of(rsa.RSAPublicNumbers(3, (1 << 3071) + 1).public_key())

    assert CertificateReason.WEAK_ALGORITHM is reason_of(spki)


def test_rsa_3072_is_read_and_signs_no_envelope(rsa_3072: rsa.RSAPublicKey) -> None:
    """RSA is there for certificates of others only."""
    public_key = parse_public_key(spki_of(rsa_3072))

    assert AlgorithmName.RSA_PSS is public_key.algorithm
    with pytest.raises(CertificateRefused):
        _ = public_key.suite
    with pytest.raises(SignatureInvalid):
        verify_signature(public_key, bytes(64), b"")


def test_rsa_with_second_spelling_is_malformed(rsa_3072: rsa.RSAPublicKey) -> None:
    """Bytes after the numbers of an RSA key are refused."""
    assert CertificateReason.MALFORMED is reason_of(spki_of(rsa_3072) + b"\x00")


def test_long_key_is_refused_unread() -> None:
    """A key of 8 KiB costs no parsing."""
    assert CertificateReason.WEAK_ALGORITHM is reason_of(b"\x30" * 8192)


def test_compressed_point_is_refused() -> None:
    """The second spelling of a P-256 key is refused."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    compressed = point.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    spki = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + compressed

    assert CertificateReason.WEAK_ALGORITHM is reason_of(spki)


def test_point_off_p256_is_malformed() -> None:
    """A point that does not lie on its curve is no key."""
    spki = bytearray(generate_private_key(Suite.ES256).public_key.spki)
    spki[-1] ^= 1

    assert CertificateReason.MALFORMED is reason_of(bytes(spki))


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize(
    "y", [0, 1, PRIME - 1, ORDER_EIGHT_Y, PRIME - ORDER_EIGHT_Y, PRIME, PRIME + 1, 2**255 - 1]
)
def test_ed25519_point_nobody_owns_is_weak(y: int, sign: int) -> None:
    """Points of small order and second spellings are refused."""
    spki = ED25519_PREFIX + (y | sign).to_bytes(32, "little")

    assert CertificateReason.WEAK_ALGORITHM is reason_of(spki)


def test_order_eight_constant_solves_its_equation() -> None:
    """The constant is what its comment says."""
    d = -121665 * pow(121666, -1, PRIME)

    assert (d * pow(ORDER_EIGHT_Y, 4, PRIME) + 2 * ORDER_EIGHT_Y**2) % PRIME == 1


def test_table_ends_every_algorithm() -> None:
    """Each accepted kind of key has a size and an end."""
    for row in ALGORITHMS.values():
        assert row.min_bits <= row.max_bits
        assert row.accepted_until.year <= 2036


@pytest.mark.parametrize("suite", ALL_SUITES)
@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_private_key_survives_pkcs8(suite: Suite, passphrase: bytes | None) -> None:
    """A key that was written is the key that is read, in clear and encrypted."""
    private_key = generate_private_key(suite)

    again = load_private_key(private_key.encode_pkcs8(passphrase), passphrase)

    assert private_key.public_key == again.public_key
    verify_signature(private_key.public_key, again.sign(b"m"), b"m")


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_wrong_passphrase_is_unreadable(suite: Suite) -> None:
    """A wrong passphrase opens nothing and is not repeated in the error."""
    pem = generate_private_key(suite).encode_pkcs8(b"right")

    with pytest.raises(KeyUnreadable) as caught:
        load_private_key(pem, b"wrong-one")

    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize("suite", ALL_SUITES)
@pytest.mark.parametrize(("written", "given"), [(b"right", None), (None, b"right")])
def test_passphrase_must_be_given_exactly_where_one_is(
    suite: Suite, written: bytes | None, given: bytes | None
) -> None:
    """An encrypted key needs its passphrase, a key in clear takes none; also as DER."""
    pem = generate_private_key(suite).encode_pkcs8(written)
    label = "PRIVATE KEY" if written is None else "ENCRYPTED PRIVATE KEY"

    with pytest.raises(KeyUnreadable):
        load_private_key(pem, given)
    with pytest.raises(KeyUnreadable):
        load_private_key(parse_single(pem, label), given)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"not a key",
        b"\x30" * 20_000,
        encode_pem(b"nothing", "EC PRIVATE KEY"),
        encode_pem(b"nothing", "PRIVATE KEY"),
        encode_pem(b"nothing", "PRIVATE KEY") * 2,
    ],
    ids=["empty", "text", "too long", "other label", "other content", "two blocks"],
)
def test_what_is_no_pkcs8_key_is_unreadable(encoded: bytes) -> None:
    """Files that hold no single PKCS#8 key are refused."""
    with pytest.raises(KeyUnreadable):
        load_private_key(encoded, None)


@pytest.mark.parametrize("kind", ["rsa", "p384", "ed448"])
def test_private_key_of_another_kind_is_weak(kind: str) -> None:
    """We sign with the three suites only."""
    made: dict[str, PrivateKeyOfOthers] = {
        "rsa": rsa.generate_private_key(65537, 3072) if kind == "rsa" else None,
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "ed448": ed448.Ed448PrivateKey.generate(),
    }
    key = made[kind]
    assert key is not None
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    with pytest.raises(CertificateRefused) as caught:
        load_private_key(der, None)

    assert CertificateReason.WEAK_ALGORITHM is caught.value.reason


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_text_of_a_private_key_is_public(suite: Suite) -> None:
    """Printing a key shows its key id and no native handle."""
    private_key: PrivateKey = generate_private_key(suite)
    public_key: PublicKey = private_key.public_key

    assert public_key.keyid in repr(private_key)
    assert "native" not in repr(private_key)
