"""The one content coding we speak: zlib, then Base64; undone in reverse, counted while it grows.

RFC 1950 and RFC 4648 section 4 (docs/adapters/tax.md, section 4).
"""

import base64
import binascii
import zlib
from typing import Final

from adapters.errors import AnswerMalformed

CONTROLS: Final = (("1", "zip", "Zlib"), ("2", "code", "Base64"))
"""`contentControl` in the order of encoding; in any other order the content cannot be trusted."""
MAX_CONTENT: Final = 1024 * 1024
"""Bytes of one decoded answer (section 1)."""


def encode_content(content: bytes) -> str:
    """Return content as a `subPackage` carries it."""
    return base64.b64encode(zlib.compress(content)).decode("ascii")


def decode_content(text: str, limit: int = MAX_CONTENT) -> bytes:
    """Return the content of a `subPackage`, at most `limit` bytes of it.

    Raises:
        AnswerMalformed: Not the one spelling of Base64, not one zlib stream, or more than the
            limit.
    """
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AnswerMalformed("content is not Base64") from None  # cause: may quote it
    # b64decode ignores the last bits of the last character: two texts for one content.
    if base64.b64encode(packed).decode("ascii") != text:
        raise AnswerMalformed("content is not Base64")
    unpacker = zlib.decompressobj()
    try:
        # One byte more than allowed, so that a bomb is met and never grown.
        content = unpacker.decompress(packed, limit + 1)
    except zlib.error:
        raise AnswerMalformed("content is not zlib") from None  # the cause says no more
    if len(content) > limit:
        raise AnswerMalformed("content is larger than allowed")
    if not unpacker.eof or unpacker.unused_data:
        raise AnswerMalformed("content is not one zlib stream")
    return content
