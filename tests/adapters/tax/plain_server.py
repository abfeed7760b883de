"""A plain SFTP server over a folder: a department that says what a test wants it to say."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
from cryptography.hazmat.primitives.hashes import SM3, Hash
from lxml import etree
from typing_extensions import override

from adapters.kinds.tax.envelope import NAMESPACE, Head
from tests.adapters.tax.replies import reply

Say = Callable[["Plain", str, Head], None]
"""Answers one submission, given by its name and what stands in its envelope."""


class Plain:
    """The folders, and what came in so far."""

    def __init__(self, folder: Path, say: Say) -> None:
        """Make the four folders."""
        self.folder = folder
        self.say = say
        self.submissions: list[str] = []
        self.port = 0
        self.unreadable = 0
        """How many times opening a result fails from now on."""
        self.unwritable = 0
        """How many times opening a package to write it fails from now on."""
        self.slow_s = 0.0
        """How long opening a package to write it takes."""
        self.while_read: Callable[[], None] = lambda: None
        """What happens while a result is read."""
        self.opened: list[io.IOBase] = []
        """Every file that was opened: who leaves in the middle closes none."""
        for name in ("in", "out", "ack", "error"):
            (folder / name).mkdir(exist_ok=True)

    def put(self, path: str, content: bytes) -> None:
        """Let a file appear whole."""
        part = self.folder / f"{path}.writing"
        part.write_bytes(content)
        part.rename(self.folder / path)

    def acknowledge(self, name: str, head: Head) -> None:
        """Take a submission on."""
        self.put(f"ack/{name}.xml", reply(head))

    def refuse(self, name: str, head: Head, code: str) -> None:
        """Take it on no further."""
        self.put(f"error/{name}.xml", reply(head, code=code))

    def answer(
        self, name: str, head: Head, parts: Sequence[tuple[str, bytes]], total: str = "0.00"
    ) -> None:
        """Give a result, the manifest last."""
        xml = reply(head, parts=parts)
        self.put(f"out/{name}.xml", xml)
        self.put(f"out/{name}.mf.json", manifest(name, head, xml, len(parts), total))

    async def serve(self) -> None:
        """Answer each submission as its manifest appears; it is then taken away."""
        while True:
            await asyncio.sleep(0.01)
            for told in sorted((self.folder / "in").glob("*.mf.json")):
                name = told.name.removesuffix(".mf.json")
                xml = self.folder / "in" / f"{name}.xml"
                head = read_head(xml.read_bytes())
                told.unlink()
                xml.unlink()
                self.submissions.append(name)
                self.say(self, name, head)


class _Server(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], plain: Plain) -> None:
        super().__init__(channel, chroot=str(plain.folder).encode())
        self._plain = plain

    @override
    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if path.startswith(b"/in/"):
            await asyncio.sleep(self._plain.slow_s)
            if self._plain.unwritable:
                self._plain.unwritable -= 1
                raise asyncssh.SFTPFailure("a disk that is full")
        if path.startswith(b"/out/"):
            self._plain.while_read()
        if path.startswith(b"/out/") and self._plain.unreadable:
            self._plain.unreadable -= 1
            raise asyncssh.SFTPFailure("a disk that sighs")
        opened = super().open(path, pflags, attrs)
        if isinstance(opened, io.IOBase):
            self._plain.opened.append(opened)
        return opened


def manifest(name: str, head: Head, xml: bytes, records: int, total: str) -> bytes:
    """Describe a file."""
    digest = Hash(SM3())
    digest.update(xml)
    members = {"file": f"{name}.xml", "tranSeq": head.tran_seq, "records": records, "sum": total}
    return json.dumps({**members, "size": len(xml), "sm3": digest.finalize().hex()}).encode()


def read_head(xml: bytes) -> Head:
    """Read what an answer repeats."""
    root = etree.fromstring(xml)

    def text(name: str) -> str:
        found = root.findtext(f".//{{{NAMESPACE}}}{name}")
        assert found is not None
        return found

    return Head(
        session_id=text("sessionId"),
        service_id=text("serviceId"),
        client_no=text("clientNo"),
        tran_seq=text("tranSeq"),
        repeat=text("repeatFlag") == "Y",
        requested_at=text("tranReqDate"),
    )


@asynccontextmanager
async def plain_department(keys: Path, folder: Path, say: Say) -> AsyncIterator[Plain]:
    """Run it on loopback with the keys both sides know each other by."""
    plain = Plain(folder, say)
    clients = json.loads((keys / "clients.json").read_text("utf-8"))["clients"]
    authorized = asyncssh.import_authorized_keys(clients[0]["public_key"])
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[str(keys / "host")],
        authorized_client_keys=authorized,
        sftp_factory=lambda channel: _Server(channel, plain),
    )
    plain.port = listener.get_port()
    serving = asyncio.create_task(plain.serve())
    try:
        yield plain
    finally:
        serving.cancel()
        listener.close()
        await listener.wait_closed()
        for each in plain.opened:
            each.close()
