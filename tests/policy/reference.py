"""The decision of policy.md 3.3, written from its text, as slow and literal as it reads.

Shares no code with `gateway.policy`: agreements are plain trees as YAML reads them, effects are
their texts, conditions are outcomes "T", "F" or "!". The order of effects is spelled out pair by
pair.
"""

from typing import Any

Tree = dict[str, Any]

NOTHING = "不予提供"

CHAINS = (
    ("明文", "掩码(6,4)", "掩码(4,4)", "掩码(3,4)", "掩码(1,0)", "掩码(0,0)"),
    ("明文", "概化(月)", "概化(年)", "概化(十年)"),
    ("明文", "概化(县)", "概化(市)"),
    ("明文", "概化(千元)"),
    ("明文", "化名"),
    ("明文", "核对(相符)"),
    ("明文", "判断", "判断(是)"),
    ("明文", "判断", "判断(满6个月)"),
    ("明文", "判断", "判断(满12个月)"),
    ("明文", "判断", "判断(在保)"),
    ("明文", "判断(类别)"),
)


def at_most(x: str, y: str) -> bool:
    """Whether x <= y, by listing."""
    if x in {y, NOTHING}:
        return True
    return any(x in c and y in c and c.index(x) >= c.index(y) for c in CHAINS)


def meet(x: str, y: str) -> str:
    """Give x ⊓ y: x if x<=y ; y if y<=x ; ⊥ otherwise."""
    if at_most(x, y):
        return x
    if at_most(y, x):
        return y
    return NOTHING


def ladder(cell: object) -> list[tuple[str | None, str]]:
    """cell(f) = [(c1,e1)…(cn,en)], cn = true."""
    if isinstance(cell, str):
        return [(None, cell)]
    assert isinstance(cell, list)
    return [(s.get("当"), s["给"] if "当" in s else s["否则"]) for s in cell]


def decide_field(
    title: str,
    agreement: Tree,
    restrictions: Tree,
    ceiling: str,
    outcomes: dict[str, str],
) -> tuple[str, str, str]:
    """Steps 2 to 6 for one field by its Chinese title: effect text, rule code, rule id."""
    # 2
    for p in agreement.get("前提", []):
        if outcomes[p] != "T":
            return NOTHING, "R2", p
    # 3
    if title not in agreement["字段"]:
        return NOTHING, "R3", ""
    # 4
    e = ladder(agreement["字段"][title])
    g = capped(title, agreement, restrictions, outcomes, rungs_from(e, outcomes))
    # 5
    h = meet(g, meet_all(title, agreement, restrictions, ceiling, outcomes))
    if h == NOTHING:
        return NOTHING, "R4", "*"
    # 6
    for b in sorted(restrictions["禁止"], key=lambda item: str(item["编号"])):
        if spares(b, agreement) or not covers(b, agreement["目录"], title):
            continue
        if outcomes[b["当"]] != "F":
            return NOTHING, "R5", str(b["编号"])
    return h, "R0", "*"


def meet_all(
    title: str,
    agreement: Tree,
    restrictions: Tree,
    ceiling: str,
    outcomes: dict[str, str],
) -> str:
    """K = ceiling(f) and every k of (c,k), conditional ceilings of f with E(c,q) != F: its ⊓."""
    k = ceiling
    for item in restrictions["条件上限"]:
        if spares(item, agreement) or not covers(item, agreement["目录"], title):
            continue
        if outcomes[item["当"]] != "F":
            k = meet(k, item["上限"])
    return k


def rungs_from(e: list[tuple[str | None, str]], outcomes: dict[str, str]) -> list[str]:
    """Give e_i … e_n, where i is the first rung with c_i true."""
    first = next(i for i, (c, _) in enumerate(e) if c is None or outcomes[c] == "T")
    return [effect for _, effect in e[first:]]


def capped(
    title: str,
    agreement: Tree,
    restrictions: Tree,
    outcomes: dict[str, str],
    rungs: list[str],
) -> str:
    """Give the first rung each cap in force admits, else ⊥ (docs/policy/agreements.md)."""
    in_force = [
        cap["至多"]
        for cap in restrictions.get("层级上限", [])
        if not spares(cap, agreement)
        and covers(cap, agreement["目录"], title)
        and outcomes[cap["当"]] != "F"
    ]
    for rung in rungs:
        if all(rung.startswith(ADMITTED[cap]) for cap in in_force):
            return rung
    return NOTHING


ADMITTED = {
    "判断": ("判断", NOTHING),
    "掩码": ("掩码", "概化", "核对", "判断", NOTHING),
}
"""How the effects begin that a cap lets through."""


def spares(item: Tree, agreement: Tree) -> bool:
    """Whether all matters of an agreement are exempt from a restriction, or all its roles."""
    exempt = item.get("除外", {})
    matters, roles = set(exempt.get("事项", [])), set(exempt.get("角色", []))
    return set(agreement["事项"]) <= matters or set(agreement["角色"]) <= roles


def covers(item: Tree, dataset: str, title: str) -> bool:
    """A restriction speaks about a field."""
    if item.get("目录", dataset) != dataset:
        return False
    return item["字段"] == "*" or title in item["字段"]


def applies(agreement: Tree | None, question: Tree) -> bool:
    """Step 1; days are whole days since the start."""
    if agreement is None:
        return False
    return (
        agreement["_from"] <= question["day"] <= agreement["_to"]
        and agreement.get("状态", "生效") == "生效"
        and agreement["使用方"] == question["system"]
        and question["system"].split("/")[0] == question["organisation"]
        and question["role"] in agreement["角色"]
        and question["matter"] in agreement["事项"]
        and question["dataset"] == agreement["目录"]
        and question["basis"] in agreement["依据"]
    )


def decide(
    question: Tree,
    agreements: dict[str, Tree],
    restrictions: Tree,
    ceilings: dict[str, str],
    outcomes: dict[str, str],
) -> list[tuple[str, str, str]]:
    """Every field asked, by title."""
    agreement = agreements.get(question["agreement"])
    if not applies(agreement, question):
        return [(NOTHING, "R1", "") for _ in question["titles"]]
    assert agreement is not None
    return [
        decide_field(title, agreement, restrictions, ceilings[title], outcomes)
        for title in question["titles"]
    ]
