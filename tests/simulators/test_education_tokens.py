"""The token endpoint of education against a foreign client."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.simulators.population import Population, Quirk, planted_index
from tests.simulators.education_client import ISSUER, EducationClient, diploma_of
from tests.simulators.simulator_process import Running

VERIFY = "/api/v1/diplomas/verify"


@pytest.fixture
def client(education_client: EducationClient) -> EducationClient:
    """A client without a token."""
    return education_client


def test_a_signed_assertion_gets_a_bearer_token(client: EducationClient) -> None:
    """The answer is that of RFC 6749, 5.1, and must not be stored."""
    answer = client.fetch_token()

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert body["scope"] == "degree diploma enrolment"


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
def test_both_types_of_assertion_are_taken(client: EducationClient, typ: str) -> None:
    """The type may be named in either way."""
    assert client.fetch_token(client.assertion(typ=typ)).status_code == 200


def test_audience_may_be_a_list_of_one(client: EducationClient) -> None:
    """RFC 7519 allows a list."""
    assert client.fetch_token(client.assertion({"aud": [ISSUER]})).status_code == 200


def test_an_assertion_is_good_once(client: EducationClient) -> None:
    """The second use of a jti is a replay."""
    assertion = client.assertion()
    client.fetch_token(assertion)

    answer = client.fetch_token(assertion)

    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": "replayed"}


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "https://other.invalid"}, "bad_claims"),
        ({"sub": "narrow"}, "bad_claims"),
        ({"jti": ""}, "bad_claims"),
        ({"iss": "nobody"}, "unknown_client"),
        ({"iat": 1, "exp": 200}, "expired"),
        ({"iat": 1}, "bad_claims"),
    ],
)
def test_a_wrong_claim_is_named(
    client: EducationClient, claims: dict[str, str | int], why: str
) -> None:
    """Each wrong claim has its own description."""
    answer = client.fetch_token(client.assertion(claims))

    assert answer.status_code == 401
    assert answer.json()["error_description"] == why


def test_another_key_is_a_bad_signature(client: EducationClient) -> None:
    """The registered key decides, not the one that signed."""
    client.key = ec.generate_private_key(ec.SECP256R1())

    answer = client.fetch_token()

    assert answer.json()["error_description"] == "bad_signature"


def test_an_unknown_key_id_is_refused(client: EducationClient) -> None:
    """No other key is tried."""
    answer = client.fetch_token(client.assertion(kid="k2"))

    assert answer.json()["error_description"] == "unknown_key"


def test_other_grants_do_not_exist(client: EducationClient) -> None:
    """Only client_credentials."""
    answer = client.fetch_token(grant_type="password")

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_scope_that_was_not_registered_is_refused(client: EducationClient) -> None:
    """The narrow client may ask for degrees only."""
    client.client_id = "narrow"

    answer = client.fetch_token(scope="diploma")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_narrow_token_reads_nothing_else(client: EducationClient, people: Population) -> None:
    """A token for degrees opens no diploma."""
    client.client_id = "narrow"
    client.fetch_token()
    person = people.person(planted_index(Quirk.ORDINARY_GRADUATE))

    answer = client.post(VERIFY, diploma_of(person))

    assert (answer.status_code, answer.json()["code"]) == (403, "EDU-4030")


@pytest.mark.parametrize("token", ["none", "x.y.z"])
def test_no_data_without_a_token(client: EducationClient, people: Population, token: str) -> None:
    """A missing or invented token is told from a refused question."""
    client.token = token
    person = people.person(planted_index(Quirk.ORDINARY_GRADUATE))

    answer = client.post(VERIFY, diploma_of(person))

    assert (answer.status_code, answer.json()["code"]) == (401, "EDU-4010")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_ends(client: EducationClient, education: Running, people: Population) -> None:
    """After its life by the virtual clock the token is void."""
    client.fetch_token()
    person = people.person(planted_index(Quirk.ORDINARY_GRADUATE))
    assert client.post(VERIFY, diploma_of(person)).status_code == 200

    education.advance(601_000)

    assert client.post(VERIFY, diploma_of(person)).status_code == 401


@pytest.mark.parametrize(
    ("fault", "status"),
    [("client_key_expired", "key_expired"), ("client_key_rotated", "unknown_key")],
)
def test_key_faults_refuse_the_client(
    client: EducationClient, education: Running, fault: str, status: str
) -> None:
    """The next token request is refused, the one after is not."""
    education.fault(fault)

    assert client.fetch_token().json()["error_description"] == status
    assert client.fetch_token().status_code == 200


@pytest.mark.parametrize("fault", ["token_expired", "jwks_rotated"])
def test_a_void_token_is_replaced_by_fetching_another(
    client: EducationClient, education: Running, people: Population, fault: str
) -> None:
    """The data interface says 401; a new token helps."""
    person = people.person(planted_index(Quirk.ORDINARY_GRADUATE))
    education.fault(fault)
    client.fetch_token()

    assert client.post(VERIFY, diploma_of(person)).status_code == 401
    client.fetch_token()
    assert client.post(VERIFY, diploma_of(person)).status_code == 200


def test_rotation_shows_in_the_published_keys(client: EducationClient, education: Running) -> None:
    """The key set names another key after a rotation."""
    before = client.http.get(f"{education.url}/.well-known/jwks.json").json()
    education.fault("jwks_rotated")
    client.get("/api/v1/jobs/0")

    after = client.http.get(f"{education.url}/.well-known/jwks.json").json()

    assert before["keys"][0]["kid"] != after["keys"][0]["kid"]


def test_registrations_are_read_again(education: Running) -> None:
    """The admin port reloads the file."""
    assert education.admin.post("/clients/reload").json() == {"clients": ["hrss-gateway", "narrow"]}
