"""A foreign client of the banks: httpx with a certificate, signxml, xmlschema beside lxml."""

import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from pathlib import Path
from uuid import uuid4
from xml.sax.saxutils import escape

import httpx
import xmlschema
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from adapters.simulators.population import Person
from adapters.simulators.population.bank import Account

PATH = "/bank/v1/messages"
FRONT = "91370000MA3DEM0931"
US = "11370000MB2DEM0105"
ENVELOPE = "urn:hutong-sandbox:bank:envelope:v1"
REQUEST = "urn:iso:std:iso:20022:tech:xsd:acmt.023.001.04"
REPORT = "urn:iso:std:iso:20022:tech:xsd:acmt.024.001.04"
SSCARD = "urn:hutong-sandbox:bank:sscard:v1"
PAYMENT = "urn:hutong-sandbox:bank:payment:v1"
REJECT = "urn:hutong-sandbox:bank:reject:v1"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
SCHEMAS = {
    ENVELOPE: "envelope.xsd",
    REQUEST: "acmt.023.001.04.xsd",
    REPORT: "acmt.024.001.04.xsd",
    SSCARD: "sscard.xsd",
    PAYMENT: "payment.xsd",
    REJECT: "reject.xsd",
}
KINDS = {
    "acmt.023.001.04": REQUEST,
    "hts.sscard.req.01": SSCARD,
    "hts.payment.req.01": PAYMENT,
}
EC = SignatureMethod.ECDSA_SHA256
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0


@cache
def schema(namespace: str) -> xmlschema.XMLSchema10:
    """Load a schema into the foreign judge."""
    folder = files("adapters.simulators.bank").joinpath("schemas")
    return xmlschema.XMLSchema10(folder.joinpath(SCHEMAS[namespace]).read_text())


def judge(body: bytes) -> etree._Element:
    """Demand that xmlschema takes the envelope and its Document, and read them."""
    root = etree.fromstring(body)
    schema(ENVELOPE).validate(root)
    schema(etree.QName(root[1]).namespace or "").validate(root[1])
    return root


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The parts of a request; tests change one at a time."""

    id: str
    kind: str
    created: str
    content: str
    sender: str = US
    receiver: str = FRONT
    extra: str = ""

    def text(self) -> str:
        """Write the envelope without a signature."""
        head = (
            f"<Fr>{self.sender}</Fr><To>{self.receiver}</To><BizMsgIdr>{self.id}</BizMsgIdr>"
            f"<MsgDefIdr>{self.kind}</MsgDefIdr><CreDt>{self.created}</CreDt>{self.extra}"
        )
        document = f'<Document xmlns="{KINDS[self.kind]}">{self.content}</Document>'
        return f'<FPEnvelope xmlns="{ENVELOPE}"><AppHdr>{head}</AppHdr>{document}</FPEnvelope>'


@dataclass(slots=True, kw_only=True)
class BankClient:
    """A registered caller."""

    pki: Path
    http: httpx.Client
    now_ms: Callable[[], int]
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    bank: x509.Certificate

    def created(self, seconds: int = 0) -> str:
        """Write the time of the front, moved."""
        zone = timezone(timedelta(hours=8))
        moment = datetime.fromtimestamp(self.now_ms() / 1000 + seconds, zone)
        return moment.isoformat(timespec="seconds")

    def checks(self, rows: Sequence[str], **changed: str) -> Letter:
        """Compose an acmt.023 of Vrfctn elements."""
        message_id, created = f"M{uuid4().hex}", self.created()
        content = (
            f"<IdVrfctnReq><Assgnmt><MsgId>{message_id}</MsgId><CreDtTm>{created}</CreDtTm>"
            f"<Assgnr><Pty><Id><OrgId><Othr><Id>{US}</Id></Othr></OrgId></Id></Pty></Assgnr>"
            f"<Assgne><Agt><FinInstnId><Othr><Id>{FRONT}</Id></Othr></FinInstnId></Agt></Assgne>"
            f"</Assgnmt>{''.join(rows)}</IdVrfctnReq>"
        )
        letter = Letter(id=message_id, kind="acmt.023.001.04", created=created, content=content)
        return replace(letter, **changed)

    def queries(self, kind: str, rows: Iterable[str]) -> Letter:
        """Compose one of the two messages of the front's own."""
        message_id, created = f"M{uuid4().hex}", self.created()
        name = {"hts.sscard.req.01": "SsCardAcctReq", "hts.payment.req.01": "PmtRsltReq"}[kind]
        head = f"<MsgId>{message_id}</MsgId><CreDtTm>{created}</CreDtTm>"
        content = f"<{name}>{head}{''.join(rows)}</{name}>"
        return Letter(id=message_id, kind=kind, created=created, content=content)

    def seal(self, text: str) -> bytes:
        """Sign an envelope."""
        signer = XMLSigner(signature_algorithm=EC, c14n_algorithm=EXCLUSIVE)
        signed = signer.sign(etree.fromstring(text), key=self.key, cert=[self.certificate])
        return bytes(etree.tostring(signed, encoding="UTF-8", xml_declaration=True))

    def post(self, body: bytes, kind: str = "application/xml") -> httpx.Response:
        """Send octets as they stand."""
        return self.http.post(PATH, content=body, headers={"Content-Type": kind})

    def send(self, letter: Letter) -> httpx.Response:
        """Sign a request and send it."""
        return self.post(self.seal(letter.text()))

    def ask(self, letter: Letter) -> etree._Element:
        """Send a request, demand a good answer to it and read its report."""
        answer = self.send(letter)
        assert answer.status_code == 200, answer.text
        return self.open(answer.content, letter.id)

    def open(self, body: bytes, related: str | None) -> etree._Element:
        """Demand a signed and valid answer and read the child of its Document."""
        root = judge(body)
        self.verify(root)
        assert root[0].findtext(f"{{{ENVELOPE}}}Rltd") == related
        assert root[0][1].text == US
        return root[1][0]

    def verify(self, root: etree._Element) -> None:
        """Demand the signature of the bank over the root."""
        expected = SignatureConfiguration(
            location="./", signature_methods=frozenset({EC}), expect_references=1
        )
        result = XMLVerifier().verify(root, x509_cert=self.bank, expect_config=expected)
        assert not isinstance(result, list)
        assert [found.get("URI") for found in root.iter(f"{{{DSIG}}}Reference")] == [""]
        assert result.signed_xml is not None
        assert etree.QName(result.signed_xml).localname == "FPEnvelope"

    def code(self, answer: httpx.Response) -> tuple[int, str]:
        """Read a refusal: status and code."""
        root = judge(answer.content)
        self.verify(root)
        return answer.status_code, root.findtext(f".//{{{REJECT}}}Cd") or ""


def tls(pki: Path, *, certificate: bool = True) -> ssl.SSLContext:
    """Trust the CA of the sandbox and show the certificate of the client."""
    context = ssl.create_default_context(cafile=str(pki / "ca.pem"))
    if certificate:
        context.load_cert_chain(pki / "client.pem", pki / "client.key")
    return context


def bank_client(url: str, pki: Path, now_ms: Callable[[], int]) -> BankClient:
    """Make the registered caller."""
    key = load_pem_private_key((pki / "client_sign.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    load = x509.load_pem_x509_certificate
    return BankClient(
        pki=pki,
        http=httpx.Client(base_url=url, verify=tls(pki), trust_env=False, timeout=5),
        now_ms=now_ms,
        key=key,
        certificate=load((pki / "client_sign.pem").read_bytes()),
        bank=load((pki / "bank_sign.pem").read_bytes()),
    )


def check(person: Person, account: Account, /, **changed: str) -> str:
    """Write a Vrfctn about a person and an account; an empty bank leaves Agt out."""
    values = {
        "id": "1",
        "name": person.full_name,
        "number": person.id_number,
        "account": account.account_no,
        "bank": account.bank_code,
        "scheme": "NIDN",
        **changed,
    }
    text = {name: escape(value) for name, value in values.items()}
    member = f"<ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>{text['bank']}</MmbId>"
    agent = f"<Agt><FinInstnId><ClrSysMmbId>{member}</ClrSysMmbId></FinInstnId></Agt>"
    identity = f"<Id>{text['number']}</Id><SchmeNm><Cd>{text['scheme']}</Cd></SchmeNm>"
    return (
        f"<Vrfctn><Id>{text['id']}</Id><PtyAndAcctId><Pty><Nm>{text['name']}</Nm>"
        f"<Id><PrvtId><Othr>{identity}</Othr></PrvtId></Id></Pty>"
        f"<Acct><Id><Othr><Id>{text['account']}</Id></Othr></Id></Acct>"
        f"{agent if text['bank'] else ''}</PtyAndAcctId></Vrfctn>"
    )


def query(person: Person, number: str = "1", batch: str = "", name: str = "") -> str:
    """Write a Qry about a person."""
    which = f"<BtchNo>{batch}</BtchNo>" if batch else ""
    return (
        f"<Qry><Id>{number}</Id>{which}<Nm>{escape(name or person.full_name)}</Nm>"
        f"<IdNb>{person.id_number}</IdNb></Qry>"
    )


def texts(element: etree._Element) -> dict[str, str]:
    """Read the leaves below an element by local name; the last of a name wins."""
    return {
        etree.QName(found).localname: found.text or "" for found in element.iter() if not len(found)
    }


def rows(report: etree._Element) -> list[etree._Element]:
    """List Rpt or Rslt."""
    return [found for found in report if etree.QName(found).localname in {"Rpt", "Rslt"}]


def reason(row: etree._Element) -> str:
    """Read the reason of an Rpt, an empty text where it says true."""
    told = row.findtext(f"{{{REPORT}}}Vrfctn")
    found = row.find(f"{{{REPORT}}}Rsn")
    assert (told == "true") == (found is None)
    return "" if found is None else found[0].text or ""
