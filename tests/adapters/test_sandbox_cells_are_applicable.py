"""Every effect the sandbox's agreements grant can be applied by the adapters."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from adapters.effects import FieldContext, apply_effect
from adapters.effects.families import RawValue
from adapters.port import Effect, EffectKind, FieldName, FieldShape, Finding, Grant
from gateway.policy.effects import parse_effect

BUNDLE = Path(__file__).parents[2] / "gateway" / "bundle"
VALUES: dict[str, RawValue] = {
    "cid18": "370102198203150024",
    "date": "2004-07-01",
    "ts": "2004-07-01T10:00:00",
    "int": "12",
    "bool": "true",
    "pred": Finding.YES,
    "uscc18": "91370100MA3FAKE04Q",
    r"re:\d{6}": "202601",
    "code:GB/T2260": "370102",
    "str200": "山东省济南市历下区解放路1号",
    "list": ("a",),
    "list(code)": ("110",),
    "list(str)": ("name",),
}


def granted() -> Iterator[tuple[str, str, str, str]]:
    """Yield dataset, field, catalog type and effect of each cell that releases something."""
    catalog = yaml.safe_load((BUNDLE / "catalog.yaml").read_text("utf-8"))["datasets"]
    for file in sorted((BUNDLE / "agreements").glob("*.yaml")):
        content = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - builds text, lists and mappings only
        for agreement in content:
            fields = catalog[agreement["目录"]]["fields"]
            titles = {member["title_zh"]: name for name, member in fields.items()}
            for title, cell in agreement["字段"].items():
                name = titles.get(title, title)
                for text in [cell] if isinstance(cell, str) else map(effect_of, cell):
                    if text != "不予提供":
                        yield agreement["目录"], name, fields[name]["type"], text


def effect_of(step: dict[str, str]) -> str:
    """Return the effect of one step of a ladder."""
    return step.get("给") or step["否则"]


def example(catalog_type: str, effect: Effect) -> RawValue:
    """Return a value of the type that the effect is meant for."""
    if effect.parameters[:1] == ("at_least",):
        return "12"
    if catalog_type.startswith("dec"):
        return "3120.50"
    return VALUES.get(catalog_type, "正常甲乙丙")


@pytest.mark.parametrize("cell", sorted(set(granted())), ids=lambda cell: f"{cell[0]}.{cell[1]}")
def test_every_granted_effect_is_applicable(cell: tuple[str, str, str, str]) -> None:
    """A cell nobody can apply would withhold for ever without anybody noticing."""
    _, name, catalog_type, text = cell
    effect = parse_effect(text)
    shape = FieldShape(name=FieldName(name), type=catalog_type)

    out = apply_effect(
        Grant(field=shape.name, effect=effect, pseudonym_key=bytes(32)),
        FieldContext(shape=shape, today=date(2026, 11, 23)),
        example(catalog_type, effect),
    )

    assert out is not None
    assert out.effect is not EffectKind.WITHHOLD
