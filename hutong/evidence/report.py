"""Tells an outcome to people (Chinese, then English) and to machines (JSON).

Knows what was proven and how to say it; judges nothing. A report never repeats an opened value or
any other personal data: it names members, not their contents.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from hutong.evidence.reasons import (
    MEANINGS,
    EvidenceError,
    EvidenceRefused,
    Outcome,
)

if TYPE_CHECKING:
    from hutong.evidence.checkpoint import ProvenCheckpoint
    from hutong.evidence.entry import Entry
    from hutong.evidence.receipt import ProvenReceipt
    from hutong.evidence.spelling import JsonValue
    from hutong.evidence.whole_log import Finding, LogReport

_VERDICTS: Final = {
    Outcome.PROVEN: ("成立", "PROVEN"),
    Outcome.TAMPERED: ("不成立：有改动", "TAMPERED"),
    Outcome.CANNOT_TELL: ("无法判断", "CANNOT TELL"),
    Outcome.UNREADABLE: ("无法读取", "UNREADABLE"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One outcome: its sentences in both languages and the facts behind them."""

    outcome: Outcome
    zh: tuple[str, ...]
    en: tuple[str, ...]
    facts: dict[str, JsonValue]


def encode_report_text(report: Report) -> str:
    """Writes a report for people: Chinese first, English after."""
    zh, en = _VERDICTS[report.outcome]
    lines = [f"结论：{zh}", *report.zh, "", f"Verdict: {en}", *report.en]
    return "".join(f"{line}\n" for line in lines)


def encode_report_json(report: Report) -> str:
    """Writes a report for machines: one JSON object."""
    written = {"outcome": report.outcome.name, **report.facts}
    return json.dumps(written, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def report_of_error(error: EvidenceError) -> Report:
    """Tells why evidence does not stand, or cannot be read."""
    if isinstance(error, EvidenceRefused):
        meaning = MEANINGS[error.reason]
        return Report(
            outcome=meaning.outcome,
            zh=(f"{meaning.zh} [{error.reason}]",),
            en=(f"{meaning.en} [{error.reason}]",),
            facts={"reason": str(error.reason)},
        )
    return Report(
        outcome=Outcome.UNREADABLE,
        zh=(f"文件不符合格式或无法读取（{error}）。",),
        en=(f"The input is not in its form or cannot be read ({error}).",),
        facts={"reason": "UNREADABLE", "detail": str(error)},
    )


def report_of_checkpoint(checkpoint: ProvenCheckpoint) -> Report:
    """Tells what a proven checkpoint says."""
    size, root = checkpoint.head.size, checkpoint.head.root_hash.hex()
    zh = [f"日志 {checkpoint.origin} 签署：共 {size} 条，根哈希 {root}。"]
    en = [f"Log {checkpoint.origin} signed: {size} entries, root hash {root}."]
    # Signed, yet not understood here; silence would look like agreement.
    if checkpoint.extensions:
        zh.append(f"另有 {len(checkpoint.extensions)} 行扩展内容，本程序不解释。")
        en.append(f"{len(checkpoint.extensions)} extension lines are not interpreted.")
    return Report(
        outcome=Outcome.PROVEN, zh=tuple(zh), en=tuple(en), facts=_facts_of_head(checkpoint)
    )


def report_of_consistency(older: ProvenCheckpoint, newer: ProvenCheckpoint) -> Report:
    """Tells that one tree extends another."""
    first, second = older.head.size, newer.head.size
    return Report(
        outcome=Outcome.PROVEN,
        zh=(f"{second} 条的日志是 {first} 条的日志的延续：此前内容一字未改。",),
        en=(f"The log of {second} entries extends the log of {first}: nothing before changed.",),
        facts={"origin": newer.origin, "first_size": first, "second_size": second},
    )


def report_of_opening(member: str) -> Report:
    """Tells that a commitment was opened, without its value."""
    return Report(
        outcome=Outcome.PROVEN,
        zh=(f"所给的盐和内容打开了承诺“{member}”。",),
        en=(f'Salt and value open the commitment "{member}".',),
        facts={"opened": [member]},
    )


def report_of_receipt(proven: ProvenReceipt) -> Report:
    """Tells exactly what was proven of a receipt, and what was not."""
    entry, provenance = proven.entry, proven.provenance
    zh, en = _sentences_of_entry(entry, proven)
    for bound, name_zh, name_en in (
        (provenance.request_bound, "请求原文", "request"),
        (provenance.answer_bound, "应答原文", "answer"),
    ):
        if bound:
            zh.append(f"已证明：所给{name_zh}就是日志所记的那一份。")
            en.append(f"Proven: the {name_en} given is the very one the log recorded.")
        else:
            zh.append(f"未核对：没有给出{name_zh}。")
            en.append(f"Not compared: no {name_en} was given.")
    if provenance.opened:
        zh.append(f"已打开的承诺：{'、'.join(provenance.opened)}。")
        en.append(f"Commitments opened: {', '.join(provenance.opened)}.")
    # Always said: a receipt proves an exchange, and readers tend to take it for more.
    zh.append("未证明：数据本身是否属实；该由数源部门的签名证明。")
    en.append("Not proven: that the facts are true; the source department's signature proves that.")
    facts = _facts_of_head(proven.checkpoint)
    opened: list[JsonValue] = list(provenance.opened)
    facts |= {
        "index": proven.index,
        # Safe to show: sensitive members stand in the entry as commitments only.
        "entry": dict(entry.members),
        "proven": {
            "checkpoint_signed": provenance.checkpoint_signed,
            "entry_included": provenance.entry_included,
            "exchange_expected": provenance.exchange_expected,
            "request_bound": provenance.request_bound,
            "answer_bound": provenance.answer_bound,
            "opened": opened,
        },
    }
    return Report(outcome=Outcome.PROVEN, zh=tuple(zh), en=tuple(en), facts=facts)


def report_of_log(report: LogReport) -> Report:
    """Tells what a whole log comes to, its first wrong position first."""
    zh = [f"共 {report.size} 条，{report.checkpoints} 个检查点，对照回执 {report.receipts} 份。"]
    counts = f"{report.size} entries, {report.checkpoints} checkpoints"
    en = [f"{counts}, {report.receipts} receipts held against them."]
    for finding in report.findings:
        meaning = MEANINGS[finding.reason]
        tail = f" ({finding.detail})" if finding.detail else ""
        zh.append(f"{finding.position}：{meaning.zh} [{finding.reason}]{tail}")
        en.append(f"{finding.position}: {meaning.en} [{finding.reason}]{tail}")
    if report.unanswered:
        zh.append(f"没有应答的请求条目 {len(report.unanswered)} 条（中断或仍在办理）。")
        en.append(f"{len(report.unanswered)} asks have no answer (interrupted or under way).")
    kinds: dict[str, JsonValue] = dict(report.kinds)
    facts: dict[str, JsonValue] = {
        "size": report.size,
        "root_hash": report.root_hash.hex(),
        "signed_size": report.signed_size,
        "checkpoints": report.checkpoints,
        "receipts": report.receipts,
        "kinds": kinds,
        "findings": [_facts_of_finding(finding) for finding in report.findings],
        "unanswered": [
            {"index": u.index, "tx": u.request_id, "item": u.item, "ts": u.time_ms}
            for u in report.unanswered
        ],
    }
    return Report(outcome=report.outcome, zh=tuple(zh), en=tuple(en), facts=facts)


def _sentences_of_entry(entry: Entry, proven: ProvenReceipt) -> tuple[list[str], list[str]]:
    # `ts` is UTC milliseconds; a year past 9999 is no date, and then the number itself is told.
    try:
        moment = datetime.fromtimestamp(entry.time_ms / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        moment = f"ts={entry.time_ms}"
    head = proven.checkpoint
    zh = [
        (
            f"已证明：日志 {head.origin} 第 {proven.index} 条（类别 {entry.kind}，{moment}，"
            f"节点 {entry.node}）在其签署的 {head.head.size} 条之内。"
        )
    ]
    en = [
        (
            f"Proven: entry {proven.index} of log {head.origin} (kind {entry.kind}, {moment}, node"
            f" {entry.node}) is among the {head.head.size} entries it signed."
        )
    ]
    return zh, en


def _facts_of_head(checkpoint: ProvenCheckpoint) -> dict[str, JsonValue]:
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.head.size,
        "root_hash": checkpoint.head.root_hash.hex(),
        "key_id": checkpoint.key.key_id.hex(),
    }


def _facts_of_finding(finding: Finding) -> dict[str, JsonValue]:
    return {
        "reason": str(finding.reason),
        "place": finding.place,
        "number": finding.number,
        "detail": finding.detail,
    }
