"""C2SP notes, verifier keys and checkpoints: published examples, and one accepted spelling."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hutong.evidence import (
    EvidenceReason,
    EvidenceRefused,
    Malformed,
    TreeHead,
    build_log_key,
    encode_log_key,
    parse_log_key,
    verify_checkpoint,
)
from hutong.evidence.checkpoint import (
    CheckpointText,
    encode_checkpoint_text,
    parse_checkpoint_text,
)
from hutong.evidence.merkle import EMPTY_ROOT
from hutong.evidence.note import MAX_NOTE_BYTES, MAX_SIGNATURES, parse_note, verify_note
from tests.evidence.synthetic_log import ORIGIN, Signer

DASH = "\u2014"
# Published examples: key, note. C2SP signed-note (CC BY 4.0); golang.org/x/mod/sumdb/note
# (BSD-3-Clause); a head that the Go checksum database signed.
PUBLISHED = {
    "signed-note": (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        (
            "This is an example message.\n\n"
            f"{DASH} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Z"
            "tg1ERYNZXsYj"
            "OBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
        ),
    ),
    "sumdb note": (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        (
            "If you think cryptography is the answer to your problem,\n"
            "then you don't know what your problem is.\n\n"
            f"{DASH} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFY"
            "C2pZSNXgKvqf"
            "qdngotpRZb6KE6RyyBwJnAM=\n"
        ),
    ),
    "checksum database": (
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        base64.b64decode(
            "Z28uc3VtIGRhdGFiYXNlIHRyZWUKNjU2NjQyNTgKV1ZWTlZEMnF4K2ZUcTMxemtqNlVBcXhUNVg2SHZHcGhH"
            "TStvOFRobmJzZz0KCuKAlCBzdW0uZ29sYW5nLm9yZyBBejNncmxpZ0ptZ1g3S0d5R1BLeWJ5a05UaDNWZ3Ni"
            "THZVdXZPd3JNNXpMVmx1bG1GcDJ3ZHZieE93NzQvZ2NOeFVSU2hYRXBiN1JYY3MzK0JZZmxZTit3MGdRPQo="
        ).decode(),
    ),
}
# The example of C2SP tlog-checkpoint; its signature line is illustrative.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    f"{DASH} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Z"
    "hcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def other_signer(name: str = ORIGIN) -> Signer:
    """A signer that is not the log's."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"other").digest()))


def text_of(size: str = "1", root: bytes = EMPTY_ROOT, origin: str = ORIGIN) -> str:
    """The text of a checkpoint."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_note_verifies(name: str) -> None:
    """Each published note is signed by its published key, and its key is re-written unchanged."""
    key_text, note = PUBLISHED[name]

    key = parse_log_key(key_text)

    assert note.startswith(verify_note(parse_note(note.encode()), key))
    assert encode_log_key(key) == key_text


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_flipped_bit_of_a_published_note_is_refused(name: str) -> None:
    """Any one bit of a published note makes it malformed or unproven."""
    key_text, note = PUBLISHED[name]
    key, raw = parse_log_key(key_text), note.encode()

    for bit in range(len(raw) * 8):
        spoiled = bytearray(raw)
        spoiled[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Malformed, EvidenceRefused)):
            verify_note(parse_note(bytes(spoiled)), key)


def test_published_checkpoint_parses_and_is_rewritten() -> None:
    """The example of tlog-checkpoint reads as its text says."""
    text = parse_note(SOFA.encode()).text

    checkpoint = parse_checkpoint_text(text)

    assert (checkpoint.origin, checkpoint.head.size) == ("example.com/behind-the-sofa", 20852163)
    assert encode_checkpoint_text(checkpoint) == text


def test_published_key_cut_anywhere_is_malformed() -> None:
    """No substring of a key is a key."""
    text = PUBLISHED["sumdb note"][0]

    for start in range(len(text) + 1):
        for end in range(start, len(text) + 1):
            if end - start < len(text):
                with pytest.raises(Malformed):
                    parse_log_key(text[start:end])


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        "name+00000000",
        "+00000000+AQ==",
        "na me+00000000+AQ==",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k=",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "sig\u00e9+530d903a+\u00e9",
        "a\x01b+00000000+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "x" * 600 + "+00000000+AQ==",
    ],
)
def test_mangled_key_is_malformed(key: str) -> None:
    """A key has one spelling, its own id, and type 0x01."""
    with pytest.raises(Malformed):
        parse_log_key(key)


def test_key_of_another_length_cannot_be_built() -> None:
    """An Ed25519 key is 32 bytes."""
    with pytest.raises(Malformed):
        build_log_key(ORIGIN, b"short")


@pytest.mark.parametrize(
    ("note", "what"),
    [
        (b"", "no signatures"),
        (b"text\n", "no signatures"),
        (b"text\n\n", "no signatures"),
        (b"text\n\nsigned", "no signatures"),
        (b"text\r\n\n- a b\n", "control"),
        (b"text\x00\n\n- a b\n", "control"),
        (b"\xff\n\n- a b\n", "UTF-8"),
        (b"text\n\n- a AAAAAAA=\n", "dash"),
        ("text\n\n\u2014 a\n".encode(), "no signature"),
        ("text\n\n\u2014 a AAAA\n".encode(), "too short"),
        ("text\n\n\u2014 a AAAAAA==\n".encode(), "too short"),
        ("text\n\n\u2014 a AAAAAAB=\n".encode(), "one spelling"),
        ("text\n\n\u2014 a AAAAAAA\n".encode(), "base64"),
        ("text\n\n\u2014 a AAAA AAA=\n".encode(), "base64"),
        ("text\n\n\u2014  AAAAAAA=\n".encode(), "key name"),
        ("text\n\n\u2014 a+b AAAAAAA=\n".encode(), "key name"),
        ("text\n\n\u2014 a\u3000b AAAAAAA=\n".encode(), "key name"),
        ("text\n\n\u2014 a AAAAAAA=\n\u2014 a AAAAAAE=\n".encode(), "twice"),
        (b"x" * (MAX_NOTE_BYTES + 1), "larger"),
        (("text\n\n" + "\u2014 a AAAAAAA=\n" * (MAX_SIGNATURES + 1)).encode(), "more than"),
    ],
)
def test_note_in_another_spelling_is_malformed(note: bytes, what: str) -> None:
    """A note has one spelling and bounded size."""
    with pytest.raises(Malformed, match=what):
        parse_note(note)


def test_unknown_signatures_are_ignored(signer: Signer) -> None:
    """A witness line, a foreign type and a line that shares only name or id do no harm."""
    text = text_of()
    same_name = other_signer().line(text)
    same_id = signer.line(text, name="witness.invalid")
    post_quantum = f"{DASH} {ORIGIN} {base64.b64encode(bytes(4) + bytes(2420)).decode()}\n"

    note = f"{text}\n{same_name}{same_id}{signer.line(text)}{post_quantum}".encode()

    assert verify_checkpoint(note, signer.log_key).head.size == 1


def test_sixteen_signatures_are_accepted(signer: Signer) -> None:
    """signed-note: verifiers accept at least 16 signatures, of post-quantum size."""
    text = text_of()
    others = "".join(
        f"{DASH} witness{i}.invalid {base64.b64encode(bytes(5000)).decode()}\n" for i in range(15)
    )

    note = f"{text}\n{others}{signer.line(text)}".encode()

    assert verify_checkpoint(note, signer.log_key).origin == ORIGIN


def test_note_by_others_only_is_refused(signer: Signer) -> None:
    """Without a line of the log key nothing is proven, and nothing is disproven."""
    with pytest.raises(EvidenceRefused) as caught:
        verify_checkpoint(other_signer().note(text_of()), signer.log_key)

    assert caught.value.reason is EvidenceReason.KEY_UNKNOWN


def test_another_origin_is_refused(signer: Signer) -> None:
    """A head signed by our key for another log is not of this log."""
    note = signer.note(text_of(origin="sandbox.invalid/other/log"))

    with pytest.raises(EvidenceRefused) as caught:
        verify_checkpoint(note, signer.log_key)

    assert caught.value.reason is EvidenceReason.ORIGIN_MISMATCH


@pytest.mark.parametrize("size", ["", "01", "+1", " 1", "1_0", "1.0", "-1", "\u0663", "9" * 19])
def test_size_in_another_spelling_is_malformed(size: str) -> None:
    """Sizes are decimal, without sign, space, zero in front, or more than 63 bits."""
    with pytest.raises(Malformed):
        parse_checkpoint_text(text_of(size=size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        text_of().removesuffix("\n"),
        "\n" + text_of(),
        text_of() + "\n",
        text_of(root=b"short"),
        text_of() + "extension\n" * 17,
    ],
)
def test_checkpoint_with_wrong_lines_is_malformed(text: str) -> None:
    """Three lines, none of them empty, and few extensions."""
    with pytest.raises(Malformed):
        parse_checkpoint_text(text)


_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(_LINE, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(_LINE))
def test_checkpoint_text_is_the_inverse_of_its_parser(
    origin: str, size: int, root: bytes, extensions: list[str]
) -> None:
    """Writing and reading a checkpoint text are inverses."""
    head = TreeHead(size=size, root_hash=root)
    checkpoint = CheckpointText(origin=origin, head=head, extensions=tuple(extensions[:16]))

    assert parse_checkpoint_text(encode_checkpoint_text(checkpoint)) == checkpoint


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_malformed_notes_or_rewritten(raw: bytes) -> None:
    """No bytes make the parser fail in another way."""
    try:
        note = parse_note(raw)
    except Malformed:
        return
    assert raw.startswith(note.text.encode())
