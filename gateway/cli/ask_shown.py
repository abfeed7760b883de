"""How `hutong ask` shows what came of a question: to people in two languages, to machines as JSON.

Everything that can end a question has the same shape: a code, whose side it lies on, what is wrong
and what to do.
"""

import json as json_module
import math
from typing import Final

from rich.console import Console
from rich.table import Table

from gateway.cli.printing import build_console, print_json
from hutong.client import (
    FINDING_TEXTS,
    INDETERMINATE_TEXTS,
    Answered,
    AnsweredField,
    Fault,
    FieldOutcome,
    Finding,
    IdentityRefused,
    NotWritten,
    QuestionRefused,
    Refused,
    Unproven,
)
from signing.encoding import JsonValue

Failed = QuestionRefused | IdentityRefused | NotWritten | Fault | Unproven

_STATES: Final[dict[type[Failed], tuple[str, str]]] = {
    QuestionRefused: ("NOT_SENT", "未发出 · not sent"),
    IdentityRefused: ("NOT_SENT", "未发出 · not sent"),
    # Room for the receipt is looked for before anything is sent.
    NotWritten: ("NOT_SENT", "未发出 · not sent"),
    Fault: ("NO_ANSWER", "没有答复 · no answer"),
    Unproven: ("UNPROVEN", "未经证明 · not proven"),
}
_EXPLAINED: Final = (Finding.INDETERMINATE, Finding.NOT_APPLICABLE, Finding.ERROR)
"""Findings nobody should have to look up; YES and NO say what they mean."""


def failure_text(failed: Failed, about: str = "") -> str:
    """Return for people why there is no answer, whose side it is and what to do."""
    lines = [f"{_STATES[type(failed)][1]}: {failed.reason} ({failed.side})"]
    detail = "" if failed.detail == failed.reason else failed.detail
    lines += [failed.text_zh, failed.text_en, detail, about]
    return "\n".join(line for line in lines if line)


def failure_json(failed: Failed, about: str = "") -> JsonValue:
    """Return the same for machines; `reason` is one of `hutong.client.ClientReason`."""
    return {
        "state": _STATES[type(failed)][0],
        "reason": str(failed.reason),
        "side": failed.side,
        "text_zh": failed.text_zh,
        "text_en": failed.text_en,
        "detail": failed.detail,
        "about": about,
    }


def show(outcome: Answered | Refused, unlisted: tuple[str, ...] = ()) -> None:
    """Print an answer as a table with what needs explaining, or a refusal.

    `unlisted` are fields asked that the catalog does not have.
    """
    console = build_console()
    if isinstance(outcome, Refused):
        console.print(f"拒绝 · refused: {outcome.reason} ({outcome.side})", markup=False)
        console.print(f"{outcome.text_zh}\n{outcome.text_en}", markup=False)
        if unlisted:
            console.print(
                f"数据目录中没有该数据项 · not in the catalog: {', '.join(unlisted)}", markup=False
            )
        return
    reason = outcome.indeterminate_reason
    table = Table(title=f"{outcome.dataset}  {outcome.state}{f' {reason}' if reason else ''}")
    for heading in ("数据项 · field", "给 · effect", "得 · value or finding"):
        # Folded and never cut: half a code is no code.
        table.add_column(heading, overflow="fold")
    for each in outcome.fields:
        table.add_row(each.name, each.effect_text, _text(each))
    console.print(table)
    _explain(console, outcome)
    receipt = outcome.receipt
    console.print(f"回执 · receipt: entry {receipt.index} of {receipt.tree.size}")


def _explain(console: Console, outcome: Answered) -> None:
    if outcome.indeterminate_reason is not None:
        told = INDETERMINATE_TEXTS[outcome.indeterminate_reason]
        console.print(f"{outcome.indeterminate_reason} ({told.side})", markup=False)
        console.print(f"{told.zh}\n{told.en}", markup=False)
        return
    found = {each.finding for each in outcome.fields}
    for finding in _EXPLAINED:
        if finding in found:
            zh, en = FINDING_TEXTS[finding]
            console.print(f"{finding}: {zh}\n{en}", markup=False)


def _text(each: AnsweredField) -> str:
    if each.outcome is FieldOutcome.VALUE:
        return "、".join(each.value) if isinstance(each.value, tuple) else str(each.value)
    return str(each.finding) if each.finding is not None else str(each.outcome)


def outcome_json(outcome: Answered | Refused) -> dict[str, JsonValue]:
    """Return an answer or a refusal for machines, with its receipt."""
    receipt = outcome.receipt
    common: dict[str, JsonValue] = {
        "receipt": None if receipt is None else json_module.loads(receipt.encode())
    }
    if isinstance(outcome, Refused):
        return {
            "state": "REFUSED",
            "reason": outcome.reason,
            "side": outcome.side,
            "text_zh": outcome.text_zh,
            "text_en": outcome.text_en,
            "request_id": outcome.told.request_id.hex(),
            **common,
        }
    fields: list[JsonValue] = [_field_json(each) for each in outcome.fields]
    return {
        "state": str(outcome.state),
        **_reason_json(outcome),
        "request_id": outcome.request_id.hex(),
        "agreement": outcome.agreement,
        "dataset": outcome.dataset,
        "provider": outcome.provider,
        "policy": outcome.policy_digest.hex(),
        "delete_by": None if outcome.delete_by is None else outcome.delete_by.isoformat(),
        "fields": fields,
        **common,
    }


def _reason_json(outcome: Answered) -> dict[str, JsonValue]:
    if outcome.indeterminate_reason is None:
        return {"reason": None}
    told, wait_s = INDETERMINATE_TEXTS[outcome.indeterminate_reason], outcome.retry_after_s
    return {
        "reason": str(outcome.indeterminate_reason),
        "side": told.side,
        "text_zh": told.zh,
        "text_en": told.en,
        "retry_after_s": None if wait_s is None else math.ceil(wait_s),
    }


def show_json(
    outcome: Answered | Refused, *, kept: bool | None, unlisted: tuple[str, ...] = ()
) -> None:
    """Print an answer or a refusal; `kept` says whether its receipt lies where it was wanted."""
    told = outcome_json(outcome)
    if unlisted:
        told["unlisted_fields"] = list(unlisted)
    if kept is not None:
        told["receipt_saved"] = kept
    print_json(told)


def _field_json(each: AnsweredField) -> JsonValue:
    members: dict[str, JsonValue] = {
        "field": each.name,
        "effect": str(each.effect),
        "effect_text": each.effect_text,
        "outcome": str(each.outcome),
    }
    if each.value is not None:
        members["value"] = list(each.value) if isinstance(each.value, tuple) else each.value
    if each.finding is not None:
        members["finding"] = str(each.finding)
    return members
