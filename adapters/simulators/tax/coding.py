"""How contents are coded and signed (docs/adapters/tax.md, section 4).

INVARIANT: no more than a limit is ever unpacked.
"""

import hmac
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.hashes import SM3, Hash

from adapters.simulators.tax.refusals import Code, Refused

CONTROLS: Final = (("1", "zip", "Zlib"), ("2", "code", "Base64"))
"""`id`, `type`, `impl` in the order of encoding."""

Part = tuple[str, bytes]
"""A subPackage: its id and its decoded content."""


def encode(content: bytes) -> str:
    """Zip, then code."""
    return b64encode(zlib.compress(content)).decode()


def decode(text: str, limit: int) -> bytes:
    """Undo both, the last first.

    Raises:
        Refused: BAD_CODING, or TOO_LARGE when more than `limit` octets come out.
    """
    try:
        packed = b64decode(text, validate=True)
        unpacker = zlib.decompressobj()
        # One octet more than allowed tells a bomb without unpacking it.
        content = unpacker.decompress(packed, limit + 1)
    except (ValueError, zlib.error) as cause:
        raise Refused(Code.BAD_CODING) from cause
    if len(content) > limit:
        raise Refused(Code.TOO_LARGE)
    if not unpacker.eof or unpacker.unused_data:
        raise Refused(Code.BAD_CODING)
    return content


def sign(key: bytes, head: tuple[str, str, str, str, str], parts: Iterable[Part]) -> str:
    """Sign (session, service, client, tranSeq, returnCode) and the decoded contents."""
    text = "".join(f"{value}\n" for value in head).encode()
    for identity, content in parts:
        text += b"%s\n%d\n%s\n" % (identity.encode(), len(content), content)
    return hmac.digest(key, text, "sha256").hex()


def sm3(octets: bytes) -> str:
    """Digest as GB/T 32905 says, in lower-case hexadecimal."""
    digest = Hash(SM3())
    digest.update(octets)
    return digest.finalize().hex()
