"""What an authority keeps between two starts, as a file.

    {"format": "hutong-authority/1", "crl_number": 3,
     "revoked": [{"serial": "5938fdc6", "at": "2026-11-23T12:00:00Z", "reason": "superseded"}]}

The file has to be written before the CRL it counts is given out.
INVARIANT: each serial number stands once, in lower-case hexadecimal without leading zeros.
"""

import re
from typing import Final

from certs.authority import AuthorityState, Revocation, RevocationReason
from certs.strict_json import (
    JsonValue,
    as_object,
    encode_json,
    encode_time,
    malformed,
    parse_json_object,
    require_names,
    take_integer,
    take_list,
    take_text,
    take_time,
)

FORMAT: Final = "hutong-authority/1"
MAX_STATE: Final = 16 * 1024 * 1024
# Some 150 bytes each: a full list stays inside the limit of the file.
_MAX_REVOKED: Final = 100_000
# RFC 7493 2.2: integers every JSON reader holds exactly.
_MAX_NUMBER: Final = 2**53 - 1

_FORMAT: Final = re.compile(re.escape(FORMAT))
# RFC 5280 4.1.2.2: at most 20 octets.
_SERIAL: Final = re.compile(r"[1-9a-f][0-9a-f]{0,39}", re.ASCII)
_REASON: Final = re.compile("|".join(RevocationReason))


def parse_authority_state(content: bytes) -> AuthorityState:
    """Read the file.

    Raises:
        CertificateRefused: MALFORMED.
    """
    value = parse_json_object(content, MAX_STATE)
    require_names(value, frozenset({"format", "crl_number", "revoked"}), "authority state")
    take_text(value, "format", _FORMAT)
    elements = take_list(value, "revoked", _MAX_REVOKED)
    revoked = dict(_parse_revocation(element) for element in elements)
    # Two dates for one serial would leave it to the order of the file which one counts.
    if len(revoked) != len(elements):
        raise malformed("serial stands twice")
    return AuthorityState(
        crl_number=take_integer(value, "crl_number", _MAX_NUMBER), revoked=revoked
    )


def encode_authority_state(state: AuthorityState) -> bytes:
    """Write the file; `parse_authority_state` reads it back."""
    revoked: list[JsonValue] = [
        {
            "serial": f"{serial:x}",
            "at": encode_time(revocation.at),
            "reason": revocation.reason.value,
        }
        for serial, revocation in state.revoked.items()
    ]
    return encode_json({"format": FORMAT, "crl_number": state.crl_number, "revoked": revoked})


def _parse_revocation(value: JsonValue) -> tuple[int, Revocation]:
    members = as_object(value, "revocation")
    require_names(members, frozenset({"serial", "at", "reason"}), "revocation")
    serial = int(take_text(members, "serial", _SERIAL), 16)
    reason = RevocationReason(take_text(members, "reason", _REASON))
    return serial, Revocation(at=take_time(members, "at"), reason=reason)
