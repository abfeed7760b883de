"""Reads the engineers' file: the vocabulary of facts, and the conditions with their examples.

    词汇:
      case_state: {类型: string, 来源: case, 名称: 办件状态, 取值: [open, held, closed]}
    条件:
      办件在办:
        式: case_state == "open"
        责任人: 审批处
        英文: the case is open
        例: [{事实: {case_state: open}, 得: 是}, {事实: {}, 得: 不明}]

Every condition is run on its examples, by both back ends, when the file is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.catalog.document import (
    DocumentNode,
    require_list,
    require_map,
    require_text,
    require_texts,
)
from gateway.catalog.problems import PolicyReason, refusal
from gateway.policy.conditions import CelEngine, ClosureEngine, Condition, ConditionCompiler
from gateway.policy.document import parse_outcome
from gateway.policy.errors import ConditionRefused
from gateway.policy.vocabulary import (
    FactDeclaration,
    FactSource,
    FactType,
    FactValue,
    Vocabulary,
    select_known,
)

_FACT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
_BOOLEANS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionsDocument:
    """The vocabulary and the conditions by Chinese name."""

    vocabulary: Vocabulary
    conditions: Mapping[str, Condition]
    compiler: ConditionCompiler


def parse_conditions(node: DocumentNode) -> ConditionsDocument:
    """Read, compile and try every condition.

    Raises:
        PolicyRefused: WRONG_SHAPE, a CONDITION_… reason, EXAMPLE_MISSING or EXAMPLE_FAILED.
    """
    members = require_map(node, ("词汇", "条件"))
    vocabulary = {
        name: _parse_fact(name, entry)
        for name, entry in require_map(members["词汇"], (), None).items()
    }
    compiler = ConditionCompiler(vocabulary)
    conditions: dict[str, Condition] = {}
    for name, entry in require_map(members["条件"], (), None).items():
        conditions[name] = _parse_condition(name, entry, compiler)
        _require_examples(conditions[name], entry, vocabulary, compiler)
    return ConditionsDocument(vocabulary=vocabulary, conditions=conditions, compiler=compiler)


def _parse_fact(name: str, node: DocumentNode) -> FactDeclaration:
    members = require_map(node, ("类型", "来源", "名称"), ("取值",))
    try:
        kind = FactType(require_text(members["类型"]))
        source = FactSource(require_text(members["来源"]))
    except ValueError as unknown:
        raise refusal(
            PolicyReason.WRONG_SHAPE,
            node.position,
            f"事实 {name} 的类型或来源不在规定值内",
            f"type or source of fact {name} is not a listed value",
        ) from unknown
    values = require_texts(members["取值"]) if "取值" in members else ()
    if not _FACT_NAME.fullmatch(name) or (values and kind is not FactType.STRING):
        raise refusal(
            PolicyReason.WRONG_SHAPE, node.position, f"事实 {name} 不合规", f"bad fact {name}"
        )
    return FactDeclaration(
        name=name, type=kind, source=source, title_zh=require_text(members["名称"]), values=values
    )


def _parse_condition(name: str, node: DocumentNode, compiler: ConditionCompiler) -> Condition:
    members = require_map(node, ("式", "责任人", "英文", "例"))
    try:
        return compiler.compile(
            name=name,
            expression=require_text(members["式"]),
            owner=require_text(members["责任人"]),
            explanation_en=require_text(members["英文"]),
        )
    except ConditionRefused as refused:
        raise refusal(
            refused.reason,
            members["式"].position,
            f"条件“{name}”不合规：{refused.detail}",
            f"condition {name}: {refused.detail}",
        ) from refused


def _require_examples(
    condition: Condition,
    node: DocumentNode,
    vocabulary: Vocabulary,
    compiler: ConditionCompiler,
) -> None:
    """Run the examples; each of 是, 否 and 不明 must be among them."""
    engines = (CelEngine((condition,), compiler), ClosureEngine((condition,)))
    seen = set()
    for example in require_list(require_map(node, ("例",), None)["例"]):
        members = require_map(example, ("事实", "得"))
        facts = parse_facts(members["事实"], vocabulary)
        wanted = parse_outcome(members["得"])
        seen.add(wanted)
        known = select_known(facts, vocabulary.values())
        # Both back ends: the one that decides and the one that shows whether it reads as CEL does.
        if any(engine.evaluate((condition.name,), known) != (wanted,) for engine in engines):
            raise refusal(
                PolicyReason.EXAMPLE_FAILED,
                example.position,
                f"条件“{condition.name}”的例与结果不符",
                f"an example of {condition.name} comes out otherwise",
            )
    if len(seen) < 3:  # noqa: PLR2004 - yes, no and unknown
        raise refusal(
            PolicyReason.EXAMPLE_MISSING,
            node.position,
            f"条件“{condition.name}”的例须含 是、否、不明",
            f"examples of {condition.name} need yes, no and unknown",
        )


def parse_facts(node: DocumentNode, vocabulary: Vocabulary) -> dict[str, FactValue]:
    """Read facts by the types of the vocabulary.

    Raises:
        PolicyRefused: WRONG_SHAPE for a name or value that is not declared.
    """
    facts: dict[str, FactValue] = {}
    for name, value in require_map(node, (), None).items():
        text = require_text(value)
        declaration = vocabulary.get(name)
        kind = None if declaration is None else declaration.type
        if kind is FactType.BOOL and text in _BOOLEANS:
            facts[name] = _BOOLEANS[text]
        elif kind is FactType.INT and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
            facts[name] = int(text)
        elif kind is FactType.STRING:
            facts[name] = text
        else:
            raise refusal(
                PolicyReason.WRONG_SHAPE,
                value.position,
                f"事实 {name} 未声明或取值不合类型",
                f"fact {name} is not declared or has another type",
            )
    return facts
