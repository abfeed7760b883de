"""As much HTTP/2 (RFC 9113) as it takes to misbehave: frames by hand over TLS, no library.

Header blocks use literals without indexing and without Huffman coding (RFC 7541 6.2.2), so no state
is kept. What comes back is read as frames; header blocks of the gateway are not decoded, because
grpc sends its texts as literals that a search finds.
"""

import asyncio
import ssl
import struct
from dataclasses import dataclass, field

from hutong.client import Identity

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
CANCEL = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as received."""

    kind: int
    flags: int
    stream: int
    content: bytes = field(repr=False)

    @property
    def ends_stream(self) -> bool:
        """Whether nothing more comes on this stream."""
        ended = self.kind in {DATA, HEADERS} and self.flags & END_STREAM
        return bool(ended) or self.kind in {RST_STREAM, GOAWAY}


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    """Return one frame (RFC 9113 4.1)."""
    return struct.pack(">I", len(content))[1:] + bytes([kind, flags]) + stream.to_bytes(4) + content


def header_block(path: str, *more: tuple[str, str]) -> bytes:
    """Return the header block of a call."""
    fields = (
        (":method", "POST"),
        (":scheme", "https"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        *more,
    )
    block = b""
    for name, value in fields:
        raw_name, raw = name.encode(), value.encode()
        block += b"\x00" + bytes([len(raw_name)]) + raw_name + bytes([len(raw)]) + raw
    return block


class RawConnection:
    """One TLS connection on which a test writes frames as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, identity: Identity, port: int, folder: str) -> "RawConnection":
        """Connect as a registered partner and exchange settings."""
        context = ssl.create_default_context(cadata=identity.tls.authority.decode())
        context.load_cert_chain(folder)
        context.set_alpn_protocols(["h2"])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
        connection = cls(reader, writer)
        writer.write(PREFACE + frame(SETTINGS, 0, 0))
        await writer.drain()
        return connection

    async def read_frame(self) -> Frame | None:
        """Return the next frame, answering settings and pings; None once it is over."""
        while True:
            try:
                head = await self._reader.readexactly(9)
                content = await self._reader.readexactly(int.from_bytes(head[:3]))
            except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                return None
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9]) & 0x7FFFFFFF
            if kind in {SETTINGS, PING} and not flags & ACK:
                self.writer.write(frame(kind, ACK, 0, content if kind == PING else b""))
                continue
            return Frame(kind, flags, stream, content)

    async def until_ended(self, stream: int) -> bytes:
        """Return everything said on a stream until it ends, or the connection does."""
        said = b""
        while (received := await self.read_frame()) is not None:
            if received.stream == stream or received.kind == GOAWAY:
                said += received.content
                if received.ends_stream:
                    break
        return said

    async def close(self) -> None:
        """End the connection without ceremony."""
        self.writer.transport.abort()
