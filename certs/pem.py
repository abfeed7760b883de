"""Text armour of certificates, CRLs and keys (RFC 7468), one accepted spelling.

A file holds blocks such as

    -----BEGIN CERTIFICATE-----
    MIIB...
    -----END CERTIFICATE-----

and white space between them; nothing else. Knows nothing of what the blocks hold.
"""

import base64
import binascii
import re
from typing import Final

from certs.errors import CertificateReason, CertificateRefused

_BEGIN: Final = b"-----BEGIN "
_BLOCK: Final = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----[ \t\r\n]*"
)
# RFC 7468 section 2: writers wrap at 64 characters.
_WIDTH: Final = 64
# A CRL of 16 MiB is the largest object read from a trust directory.
MAX_BYTES: Final = 24 * 1024 * 1024


def is_pem(content: bytes) -> bool:
    """Return whether the content starts as PEM does; DER never does."""
    return content.lstrip().startswith(_BEGIN)


def parse_pem(content: bytes, labels: frozenset[str]) -> tuple[tuple[str, bytes], ...]:
    """Read every block of a PEM file as (label, content).

    Raises:
        CertificateRefused: MALFORMED for any other text, label or base64.
    """
    if len(content) > MAX_BYTES:
        raise CertificateRefused(CertificateReason.MALFORMED, "PEM too long")
    blocks = []
    rest = content.lstrip()
    while rest:
        match = _BLOCK.match(rest)
        # RFC 7468 section 2 lets explanatory text stand outside of blocks; a block whose first line
        # is misspelt would then be skipped as text.
        if match is None or match[1].decode("ascii") not in labels:
            raise CertificateRefused(CertificateReason.MALFORMED, "PEM")
        blocks.append((match[1].decode("ascii"), _decode(match[2])))
        rest = rest[match.end() :]
    if not blocks:
        raise CertificateRefused(CertificateReason.MALFORMED, "no PEM block")
    return tuple(blocks)


def parse_single(content: bytes, label: str) -> bytes:
    """Read DER, or a PEM file with exactly one block of the label, as DER.

    Raises:
        CertificateRefused: MALFORMED.
    """
    if not is_pem(content):
        return content
    blocks = parse_pem(content, frozenset({label}))
    if len(blocks) != 1:
        raise CertificateRefused(CertificateReason.MALFORMED, "more than one PEM block")
    return blocks[0][1]


def encode_pem(der: bytes, label: str) -> bytes:
    """Write one PEM block."""
    text = base64.b64encode(der)
    lines = b"\n".join(text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH))
    name = label.encode("ascii")
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (name, lines, name)


def _decode(body: bytes) -> bytes:
    joined = body.translate(None, b"\r\n")
    try:
        decoded = base64.b64decode(joined, validate=True)
    except binascii.Error as cause:
        raise CertificateRefused(CertificateReason.MALFORMED, "base64") from cause
    # Unused bits may differ from zero in what the decoder accepts (RFC 4648 3.5).
    if base64.b64encode(decoded) != joined:
        raise CertificateRefused(CertificateReason.MALFORMED, "spelling of base64")
    return decoded
