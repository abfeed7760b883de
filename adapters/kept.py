"""What a department answered, kept to be confirmed by its tag: the one place where kinds reuse.

Knows no dialect and no HTTP but the entity tag. Asking again with the tag costs the department a
comparison and not a record with a photo, and us no trust: it says for each question what holds now.
INVARIANT: an answer is found again by the same question only: same system, matter, case, dataset,
subject, officer, claims, fields and effects (`_describe`), and whatever else its kind asks by.
INVARIANT: nothing kept is an answer by itself: the department is asked each time.
INVARIANT: memory only, sealed under a key that dies with the process, bounded in number, bytes and
time, wiped when its adapter closes.
"""

import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from adapters.port import EndUser, Query
from signing.encoding import JsonValue, encode_canonical_json

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

    def find(self, query: Query, further: str) -> KeptAnswer | None:
        """Return what is kept for this very question; `further` is what else its kind asks by."""
        self._forget_expired()
        key = self._key(query, further)
        sealed = self._answers.get(key)
        if sealed is None:
            return None
        nonce, content = sealed.content[:_NONCE_BYTES], sealed.content[_NONCE_BYTES:]
        # The question is authenticated along: no answer can be taken out for another one.
        tag, _, body = self._cipher.decrypt(nonce, content, key).partition(b"\n")
        return KeptAnswer(tag=tag.decode("ascii"), body=body)

    def keep(self, query: Query, further: str, tag: str, body: bytes) -> None:
        """Keep an answer instead of the one before, if it may be asked for by its tag."""
        self.forget(query, further)
        if len(body) > MAX_ANSWER or not _STRONG_TAG.fullmatch(tag):
            return
        key, nonce = self._key(query, further), secrets.token_bytes(_NONCE_BYTES)
        content = nonce + self._cipher.encrypt(nonce, tag.encode("ascii") + b"\n" + body, key)
        self._answers[key] = _Sealed(until=self._clock() + LIFE_S, content=content)
        self._bytes += len(content)
        while self._bytes > MAX_BYTES or len(self._answers) > MAX_ANSWERS:
            self._drop(next(iter(self._answers)))

    def forget(self, query: Query, further: str) -> None:
        """Forget the answer of one question, if one is kept."""
        key = self._key(query, further)
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

    def _key(self, query: Query, further: str) -> bytes:
        # Salted: a bare digest of a number and a name could be found by trying.
        return hashlib.sha256(self._salt + _describe(query, further)).digest()


def _describe(query: Query, further: str) -> bytes:
    """Return all that makes a question this one, in one spelling.

    Left out is what differs between two askings of one question: request id, item, times, bytes.
    """
    subject, officer = query.subject, query.end_user
    granted: list[JsonValue] = [
        [grant.field, grant.effect.code, (grant.pseudonym_key or b"").hex()]
        for grant in sorted(query.grants, key=lambda each: each.field)
    ]
    claims: list[JsonValue] = [[name, value] for name, value in sorted(query.claims.items())]
    return encode_canonical_json(
        [
            *(query.audience, query.matter, query.case_number, query.dataset.name),
            *(subject.type.value, subject.identifier, subject.full_name),
            *(query.by_officer, None if officer is None else _describe_officer(officer)),
            *(claims, granted, query.tell_not_found, further),
        ]
    )


def _describe_officer(officer: EndUser) -> list[JsonValue]:
    return [
        *(officer.name, officer.identifier),
        *(officer.unit, officer.unit_code, officer.call_reason),
    ]
