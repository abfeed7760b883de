"""Everything that is refused of an officer assertion: each attack with a sound signature."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.registry_file import KeyPurpose
from signing.assertion import (
    verify_assertion,
)
from signing.errors import AssertionReason, AssertionRefused
from tests.signing.forged_assertion import (
    CLAIMS,
    EXPECTED,
    GATEWAY,
    NOW,
    ORGANISATION,
    Forgery,
    Keys,
    Register,
    b64,
    refused_reason,
)


@pytest.fixture
def keys(es256_key: PrivateKey, register: Register) -> Keys:
    """Give the officer keys of the organisation."""
    registered = register(es256_key, KeyPurpose.OFFICER)
    return {registered.keyid: registered}


@pytest.fixture
def forgery(es256_key: PrivateKey) -> Forgery:
    """Give an assertion in parts."""
    return Forgery(es256_key)


Bend = Callable[[Forgery], object]


def _set(name: str, value: object) -> Bend:
    return lambda forgery: forgery.claims.__setitem__(name, value)


def _drop(name: str) -> Bend:
    return lambda forgery: forgery.claims.pop(name)


def _header(name: str, value: object) -> Bend:
    return lambda forgery: forgery.header.__setitem__(name, value)


def _staff(name: str, value: object) -> Bend:
    return lambda forgery: forgery.staff.__setitem__(name, value)


def _detail(name: str, value: object) -> Bend:
    return lambda forgery: forgery.detail.__setitem__(name, value)


def _body(old: str, new: str) -> Bend:
    def bend(forgery: Forgery) -> None:
        forgery.body = json.dumps(forgery.claims).replace(old, new, 1)

    return bend


A = AssertionReason
ATTACKS: dict[str, tuple[AssertionReason, Bend]] = {
    "alg none": (A.WRONG_ALGORITHM, _header("alg", "none")),
    "alg HS256 with the public key": (A.WRONG_ALGORITHM, _header("alg", "HS256")),
    "alg of another suite": (A.WRONG_ALGORITHM, _header("alg", "EdDSA")),
    "alg is a list": (A.WRONG_ALGORITHM, _header("alg", ["ES256"])),
    "alg missing": (A.WRONG_HEADER, lambda forgery: forgery.header.pop("alg")),
    "typ JWT": (A.WRONG_TYPE, _header("typ", "JWT")),
    "typ of a client assertion": (A.WRONG_TYPE, _header("typ", "client-authentication+jwt")),
    "typ of a record": (A.WRONG_TYPE, _header("typ", "hutong-record+sd-jwt")),
    "typ missing": (A.WRONG_TYPE, lambda forgery: forgery.header.pop("typ")),
    "crit": (A.CRITICAL_HEADER, _header("crit", ["exp"])),
    "kid unknown": (A.KEY_UNKNOWN, _header("kid", "0" * 32)),
    "kid is a path": (A.KEY_UNKNOWN, _header("kid", "../../dev/null")),
    "kid is a number": (A.WRONG_HEADER, _header("kid", 1)),
    "kid missing": (A.WRONG_HEADER, lambda forgery: forgery.header.pop("kid")),
    "key inside": (A.WRONG_HEADER, _header("jwk", {"kty": "EC"})),
    "key address": (A.WRONG_HEADER, _header("jku", "https://key.invalid/keys")),
    "certificate address": (A.WRONG_HEADER, _header("x5u", "https://key.invalid/cert")),
    "certificate inside": (A.WRONG_HEADER, _header("x5c", ["AA=="])),
    "unencoded payload": (A.WRONG_HEADER, _header("b64", False)),  # noqa: FBT003 - a JSON value
    "compressed": (A.WRONG_HEADER, _header("zip", "DEF")),
    **{f"no {name}": (A.CLAIM_MISSING, _drop(name)) for name in sorted(
        ("exp", "iat", "nbf", "aud", "iss", "sub", "jti", "cnf", "staff", "authorization_details")
    )},
    "claim unknown": (A.CLAIM_UNKNOWN, _set("scope", "all")),
    "delegation chain": (A.CLAIM_UNKNOWN, _set("act", {"sub": "x"})),
    "other issuer": (A.WRONG_ISSUER, _set("iss", "11370000MB2DEM037W")),
    "issuer is a list": (A.WRONG_ISSUER, _set("iss", [ORGANISATION])),
    "other audience": (A.WRONG_AUDIENCE, _set("aud", "11370000MB2DEM0292/gateway")),
    "audience list that names others": (A.WRONG_AUDIENCE, _set("aud", [GATEWAY, "other"])),
    "audience list of one": (A.WRONG_AUDIENCE, _set("aud", [GATEWAY])),
    "other request": (A.WRONG_IDENTIFIER, _set("jti", "00" * 16)),
    "request in upper case": (A.WRONG_IDENTIFIER, _set("jti", CLAIMS.request_id.hex().upper())),
    "jti is a number": (A.WRONG_IDENTIFIER, _set("jti", 1)),
    "other certificate": (
        A.NOT_BOUND_TO_CHANNEL,
        _set("cnf", {"x5t#S256": b64(bytes(32))}),
    ),
    "thumbprint in hexadecimal": (A.CLAIM_MALFORMED, _set("cnf", {"x5t#S256": "00" * 32})),
    "thumbprint padded": (
        A.CLAIM_MALFORMED,
        _set("cnf", {"x5t#S256": b64(CLAIMS.thumbprint) + "="}),
    ),
    "thumbprint missing": (A.CLAIM_MALFORMED, _set("cnf", {})),
    "confirmation by another method": (A.CLAIM_UNKNOWN, _set("cnf", {"jkt": "x"})),
    "confirmation is text": (A.CLAIM_MALFORMED, _set("cnf", b64(CLAIMS.thumbprint))),
    "life of 301 s": (A.LIFE_TOO_LONG, _set("exp", NOW + 301)),
    "life of 100 years": (A.LIFE_TOO_LONG, _set("exp", NOW + 3_155_760_000)),
    "ends before it begins": (A.LIFE_TOO_LONG, _set("exp", NOW - 1)),
    "exp is text": (A.CLAIM_MALFORMED, _set("exp", str(NOW + 300))),
    "exp is a bool": (A.CLAIM_MALFORMED, _set("exp", True)),  # noqa: FBT003 - a JSON value
    "iat is negative": (A.CLAIM_MALFORMED, _set("iat", -1)),
    "exp is 1e400": (A.MALFORMED, _body(str(NOW + 300), "1e400")),
    "exp is a fraction": (A.MALFORMED, _set("exp", NOW + 0.5)),
    "exp is NaN": (A.MALFORMED, _body(str(NOW + 300), "NaN")),
    "issued in the future": (A.NOT_YET_VALID, lambda forgery: forgery.claims.update(
        iat=NOW + 60, nbf=NOW + 60)),
    "not before the future": (A.NOT_YET_VALID, _set("nbf", NOW + 60)),
    "expired": (A.EXPIRED, lambda forgery: forgery.claims.update(
        iat=NOW - 300, nbf=NOW - 300, exp=NOW - 30)),
    "audience twice": (A.MALFORMED, _body("{", '{"aud": "other", ')),
    "staff token twice": (A.MALFORMED, _body('{"token"', '{"token": "x", "token"')),
    "lone surrogate": (A.MALFORMED, _body("370000-05", "\\udc00")),
    "claims are a list": (A.MALFORMED, _body("{", "[{")),
    "too deep": (A.MALFORMED, _set("cnf", [[[[[[[[[]]]]]]]]])),
    "claims are null": (A.MALFORMED, lambda forgery: setattr(forgery, "body", "null")),
    "sub is empty": (A.CLAIM_MALFORMED, _set("sub", "")),
    "sub is another officer": (A.CLAIM_MALFORMED, _set("sub", "other")),
    "staff is text": (A.CLAIM_MALFORMED, _set("staff", "x")),
    "staff has another member": (A.CLAIM_UNKNOWN, _staff("phone", "1")),
    "staff role missing": (A.CLAIM_MALFORMED, lambda forgery: forgery.staff.pop("role")),
    "staff roles": (A.CLAIM_MALFORMED, _staff("role", ["受理人", "系统"])),
    "staff unit is empty": (A.CLAIM_MALFORMED, _staff("unit", "")),
    "staff unit is a book": (A.CLAIM_MALFORMED, _staff("unit", "x" * 201)),
    "staff name is null": (A.CLAIM_MALFORMED, _staff("name", None)),
    "no details": (A.CLAIM_MALFORMED, _set("authorization_details", [])),
    "details are an object": (A.CLAIM_MALFORMED, _set("authorization_details", {})),
    "33 details": (A.CLAIM_MALFORMED, _set("authorization_details", [{}] * 33)),
    "detail is text": (A.CLAIM_MALFORMED, _set("authorization_details", ["x"])),
    "detail twice": (A.DETAIL_REPEATED, _detail("dataset", "civil.marriage@1")),
    "detail of another type": (A.CLAIM_MALFORMED, _detail("type", "payment")),
    "detail with another member": (A.CLAIM_UNKNOWN, _detail("actions", ["read"])),
    "detail without case": (A.CLAIM_MALFORMED, lambda forgery: forgery.detail.pop("case")),
    "detail without fields": (A.CLAIM_MALFORMED, _detail("fields", [])),
    "fields are text": (A.CLAIM_MALFORMED, _detail("fields", "status")),
    "field twice": (A.CLAIM_MALFORMED, _detail("fields", ["status", "status"])),
    "field is a number": (A.CLAIM_MALFORMED, _detail("fields", ["status", 1])),
    "65 fields": (A.CLAIM_MALFORMED, _detail("fields", [str(n) for n in range(65)])),
    "subject digest is short": (A.CLAIM_MALFORMED, _detail("subject_digest", b64(bytes(31)))),
    "subject digest is bent": (A.CLAIM_MALFORMED, _detail("subject_digest", "+" * 43)),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_bent_assertion_is_refused(forgery: Forgery, keys: Keys, attack: str) -> None:
    """Each attack carries a sound signature and is refused for its own reason."""
    reason, bend = ATTACKS[attack]
    bend(forgery)

    assert refused_reason(forgery.token(), keys) is reason


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda token: token + "." + token, A.MALFORMED),
        (lambda token: token.replace(".", "", 1), A.MALFORMED),
        (lambda token: token + "=", A.MALFORMED),
        (lambda token: " " + token, A.MALFORMED),
        (lambda token: token.rsplit(".", 1)[0] + ".", A.SIGNATURE_INVALID),
        (lambda token: token.rsplit(".", 1)[0] + "." + "A" * 86, A.SIGNATURE_INVALID),
        (lambda token: token + "A" * 8_192, A.TOO_LARGE),
        (lambda token: "李" + token, A.MALFORMED),
        (lambda _: "", A.MALFORMED),
    ],
)
def test_spoilt_text_is_refused(
    forgery: Forgery, keys: Keys, spoil: Callable[[str], str], reason: AssertionReason
) -> None:
    """The compact form has one spelling."""
    assert refused_reason(spoil(forgery.token()), keys) is reason


@pytest.mark.slow
def test_every_flipped_bit_of_an_assertion_is_refused(forgery: Forgery, keys: Keys) -> None:
    """Header, claims, signature and dots: nothing may change."""
    octets = forgery.token().encode()

    for bit in range(0, len(octets) * 8, 3):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(AssertionRefused):
            verify_assertion(changed.decode("latin-1"), keys, EXPECTED)


def test_signature_of_a_stranger_under_a_registered_key_id_is_refused(keys: Keys) -> None:
    """The key id names a key; it does not replace its signature."""
    stranger = Forgery(generate_private_key(Suite.ES256))
    stranger.header["kid"] = next(iter(keys))

    assert refused_reason(stranger.token(), keys) is A.SIGNATURE_INVALID


@pytest.mark.parametrize("usage", [use for use in KeyPurpose if use is not KeyPurpose.OFFICER])
def test_key_of_another_usage_is_unknown(
    forgery: Forgery, register: Register, usage: KeyPurpose
) -> None:
    """An envelope, record or log key speaks for no officer."""
    registered = register(forgery.key, usage)

    assert refused_reason(forgery.token(), {registered.keyid: registered}) is A.KEY_UNKNOWN


def test_key_of_another_organisation_is_unknown(forgery: Forgery, keys: Keys) -> None:
    """A key speaks only for the organisation it is registered for."""
    moved = {keyid: replace(key, organisation="11370000MB2DEM037W") for keyid, key in keys.items()}

    assert refused_reason(forgery.token(), moved) is A.KEY_UNKNOWN


def test_sm2_key_verifies_no_assertion(forgery: Forgery, keys: Keys) -> None:
    """SM2 has no registered JWS algorithm."""
    sm2 = {keyid: replace(key, suite=Suite.SM2SM3) for keyid, key in keys.items()}

    assert refused_reason(forgery.token(), sm2) is A.WRONG_ALGORITHM


def test_key_this_machine_cannot_use_proves_nothing(forgery: Forgery, keys: Keys) -> None:
    """A public key without its native half refuses."""
    hollow = {
        keyid: replace(key, public_key=replace(key.public_key, native=None))
        for keyid, key in keys.items()
    }

    assert refused_reason(forgery.token(), hollow) is A.SIGNATURE_INVALID


@pytest.mark.parametrize(
    ("now_s", "reason"),
    [
        (NOW - 31, A.NOT_YET_VALID),
        (NOW - 30, None),
        (NOW + 329, None),
        (NOW + 330, A.EXPIRED),
    ],
)
def test_assertion_holds_for_its_life_and_the_leeway(
    forgery: Forgery, keys: Keys, now_s: int, reason: AssertionReason | None
) -> None:
    """30 s of leeway both ways, by the time handed in; the end is exclusive."""
    expected = replace(EXPECTED, now_s=now_s)

    if reason is None:
        verify_assertion(forgery.token(), keys, expected)
    else:
        assert refused_reason(forgery.token(), keys, expected) is reason


def test_stolen_assertion_on_another_channel_is_refused(forgery: Forgery, keys: Keys) -> None:
    """The thumbprint is that of the certificate of this very channel."""
    elsewhere = replace(EXPECTED, thumbprint=bytes(32))

    assert refused_reason(forgery.token(), keys, elsewhere) is A.NOT_BOUND_TO_CHANNEL
