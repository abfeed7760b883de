"""Who calls, as far as generation 1 proves it: four values under a secret both sides can derive.

A secret is not stored: it follows from the application key and the half hour it is of, so that it
outlives a restart, and who has got one learns neither the key nor another.
INVARIANT: no body is covered; what it says is the channel's word alone (`hmac_without_body`).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.national.secret import wrap_secret
from adapters.national.signature import signature_of
from gateway.errors import Reason, Refusal
from gateway.legacy.services import LegacySystem

WINDOW_MS: Final = 300_000
"""How far a caller's time may lie from ours, either way (docs/adapters/national.md, 2)."""
PERIOD_MS: Final = 1_800_000
"""A secret is given out for the rest of its half hour and the whole of the next."""
_TOKEN: Final = re.compile(r"[!-~]{1,64}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{13}", re.ASCII)
_SECRET_TAG: Final = b"hutong/legacy-secret/v1\x00"
_REQUEST_TAG: Final = b"hutong/legacy-request/v1\x00"
_REQUEST_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The four values of a call, in their form."""

    rid: str
    sid: str
    rtime: str
    sign: str = field(repr=False)


def parse_proof(values: Mapping[str, str]) -> Proof:
    """Return the four values by their full names.

    Raises:
        Refusal: `ENVELOPE_MALFORMED`.
    """
    named = {name: values.get(f"gjgxjhpt_{name}", "") for name in ("rid", "sid", "rtime", "sign")}
    proof = Proof(**named)
    tokens = all(_TOKEN.fullmatch(text) for text in (proof.rid, proof.sid, proof.sign))
    if not tokens or not _TIME.fullmatch(proof.rtime):
        raise Refusal(Reason.ENVELOPE_MALFORMED)
    return proof


def require_fresh(proof: Proof, now_ms: int) -> None:
    """Require a time that is not too far from ours.

    Raises:
        Refusal: `EXPIRED`, `NOT_YET_VALID`.
    """
    ahead = int(proof.rtime) - now_ms
    if ahead < -WINDOW_MS:
        raise Refusal(Reason.EXPIRED)
    if ahead > WINDOW_MS:
        raise Refusal(Reason.NOT_YET_VALID)


def require_key_signed(system: LegacySystem, proof: Proof) -> None:
    """Require a signature by the application key itself: a call for a secret.

    Raises:
        Refusal: `SIGNATURE_INVALID`.
    """
    if not _is_signed(system, proof, system.app_key):
        raise Refusal(Reason.SIGNATURE_INVALID)


def require_secret_signed(system: LegacySystem, proof: Proof, now_ms: int) -> None:
    """Require a signature by a secret that has not ended.

    Raises:
        Refusal: `SIGNER_NOT_CURRENT` for one that has, lately; `SIGNATURE_INVALID`.
    """
    period = now_ms // PERIOD_MS
    if any(_is_signed(system, proof, _secret(system, each)) for each in (period, period - 1)):
        return
    if any(_is_signed(system, proof, _secret(system, period - each)) for each in range(2, 50)):
        raise Refusal(Reason.SIGNER_NOT_CURRENT)
    raise Refusal(Reason.SIGNATURE_INVALID)


def give_secret(system: LegacySystem, now_ms: int) -> tuple[str, int]:
    """Return the secret of this time, encrypted for its system, and when it ends."""
    period = now_ms // PERIOD_MS
    return wrap_secret(system.app_key, _secret(system, period)), (period + 2) * PERIOD_MS


def request_id_of(system: LegacySystem, rid: str) -> bytes:
    """Return the request id that a call's own id stands for: the same id again is the same."""
    # Hashed, because ids of callers have any form and length, and are unique for one system only.
    parts = _REQUEST_TAG + system.system_id.encode() + b"\x00" + rid.encode()
    return hashlib.sha256(parts).digest()[:_REQUEST_ID_BYTES]


def _secret(system: LegacySystem, period: int) -> str:
    content = _SECRET_TAG + system.sid.encode() + b"\x00" + str(period).encode()
    return base64.b64encode(hmac.digest(system.app_key.encode(), content, "sha256")).decode()


def _is_signed(system: LegacySystem, proof: Proof, key: str) -> bool:
    expected = signature_of(key, proof.sid + proof.rid + proof.rtime, system.mac)
    # As text and in constant time: another base64 spelling is another signature.
    return hmac.compare_digest(expected.encode(), proof.sign.encode())
