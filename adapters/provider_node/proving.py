"""What a node answered, proven: signed by that node, for this very query, just now.

INVARIANT: keys are those registered for the node's system; nothing in a response selects another.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.port import Indeterminate, Outcome
from adapters.provider_node.reasons import NodeReason
from adapters.provider_node.wire import OUTCOME_TYPE, REFUSAL_TYPE, Ends, parse_response, parse_told
from certs.chain import require_current
from certs.errors import CertificateRefused
from certs.identity import RegisteredSystem
from signing.errors import Malformed, SigningError
from signing.verifier import verify_envelope

LEEWAY_MS: Final = 30_000
"""How far clocks may disagree, everywhere (decisions.md, JWT)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A query as it was sent."""

    ends: Ends
    request_id: bytes
    item: int
    payload: bytes = field(repr=False)
    sent_at_ms: int


def require_told(
    body: bytes, sent: Sent, system: RegisteredSystem, now_ms: int
) -> Outcome | NodeReason:
    """Return what a node has told of the query that was sent.

    Raises:
        DepartmentFailed: PROVIDER_MALFORMED, or PROVIDER_UNPROVEN where it is not the node's word
            on this query.
    """
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    try:
        envelope = parse_response(body)
        verified = verify_envelope(
            envelope, system.envelope_keys, payload_types=(OUTCOME_TYPE, REFUSAL_TYPE), at=at
        )
        key = system.envelope_key(verified.signer.keyid)
        if key is None:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        require_current(key, at)
        told = parse_told(verified.payload, verified.payload_type)
    except (Malformed, AnswerMalformed) as cause:
        raise DepartmentFailed(Indeterminate.PROVIDER_MALFORMED) from cause
    except (SigningError, CertificateRefused) as cause:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN) from cause
    bound = (
        told.request_id == sent.request_id
        and told.request_digest == hashlib.sha256(sent.payload).digest()
        and told.item == sent.item
        and told.sender == sent.ends.node
        and told.receiver == sent.ends.gateway
        and sent.sent_at_ms - LEEWAY_MS <= told.issued_at_ms <= now_ms + LEEWAY_MS
    )
    if not bound:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    return told.content
