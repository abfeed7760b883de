"""A foreign client of the certificates: zeep reads the published WSDL and speaks the SOAP."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from uuid import uuid4
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import httpx
import zeep
from zeep.transports import Transport

from adapters.simulators.population import Person
from tests.simulators.simulator_process import plain_client

APP_ID, APP_KEY = "hc_demo_0001", "demo-health-key-0001"
ORG = "11370000MB2DEM0105"
DEATH, BIRTH = "getSwyxzmInfo", "getBirthInfo"
NAMESPACE = "http://webservice.health.invalid"
PATH = "/ws/medicalCertificate"
REGISTERED = [
    {"app_id": APP_ID, "app_key": APP_KEY, "org_code": ORG, "operations": [DEATH, BIRTH]},
    {"app_id": "narrow", "app_key": "narrow-key", "org_code": ORG, "operations": [BIRTH]},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as read."""

    success: str
    message: str
    rows: list[dict[str, str]] | None
    """None when there is no body."""


@dataclass(slots=True, kw_only=True)
class HealthClient:
    """A registered requester."""

    url: str
    now_ms: Callable[[], int]
    app_id: str = APP_ID
    app_key: str = APP_KEY
    http: httpx.Client = field(default_factory=plain_client)
    service: zeep.Client | None = None

    def look_up(self, person: Person, operation: str = DEATH) -> Reply:
        """Ask about a person under his own number and name."""
        return self.ask(operation, self.question(**about(person)))

    def ask(self, operation: str, request: str, **changed: str) -> Reply:
        """Call an operation through zeep and read the message that comes back."""
        return read(self.ask_raw(operation, request, **changed))

    def ask_raw(self, operation: str, request: str, **changed: str) -> str:
        """Call an operation through zeep and return the base64 it hands out."""
        header = {**self.credentials(operation, request), **changed}
        call = getattr(self.zeep().service, operation)
        return str(call(request, _soapheaders={"AuthHeader": header}))

    def credentials(self, operation: str, request: str) -> dict[str, str]:
        """Compose the four values of a call."""
        stamp, nonce = str(self.now_ms()), uuid4().hex
        parts = (self.app_id, stamp, nonce, operation, request)
        return {
            "appId": self.app_id,
            "timestamp": stamp,
            "nonce": nonce,
            "sign": signature(self.app_key, parts),
        }

    def question(self, **changed: str) -> str:
        """Compose a question in base64; values given replace the right ones."""
        return encoded(self.message(**changed))

    def message(self, **changed: str) -> str:
        """Compose a question."""
        local = datetime.fromtimestamp(self.now_ms() / 1000, timezone(timedelta(hours=8)))
        head = {
            "requestDate": f"{local:%Y%m%d%H%M%S}",
            "requestOrgCode": ORG,
            "requestOrgName": "省人力资源和社会保障部门",
        }
        person = {"GMSFZH": "370102195603159016", "XM": "王守仁"}
        root = Element("MDEML")
        _append(SubElement(root, "requestinfo"), head, changed)
        _append(SubElement(SubElement(root, "body"), "data"), person, changed)
        return tostring(root, "unicode")

    def post(self, body: str | bytes, **headers: str) -> httpx.Response:
        """Send an envelope as it stands."""
        content = body.encode() if isinstance(body, str) else body
        usual = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        return self.http.post(f"{self.url}{PATH}", content=content, headers={**usual, **headers})

    def envelope(self, request: str, **changed: str) -> str:
        """Compose an envelope by hand."""
        header = {**self.credentials(DEATH, request), **changed}
        values = "".join(f"<h:{name}>{value}</h:{name}>" for name, value in header.items())
        return (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:h="{NAMESPACE}"><s:Header><h:AuthHeader>{values}</h:AuthHeader></s:Header>'
            f"<s:Body><h:{DEATH}><h:requestXml>{request}</h:requestXml></h:{DEATH}></s:Body>"
            "</s:Envelope>"
        )

    def zeep(self) -> zeep.Client:
        """Return the SOAP client, which reads the WSDL once."""
        if self.service is None:
            transport = Transport(timeout=2, operation_timeout=2)  # type: ignore[no-untyped-call]  # zeep ships no types
            transport.session.trust_env = False
            address = f"{self.url}{PATH}?wsdl"
            self.service = zeep.Client(address, transport=transport)  # type: ignore[no-untyped-call]  # zeep ships no types
        return self.service

    def close(self) -> None:
        """Release the connections."""
        self.http.close()
        if self.service is not None:
            self.service.transport.session.close()


def signature(key: str, parts: tuple[str, ...]) -> str:
    """Sign as the manual says: base64 of HMAC-SHA256 over the lines."""
    digest = hmac.digest(key.encode(), "\n".join(parts).encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def encoded(message: str) -> str:
    """Write a message as base64."""
    return base64.b64encode(message.encode()).decode()


def read(answer: str) -> Reply:
    """Read the message of an answer."""
    root = fromstring(base64.b64decode(answer, validate=True))  # noqa: S314 - a loopback simulator wrote it
    result = {child.tag: child.text or "" for child in root.iterfind("resultinfo/*")}
    body = root.find("body")
    rows = None
    if body is not None:
        rows = [{child.tag: child.text or "" for child in row} for row in body.iterfind("data")]
    return Reply(success=result["success"], message=result["message"], rows=rows)


def about(person: Person) -> dict[str, str]:
    """Name a person as a question does."""
    return {"GMSFZH": person.id_number, "XM": person.full_name}


def _append(parent: Element, values: Mapping[str, str], changed: Mapping[str, str]) -> None:
    for name, value in values.items():
        SubElement(parent, name).text = changed.get(name, value)
