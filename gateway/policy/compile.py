"""Compiles an agreement: every refusal that can be told before a question is asked (3.3).

Knows nothing of files. Each function judges one thing and returns the problems it found, so that an
author sees all of them at once.

INVARIANT: in what is returned each cell is at most its ceiling, each ladder descends, and every
pair of effects that can meet at run time is comparable, so that the order of restrictions does not
matter.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from adapters.port import DatasetName, Effect, EffectKind, FieldName
from certs.identity import SystemId
from gateway.catalog import Catalog, CatalogField, Dataset, SharingClass
from gateway.catalog.problems import PolicyReason, PolicyRefused, Position, Problem
from gateway.policy.disclosure import JointSet, find_joint_problems
from gateway.policy.document import AgreementDocument, CellDocument
from gateway.policy.effects import (
    ANY_PREDICATE,
    DocumentEffect,
    applies_to,
    is_at_most,
    parse_effect,
)
from gateway.policy.errors import EffectRefused
from gateway.policy.model import SYSTEM_ROLE, Agreement, Cell, Restriction, Step

SYSTEM_ID: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}/[a-z][a-z0-9-]{0,31}")
_CHINA: Final = timedelta(hours=8)
_SEALED: Final = "document"
"""Catalog types that start so are sealed documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an agreement is compiled against."""

    catalog: Catalog
    ceilings: Mapping[tuple[DatasetName, FieldName], Effect]
    matters: Collection[str]
    roles: Collection[str]
    conditions: Collection[str]
    restrictions: tuple[Restriction, ...]
    joint_sets: tuple[JointSet, ...]


def compile_agreement(document: AgreementDocument, around: Surroundings) -> Agreement:
    """Return the compiled agreement.

    Raises:
        PolicyRefused: with every problem found.
    """
    dataset = around.catalog.find(document.dataset)
    # Everything is examined before anything is refused: an author mends a draft in one round.
    problems = list(_examine_head(document, around, dataset))
    cells: dict[FieldName, Cell] = {}
    if dataset is not None:
        for cell_document in document.cells:
            try:
                cell = _compile_cell(cell_document, dataset, around)
                cells[cell.field] = cell
            except PolicyRefused as refused:
                problems += refused.problems
        problems += _examine_system_role(document, cells)
        problems += find_joint_problems(dataset, cells, around.joint_sets, document.position)
    if problems or dataset is None:
        raise PolicyRefused(tuple(problems))
    # 止 is the last day in force, as a clerk reads it; from here on it is the first day after.
    until = document.last_day + timedelta(days=1)
    return Agreement(
        number=document.number,
        title=document.title,
        organisation=document.system.partition("/")[0],
        system=SystemId(document.system),
        dataset=dataset.name,
        provider=dataset.provider,
        basis=document.basis,
        owner=document.owner,
        matters=frozenset(document.matters),
        roles=frozenset(document.roles),
        valid_from=document.first_day.isoformat(),
        valid_until=until.isoformat(),
        from_ms=china_midnight_ms(document.first_day),
        until_ms=china_midnight_ms(until),
        suspended=document.suspended,
        preconditions=document.preconditions,
        limits=document.limits,
        delete_after_days=document.retention_days or dataset.retention_days,
        tell_not_found=document.tell_not_found,
        cells=cells,
    )


def china_midnight_ms(day: date) -> int:
    """Return the first moment of a day in China (UTC+8, no summer time)."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - _CHINA
    return int(midnight.timestamp()) * 1000


def _problem(reason: PolicyReason, at: Position, text_zh: str, text_en: str) -> Problem:
    return Problem(reason=reason, position=at, text_zh=text_zh, text_en=text_en)


def _examine_head(
    document: AgreementDocument, around: Surroundings, dataset: Dataset | None
) -> Iterator[Problem]:
    at = document.position
    if not SYSTEM_ID.fullmatch(document.system):
        yield _problem(
            PolicyReason.BAD_SYSTEM, at, "使用方应为 机构代码/系统", "system is not <USCC>/<slug>"
        )
    if dataset is None:
        yield _problem(
            PolicyReason.UNKNOWN_DATASET,
            at,
            f"目录中没有 {document.dataset}",
            f"no dataset {document.dataset}",
        )
    elif document.retention_days is not None and (
        not 1 <= document.retention_days <= dataset.retention_days
    ):
        yield _problem(
            PolicyReason.WRONG_SHAPE,
            at,
            f"保存天数应在 1 与 {dataset.retention_days} 之间",
            f"retention is 1 to {dataset.retention_days} days",
        )
    if document.last_day < document.first_day:
        yield _problem(PolicyReason.EXPIRY_MISSING, at, "止早于起", "ends before it starts")
    if not document.cells:
        yield _problem(PolicyReason.MEMBER_MISSING, at, "没有任何字段", "no cell")
    yield from _examine_names(document, around)


def _examine_names(document: AgreementDocument, around: Surroundings) -> Iterator[Problem]:
    rungs = {step.condition for cell in document.cells for step in cell.steps} - {None}
    named = (
        (PolicyReason.UNKNOWN_MATTER, "事项", document.matters, around.matters),
        (PolicyReason.UNKNOWN_ROLE, "角色", document.roles, around.roles),
        (PolicyReason.UNKNOWN_CONDITION, "条件", document.preconditions, around.conditions),
        (PolicyReason.UNKNOWN_CONDITION, "条件", sorted(filter(None, rungs)), around.conditions),
    )
    for reason, word, names, known in named:
        for name in names:
            if name not in known:
                yield _problem(
                    reason, document.position, f"没有登记的{word}“{name}”", f"unknown: {name}"
                )
    for word, names in (("事项", document.matters), ("角色", document.roles)):
        if not names:
            yield _problem(
                PolicyReason.MEMBER_MISSING, document.position, f"没有{word}", f"no {word}"
            )


def _compile_cell(document: CellDocument, dataset: Dataset, around: Surroundings) -> Cell:
    field = next((item for item in dataset.fields if item.title_zh == document.title), None)
    if field is None:
        raise PolicyRefused(
            (
                _problem(
                    PolicyReason.UNKNOWN_FIELD,
                    document.position,
                    f"{dataset.name} 没有数据项“{document.title}”",
                    f"no field {document.title} in {dataset.name}",
                ),
            )
        )
    # Not even as 不予提供: a cell that stands there invites to be raised later.
    if field.sharing_class is SharingClass.WITHHELD:
        raise PolicyRefused(
            (
                _problem(
                    PolicyReason.NOT_SHAREABLE,
                    document.position,
                    f"“{document.title}”不予共享，不得出现在协议中",
                    f"{field.name} is not shared and may have no cell",
                ),
            )
        )
    problems: list[Problem] = []
    steps: list[Step] = []
    for step in document.steps:
        found = _compile_effect(step.effect, step.position, dataset, field)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            steps.append(Step(condition=step.condition, effect=found, text=step.effect))
    cell = Cell(field=field.name, steps=tuple(steps))
    problems += _examine_order(cell, dataset, around, document.position)
    if problems:
        raise PolicyRefused(tuple(problems))
    return cell


def _compile_effect(
    text: str, at: Position, dataset: Dataset, field: CatalogField
) -> Effect | Problem:
    if field.type.startswith(_SEALED):
        return _refuse_document_effect(text, at)
    try:
        effect = parse_effect(text)
    except EffectRefused as refused:
        return _problem(refused.reason, at, f"效果“{text}”不合规", f"not an effect: {text}")
    # Bare 判断 is a ceiling: as a cell it would leave the predicate to whoever asks.
    base = dataset.name.partition("@")[0]
    if effect == ANY_PREDICATE or not applies_to(effect, base, field.name, field.type):
        return _problem(
            PolicyReason.EFFECT_NOT_APPLICABLE,
            at,
            f"“{text}”不适用于“{field.title_zh}”（{field.type}）",
            f"{text} has no meaning for {field.name} ({field.type})",
        )
    return effect


def _refuse_document_effect(text: str, at: Position) -> Problem:
    if text in {effect.value for effect in DocumentEffect}:
        return _problem(
            PolicyReason.DOCUMENT_UNSUPPORTED,
            at,
            "电子文件不经此路提供",
            "documents are not released on this path",
        )
    return _problem(
        PolicyReason.SEALED_DOCUMENT_MASKED,
        at,
        f"“{text}”会破坏签章，电子文件只可 全件、摘录、验真、不予提供",
        f"{text} would break the seal",
    )


def _examine_order(
    cell: Cell, dataset: Dataset, around: Surroundings, at: Position
) -> Iterator[Problem]:
    # Each rung, not the highest alone: a ladder may hold an effect that is incomparable.
    ceiling = around.ceilings[dataset.name, cell.field]
    for step in cell.steps:
        if not is_at_most(step.effect, ceiling):
            yield _problem(
                PolicyReason.ABOVE_CEILING,
                at,
                f"“{step.text}”高于上限或与上限不可比",
                f"{step.text} is above or incomparable with the ceiling",
            )
    for higher, lower in zip(cell.steps, cell.steps[1:], strict=False):
        if not is_at_most(lower.effect, higher.effect) or lower.effect == higher.effect:
            yield _problem(
                PolicyReason.LADDER_NOT_DESCENDING,
                at,
                f"阶梯“{higher.text}→{lower.text}”不是从高到低",
                f"ladder {higher.text} to {lower.text} does not descend",
            )
    yield from _examine_meets(cell, dataset, around, at)


def _examine_meets(
    cell: Cell, dataset: Dataset, around: Surroundings, at: Position
) -> Iterator[Problem]:
    """Refuse incomparable effects that could meet: their meet would depend on what else holds."""
    # Meets are exact only among comparable effects; with an incomparable pair, adding a ceiling
    # or losing a fact could raise a field (T4, T5).
    lowering = [
        (item.number, item.ceiling)
        for item in around.restrictions
        if item.ceiling is not None and item.covers(dataset.name, cell.field)
    ]
    fixed = around.ceilings[dataset.name, cell.field]
    others = [step.effect for step in cell.steps] + [fixed]
    for number, ceiling in lowering:
        for other in [*others, *(second for _, second in lowering)]:
            if not is_at_most(other, ceiling) and not is_at_most(ceiling, other):
                yield _problem(
                    PolicyReason.ABOVE_CEILING,
                    at,
                    f"与条件上限 {number} 不可比",
                    f"incomparable with conditional ceiling {number}",
                )
                return


def _examine_system_role(
    document: AgreementDocument, cells: Mapping[FieldName, Cell]
) -> Iterator[Problem]:
    """Hold system jobs to predicates (decisions.md, JWT)."""
    if SYSTEM_ROLE not in document.roles:
        return
    if len(document.roles) > 1:
        yield _problem(
            PolicyReason.SYSTEM_ROLE_MIXED,
            document.position,
            "列了“系统”的协议不得再列其他角色",
            "an agreement for system jobs admits no other role",
        )
    # COMPARE stands above PREDICATE: a job could try values by the thousand.
    allowed = {EffectKind.PREDICATE, EffectKind.WITHHOLD}
    for cell in cells.values():
        if any(step.effect.kind not in allowed for step in cell.steps):
            yield _problem(
                PolicyReason.SYSTEM_ABOVE_PREDICATE,
                document.position,
                f"系统作业对 {cell.field} 至多“判断”",
                f"a system job gets at most a predicate of {cell.field}",
            )
