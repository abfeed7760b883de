"""C2SP tlog-checkpoint: the signed head of the tree.

Knows nothing of entries. Sample of a checkpoint's text, which a signed note carries:

    sandbox.invalid/hutong/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

INVARIANT: a checkpoint is only ever made for a tree that was grown from the last signed one.
"""

import base64
from dataclasses import dataclass

from gateway.access_log.errors import LogRefused
from gateway.access_log.note import LogSigner, sign_note, verify_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Size and root hash of a tree."""

    size: int
    root: bytes


def encode_head(origin: str, head: Head) -> bytes:
    """Write the text of a checkpoint: origin, size, root hash, a line each."""
    root = base64.b64encode(head.root).decode()
    return f"{origin}\n{head.size}\n{root}\n".encode()


def sign_head(origin: str, head: Head, signer: LogSigner) -> bytes:
    """Return the checkpoint of a tree head."""
    return sign_note(encode_head(origin, head), origin, signer)


def verify_checkpoint(checkpoint: bytes, origin: str, public_key: bytes) -> Head:
    """Return the head that a stored checkpoint of this log signs.

    Raises:
        LogRefused: another origin or key, or not the one spelling.
    """
    text = verify_note(checkpoint, origin, public_key)
    lines = text.decode().split("\n")
    try:
        head = Head(size=int(lines[1]), root=base64.b64decode(lines[2], validate=True))
    except (ValueError, IndexError):
        # from None: the cause says less than this.
        raise LogRefused("a stored checkpoint is malformed") from None
    if encode_head(origin, head) != text:
        raise LogRefused("a stored checkpoint is of another origin or malformed")
    return head
