"""Issues records: one digest slot per field, so that the number of digests tells nothing.

INVARIANT: each slot holds the digest of a disclosure with a fresh salt of 128 bits or, for a field
that is not disclosed, the digest of fresh random bytes; the slots are sorted.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Final

from signing.encoding import JsonValue, b64url_encode, encode_json
from signing.errors import RecordReason, RecordRefused
from signing.jws import JOSE_SUITES, certificate_chain, sign_jws, signer_header
from signing.record_form import (
    DIGEST_ALGORITHM,
    DIGEST_LENGTH,
    MAX_LIFE_S,
    MAX_RECORD,
    MAX_SLOTS,
    RECORD_TYPE,
    RESERVED_NAMES,
    SALT_LENGTH,
    DisclosedValue,
    RecordClaims,
)
from signing.record_manifest import sign_manifest
from signing.record_verify import CLAIM_NAMES
from signing.signer import Signer

_RESERVED: Final = RESERVED_NAMES | CLAIM_NAMES


def issue_record(
    signer: Signer,
    claims: RecordClaims,
    slots: Sequence[str],
    disclosed: Mapping[str, DisclosedValue],
) -> str:
    """Sign a record that discloses some of a dataset's fields (RFC 9901 6.1).

    `slots` are all fields of the dataset; each gets one digest. The signer's certificate travels
    in `x5c` for verifiers that do not know our registry; ours never looks at it.

    Raises:
        RecordRefused: NAME_RESERVED, NAME_PRESENT for a slot named twice, DISCLOSURE_UNREFERENCED
            for a field without a slot, LIFE_TOO_LONG, TOO_LARGE.
    """
    _require_slots(slots, disclosed)
    if not 0 < claims.expires_at_s - claims.issued_at_s <= MAX_LIFE_S:
        raise RecordRefused(RecordReason.LIFE_TOO_LONG)
    encoded = _encode_disclosures(disclosed)
    payload = _payload(claims, _digests(encoded, len(slots)))
    compact = "~".join((_sign(signer, payload), *encoded, ""))
    if len(compact) > MAX_RECORD:
        raise RecordRefused(RecordReason.TOO_LARGE)
    return compact


def _sign(signer: Signer, payload: dict[str, JsonValue]) -> str:
    """Sign the claims as JWS, or as a disclosure manifest where the suite has no JWS algorithm."""
    if signer.suite in JOSE_SUITES:
        header = signer_header(signer, RECORD_TYPE) | certificate_chain(signer)
        return sign_jws(signer, header, payload)
    return sign_manifest(signer, payload)


def _require_slots(slots: Sequence[str], disclosed: Mapping[str, DisclosedValue]) -> None:
    names = frozenset(slots)
    if len(slots) > MAX_SLOTS:
        raise RecordRefused(RecordReason.TOO_LARGE, "slots")
    if len(names) != len(slots):
        raise RecordRefused(RecordReason.NAME_PRESENT, "a slot twice")
    if names & _RESERVED:
        raise RecordRefused(RecordReason.NAME_RESERVED, "a slot")
    # One digest more than slots would tell which fields of the dataset were disclosed.
    if not names >= disclosed.keys():
        raise RecordRefused(RecordReason.DISCLOSURE_UNREFERENCED, "a field without a slot")


def _encode_disclosures(disclosed: Mapping[str, DisclosedValue]) -> list[str]:
    # One system call for all salts; each disclosure still gets its own 128 bits.
    random = os.urandom(SALT_LENGTH * len(disclosed))
    encoded = []
    for index, (name, value) in enumerate(disclosed.items()):
        salt = b64url_encode(random[index * SALT_LENGTH : (index + 1) * SALT_LENGTH])
        members: dict[str, JsonValue] = {
            member: content if isinstance(content, str) else list(content)
            for member, content in value.items()
        }
        encoded.append(b64url_encode(encode_json([salt, name, members])))
    return encoded


def _digests(encoded: Sequence[str], slots: int) -> list[JsonValue]:
    """Hash disclosures, fill up with decoys (RFC 9901 4.2.5), sort."""
    decoys = slots - len(encoded)
    random = os.urandom(DIGEST_LENGTH * decoys)
    digests = [hashlib.sha256(text.encode("ascii")).digest() for text in encoded]
    digests += [
        hashlib.sha256(random[index * DIGEST_LENGTH : (index + 1) * DIGEST_LENGTH]).digest()
        for index in range(decoys)
    ]
    # RFC 9901 4.2.4.1 wants the order of claims hidden; sorted, decoys cannot be told by place.
    return [*sorted(b64url_encode(digest) for digest in digests)]


def _payload(claims: RecordClaims, digests: list[JsonValue]) -> dict[str, JsonValue]:
    return {
        "_sd": digests,
        "_sd_alg": DIGEST_ALGORITHM,
        "aud": claims.audience,
        "custody": claims.custody.value,
        "exp": claims.expires_at_s,
        "iat": claims.issued_at_s,
        "iss": claims.issuer,
        "nonce": claims.nonce,
        "answer_state": claims.state.value,
        "sub_digest": b64url_encode(claims.subject_digest),
        "vct": claims.dataset,
    }
