"""Assertions: what an organisation may say of its officer, and we to a department."""

import base64
from collections.abc import Callable
from dataclasses import replace

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, OKPKey

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.registry_file import KeyPurpose
from signing.assertion import (
    ClientAssertionClaims,
    OfficerAssertion,
    issue_assertion,
    issue_client_assertion,
    verify_assertion,
)
from signing.errors import AssertionReason, AssertionRefused
from signing.signer import FileSigner
from tests.signing.forged_assertion import (
    CLAIMS,
    DETAIL,
    EXPECTED,
    GATEWAY,
    NOW,
    ORGANISATION,
    STAFF,
    Forgery,
    Keys,
    Register,
    b64,
    refused_reason,
)

A = AssertionReason


@pytest.fixture
def keys(es256_key: PrivateKey, register: Register) -> Keys:
    """Give the officer keys of the organisation."""
    registered = register(es256_key, KeyPurpose.OFFICER)
    return {registered.keyid: registered}


@pytest.fixture
def forgery(es256_key: PrivateKey) -> Forgery:
    """Give an assertion in parts."""
    return Forgery(es256_key)


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
    assert proven.claims.staff == STAFF


def test_officer_without_the_optional_members_is_proven(es256_key: PrivateKey, keys: Keys) -> None:
    """Name, identifier and call reason go only where a department demands them."""
    staff = replace(STAFF, name=None, identifier=None, call_reason=None)
    token = issue_assertion(FileSigner.of(es256_key), replace(CLAIMS, staff=staff))

    assert verify_assertion(token, keys, EXPECTED).claims.staff == staff


def test_detail_is_found_by_agreement_and_dataset(es256_key: PrivateKey, keys: Keys) -> None:
    """One detail per agreement and dataset, none for anything else."""
    proven = verify_assertion(issue_assertion(FileSigner.of(es256_key), CLAIMS), keys, EXPECTED)

    assert proven.claims.detail_for("HT-2026-017", "edu.diploma@1") == DETAIL
    assert proven.claims.detail_for("HT-2026-018", "edu.diploma@1") is None
    assert proven.claims.detail_for("HT-2026-017", "edu.diploma@2") is None


def test_pyjwt_accepts_what_we_accept(es256_key: PrivateKey) -> None:
    """With every rule PyJWT has switched on, but the wall clock's."""
    token = issue_assertion(FileSigner.of(es256_key), CLAIMS)

    claims = pyjwt.decode(
        token,
        load_der_public_key(es256_key.public_key.spki),  # type: ignore[arg-type]  # an EC key
        algorithms=["ES256"],
        audience=GATEWAY,
        issuer=ORGANISATION,
        options={
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "strict_aud": True,
            "enforce_minimum_key_length": True,
            "require": ["exp", "iat", "nbf", "aud", "iss", "sub", "jti", "cnf"],
        },
    )

    assert claims["staff"]["token"] == claims["sub"] == STAFF.token


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

    assert refused_reason(token, keys) is A.WRONG_TYPE


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
