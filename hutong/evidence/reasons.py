"""Why evidence is refused, and what each reason means to the person who holds it.

Knows no format and no cryptography: only the closed list of reasons, the outcome each one leads to,
and its sentence in Chinese and English.

INVARIANT: every reason has exactly one outcome and one text per language.

    EvidenceError
    ├── Malformed          the bytes are not what they claim to be
    ├── Unreadable         the file or database cannot be read at all
    └── EvidenceRefused    well-formed, and it does not prove what it should
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum, unique
from typing import Final


@unique
class Outcome(IntEnum):
    """What a judgement comes to; the number is the exit code of the command."""

    PROVEN = 0
    TAMPERED = 1
    CANNOT_TELL = 2
    UNREADABLE = 3


@unique
class EvidenceReason(StrEnum):
    """Closed list of reasons why evidence does not stand."""

    # The signed head of the log.
    KEY_UNKNOWN = "KEY_UNKNOWN"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    ORIGIN_MISMATCH = "ORIGIN_MISMATCH"
    CHECKPOINT_STALE = "CHECKPOINT_STALE"
    # The tree.
    INDEX_OUTSIDE_TREE = "INDEX_OUTSIDE_TREE"
    INCLUSION_INVALID = "INCLUSION_INVALID"
    CONSISTENCY_INVALID = "CONSISTENCY_INVALID"
    # The meaning of one receipt.
    ENTRY_MALFORMED = "ENTRY_MALFORMED"
    EXCHANGE_MISMATCH = "EXCHANGE_MISMATCH"
    REQUEST_MISMATCH = "REQUEST_MISMATCH"
    ANSWER_MISMATCH = "ANSWER_MISMATCH"
    OPENING_MISMATCH = "OPENING_MISMATCH"
    COMMITMENT_ABSENT = "COMMITMENT_ABSENT"
    SALT_ABSENT = "SALT_ABSENT"
    # The whole log.
    ROOT_MISMATCH = "ROOT_MISMATCH"
    CHECKPOINT_MALFORMED = "CHECKPOINT_MALFORMED"
    CHECKPOINT_MISFILED = "CHECKPOINT_MISFILED"
    ENTRY_ABSENT = "ENTRY_ABSENT"
    ENTRY_DIFFERS = "ENTRY_DIFFERS"
    ENTRY_UNSIGNED = "ENTRY_UNSIGNED"
    LOG_TRUNCATED = "LOG_TRUNCATED"
    LOG_UNSIGNED = "LOG_UNSIGNED"
    VIEW_FORKED = "VIEW_FORKED"
    TIME_BACKWARDS = "TIME_BACKWARDS"
    ASK_ABSENT = "ASK_ABSENT"
    ASK_DIFFERS = "ASK_DIFFERS"
    ANSWER_REPEATED = "ANSWER_REPEATED"
    KIND_UNKNOWN = "KIND_UNKNOWN"


class EvidenceError(Exception):
    """Base of every error of this package."""


class Malformed(EvidenceError):
    """Bytes that are not in the one accepted spelling of their format."""

    def __init__(self, what: str) -> None:
        """Names what is malformed; never carries the bytes themselves."""
        super().__init__(what)
        self.what = what


class Unreadable(EvidenceError):
    """A file or database that cannot be read at all."""


class EvidenceRefused(EvidenceError):
    """Well-formed evidence that does not prove what it should."""

    def __init__(self, reason: EvidenceReason, position: str = "") -> None:
        """Carries the closed reason and, in a whole log, the first wrong position."""
        super().__init__(f"{reason} at {position}" if position else str(reason))
        self.reason = reason
        self.position = position

    @property
    def outcome(self) -> Outcome:
        """What this refusal comes to."""
        return MEANINGS[self.reason].outcome


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one reason comes to and how it is told."""

    outcome: Outcome
    zh: str
    en: str


_R = EvidenceReason
_BAD = Outcome.TAMPERED
_OPEN = Outcome.CANNOT_TELL

MEANINGS: Final[dict[EvidenceReason, Meaning]] = {
    # Not an accusation: whoever holds the wrong key learns nothing about the log.
    _R.KEY_UNKNOWN: Meaning(
        _OPEN,
        "检查点上没有给定日志公钥的签名：请确认公钥来自入网资料包。",
        "No signature by the given log key: make sure the key is the one of the enrolment bundle.",
    ),
    _R.SIGNATURE_INVALID: Meaning(
        _BAD,
        "检查点的签名与日志公钥不符：检查点被改动或由他人伪造。",
        "The signature does not fit the log key: the checkpoint was altered or forged.",
    ),
    _R.ORIGIN_MISMATCH: Meaning(
        _BAD,
        "检查点属于另一本日志（日志标识不同）。",
        "The checkpoint belongs to another log (its origin differs).",
    ),
    _R.CHECKPOINT_STALE: Meaning(
        _BAD,
        "检查点比已知的更旧：日志被回退或出示了旧状态。",
        "The checkpoint is older than one already known: the log was rolled back.",
    ),
    _R.INDEX_OUTSIDE_TREE: Meaning(
        _BAD,
        "条目序号不在检查点覆盖的范围内。",
        "The index of the entry lies outside the tree the checkpoint covers.",
    ),
    _R.INCLUSION_INVALID: Meaning(
        _BAD,
        "包含证明不成立：条目、序号、证明或检查点至少有一项被改动。",
        "The inclusion proof fails: entry, index, proof or checkpoint was altered.",
    ),
    _R.CONSISTENCY_INVALID: Meaning(
        _BAD,
        "一致性证明不成立：新日志不是旧日志的延续，历史被改写。",
        "The consistency proof fails: the newer log does not extend the older one.",
    ),
    _R.ENTRY_MALFORMED: Meaning(
        _BAD,
        "日志条目不符合规定格式。",
        "A log entry is not in the required form.",
    ),
    _R.EXCHANGE_MISMATCH: Meaning(
        _BAD,
        "回执属于另一次交换（请求编号、序号或类别不同）。",
        "The receipt belongs to another exchange (request id, item or kind differs).",
    ),
    _R.REQUEST_MISMATCH: Meaning(
        _BAD,
        "请求原文与日志中的请求承诺不符。",
        "The request bytes do not open the request commitment in the log.",
    ),
    _R.ANSWER_MISMATCH: Meaning(
        _BAD,
        "应答原文与日志中的应答承诺不符。",
        "The answer bytes do not open the answer commitment in the log.",
    ),
    _R.OPENING_MISMATCH: Meaning(
        _BAD,
        "所给的盐和内容与日志中的承诺不符。",
        "The salt and value given do not open the commitment in the log.",
    ),
    _R.COMMITMENT_ABSENT: Meaning(
        _BAD,
        "条目中没有这一项承诺，无从核对。",
        "The entry holds no commitment of this name.",
    ),
    # Without the salt nothing speaks for or against the bytes.
    _R.SALT_ABSENT: Meaning(
        _OPEN,
        "缺少盐，无法核对原文：请一并提供盐或完整回执。",
        "The salt is missing, so the bytes cannot be compared: give the salt or the whole receipt.",
    ),
    _R.ROOT_MISMATCH: Meaning(
        _BAD,
        "由条目重算的根哈希与检查点不符：这一段的条目被改动、调换或增删。",
        "The root derived from the entries differs from the checkpoint: entries were altered.",
    ),
    _R.CHECKPOINT_MALFORMED: Meaning(
        _BAD,
        "日志中的检查点不符合规定格式。",
        "A stored checkpoint is not in the required form.",
    ),
    _R.CHECKPOINT_MISFILED: Meaning(
        _BAD,
        "检查点登记的大小与其签名内容不同。",
        "A checkpoint is filed under a size that differs from the one it signs.",
    ),
    _R.ENTRY_ABSENT: Meaning(
        _BAD,
        "日志条目序号不连续：中间缺少条目。",
        "The indices have a gap: an entry is missing.",
    ),
    _R.ENTRY_DIFFERS: Meaning(
        _BAD,
        "日志中的条目与回执中的条目不同：条目被调换。",
        "The entry in the log differs from the one in the receipt: it was swapped.",
    ),
    # Entry and checkpoint are committed together, so even a crash leaves none of these behind.
    _R.ENTRY_UNSIGNED: Meaning(
        _BAD,
        "最后一个检查点之后还有未签名的条目。",
        "Entries stand after the newest checkpoint and no signature covers them.",
    ),
    _R.LOG_TRUNCATED: Meaning(
        _BAD,
        "日志尾部被截断：回执或检查点证明后面曾有条目。",
        "The tail of the log was cut off: a receipt or checkpoint proves that more existed.",
    ),
    # Cut back to before its first checkpoint, a log looks like one that has just begun.
    _R.LOG_UNSIGNED: Meaning(
        _OPEN,
        "日志中没有任何检查点，无法判断。",
        "The log holds no checkpoint at all, so nothing can be told.",
    ),
    _R.VIEW_FORKED: Meaning(
        _BAD,
        "同一大小有两个不同的根哈希：日志向不同的人出示了不同的内容。",
        "Two different roots of one size: the log showed different contents to different people.",
    ),
    _R.TIME_BACKWARDS: Meaning(
        _BAD,
        "条目时间早于前一条。",
        "An entry is dated before the entry that precedes it.",
    ),
    _R.ASK_ABSENT: Meaning(
        _BAD,
        "应答条目所指的请求条目不存在：请求没有先记入日志。",
        "An answer points to an ask that does not exist: the ask was never logged.",
    ),
    _R.ASK_DIFFERS: Meaning(
        _BAD,
        "应答条目与所指请求条目的编号或请求承诺不同。",
        "An answer and the ask it points to differ in request id, item or request commitment.",
    ),
    _R.ANSWER_REPEATED: Meaning(
        _BAD,
        "同一请求条目被应答两次。",
        "One ask was answered twice.",
    ),
    # A log may be newer than its reader: a kind he does not know is no sign of tampering.
    _R.KIND_UNKNOWN: Meaning(
        _OPEN,
        "条目类别未知：请使用更新版本的核验程序。",
        "An entry is of an unknown kind: use a newer verifier.",
    ),
}
