"""Reads agreements into values with positions; judges their shape, not their meaning.

An agreement, as an officer writes it:

    编号: XY-2026-201
    名称: 退休申请查询人口基本信息
    使用方: 11370000MB2DEM0105/retirement
    目录: ps.person_core@1
    依据: [社会保险法第五十七条]
    责任人: 养老保险处
    事项: [M2]
    角色: [经办, 复核]
    有效: {起: 启动日-30天, 止: 启动日+335天}
    前提: [办件在办, 查询对象是申请人]
    频次: {每办件每人: 3, 每日: 20000, 每秒: 50}
    查无: 告知
    字段: {姓名: "掩码(1,0)", 出生日期: 明文}
    例: [{名称: 正常, 得: {姓名: "掩码(1,0)", 出生日期: 明文}}]

A condition without its own value in an example is 是 as a precondition and 否 elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from gateway.catalog.document import (
    DocumentNode,
    ListNode,
    MapNode,
    TextNode,
    require_integer,
    require_list,
    require_map,
    require_text,
    require_texts,
)
from gateway.catalog.problems import PolicyReason, Position, refusal
from gateway.policy.model import QuotaKind
from gateway.policy.vocabulary import Outcome

OTHERWISE: Final = "否则"
_OUTCOMES: Final = {"是": Outcome.TRUE, "否": Outcome.FALSE, "不明": Outcome.UNKNOWN}
_LIMITS: Final = {
    "每办件每人": QuotaKind.PER_CASE_AND_SUBJECT,
    "每日": QuotaKind.PER_DAY,
    "每秒": QuotaKind.PER_SECOND,
}
_RELATIVE_DAY: Final = re.compile(r"启动日([+-])(0|[1-9][0-9]{0,3})天")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDocument:
    """One rung as written; `condition` None is 否则."""

    condition: str | None
    effect: str
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDocument:
    """The cell of one field, named by its Chinese title."""

    title: str
    steps: tuple[StepDocument, ...]
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleDocument:
    """A case an officer wrote down with what must come out."""

    name: str
    conditions: Mapping[str, Outcome]
    expected: Mapping[str, str]
    """Effect text by title; a single entry "*" stands for every field."""
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementDocument:
    """One agreement as written; dates resolved."""

    number: str
    title: str
    system: str
    dataset: str
    basis: tuple[str, ...]
    owner: str
    matters: tuple[str, ...]
    roles: tuple[str, ...]
    first_day: date
    last_day: date
    suspended: bool
    preconditions: tuple[str, ...]
    limits: Mapping[QuotaKind, int]
    retention_days: int | None
    tell_not_found: bool
    cells: tuple[CellDocument, ...]
    examples: tuple[ExampleDocument, ...]
    position: Position


_REQUIRED: Final = (
    "编号",
    "名称",
    "使用方",
    "目录",
    "依据",
    "责任人",
    "事项",
    "角色",
    "有效",
    "频次",
    "字段",
)
_OPTIONAL: Final = ("状态", "前提", "保存天数", "查无", "例")
_MISSING: Final = {
    "依据": PolicyReason.BASIS_MISSING,
    "有效": PolicyReason.EXPIRY_MISSING,
    "频次": PolicyReason.QUOTA_MISSING,
    "责任人": PolicyReason.OWNER_MISSING,
}


def parse_agreement(node: DocumentNode, start: date) -> AgreementDocument:
    """Read one agreement; relative days count from `start`.

    Raises:
        PolicyRefused: a member is missing, unknown or of the wrong shape.
    """
    # These four have reasons of their own, so they are looked for before the general shape.
    _require_essentials(node)
    members = require_map(node, _REQUIRED, _OPTIONAL)
    validity = require_map(members["有效"], ("起", "止"))
    retention = members.get("保存天数")
    return AgreementDocument(
        number=require_text(members["编号"]),
        title=require_text(members["名称"]),
        system=require_text(members["使用方"]),
        dataset=require_text(members["目录"]),
        basis=require_texts(members["依据"]),
        owner=require_text(members["责任人"]),
        matters=require_texts(members["事项"]),
        roles=require_texts(members["角色"]),
        first_day=parse_day(validity["起"], start),
        last_day=parse_day(validity["止"], start),
        suspended=_parse_choice(members.get("状态"), on="暂停", off="生效"),
        preconditions=require_texts(members["前提"]) if "前提" in members else (),
        limits=_parse_limits(members["频次"]),
        retention_days=None if retention is None else require_integer(retention),
        tell_not_found=_parse_choice(members.get("查无"), on="告知", off="不告知"),
        cells=_parse_cells(members["字段"]),
        examples=tuple(_parse_example(item) for item in require_list(members["例"]))
        if "例" in members
        else (),
        position=node.position,
    )


def _require_essentials(node: DocumentNode) -> None:
    """Refuse an agreement without basis, expiry, quota or owner, each with a reason of its own."""
    if not isinstance(node, MapNode):
        return
    for name, reason in _MISSING.items():
        found = node.members.get(name)
        empty = found is None or (isinstance(found, ListNode) and not found.items)
        if empty or (isinstance(found, MapNode) and not found.members):
            raise refusal(reason, node.position, f"协议没有“{name}”", f"agreement without {name}")


def parse_day(node: DocumentNode, start: date) -> date:
    """Read an ISO date or `启动日±N天`.

    Raises:
        PolicyRefused: WRONG_SHAPE.
    """
    text = require_text(node)
    if relative := _RELATIVE_DAY.fullmatch(text):
        days = int(relative[2])
        return start + timedelta(days=days if relative[1] == "+" else -days)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # `fromisoformat` reads several spellings; one is accepted.
    if day is None or day.isoformat() != text:
        # from None: the text stands in the document at the position given
        raise refusal(
            PolicyReason.WRONG_SHAPE,
            node.position,
            "日期应写作 2026-01-01 或 启动日+30天",
            "a day is written 2026-01-01 or relative to start",
        ) from None
    return day


def _parse_choice(node: DocumentNode | None, *, on: str, off: str) -> bool:
    if node is None:
        return False
    text = require_text(node)
    if text not in {on, off}:
        raise refusal(
            PolicyReason.WRONG_SHAPE,
            node.position,
            f"只能写“{on}”或“{off}”",
            f"either {on} or {off}",
        )
    return text == on


def _parse_limits(node: DocumentNode) -> Mapping[QuotaKind, int]:
    members = require_map(node, ("每日", "每秒"), ("每办件每人",))
    return {_LIMITS[name]: require_integer(value) for name, value in members.items()}


def _parse_cells(node: DocumentNode) -> tuple[CellDocument, ...]:
    return tuple(
        CellDocument(title=title, steps=_parse_ladder(value), position=value.position)
        for title, value in require_map(node, (), None).items()
    )


def _parse_ladder(node: DocumentNode) -> tuple[StepDocument, ...]:
    if isinstance(node, TextNode):
        return (StepDocument(condition=None, effect=node.text, position=node.position),)
    steps = tuple(_parse_step(item) for item in require_list(node))
    open_ended = not steps or steps[-1].condition is not None
    if open_ended or any(step.condition is None for step in steps[:-1]):
        raise refusal(
            PolicyReason.LADDER_OPEN_ENDED,
            node.position,
            "阶梯须以且只以“否则”结尾",
            "a ladder ends with 否则, and only there",
        )
    return steps


def _parse_step(node: DocumentNode) -> StepDocument:
    if isinstance(node, MapNode) and OTHERWISE in node.members:
        members = require_map(node, (OTHERWISE,))
        effect = require_text(members[OTHERWISE])
        return StepDocument(condition=None, effect=effect, position=node.position)
    members = require_map(node, ("当", "给"))
    return StepDocument(
        condition=require_text(members["当"]),
        effect=require_text(members["给"]),
        position=node.position,
    )


def _parse_example(node: DocumentNode) -> ExampleDocument:
    members = require_map(node, ("名称", "得"), ("条件",))
    conditions: dict[str, Outcome] = {}
    if "条件" in members:
        for name, value in require_map(members["条件"], (), None).items():
            conditions[name] = parse_outcome(value)
    expected = members["得"]
    if isinstance(expected, TextNode):
        wanted = {"*": expected.text}
    else:
        wanted = {
            title: require_text(value) for title, value in require_map(expected, (), None).items()
        }
    return ExampleDocument(
        name=require_text(members["名称"]),
        conditions=conditions,
        expected=wanted,
        position=node.position,
    )


def parse_outcome(node: DocumentNode) -> Outcome:
    """Read 是, 否 or 不明.

    Raises:
        PolicyRefused: WRONG_SHAPE.
    """
    text = require_text(node)
    if text not in _OUTCOMES:
        raise refusal(
            PolicyReason.WRONG_SHAPE, node.position, "只能写 是、否、不明", "yes, no or unknown"
        )
    return _OUTCOMES[text]
