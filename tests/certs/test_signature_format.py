"""Raw and DER signatures: inverse of each other, one spelling each."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from certs import signature_format
from certs.algorithms import encode_der_signature, parse_der_signature
from certs.errors import SignatureInvalid
from certs.signature_format import P256_ORDER, SM2_ORDER

ORDERS = [P256_ORDER, SM2_ORDER]
GOOD = encode_dss_signature(1, 2)


def raw_of(r: int, s: int) -> bytes:
    """Return 64 bytes."""
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@given(
    order=st.sampled_from(ORDERS),
    r=st.integers(1, min(ORDERS) - 1),
    s=st.integers(1, min(ORDERS) - 1),
)
def test_parse_is_the_inverse_of_encode(order: int, r: int, s: int) -> None:
    """Every pair in range survives the way to DER and back."""
    raw = raw_of(r, s)

    assert raw == parse_der_signature(encode_der_signature(raw, order), order)


@given(der=st.binary(max_size=80), order=st.sampled_from(ORDERS))
def test_whatever_parses_is_the_only_spelling(der: bytes, order: int) -> None:
    """No two DER strings give the same raw signature."""
    try:
        raw = parse_der_signature(der, order)
    except SignatureInvalid:
        return

    assert der == encode_der_signature(raw, order)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        GOOD + b"\x00",
        GOOD[:-1],
        b"\x30\x81\x06" + GOOD[2:],
        bytes.fromhex("300702020001020102"),
        bytes.fromhex("30060201ff020102"),
        bytes.fromhex("3006020100020102"),
        bytes.fromhex("3006020101020100"),
        bytes.fromhex("3003020101"),
        bytes.fromhex("3009020101020102020103"),
        bytes.fromhex("3106020101020102"),
        encode_dss_signature(P256_ORDER, 1),
        encode_dss_signature(1, P256_ORDER),
        encode_dss_signature(2**300, 1),
        encode_dss_signature(1 << 255, 1 << 255) + b"\x00" * 8,
    ],
    ids=[
        "empty",
        "trailing byte",
        "cut off",
        "length in long form",
        "padded integer",
        "negative r",
        "r is zero",
        "s is zero",
        "one integer",
        "three integers",
        "set for sequence",
        "r is the order",
        "s is the order",
        "r too large",
        "too long",
    ],
)
def test_malformed_der_is_refused(der: bytes) -> None:
    """Only the one DER spelling of a pair in range is a signature."""
    with pytest.raises(SignatureInvalid):
        parse_der_signature(der, P256_ORDER)


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(64), raw_of(1, 0), raw_of(0, 1), raw_of(1, P256_ORDER), raw_of(1, 1) + b"\x00"],
    ids=["empty", "zeros", "s is zero", "r is zero", "s is the order", "65 bytes"],
)
def test_malformed_raw_signature_is_refused(raw: bytes) -> None:
    """Only 64 bytes with both numbers in range are a signature."""
    with pytest.raises(SignatureInvalid):
        encode_der_signature(raw, P256_ORDER)


def test_second_spelling_is_refused_though_the_library_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Should the library below ever become lenient, we do not."""
    monkeypatch.setattr(signature_format, "decode_dss_signature", lambda _: (1, 2))

    with pytest.raises(SignatureInvalid, match="canonical"):
        parse_der_signature(GOOD + b"\x00", P256_ORDER)
