"""Signed notes and checkpoints byte for byte as C2SP has them."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.access_log.checkpoint import Head, sign_head, verify_checkpoint
from gateway.access_log.errors import LogRefused
from gateway.access_log.note import (
    Ed25519LogSigner,
    encode_verifier_key,
    require_key_name,
    sign_note,
    verify_note,
)

# The published example of golang.org/x/mod/sumdb/note: key pair, text and signed note.
GO_NAME = "PeterNeumann"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = (
    b"If you think cryptography is the answer to your problem,\n"
    b"then you don't know what your problem is.\n"
)
GO_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
GO_NOTE = GO_TEXT + f"\n— {GO_NAME} {GO_SIGNATURE}\n".encode()

ORIGIN = "sandbox.invalid/hutong/log"
SIGNER = Ed25519LogSigner(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
HEAD = Head(size=7, root=b"\x07" * 32)


def test_published_note_is_reproduced_byte_for_byte() -> None:
    """Text and key of the published example yield the published note and verifier key."""
    signer = Ed25519LogSigner(Ed25519PrivateKey.from_private_bytes(GO_SEED))

    note = sign_note(GO_TEXT, GO_NAME, signer)

    assert note == GO_NOTE
    assert encode_verifier_key(GO_NAME, signer.public_key) == GO_VERIFIER
    assert verify_note(note, GO_NAME, signer.public_key) == GO_TEXT


def test_checkpoint_states_origin_size_and_root() -> None:
    """A checkpoint's text is three lines, and reading it gives the head back."""
    checkpoint = sign_head(ORIGIN, HEAD, SIGNER)

    root = base64.b64encode(HEAD.root).decode()
    assert checkpoint.startswith(f"{ORIGIN}\n7\n{root}\n\n— {ORIGIN} ".encode())
    assert verify_checkpoint(checkpoint, ORIGIN, SIGNER.public_key) == HEAD


def test_every_flipped_bit_of_a_checkpoint_is_refused() -> None:
    """No bit of a stored checkpoint may differ."""
    checkpoint = sign_head(ORIGIN, HEAD, SIGNER)

    for position in range(len(checkpoint)):
        for bit in range(8):
            flipped = bytearray(checkpoint)
            flipped[position] ^= 1 << bit
            with pytest.raises(LogRefused):
                verify_checkpoint(bytes(flipped), ORIGIN, SIGNER.public_key)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\nseven\nBwc=\n",
        f"{ORIGIN}\n07\nBwc=\n",
        "other.invalid/log\n7\nBwc=\n",
    ],
)
def test_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text: str) -> None:
    """A valid signature does not make a checkpoint."""
    note = sign_note(text.encode(), ORIGIN, SIGNER)

    with pytest.raises(LogRefused):
        verify_checkpoint(note, ORIGIN, SIGNER.public_key)


def test_note_with_a_second_signature_line_is_refused() -> None:
    """What we stored carries exactly our line."""
    note = sign_head(ORIGIN, HEAD, SIGNER) + b"\xe2\x80\x94 witness.invalid AAAA\n"

    with pytest.raises(LogRefused):
        verify_note(note, ORIGIN, SIGNER.public_key)


@pytest.mark.parametrize("name", ["", "two words", "a+b", " x", "tab\t", "line\n"])
def test_name_that_a_note_cannot_carry_is_refused(name: str) -> None:
    """Key names are non-empty, without spaces and plus signs."""
    with pytest.raises(LogRefused):
        require_key_name(name)
