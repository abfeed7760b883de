"""A foreign client of the tax department: asyncssh carries, nothing of the simulator reads.

Packages are written by hand and results read with zlib, base64 and lxml, from the manual alone.
"""

import asyncio
import hmac
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import asyncssh
from cryptography.hazmat.primitives.hashes import SM3, Hash
from lxml import etree

NS = "{http://www.chinatax.gov.cn/dataspec/}"
CLIENT_NO = "HRSS370000"
SIGN_KEY = b"demo-sign-key-0001"
CONTRIBUTION = "SWZJ.HXZG.CX.GRSBFJF"
INCOME = "SWZJ.HXZG.CX.GRSDSSR"
TAXPAYER = "SWZJ.HXZG.CX.NSRXX"
PATIENCE_S = 10

Json = str | int | list["Json"] | dict[str, "Json"]
Record = dict[str, Json]


def sm3(octets: bytes) -> str:
    """Digest a file."""
    digest = Hash(SM3())
    digest.update(octets)
    return digest.finalize().hex()


def pack(content: bytes) -> str:
    """Zip, then code."""
    return b64encode(zlib.compress(content)).decode()


def unpack(text: str, limit: int = 2**20) -> bytes:
    """Undo it, up to a limit."""
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(b64decode(text, validate=True), limit)
    assert unpacker.eof, "more than the limit"
    return content


def signature(head: Sequence[str], parts: Sequence[tuple[str, bytes]]) -> str:
    """Sign as section 4 says."""
    text = "".join(f"{value}\n" for value in head).encode()
    for identity, content in parts:
        text += f"{identity}\n{len(content)}\n".encode() + content + b"\n"
    return hmac.new(SIGN_KEY, text, "sha256").hexdigest()


@dataclass(kw_only=True)
class Package:
    """A request that tests bend: members are written as they stand."""

    service: str = CONTRIBUTION
    questions: Sequence[tuple[str, bytes]]
    tran_seq: str = field(default_factory=lambda: uuid4().hex)
    attempt: str = "01"
    repeat: str = "N"
    session: str = field(default_factory=lambda: uuid4().hex)
    client_no: str = CLIENT_NO
    controls: Sequence[tuple[str, str]] = (("zip", "Zlib"), ("code", "Base64"))
    contents: Sequence[str] | None = None
    sign_value: str | None = None

    @property
    def name(self) -> str:
        """Name the package."""
        return f"{self.client_no}_{self.tran_seq}_{self.attempt}"

    def xml(self) -> bytes:
        """Write the envelope."""
        head = (self.session, self.service, self.client_no, self.tran_seq, "")
        contents = self.contents or [pack(content) for _, content in self.questions]
        parts = "".join(
            f"<subPackage><id>{identity}</id><content>{content}</content></subPackage>"
            for (identity, _), content in zip(self.questions, contents, strict=True)
        )
        controls = "".join(
            f"<control><id>{place}</id><type>{kind}</type><impl>{impl}</impl></control>"
            for place, (kind, impl) in enumerate(self.controls, 1)
        )
        signed = self.sign_value or signature(head, self.questions)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<tiripPackage xmlns="{NS[1:-1]}"><sessionId>{self.session}</sessionId>'
            f"<service><serviceId>{self.service}</serviceId><clientNo>{self.client_no}</clientNo>"
            f"<tranSeq>{self.tran_seq}</tranSeq><repeatFlag>{self.repeat}</repeatFlag>"
            "<tranReqDate>20261101093000</tranReqDate></service>"
            f"<identity><application><applicationId>{self.client_no}</applicationId>"
            "<supplier>hrss</supplier><version>1.0</version>"
            "<authenticateType>KEY</authenticateType><password></password><cert/>"
            "</application></identity>"
            "<signData><signType>HMAC-SHA256</signType><signSource>CONTENT</signSource>"
            f"<signValue>{signed}</signValue></signData>"
            f"<contentControl>{controls}</contentControl>"
            f"<businessContent>{parts}</businessContent></tiripPackage>"
        ).encode()

    def manifest(self, xml: bytes) -> dict[str, str | int]:
        """Describe the envelope's file."""
        return {
            "file": f"{self.name}.xml",
            "tranSeq": self.tran_seq,
            "records": len(self.questions),
            "sum": "0.00",
            "size": len(xml),
            "sm3": sm3(xml),
        }


def ask(*questions: Mapping[str, str | int], service: str = CONTRIBUTION) -> Package:
    """Put questions into a package, numbered from 1."""
    written = [json.dumps(question, ensure_ascii=False).encode() for question in questions]
    numbered = [(str(number), text) for number, text in enumerate(written, 1)]
    return Package(questions=numbered, service=service)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An envelope of the department, taken apart; contents decoded."""

    code: str
    session: str
    tran_seq: str
    repeat: str
    parts: list[tuple[str, bytes]]
    signed: bool

    @property
    def records(self) -> dict[str, Record]:
        """Read the contents by id."""
        return {identity: json.loads(content) for identity, content in self.parts}


def read_envelope(octets: bytes) -> Envelope:
    """Take an envelope apart, from the manual alone."""
    assert b"<!DOCTYPE" not in octets, "DOCTYPE"
    top = etree.fromstring(octets)
    names = [etree.QName(child).localname for child in top]
    assert names == [
        "sessionId", "service", "signData", "contentControl", "businessContent", "returnState",
    ]  # fmt: skip

    def text(path: str) -> str:
        return top.findtext("/".join(NS + step for step in path.split("/"))) or ""

    order = [control.findtext(f"{NS}type") for control in top.iter(f"{NS}control")]
    assert order == ["zip", "code"], "zip comes first"
    parts = [
        (part.findtext(f"{NS}id") or "", unpack(part.findtext(f"{NS}content") or ""))
        for part in top.iter(f"{NS}subPackage")
    ]
    head = [
        text("sessionId"),
        text("service/serviceId"),
        text("service/clientNo"),
        text("service/tranSeq"),
        text("returnState/returnCode"),
    ]
    return Envelope(
        code=head[4],
        session=head[0],
        tran_seq=head[3],
        repeat=text("service/repeatFlag"),
        parts=parts,
        signed=text("signData/signValue") == signature(head, parts),
    )


@dataclass(kw_only=True)
class TaxClient:
    """The registered client; a connection for each `open`."""

    port: int
    host_key: str
    key: Path
    user: str = "hrss"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """Log in, with the host key pinned."""
        pinned = asyncssh.import_known_hosts(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        async with (
            asyncssh.connect(
                "127.0.0.1",
                self.port,
                config=None,
                username=self.user,
                client_keys=[str(self.key)],
                known_hosts=pinned,
                agent_path=None,
                login_timeout=2,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            yield sftp


async def drop(
    sftp: asyncssh.SFTPClient,
    package: Package,
    *,
    xml: bytes | None = None,
    changed: Mapping[str, str | int] | None = None,
) -> None:
    """Upload a package and hand it in; members of the manifest are changed as told."""
    octets = package.xml() if xml is None else xml
    manifest = json.dumps({**package.manifest(octets), **(changed or {})}).encode()
    for name, body in ((f"{package.name}.xml", octets), (f"{package.name}.mf.json", manifest)):
        async with sftp.open(f"/in/{name}.part", "wb") as file:
            await file.write(body)
        await sftp.rename(f"/in/{name}.part", f"/in/{name}")


async def fetch(sftp: asyncssh.SFTPClient, path: str) -> bytes:
    """Wait for a file and read it."""
    async with asyncio.timeout(PATIENCE_S):
        while not await sftp.exists(path):  # noqa: ASYNC110  the protocol is to poll
            await asyncio.sleep(0.01)
    async with sftp.open(path, "rb") as file:
        return await file.read()


async def fetch_code(sftp: asyncssh.SFTPClient, package: Package) -> str:
    """Wait for the acknowledgement or the refusal; tell its code."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for folder in ("ack", "error"):
                if await sftp.exists(f"/{folder}/{package.name}.xml"):
                    answer = read_envelope(await fetch(sftp, f"/{folder}/{package.name}.xml"))
                    assert answer.signed
                    assert (folder == "ack") is (answer.code == "00000000")
                    return answer.code
            await asyncio.sleep(0.01)


async def fetch_result(sftp: asyncssh.SFTPClient, package: Package) -> Envelope:
    """Wait for the result, check it against its manifest and take it apart."""
    manifest = json.loads(await fetch(sftp, f"/out/{package.name}.mf.json"))
    octets = await fetch(sftp, f"/out/{package.name}.xml")
    assert (manifest["size"], manifest["sm3"]) == (len(octets), sm3(octets)), "file"
    answer = read_envelope(octets)
    assert manifest["file"] == f"{package.name}.xml"
    assert manifest["records"] == len(answer.parts), "records"
    assert manifest["sum"] == total(answer.records.values()), "sum"
    assert answer.signed, "signature"
    assert answer.tran_seq == package.tran_seq, "tranSeq"
    return answer


def total(records: Iterable[Record]) -> str:
    """Add up as section 3 says."""
    amounts: list[Json] = []
    for record in records:
        amounts += [record.get("YNSSDE", "0"), record.get("QSJE", "0")]
        entries = record.get("JFMX", [])
        assert isinstance(entries, list)
        for entry in entries:
            assert isinstance(entry, dict)
            amounts += [entry["DWJE"], entry["GRJE"]]
    return f"{sum((Decimal(str(amount)) for amount in amounts), Decimal()):.2f}"


async def converse(client: TaxClient, package: Package) -> Envelope:
    """Ask a package and fetch its result."""
    async with client.open() as sftp:
        await drop(sftp, package)
        assert await fetch_code(sftp, package) == "00000000"
        return await fetch_result(sftp, package)
