"""A foreign client of the population register: zeep reads the WSDL, builds and reads the SOAP."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from uuid import uuid4
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import httpx
import zeep
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from zeep.transports import Transport

from adapters.simulators.population import Person
from tests.simulators.simulator_process import plain_client

SID = "s_1137000000000_0001"
APP_KEY = "demo-app-key-0001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One RECORD of an answer."""

    no: str
    code: str
    members: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as read."""

    head: dict[str, str]
    rows: list[Row]


@dataclass(slots=True, kw_only=True)
class PoliceClient:
    """A registered requester."""

    url: str
    now_ms: Callable[[], int]
    http: httpx.Client = field(default_factory=plain_client)
    key: str = ""
    service: zeep.Client | None = None

    def refresh(self, **changed: str) -> dict[str, str | dict[str, str] | None]:
        """Fetch a secret; the key of a good answer is kept."""
        body = {**self.credentials(APP_KEY), **changed}
        answer = self.http.post(f"{self.url}/gjgxjhpt/secret", json=body).json()
        if answer["code"] == "0":
            self.key = decrypt(APP_KEY, answer["data"]["secret"])
        return dict(answer)

    def credentials(self, key: str) -> dict[str, str]:
        """Compose the four values of a call."""
        rid, rtime = uuid4().hex, str(self.now_ms())
        digest = hmac.digest(key.encode(), f"{SID}{rid}{rtime}".encode(), hashlib.sha256)
        return {
            "gjgxjhpt_rid": rid,
            "gjgxjhpt_sid": SID,
            "gjgxjhpt_rtime": rtime,
            "gjgxjhpt_sign": base64.b64encode(digest).decode(),
        }

    def ask(self, operation: str, package: str, **changed: str) -> Reply:
        """Call an operation through zeep and read the package that comes back."""
        header = {**self.credentials(self.key), **changed}
        call = getattr(self._zeep().service, operation)
        out = call(package, "hrss", "demo-password", _soapheaders={"tongtechheader": header})
        return read(out)

    def post(self, body: str) -> httpx.Response:
        """Send an envelope as it stands."""
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        return self.http.post(f"{self.url}/ws/population", content=body.encode(), headers=headers)

    def package(self, records: Iterable[Mapping[str, str]], **changed: str) -> str:
        """Compose a package; head values given replace the right ones."""
        rows = list(records)
        root = Element("PACKAGE")
        head = SubElement(root, "PACKAGEHEAD")
        for name, value in {**self._head(len(rows)), **changed}.items():
            SubElement(head, name).text = value
        data = SubElement(root, "DATA")
        for number, record in enumerate(rows, 1):
            row = SubElement(data, "RECORD", no=str(number))
            for name, value in record.items():
                SubElement(row, name).text = value
        return tostring(root, "unicode")

    def envelope(self, operation: str, package: str, namespace: str, prefix: str = "w:") -> str:
        """Compose an envelope by hand, with children qualified by `prefix`."""
        header = self.credentials(self.key)
        values = "".join(f"<{prefix}{n}>{v}</{prefix}{n}>" for n, v in header.items())
        inputs = "".join(
            f"<{prefix}{name}><![CDATA[{value}]]></{prefix}{name}>"
            for name, value in (("in0", package), ("in1", "hrss"), ("in2", "demo-password"))
        )
        return (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:w="{namespace}"><s:Header><w:tongtechheader>{values}</w:tongtechheader>'
            f"</s:Header><s:Body><w:{operation}>{inputs}</w:{operation}></s:Body></s:Envelope>"
        )

    def _head(self, count: int) -> dict[str, str]:
        local = datetime.fromtimestamp(self.now_ms() / 1000, timezone(timedelta(hours=8)))
        return {
            "FWQQBH": str(uuid4()),
            "QQBWDM": "37HRSS",
            "QQBWMC": "人力资源和社会保障部门",
            "SJLYXTDM": "SD01",
            "SJLYXTMC": "省级人社系统",
            "JLS": str(count),
            "FSSJ": f"{local:%Y%m%d%H%M%S}",
            "QQRGMSFHM": "37010219560315002X",
            "QQRXM": "经办甲",
            "QQRDWDM": "370102000000",
            "QQRDWMC": "历下区人社局",
            "QQYWLXDM": "M1",
            "QQYWLXMC": "待遇资格认证",
            "QQYWXTDM": "HT01",
            "QQYWXTMC": "互通",
            "CXSY": "养老待遇资格年度认证",
        }

    def _zeep(self) -> zeep.Client:
        if self.service is None:
            transport = Transport(timeout=2, operation_timeout=2)  # type: ignore[no-untyped-call]  # zeep ships no types
            transport.session.trust_env = False
            address = f"{self.url}/ws/population?wsdl"
            self.service = zeep.Client(address, transport=transport)  # type: ignore[no-untyped-call]  # zeep ships no types
        return self.service

    def close(self) -> None:
        """Release the connections."""
        self.http.close()
        if self.service is not None:
            self.service.transport.session.close()


def decrypt(app_key: str, secret: str) -> str:
    """Read a secret: AES-256-CBC under SHA-256(appKey), IV first."""
    raw = base64.b64decode(secret, validate=True)
    key = hashlib.sha256(app_key.encode()).digest()
    decryptor = Cipher(algorithms.AES(key), modes.CBC(raw[:16])).decryptor()
    padded = decryptor.update(raw[16:]) + decryptor.finalize()
    return padded[: -padded[-1]].decode()


def read(package: str) -> Reply:
    """Read the package of an answer."""
    root = fromstring(package.encode())  # noqa: S314 - a loopback simulator wrote it
    head = {child.tag: child.text or "" for child in root.iterfind("PACKAGEHEAD/*")}
    rows = [
        Row(
            no=row.attrib["no"],
            code=row.attrib["code"],
            members={child.tag: child.text or "" for child in row},
        )
        for row in root.iterfind("DATA/RECORD")
    ]
    return Reply(head=head, rows=rows)


def about(person: Person, **members: str) -> dict[str, str]:
    """Name a person as a RECORD does."""
    return {"GMSFHM": person.id_number, "XM": person.full_name, **members}
