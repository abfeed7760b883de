"""Officer assertions: what an organisation may say, and everything that is refused."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, OKPKey

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.identity import RegisteredKey
from certs.registry_file import KeyPurpose
from signing.assertion import (
    AssertionClaims,
    AssertionExpectation,
    AuthorizationDetail,
    ClientAssertionClaims,
    OfficerAssertion,
    Staff,
    issue_assertion,
    issue_client_assertion,
    verify_assertion,
)
from signing.errors import AssertionReason, AssertionRefused
from signing.signer import FileSigner

NOW = 1_795_000_000
ORGANISATION = "11370000MB2DEM0105"
GATEWAY = "11370000MB2DEM0105/gateway"
STAFF = Staff(
    token="f3b1c2d4",
    role="受理人",
    unit="养老保险处",
    unit_code="370000-05",
    level="province",
    division="370000",
    call_reason="企业职工退休审批",
    name="王小明",
    identifier="11010519491231002X",
)
DETAIL = AuthorizationDetail(
    agreement="HT-2026-017",
    dataset="edu.diploma@1",
    matter="M2",
    case="BJ-2026-0001",
    fields=("degree_level", "status"),
    subject_digest=bytes(range(32)),
)
CLAIMS = AssertionClaims(
    issuer=ORGANISATION,
    audience=GATEWAY,
    request_id=bytes(range(16)),
    thumbprint=bytes(range(32, 64)),
    issued_at_s=NOW,
    expires_at_s=NOW + 300,
    staff=STAFF,
    details=(DETAIL, replace(DETAIL, dataset="civil.marriage@1")),
)
EXPECTED = AssertionExpectation(
    issuer=ORGANISATION,
    audience=GATEWAY,
    request_id=CLAIMS.request_id,
    thumbprint=CLAIMS.thumbprint,
    now_s=NOW + 1,
)

Register = Callable[..., RegisteredKey]
Keys = dict[str, RegisteredKey]


def b64(octets: bytes) -> str:
    """Write base64url by the standard library alone."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


@pytest.fixture
def keys(es256_key: PrivateKey, register: Register) -> Keys:
    """Give the officer keys of the organisation."""
    registered = register(es256_key, KeyPurpose.OFFICER)
    return {registered.keyid: registered}


@dataclass
class Forgery:
    """An assertion in parts, soundly signed; a test bends one part."""

    key: PrivateKey
    header: dict[str, object] = field(default_factory=dict)
    claims: dict[str, object] = field(default_factory=dict)
    body: str | None = None

    def __post_init__(self) -> None:
        """Start from an assertion that is accepted."""
        token = issue_assertion(FileSigner.of(self.key), CLAIMS)
        self.header, self.claims = (
            json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]
        )

    @property
    def detail(self) -> dict[str, object]:
        """The first authorization detail."""
        details = self.claims["authorization_details"]
        assert isinstance(details, list)
        first: dict[str, object] = details[0]
        return first

    @property
    def staff(self) -> dict[str, object]:
        """The staff claim."""
        staff = self.claims["staff"]
        assert isinstance(staff, dict)
        return staff

    def token(self) -> str:
        """Sign the parts."""
        body = self.body or json.dumps(self.claims)
        signing_input = f"{b64(json.dumps(self.header).encode())}.{b64(body.encode())}"
        return f"{signing_input}.{b64(self.key.sign(signing_input.encode()))}"


@pytest.fixture
def forgery(es256_key: PrivateKey) -> Forgery:
    """Give an assertion in parts."""
    return Forgery(es256_key)


def _refused(token: str, keys: Keys, expected: AssertionExpectation = EXPECTED) -> AssertionReason:
    with pytest.raises(AssertionRefused) as refused:
        verify_assertion(token, keys, expected)
    return refused.value.reason


@pytest.mark.parametrize("suite", [Suite.ES256, Suite.EDDSA])
def test_issued_assertion_is_proven(suite: Suite, register: Register) -> None:
    """Claims come back equal, with the registered key that signed."""
    key = generate_private_key(suite)
    registered = register(key, KeyPurpose.OFFICER)

    proven = verify_assertion(
        issue_assertion(FileSigner.of(key), CLAIMS), {registered.keyid: registered}, EXPECTED
    )

    assert proven.claims == CLAIMS
    assert proven.signer is registered
    assert proven.staff == STAFF


def test_officer_without_the_optional_members_is_proven(es256_key: PrivateKey, keys: Keys) -> None:
    """Name, identifier and call reason go only where a department demands them."""
    staff = replace(STAFF, name=None, identifier=None, call_reason=None)
    token = issue_assertion(FileSigner.of(es256_key), replace(CLAIMS, staff=staff))

    assert verify_assertion(token, keys, EXPECTED).staff == staff


def test_detail_is_found_by_agreement_and_dataset(es256_key: PrivateKey, keys: Keys) -> None:
    """One detail per agreement and dataset, none for anything else."""
    proven = verify_assertion(issue_assertion(FileSigner.of(es256_key), CLAIMS), keys, EXPECTED)

    assert proven.detail_for("HT-2026-017", "edu.diploma@1") == DETAIL
    assert proven.detail_for("HT-2026-018", "edu.diploma@1") is None
    assert proven.detail_for("HT-2026-017", "edu.diploma@2") is None


def test_foreign_library_reads_what_we_issue(es256_key: PrivateKey) -> None:
    """Joserfc verifies the signature and finds the claims."""
    token = issue_assertion(FileSigner.of(es256_key), CLAIMS)
    native = load_der_public_key(es256_key.public_key.spki)

    read = joserfc_jwt.decode(
        token,
        ECKey.import_key(native),  # type: ignore[arg-type]  # an EC key by its fixture
        algorithms=["ES256"],
    )

    assert read.claims["cnf"] == {"x5t#S256": b64(CLAIMS.thumbprint)}
    assert read.claims["authorization_details"][0]["fields"] == ["degree_level", "status"]


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
    "jti is a number": (A.CLAIM_MALFORMED, _set("jti", 1)),
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

    assert _refused(forgery.token(), keys) is reason


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
    assert _refused(spoil(forgery.token()), keys) is reason


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

    assert _refused(stranger.token(), keys) is A.SIGNATURE_INVALID


@pytest.mark.parametrize("usage", [use for use in KeyPurpose if use is not KeyPurpose.OFFICER])
def test_key_of_another_usage_is_unknown(
    forgery: Forgery, register: Register, usage: KeyPurpose
) -> None:
    """An envelope, record or log key speaks for no officer."""
    registered = register(forgery.key, usage)

    assert _refused(forgery.token(), {registered.keyid: registered}) is A.KEY_UNKNOWN


def test_key_of_another_organisation_is_unknown(forgery: Forgery, keys: Keys) -> None:
    """A key speaks only for the organisation it is registered for."""
    moved = {keyid: replace(key, organisation="11370000MB2DEM037W") for keyid, key in keys.items()}

    assert _refused(forgery.token(), moved) is A.KEY_UNKNOWN


def test_sm2_key_verifies_no_assertion(forgery: Forgery, keys: Keys) -> None:
    """SM2 has no registered JWS algorithm, and a key without a native half proves nothing."""
    for bent in (
        {keyid: replace(key, suite=Suite.SM2SM3) for keyid, key in keys.items()},
        {
            keyid: replace(key, public_key=replace(key.public_key, native=None))
            for keyid, key in keys.items()
        },
    ):
        assert _refused(forgery.token(), bent) is A.WRONG_ALGORITHM


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
        assert _refused(forgery.token(), keys, expected) is reason


def test_stolen_assertion_on_another_channel_is_refused(forgery: Forgery, keys: Keys) -> None:
    """The thumbprint is that of the certificate of this very channel."""
    elsewhere = replace(EXPECTED, thumbprint=bytes(32))

    assert _refused(forgery.token(), keys, elsewhere) is A.NOT_BOUND_TO_CHANNEL


def test_refusal_does_not_quote_the_token(forgery: Forgery, keys: Keys) -> None:
    """Neither text nor cause carries a claim."""
    forgery.claims["aud"] = "11010519491231002X"

    with pytest.raises(AssertionRefused) as refused:
        verify_assertion(forgery.token(), keys, EXPECTED)

    assert "1101" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_repr_hides_the_officer_and_the_case(forgery: Forgery, keys: Keys) -> None:
    """Name, number, unit, token, case and subject stay out of tracebacks."""
    shown = repr(verify_assertion(forgery.token(), keys, EXPECTED))

    for secret in (STAFF.name, STAFF.identifier, STAFF.unit, STAFF.token, STAFF.call_reason):
        assert str(secret) not in shown
    assert DETAIL.case not in shown
    assert repr(DETAIL.subject_digest) not in shown


def test_nobody_else_makes_an_officer_assertion(keys: Keys) -> None:
    """The constructor opens for the verifier's mark only."""
    with pytest.raises(TypeError, match="only verify_assertion"):
        OfficerAssertion(claims=CLAIMS, signer=next(iter(keys.values())), mark=object())


CLIENT = ClientAssertionClaims(
    client_id="hutong-hrss",
    audience="https://education.invalid/token",
    identifier="0f" * 16,
    issued_at_s=NOW,
    expires_at_s=NOW + 60,
)


# RFC 9864 renames the algorithm; departments and their libraries still say EdDSA.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_client_assertion_is_read_by_a_foreign_library(eddsa_key: PrivateKey) -> None:
    """RFC 7523: iss = sub = client, one audience, a single-use id, an end; certificate beside."""
    certificate = b"certificate with " + eddsa_key.public_key.spki
    token = issue_client_assertion(FileSigner.of(eddsa_key, certificate), CLIENT)
    native = load_der_public_key(eddsa_key.public_key.spki)

    read = joserfc_jwt.decode(
        token,
        OKPKey.import_key(native),  # type: ignore[arg-type]  # an Ed25519 key by its fixture
        algorithms=["EdDSA"],
    )

    assert read.header["typ"] == "client-authentication+jwt"
    assert base64.b64decode(read.header["x5c"][0]) == certificate
    assert read.claims == {
        "iss": "hutong-hrss",
        "sub": "hutong-hrss",
        "aud": "https://education.invalid/token",
        "jti": "0f" * 16,
        "iat": NOW,
        "exp": NOW + 60,
    }


def test_client_assertion_is_no_officer_assertion(es256_key: PrivateKey, keys: Keys) -> None:
    """The types keep the profiles apart, whatever the claims."""
    token = issue_client_assertion(FileSigner.of(es256_key), CLIENT)

    assert _refused(token, keys) is A.WRONG_TYPE


class _Sm2Signer:
    """A signer whose suite has no JWS algorithm."""

    keyid = "0" * 32
    suite = Suite.SM2SM3
    certificate_der = b""

    def sign(self, message: bytes) -> bytes:
        """Never reached."""
        raise AssertionError(message)


def test_assertions_nobody_would_take_are_not_issued(es256_key: PrivateKey) -> None:
    """SM2, a life above 300 s, a life of nothing, more than 8 kB."""
    signer = FileSigner.of(es256_key)
    many = tuple(replace(DETAIL, dataset=f"d{n}", case="x" * 200) for n in range(32))

    too_long = replace(CLAIMS, expires_at_s=NOW + 301)

    assert _unissued(lambda: issue_assertion(_Sm2Signer(), CLAIMS)) is A.WRONG_ALGORITHM
    assert _unissued(lambda: issue_client_assertion(_Sm2Signer(), CLIENT)) is A.WRONG_ALGORITHM
    assert _unissued(lambda: issue_assertion(signer, too_long)) is A.LIFE_TOO_LONG
    assert _unissued(lambda: issue_assertion(signer, replace(CLAIMS, details=many))) is A.TOO_LARGE
    assert (
        _unissued(lambda: issue_client_assertion(signer, replace(CLIENT, expires_at_s=NOW)))
        is A.LIFE_TOO_LONG
    )


def _unissued(issue: Callable[[], str]) -> AssertionReason:
    with pytest.raises(AssertionRefused) as refused:
        issue()
    return refused.value.reason
