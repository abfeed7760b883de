"""What a caller of generation 1 is told: an answer or a refusal in its dialect, with ours inside.

INVARIANT: the code is "0" only where a department answered; what could not be told is a failed
call, never a "no" (docs/adapters/national.md, 10).
"""

import base64
import json
from collections.abc import Mapping
from typing import Final

from gateway.errors import TEXTS, Reason
from gateway.outcome import Answered, Refused
from gateway.statement.answer import State
from gateway.statement.legacy import read_answer

OK: Final = "0"
FAILED: Final = "-1"

CODES: Final[Mapping[Reason, str]] = {
    Reason.MESSAGE_MISSING: "E-105",
    Reason.MESSAGE_TOO_LARGE: "E-105",
    Reason.ENVELOPE_MALFORMED: "E-105",
    Reason.CHANNEL_REFUSED: "E-106",
    Reason.SIGNER_UNKNOWN: "E-106",
    Reason.SIGNER_REVOKED: "E-106",
    Reason.AGREEMENT_NOT_APPLICABLE: "E-106",
    Reason.NOTHING_GRANTED: "E-106",
    Reason.EXPIRED: "E-102",
    Reason.NOT_YET_VALID: "E-102",
    Reason.SIGNATURE_INVALID: "E-101",
    Reason.REPLAYED: "E-103",
    Reason.REQUEST_ID_REUSED: "E-103",
    Reason.SIGNER_NOT_CURRENT: "E-104",
    Reason.STATEMENT_MALFORMED: "E-108",
    Reason.SUBJECT_INVALID: "E-108",
    Reason.QUERY_INVALID: "E-108",
    Reason.SUBJECT_NAME_NEEDED: "E-108",
    Reason.OFFICER_NEEDED: "E-106",
    Reason.METHOD_MISMATCH: "E-110",
}
"""Reasons the caller has to mend; every other is a failed call, which may be put again."""

Members = dict[str, object]


def tell_secret(answered: Answered) -> Members:
    """Return the answer to a call for a secret."""
    return {"code": OK, "message": "成功", "data": json.loads(answered.envelope)}


def tell_answer(answered: Answered) -> Members:
    """Return the answer to a question, with the signed one and its receipt inside."""
    answer = read_answer(answered.envelope)
    told = answer.state is not State.INDETERMINATE
    data: Members = {
        "state": answer.state.name,
        "reason": "" if answer.reason is None else answer.reason.value,
        "fields": {
            name: {"outcome": each.outcome.name, "effect": each.effect, "value": each.text or ""}
            for name, each in answer.fields.items()
        },
        "request_id": answered.request_id.hex(),
        "answer": base64.b64encode(answered.envelope).decode("ascii"),
    }
    code, message = (OK, "成功") if told else (FAILED, "未能得知，不等于“否”，请稍后再查")
    return {"code": code, "message": message, "data": data}


def tell_refusal(refused: Refused) -> Members:
    """Return a refusal, with the signed one inside where there is one."""
    envelope = b"" if refused.envelope is None else refused.envelope
    data: Members = {
        "reason": refused.reason.value,
        "side": TEXTS[refused.reason].side.value,
        "request_id": refused.request_id.hex(),
        "refusal": base64.b64encode(envelope).decode("ascii"),
    }
    code = CODES.get(refused.reason, FAILED)
    return {"code": code, "message": TEXTS[refused.reason].zh, "data": data}
