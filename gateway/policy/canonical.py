"""The canonical forms a bundle's two digests cover.

`encode_bundle` is everything that was agreed, in one order. `encode_plan` is what is decided,
without the names people chose: a renamed agreement, condition or prohibition, or another order of
files, rules or keys, gives the same plan digest (policy.md 8, demand 3).
"""

import hashlib
from collections.abc import Iterable, Mapping

from gateway.catalog import Catalog
from gateway.policy.checked import Call, Constant, Expression, Fact, Members
from gateway.policy.conditions import Condition
from gateway.policy.disclosure import JointSet
from gateway.policy.effects import format_effect
from gateway.policy.model import Agreement, Restriction
from gateway.policy.table import Row
from signing.encoding import JsonValue, encode_canonical_json

Member = dict[str, JsonValue]


def encode_bundle(
    head: Member,
    catalog: Catalog,
    conditions: Mapping[str, Condition],
    restrictions: tuple[tuple[Restriction, ...], tuple[JointSet, ...]],
    agreements: Iterable[Agreement],
) -> bytes:
    """Return the canonical JSON of a whole bundle."""
    lowering, joint_sets = restrictions
    return encode_canonical_json(
        {
            **head,
            "catalog": {name: _list_fields(catalog, name) for name in catalog.datasets},
            "conditions": {
                name: [condition.expression, condition.owner]
                for name, condition in conditions.items()
            },
            "restrictions": {
                item.number: [item.title, item.condition, *_encode_restriction(item)]
                for item in lowering
            },
            "joint_sets": {
                item.number: [
                    item.dataset,
                    {name: format_effect(effect) for name, effect in item.effects.items()},
                ]
                for item in joint_sets
            },
            "agreements": {item.number: _encode_agreement(item) for item in agreements},
        }
    )


def encode_plan(rows: Iterable[Row], conditions: Mapping[str, Condition]) -> bytes:
    """Return the canonical JSON of what is decided, free of chosen names and order."""
    # A condition counts by what it says, not by what it is called.
    structures = {
        name: encode_canonical_json(_encode_expression(condition.checked)).decode()
        for name, condition in conditions.items()
    }
    # Rows by their digests: their numbers are chosen names and must not order anything.
    digests: list[JsonValue] = [
        hashlib.sha256(encode_canonical_json(_encode_row(row, structures))).hexdigest()
        for row in rows
    ]
    return encode_canonical_json(_sorted(digests))


def _encode_row(row: Row, structures: Mapping[str, str]) -> JsonValue:
    agreement = row.agreement
    lowering: list[JsonValue] = [
        [structures[item.condition], *_encode_restriction(item)] for item in row.lowering
    ]
    return {
        **_encode_scope(agreement),
        "preconditions": _sorted([structures[name] for name in agreement.preconditions]),
        "restrictions": _sorted(lowering),
        "cells": {
            field: [
                [None if step.condition is None else structures[step.condition], step.text]
                for step in cell.steps
            ]
            for field, cell in agreement.cells.items()
        },
    }


def _sorted(values: list[JsonValue]) -> list[JsonValue]:
    if all(isinstance(value, str) for value in values):
        return sorted(values, key=str)
    return sorted(values, key=encode_canonical_json)


def _encode_scope(agreement: Agreement) -> Member:
    return {
        "system": agreement.system,
        "dataset": agreement.dataset,
        "basis": _sorted(list(agreement.basis)),
        "matters": _sorted(list(agreement.matters)),
        "roles": _sorted(list(agreement.roles)),
        "from_ms": agreement.from_ms,
        "until_ms": agreement.until_ms,
        "suspended": agreement.suspended,
        "limits": {kind.value: limit for kind, limit in agreement.limits.items()},
        "delete_after_days": agreement.delete_after_days,
        "tell_not_found": agreement.tell_not_found,
    }


def _encode_agreement(agreement: Agreement) -> Member:
    return {
        **_encode_scope(agreement),
        # The order counts here: an entry of the log names a basis by its index.
        "basis": list(agreement.basis),
        "title": agreement.title,
        "owner": agreement.owner,
        "preconditions": list(agreement.preconditions),
        "cells": {
            field: [[step.condition, step.text] for step in cell.steps]
            for field, cell in agreement.cells.items()
        },
    }


def _encode_restriction(item: Restriction) -> list[JsonValue]:
    fields: JsonValue = None if item.fields is None else _sorted(list(item.fields))
    ceiling = None if item.ceiling is None else format_effect(item.ceiling)
    kinds: JsonValue = None if item.kinds is None else _sorted([kind.value for kind in item.kinds])
    spared: list[JsonValue] = [
        _sorted(list(item.spared_matters)),
        _sorted(list(item.spared_roles)),
    ]
    return [item.dataset, fields, ceiling, kinds, spared]


def _list_fields(catalog: Catalog, name: str) -> JsonValue:
    dataset = catalog.find(name)
    fields = () if dataset is None else dataset.fields
    return [
        [
            field.name,
            field.type,
            field.sensitivity.value,
            field.sharing_class.value,
            field.ceiling_text,
            field.when_absent.value,
        ]
        for field in fields
    ]


def _encode_expression(node: Expression) -> JsonValue:
    match node:
        case Constant(value=value):
            return [value]
        case Fact(name=name):
            return name
        case Members(values=values):
            return {"in": list(values)}
        case Call(operator=operator, operands=operands):
            return {operator: [_encode_expression(operand) for operand in operands]}
