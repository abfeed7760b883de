"""Step 12: from a logged body to a signed envelope that carries its own proof.

The answer commitment in the entry covers the exact body bytes with a salt drawn here; the receipt
opens it for the one party that holds those bytes, and opens nothing else.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

from certs.quick import quickly_made
from gateway.model import Committed, Logged, Opening
from gateway.statement.answer import (
    ANSWER_TYPE,
    REFUSAL_TYPE,
    Body,
    encode_answer,
    encode_refusal,
)
from gateway.statement.wrapper import encode_envelope
from signing.signer import Signer, sign_envelope

SALT_BYTES: Final = 32


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCommitment:
    """A body and the salt under which the log commits to it."""

    body: Body
    salt: bytes = field(repr=False)

    @property
    def committed(self) -> Committed:
        """The member of the `answer` entry."""
        return Committed(member="answer", value=self.body.data, salt=self.salt, detached=True)

    @property
    def opening(self) -> Opening:
        """What the receipt opens: the holder has the bytes, so only the salt is given."""
        return Opening(member="answer", salt=self.salt, value=b"")


def commit_to(body: Body) -> AnswerCommitment:
    """Return a commitment to a body under a fresh salt."""
    return AnswerCommitment(body=body, salt=secrets.token_bytes(SALT_BYTES))


def build_answer(signer: Signer, commitment: AnswerCommitment, logged: Logged) -> bytes:
    """Return the encoded `SignedEnvelope` of an answer whose entry is durable."""
    payload = encode_answer(commitment.body, logged, (commitment.opening,))
    return encode_envelope(sign_envelope(signer, ANSWER_TYPE, payload))


def build_looked(signer: Signer, body: Body, logged: Logged) -> bytes:
    """Return the encoded `SignedEnvelope` of what a logged look found."""
    return encode_envelope(sign_envelope(signer, ANSWER_TYPE, encode_answer(body, logged, ())))


def build_refusal(signer: Signer, body: bytes, logged: Logged | None) -> bytes:
    """Return the encoded `SignedEnvelope` of a refusal, with its receipt where one exists."""
    return encode_envelope(sign_envelope(signer, REFUSAL_TYPE, encode_refusal(body, logged)))
