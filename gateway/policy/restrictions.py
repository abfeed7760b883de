"""Reads what only lowers.

禁止 prohibitions, 条件上限 ceilings, 层级上限 caps by level, 不得同出 joint sets.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapters.port import DatasetName, Effect, EffectKind, FieldName
from gateway.catalog import Catalog, Dataset
from gateway.catalog.document import (
    DocumentNode,
    TextNode,
    require_list,
    require_map,
    require_text,
    require_texts,
)
from gateway.catalog.problems import PolicyReason, Position, refusal
from gateway.policy.disclosure import JointSet
from gateway.policy.effects import parse_effect
from gateway.policy.errors import EffectRefused
from gateway.policy.model import Restriction

_OWN_MEMBER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"禁止": (), "条件上限": ("上限",), "层级上限": ("至多",)}
)
"""What a restriction of each kind has beside what all have."""
_PREDICATES: Final = frozenset({EffectKind.PREDICATE})
CAPS: Final[Mapping[str, frozenset[EffectKind]]] = MappingProxyType(
    {
        "判断": _PREDICATES,
        "掩码": _PREDICATES | {EffectKind.COMPARE, EffectKind.GENERALISE, EffectKind.MASK},
    }
)
"""Kinds a cap admits. A pseudonym is in neither: it follows a person through the cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionsDocument:
    """Everything in the file, ordered by number."""

    restrictions: tuple[Restriction, ...]
    joint_sets: tuple[JointSet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a restriction may name."""

    catalog: Catalog
    conditions: Collection[str]
    matters: Collection[str]
    roles: Collection[str]


def parse_restrictions(node: DocumentNode, names: Names) -> RestrictionsDocument:
    """Read the file.

    Raises:
        PolicyRefused: a name is unknown, a number is taken, an effect is malformed, or an exemption
            names nothing.
    """
    members = require_map(node, ("禁止", "条件上限", "不得同出"), ("层级上限",))
    restrictions = [
        _parse_restriction(item, names, own)
        for kind, own in _OWN_MEMBER.items()
        if kind in members
        for item in require_list(members[kind])
    ]
    joint_sets = [
        _parse_joint_set(item, names.catalog) for item in require_list(members["不得同出"])
    ]
    numbers = [item.number for item in restrictions] + [item.number for item in joint_sets]
    # The log names the rule that decided by its number, so a number has to mean one rule.
    if len(set(numbers)) != len(numbers):
        raise refusal(
            PolicyReason.NUMBER_TAKEN, node.position, "禁止事项编号重复", "a number is taken"
        )
    return RestrictionsDocument(
        # By number, so that moving a line in the file changes neither digest nor outcome.
        restrictions=tuple(sorted(restrictions, key=lambda item: item.number)),
        joint_sets=tuple(sorted(joint_sets, key=lambda item: item.number)),
    )


def parse_effect_at(node: DocumentNode) -> Effect:
    """Parse an effect that stands in a document.

    Raises:
        PolicyRefused: EFFECT_MALFORMED or THRESHOLD_OPEN.
    """
    text = require_text(node)
    try:
        return parse_effect(text)
    except EffectRefused as refused:
        raise refusal(
            refused.reason, node.position, f"效果“{text}”不合规", f"not an effect: {text}"
        ) from refused


def _parse_restriction(node: DocumentNode, names: Names, own: tuple[str, ...]) -> Restriction:
    members = require_map(node, ("编号", "说明", "字段", "当", *own), ("目录", "除外"))
    condition = require_text(members["当"])
    if condition not in names.conditions:
        raise refusal(
            PolicyReason.UNKNOWN_CONDITION,
            members["当"].position,
            f"没有登记的条件“{condition}”",
            f"unknown condition: {condition}",
        )
    dataset = _find_dataset(members["目录"], names.catalog) if "目录" in members else None
    return Restriction(
        number=require_text(members["编号"]),
        title=require_text(members["说明"]),
        dataset=None if dataset is None else dataset.name,
        fields=_parse_fields(members["字段"], dataset),
        condition=condition,
        ceiling=parse_effect_at(members["上限"]) if "上限" in members else None,
        kinds=_parse_cap(members["至多"]) if "至多" in members else None,
        **_parse_spared(members.get("除外"), names),
    )


def _parse_cap(node: DocumentNode) -> frozenset[EffectKind]:
    text = require_text(node)
    if text not in CAPS:
        raise refusal(
            PolicyReason.EFFECT_MALFORMED,
            node.position,
            f"至多只可写 {'、'.join(CAPS)}",
            f"a cap is one of {', '.join(CAPS)}",
        )
    return CAPS[text]


def _parse_spared(node: DocumentNode | None, names: Names) -> dict[str, frozenset[str]]:
    if node is None:
        return {}
    members = require_map(node, (), ("事项", "角色"))
    # An exemption that spares nobody is one that says something else than its author means.
    if not members:
        raise refusal(
            PolicyReason.MEMBER_MISSING, node.position, "除外没有内容", "an exemption of nothing"
        )
    known = (
        ("事项", "spared_matters", names.matters, PolicyReason.UNKNOWN_MATTER),
        ("角色", "spared_roles", names.roles, PolicyReason.UNKNOWN_ROLE),
    )
    return {
        member: _parse_listed(members[title], title, listed, unknown)
        for title, member, listed, unknown in known
        if title in members
    }


def _parse_listed(
    node: DocumentNode, title: str, listed: Collection[str], unknown: PolicyReason
) -> frozenset[str]:
    texts = require_texts(node)
    if not texts:
        raise refusal(
            PolicyReason.MEMBER_MISSING,
            node.position,
            f"除外的{title}没有内容",
            f"an exemption of no {title}",
        )
    for text in texts:
        if text not in listed:
            raise refusal(
                unknown, node.position, f"没有登记的{title}“{text}”", f"unknown {title}: {text}"
            )
    return frozenset(texts)


def _parse_fields(node: DocumentNode, dataset: Dataset | None) -> frozenset[str] | None:
    if isinstance(node, TextNode) and node.text == "*":
        return None
    titles = require_texts(node)
    if dataset is None:
        raise refusal(
            PolicyReason.MEMBER_MISSING, node.position, "列了字段须写目录", "fields need a dataset"
        )
    return frozenset(_find_field(title, dataset, node.position) for title in titles)


def _parse_joint_set(node: DocumentNode, catalog: Catalog) -> JointSet:
    members = require_map(node, ("编号", "说明", "目录", "字段"))
    dataset = _find_dataset(members["目录"], catalog)
    effects = {
        _find_field(title, dataset, value.position): parse_effect_at(value)
        for title, value in require_map(members["字段"], (), None).items()
    }
    return JointSet(
        number=require_text(members["编号"]),
        title=require_text(members["说明"]),
        dataset=dataset.name,
        effects=effects,
    )


def _find_dataset(node: DocumentNode, catalog: Catalog) -> Dataset:
    name = require_text(node)
    dataset = catalog.datasets.get(DatasetName(name))
    if dataset is None:
        raise refusal(
            PolicyReason.UNKNOWN_DATASET,
            node.position,
            f"目录中没有 {name}",
            f"no dataset {name}",
        )
    return dataset


def _find_field(title: str, dataset: Dataset, at: Position) -> FieldName:
    field = next((item for item in dataset.fields if item.title_zh == title), None)
    if field is None:
        raise refusal(
            PolicyReason.UNKNOWN_FIELD,
            at,
            f"{dataset.name} 没有数据项“{title}”",
            f"no field {title} in {dataset.name}",
        )
    return field.name
