"""SM2 over libcrypto against the published example and an implementation that shares no line."""

import gmalg
import pytest

from certs.algorithms import (
    PrivateKey,
    Suite,
    generate_private_key,
    load_private_key,
    parse_public_key,
    verify_signature,
)
from certs.errors import (
    AlgorithmUnavailable,
    CertificateReason,
    CertificateRefused,
    KeyUnreadable,
    SignatureInvalid,
)
from certs.signature_format import SM2_ORDER, encode_der_signature
from certs.sm2 import health, keys
from certs.sm2.health import examine_sm2, require_sm2
from certs.sm2.library import LibCrypto, open_library

# GB/T 32918.5-2017 annex A.2.
PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
POINT = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
PKCS8 = (
    bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
    + PRIVATE
    + bytes.fromhex("a14403420004")
    + POINT
)


@pytest.fixture
def sm2_key() -> PrivateKey:
    """Return a fresh SM2 key."""
    return generate_private_key(Suite.SM2SM3)


def test_published_example_verifies() -> None:
    """The signature of GB/T 32918.5-2017 annex A.2 is accepted over its message."""
    public_key = parse_public_key(PREFIX + POINT)

    verify_signature(public_key, SIGNATURE, b"message digest")

    assert Suite.SM2SM3 is public_key.suite


def test_published_private_key_gives_published_public_key() -> None:
    """The private number of annex A.2 leads to the public point of annex A.2."""
    private_key = load_private_key(PKCS8, None)

    assert private_key.public_key.spki == PREFIX + POINT


def test_our_signature_is_accepted_by_another_implementation(sm2_key: PrivateKey) -> None:
    """What we sign verifies in gmalg with the default signer identifier."""
    other = gmalg.SM2(pk=sm2_key.public_key.spki[26:], uid=b"1234567812345678")

    raw = sm2_key.sign(b"a message")

    assert other.verify(b"a message", raw[:32], raw[32:])


def test_signature_of_another_implementation_is_accepted() -> None:
    """What gmalg signs with the default signer identifier verifies here."""
    other = gmalg.SM2(sk=PRIVATE, uid=b"1234567812345678")

    r, s = other.sign(b"a message")

    verify_signature(parse_public_key(PREFIX + POINT), r + s, b"a message")


def test_signature_under_another_signer_identifier_is_refused() -> None:
    """A foreign signer identifier does not stand for the default one."""
    other = gmalg.SM2(sk=PRIVATE, uid=b"1234567812345679")
    r, s = other.sign(b"a message")

    with pytest.raises(SignatureInvalid):
        verify_signature(parse_public_key(PREFIX + POINT), r + s, b"a message")


def test_signature_under_the_empty_signer_identifier_is_refused(
    sm2_key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What OpenSSL 3.0 signs when nobody sets an identifier does not verify."""
    with monkeypatch.context() as patch:
        patch.setattr(keys, "SIGNER_ID", b"")
        signature = sm2_key.sign(b"a message")

    with pytest.raises(SignatureInvalid):
        verify_signature(sm2_key.public_key, signature, b"a message")


@pytest.mark.parametrize(
    "der",
    [
        b"",
        SIGNATURE,
        encode_der_signature(SIGNATURE, SM2_ORDER) + b"\x00",
        b"\x30\x81\x46" + encode_der_signature(SIGNATURE, SM2_ORDER)[2:],
        bytes.fromhex("3006020100020101"),
    ],
    ids=["empty", "raw", "trailing byte", "long length", "zero"],
)
def test_libcrypto_itself_refuses_a_malformed_signature(der: bytes) -> None:
    """The library below our own parsing is strict as well."""
    public_key = keys.parse_sm2_public_key(require_sm2(), PREFIX + POINT)

    with pytest.raises(SignatureInvalid):
        public_key.verify(der, b"message digest")


def test_point_off_the_curve_is_malformed() -> None:
    """A point that does not lie on the SM2 curve is no key."""
    with pytest.raises(CertificateRefused) as caught:
        parse_public_key(PREFIX + POINT[:-1] + b"\x14")

    assert CertificateReason.MALFORMED is caught.value.reason


def test_bytes_after_a_public_key_are_refused() -> None:
    """A public key followed by anything is unreadable."""
    with pytest.raises(KeyUnreadable):
        keys.parse_sm2_public_key(require_sm2(), PREFIX + POINT + b"\x00")


def test_key_of_another_curve_is_no_sm2_key() -> None:
    """A P-256 key does not pass as SM2."""
    p256 = generate_private_key(Suite.ES256).public_key

    with pytest.raises(KeyUnreadable):
        keys.parse_sm2_public_key(require_sm2(), p256.spki)


def test_bytes_after_a_private_key_are_refused() -> None:
    """A private key followed by anything is unreadable."""
    with pytest.raises(KeyUnreadable):
        keys.parse_sm2_private_key(require_sm2(), PKCS8 + b"\x00", None)


def test_passphrase_with_nul_is_refused() -> None:
    """A passphrase that libcrypto would cut short is refused."""
    with pytest.raises(KeyUnreadable):
        keys.parse_sm2_private_key(require_sm2(), PKCS8, b"a\0b")


def test_health_names_the_library() -> None:
    """A machine with SM2 says which library computes it."""
    found = examine_sm2()

    assert found.available
    assert found.library_version.startswith("OpenSSL 3.")


@pytest.mark.parametrize("name", ["libno-such-library.so.9", "libc.so.6"])
def test_health_without_libcrypto_says_why(name: str) -> None:
    """Without libcrypto, or with something else under its name, SM2 is off with a reason."""
    found = examine_sm2(name)

    assert not found.available
    assert name in found.reason


def test_library_that_fails_the_example_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that does not verify the published example computes no SM2."""
    monkeypatch.setattr(health, "_EXAMPLE_SIGNATURE", b"\x30\x06\x02\x01\x01\x02\x01\x01")

    with pytest.raises(AlgorithmUnavailable, match="fails"):
        health.require_sm2_in.__wrapped__("libcrypto.so.3")


def test_library_that_accepts_everything_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that also verifies the wrong message computes no SM2."""
    monkeypatch.setattr(keys.Sm2PublicKey, "verify", lambda *_: None)

    with pytest.raises(AlgorithmUnavailable, match="accepts"):
        health.require_sm2_in.__wrapped__("libcrypto.so.3")


def test_refused_operation_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """When libcrypto refuses to start an operation, that is no verdict about the signature."""
    library = open_library("libcrypto.so.3")
    public_key = keys.parse_sm2_public_key(library, PREFIX + POINT)
    honest = LibCrypto.integer

    def refuse_init(self: LibCrypto, name: str, *arguments: bytes) -> int:
        return 0 if name == "EVP_DigestVerifyInit" else honest(self, name, *arguments)

    monkeypatch.setattr(LibCrypto, "integer", refuse_init)

    with pytest.raises(AlgorithmUnavailable):
        public_key.verify(b"", b"")


@pytest.mark.parametrize(
    ("version", "machine"),
    [((3, 0, 17), "aarch64"), ((3, 1, 9), "aarch64"), ((3, 5, 3), "arm64")],
)
def test_private_keys_are_refused_where_they_leak(
    version: tuple[int, int, int], machine: str
) -> None:
    """On 64-bit ARM a libcrypto with CVE-2025-9231 gets no private key."""
    with pytest.raises(AlgorithmUnavailable):
        keys.require_private_keys_safe(version, machine)


@pytest.mark.parametrize(
    ("version", "machine"),
    [((3, 0, 17), "x86_64"), ((3, 0, 18), "aarch64"), ((3, 6, 0), "aarch64")],
)
def test_private_keys_are_used_where_they_do_not_leak(
    version: tuple[int, int, int], machine: str
) -> None:
    """Other processors and repaired versions sign."""
    keys.require_private_keys_safe(version, machine)


def test_key_without_sm2_on_this_machine_is_readable_but_verifies_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A registry with SM2 keys still loads where SM2 is missing."""

    def missing() -> LibCrypto:
        raise AlgorithmUnavailable("none")

    monkeypatch.setattr("certs.public_key.require_sm2", missing)
    public_key = parse_public_key(PREFIX + POINT)

    with pytest.raises(AlgorithmUnavailable):
        verify_signature(public_key, SIGNATURE, b"message digest")
