"""A foreign client of the commerce department: httpx carries, openapi-core judges.

The document it judges by is the one the running department publishes.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qsl

import httpx
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from adapters.simulators.population import Person
from tests.simulators.simulator_process import plain_client

BASE = "/api/v1/enterprises/Qyxxcx"
VERIFY = "/api/v1/enterprises/Qyxxyz"
TRADER = "/api/v1/soletraders/query"
POSITIONS = "/api/v1/positions/query"
CHANGES = "/api/v1/changes"
WEBHOOKS = "/api/v1/webhooks"
SECRET = b"demo-commerce-secret-0001"


@dataclass(slots=True, kw_only=True)
class CommerceClient:
    """A registered key and how its requests are signed."""

    url: str
    now_ms: Callable[[], int]
    key_id: str = "hrss-gateway"
    secret: bytes = SECRET
    http: httpx.Client = field(default_factory=plain_client)

    def headers(self, method: str, path: str, body: bytes, at: str | None = None) -> dict[str, str]:
        """Sign a request as the manual says."""
        at = at or f"{datetime.fromtimestamp(self.now_ms() / 1000, UTC):%Y%m%dT%H%M%SZ}"
        digest = sha256(body).hexdigest()
        text = f"{method}\n{path}\n{at}\n{digest}".encode()
        signature = b64encode(hmac.new(self.secret, text, sha256).digest()).decode()
        return {
            "X-Cm-Key": self.key_id,
            "X-Cm-Date": at,
            "X-Cm-Digest": digest,
            "X-Cm-Signature": signature,
        }

    def send(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> httpx.Response:
        """Send a signed request; headers given replace the right ones."""
        signed = self.headers(method, path, body)
        if body:
            signed["Content-Type"] = "application/json; charset=utf-8"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(
            method, f"{self.url}{path}", content=body, headers={**signed, **given}
        )

    def ask(self, path: str, **members: str) -> httpx.Response:
        """Ask about somebody or something, for a matter and a case."""
        return self.post(path, {"authcode": "HRSS-DEMO", "sxbm": "M5", "bjbh": "c-1", **members})

    def post(self, path: str, body: Mapping[str, str]) -> httpx.Response:
        """Post an object."""
        return self.send("POST", path, json.dumps(body, ensure_ascii=False).encode())

    def get(self, path: str) -> httpx.Response:
        """Fetch a page."""
        return self.send("GET", path)

    def delete(self, path: str) -> httpx.Response:
        """Delete a registration."""
        return self.send("DELETE", path)

    def document(self) -> OpenAPI:
        """Fetch the published document."""
        return OpenAPI.from_dict(self.http.get(f"{self.url}/openapi.json").json())


def request_violates(document: OpenAPI, answer: httpx.Response) -> bool:
    """Tell whether the request that was really sent breaks the document."""
    try:
        document.validate_request(_request(answer.request))
    except OpenAPIError:
        return True
    return False


def answer_violates(document: OpenAPI, answer: httpx.Response) -> bool:
    """Tell whether the answer that really came breaks the document."""
    response = MockResponse(
        data=answer.content,
        status_code=answer.status_code,
        headers=dict(answer.headers),
        content_type=answer.headers.get("Content-Type", ""),
    )
    try:
        document.validate_response(_request(answer.request), response)
    except (OpenAPIError, UnicodeDecodeError):
        return True
    return False


def _request(sent: httpx.Request) -> MockRequest:
    url = sent.url
    return MockRequest(
        host_url=f"{url.scheme}://{url.netloc.decode()}",
        method=sent.method.lower(),
        path=url.path,
        args=dict(parse_qsl(url.query.decode())),
        headers=dict(sent.headers),
        data=sent.content,
        content_type=sent.headers.get("Content-Type", ""),
    )


def named(person: Person) -> dict[str, str]:
    """Name a person as the interface wants it."""
    return {"cerno": person.id_number, "name": person.full_name}
