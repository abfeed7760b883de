"""A foreign client of the education department: httpx carries, joserfc signs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from adapters.simulators.population import Person, education_record
from tests.simulators.simulator_process import plain_client

ISSUER = "https://edu.sandbox.invalid"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(slots=True, kw_only=True)
class EducationClient:
    """A registered client with its key and the token it holds."""

    url: str
    key: ec.EllipticCurvePrivateKey
    now_s: Callable[[], int]
    client_id: str = "hrss-gateway"
    token: str = "none"
    http: httpx.Client = field(default_factory=plain_client)

    def assertion(
        self,
        claims: Mapping[str, str | int | list[str]] | None = None,
        *,
        kid: str = "k1",
        typ: str | None = None,
    ) -> str:
        """Sign a client assertion; claims given replace the right ones."""
        now = self.now_s()
        body = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 120,
            "jti": uuid4().hex,
            **(claims or {}),
        }
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        header = {"alg": "ES256", "kid": kid, **({"typ": typ} if typ else {})}
        return jwt.encode(header, body, ECKey.import_key(pem))

    def fetch_token(self, assertion: str | None = None, **form: str) -> httpx.Response:
        """Ask the token endpoint; the token of a good answer is kept."""
        body = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion() if assertion is None else assertion,
            **form,
        }
        answer = self.http.post(f"{self.url}/oauth2/token", data=body)
        if answer.status_code == 200:
            self.token = answer.json()["access_token"]
        return answer

    def post(self, path: str, body: Mapping[str, str]) -> httpx.Response:
        """Ask the data interface."""
        return self.http.post(f"{self.url}{path}", json=dict(body), headers=self._headers())

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Fetch from the data interface."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get(f"{self.url}{path}", headers={**self._headers(), **given})

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "X-Request-Id": str(uuid4())}


def about(person: Person, **members: str) -> dict[str, str]:
    """Name a person as the interface wants it."""
    named = {"zjhm": person.id_number, "xm": person.full_name}
    return {**named, "sxbm": "M5", "bjbh": "case-0001", **members}


def diploma_of(person: Person) -> dict[str, str]:
    """Name a person with the number of his diploma."""
    diploma = education_record(person).diploma
    assert diploma is not None
    return about(person, zsbh=diploma.certificate_no)


def degree_of(person: Person) -> dict[str, str]:
    """Name a person with the number of his degree."""
    degree = education_record(person).degree
    assert degree is not None
    return about(person, xwzsbh=degree.certificate_no)
