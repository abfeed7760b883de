"""What the department answered for a verification code, kept to be confirmed by 304.

Knows no HTTP but the entity tag. Asking again with the tag costs the department a comparison and
not a record with a photo, and us no trust: it says for each question what holds now.
INVARIANT: an answer is found again by the same system, for the same subject, code, case and matter
only, and never without the department being asked.
INVARIANT: memory only, sealed under a key that dies with the process, bounded in number, bytes and
time.
"""

import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from adapters.port import Query
from signing.encoding import encode_canonical_json

LIFE_S: Final = 600.0
"""As long as somebody works on one case; a later question fetches the record again."""
MAX_ANSWERS: Final = 1_000
MAX_BYTES: Final = 4 * 1024 * 1024
MAX_ANSWER: Final = 64 * 1024
"""Bytes of an honest answer (docs/adapters/education.md, section 1)."""
_NONCE_BYTES: Final = 12
# RFC 9110 8.8.3, strong ones only: a weak tag does not promise the same bytes. It goes into a
# header, so nothing else may.
_STRONG_TAG: Final = re.compile(r'"[!#-~]{1,128}"')


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer opened again: its entity tag and its body."""

    tag: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    until: float
    content: bytes = field(repr=False)


class KeptAnswers:
    """Keeps answers by question, the oldest forgotten first. One event loop, no lock."""

    __slots__ = ("_answers", "_bytes", "_cipher", "_clock", "_salt")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: OrderedDict[bytes, _Sealed] = OrderedDict()
        self._bytes = 0
        self._renew()

    def find(self, query: Query, code: str) -> KeptAnswer | None:
        """Return what is kept for this very question."""
        self._forget_expired()
        key = self._key(query, code)
        sealed = self._answers.get(key)
        if sealed is None:
            return None
        nonce, content = sealed.content[:_NONCE_BYTES], sealed.content[_NONCE_BYTES:]
        # The question is authenticated along: no answer can be taken out for another one.
        tag, _, body = self._cipher.decrypt(nonce, content, key).partition(b"\n")
        return KeptAnswer(tag=tag.decode("ascii"), body=body)

    def keep(self, query: Query, code: str, tag: str, body: bytes) -> None:
        """Keep an answer instead of the one before, if it may be asked for by its tag."""
        self.forget(query, code)
        if len(body) > MAX_ANSWER or not _STRONG_TAG.fullmatch(tag):
            return
        key, nonce = self._key(query, code), secrets.token_bytes(_NONCE_BYTES)
        content = nonce + self._cipher.encrypt(nonce, tag.encode("ascii") + b"\n" + body, key)
        self._answers[key] = _Sealed(until=self._clock() + LIFE_S, content=content)
        self._bytes += len(content)
        while self._bytes > MAX_BYTES or len(self._answers) > MAX_ANSWERS:
            self._drop(next(iter(self._answers)))

    def forget(self, query: Query, code: str) -> None:
        """Forget the answer of one question, if one is kept."""
        key = self._key(query, code)
        if key in self._answers:
            self._drop(key)

    def wipe(self) -> None:
        """Forget every answer, and the key that could open a copy of one."""
        self._answers.clear()
        self._bytes = 0
        self._renew()

    def _renew(self) -> None:
        self._cipher = ChaCha20Poly1305(ChaCha20Poly1305.generate_key())
        self._salt = secrets.token_bytes(32)

    def _forget_expired(self) -> None:
        # Each lives equally long, so they expire in the order they were kept.
        now = self._clock()
        while self._answers:
            key, oldest = next(iter(self._answers.items()))
            if now < oldest.until:
                return
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        self._bytes -= len(self._answers.pop(key).content)

    def _key(self, query: Query, code: str) -> bytes:
        subject = query.subject
        question = encode_canonical_json(
            [
                *(query.audience, query.dataset.name, query.matter, query.case_number),
                *(subject.type.value, subject.identifier, subject.full_name, code),
            ]
        )
        # Salted: a bare digest of a number and a name could be found by trying.
        return hashlib.sha256(self._salt + question).digest()
