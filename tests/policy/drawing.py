"""Random bundles and questions, repeatable by seed."""

import random
from collections.abc import Callable
from pathlib import Path

import yaml

from adapters.port import DatasetName, FieldName
from certs.identity import SystemId
from gateway.policy import UNKNOWN, Bundle, DecisionInput, EngineKind, FactValue, load_bundle
from tests.policy.writing import (
    AT_MS,
    BASIS,
    START,
    SYSTEM,
    USCC,
    Tree,
    agreement,
    catalog,
    head,
    write_bundle,
)

DAY_MS = 86_400_000
FACTS = 8
Outcome = Callable[[list[str]], str]
LETTERS: dict[str, FactValue] = {"T": True, "F": False, "!": UNKNOWN}
FIELDS = {
    "full_name": "姓名",
    "birth_date": "出生日期",
    "place": "户籍区划",
    "grant_date": "授予日期",
    "months": "累计月数",
    "amount": "金额",
    "verified": "核验一致",
    "reason": "原因",
    "photo": "照片",
    "person_id": "证件号码",
}
CHAINS = {
    "姓名": ("明文", "掩码(1,0)", "掩码(0,0)", "不予提供"),
    "出生日期": ("明文", "概化(月)", "概化(年)", "概化(十年)", "不予提供"),
    "户籍区划": ("明文", "概化(县)", "概化(市)", "不予提供"),
    "授予日期": ("概化(年)", "概化(十年)", "不予提供"),
    "累计月数": ("明文", "判断(满12个月)", "不予提供"),
    "金额": ("明文", "概化(千元)", "不予提供"),
    "核验一致": ("判断(是)", "不予提供"),
    "原因": ("判断(类别)", "不予提供"),
}
EXEMPTING = 0.4
EXEMPTIONS: tuple[Tree, ...] = (
    {"事项": ["M1"]},
    {"事项": ["M1", "M2"]},
    {"角色": ["经办"]},
    {"事项": ["M2"], "角色": ["复核"]},
)
# Compound conditions, with the outcome worked out here from the facts' letters.
CONDITIONS: dict[str, tuple[str, Outcome]] = {
    "甲": ("fact_0", lambda f: f[0]),
    "乙": ("fact_1", lambda f: f[1]),
    "丙": ("fact_2 && !fact_3", lambda f: both(f[2], negate(f[3]))),
    "丁": ("fact_4 || fact_5", lambda f: negate(both(negate(f[4]), negate(f[5])))),
    "戊": ("fact_6", lambda f: f[6]),
    "己": ("!(fact_7 || fact_1)", lambda f: both(negate(f[7]), negate(f[1]))),
    "庚": ("fact_3 == fact_6", lambda f: same(f[3], f[6])),
    "辛": ("fact_5 in [true]", lambda f: f[5]),
}


def negate(a: str) -> str:
    """Return the three-valued negation."""
    return {"T": "F", "F": "T", "!": "!"}[a]


def both(a: str, b: str) -> str:
    """Return the three-valued conjunction."""
    if "F" in (a, b):
        return "F"
    return "!" if "!" in (a, b) else "T"


def same(a: str, b: str) -> str:
    """Return the three-valued equality."""
    if "!" in (a, b):
        return "!"
    return "T" if a == b else "F"


def write_conditions() -> Tree:
    """Return the conditions above; their examples are found by trying facts."""
    facts = {
        f"fact_{index}": {"类型": "bool", "来源": "subject", "名称": "事实"}
        for index in range(FACTS)
    }
    named = {}
    for name, (text, outcome) in CONDITIONS.items():
        examples: dict[str, Tree] = {}
        for seed in range(200):
            letters = random.Random(seed).choices("TF!", k=FACTS)  # noqa: S311 - repeatable, not secret
            stated = {
                f"fact_{i}": str(LETTERS[a]).lower() for i, a in enumerate(letters) if a != "!"
            }
            wanted = {"T": "是", "F": "否", "!": "不明"}[outcome(letters)]
            examples.setdefault(wanted, {"事实": stated, "得": wanted})
        named[name] = {
            "式": text,
            "责任人": "测试处",
            "英文": "a test",
            "例": list(examples.values()),
        }
    return {"词汇": facts, "条件": named}


def draw_restrictions(rng: random.Random) -> Tree:
    """Return random prohibitions and conditional ceilings."""

    def scope() -> Tree:
        if rng.random() < 0.5:
            return {"字段": "*"}
        return {"目录": "zz.test@1", "字段": rng.sample(list(CHAINS), rng.randint(1, 3))}

    prohibitions = [
        {"编号": f"JZ-{i:02}", "说明": "测试", "当": rng.choice(list(CONDITIONS)), **scope()}
        for i in range(rng.randint(0, 3))
    ]
    ceilings = []
    for i in range(rng.randint(0, 4)):
        title = rng.choice(list(CHAINS))
        ceilings.append(
            {
                "编号": f"TJ-{i:02}",
                "说明": "测试",
                "目录": "zz.test@1",
                "字段": [title],
                "当": rng.choice(list(CONDITIONS)),
                "上限": rng.choice(CHAINS[title]),
            }
        )
    caps = [
        {
            "编号": f"CJ-{i:02}",
            "说明": "测试",
            "当": rng.choice(list(CONDITIONS)),
            "至多": rng.choice(("判断", "掩码")),
            **scope(),
        }
        for i in range(rng.randint(0, 2))
    ]
    for item in (*prohibitions, *ceilings, *caps):
        if rng.random() < EXEMPTING:
            item["除外"] = rng.choice(EXEMPTIONS)
    return {"禁止": prohibitions, "条件上限": ceilings, "层级上限": caps, "不得同出": []}


def draw_agreement(rng: random.Random, number: str) -> Tree:
    """Return a random agreement with the examples that reach each of its rungs."""
    preconditions = rng.sample(list(CONDITIONS), rng.randint(0, 2))
    others = [name for name in CONDITIONS if name not in preconditions]
    cells: Tree = {}
    examples = []
    for title in rng.sample(list(CHAINS), rng.randint(1, len(CHAINS))):
        rungs = sorted(rng.sample(range(len(CHAINS[title])), rng.randint(1, 2)))
        effects = [CHAINS[title][rung] for rung in rungs]
        names = rng.sample(others, len(effects) - 1)
        ladder = [{"当": n, "给": e} for n, e in zip(names, effects, strict=False)]
        cells[title] = effects[0] if not ladder else [*ladder, {"否则": effects[-1]}]
        for name, effect in zip(names, effects, strict=False):
            examples.append({"名称": "阶", "条件": {name: "是"}, "得": {title: effect}})
        examples.append({"名称": "底", "得": {title: effects[-1]}})
    first, last = rng.choice(((-30, 335), (-3, 3), (1, 9), (-9, -1)))
    return agreement(
        编号=number,
        前提=preconditions,
        角色=rng.choice((["经办"], ["经办", "复核"])),
        事项=rng.choice((["M2"], ["M1", "M2"], ["M1"])),
        状态=rng.choice(("生效", "生效", "生效", "暂停")),
        有效={"起": f"启动日{first:+}天", "止": f"启动日{last:+}天"},
        字段=cells,
        例=examples,
        _from=first,
        _to=last,
    )


def names_of(document: Tree) -> set[str]:
    """Return the conditions an agreement's own examples and preconditions name."""
    named = {name for example in document["例"] for name in example.get("条件", {})}
    return named | set(document["前提"])


def draw_agreements(rng: random.Random, count: int, restrictions: Tree) -> dict[str, Tree]:
    """Return random agreements whose examples no restriction contradicts, by number."""
    kinds = ("禁止", "条件上限", "层级上限")
    lowering = {item["当"] for kind in kinds for item in restrictions[kind]}
    agreements: dict[str, Tree] = {}
    while len(agreements) < count:
        number = f"XY-{len(agreements)}"
        drawn = draw_agreement(rng, number)
        if not names_of(drawn) & lowering:
            agreements[number] = drawn
    return agreements


def load(
    folder: Path, restrictions: Tree, agreements: dict[str, Tree], engine: EngineKind
) -> Bundle:
    """Write and load a bundle."""
    stripped = [
        {name: value for name, value in document.items() if not name.startswith("_")}
        for document in agreements.values()
    ]
    write_bundle(
        folder,
        head=head(),
        conditions=write_conditions(),
        restrictions=restrictions,
        agreements=stripped,
    )
    return load_bundle(folder, START, engine=engine)


def read_ceilings() -> dict[str, str]:
    """Return ceilings by title."""
    text = yaml.safe_load(yaml.safe_dump(catalog()))
    fields = text["datasets"]["zz.test@1"]["fields"].values()
    return {field["title_zh"]: field["ceiling"] for field in fields}


def draw_question(rng: random.Random, numbers: list[str]) -> Tree:
    """Return a question that mostly fits."""
    names = rng.sample(list(FIELDS), rng.randint(1, len(FIELDS)))
    return {
        "agreement": rng.choice(numbers),
        "organisation": rng.choice([USCC] * 9 + ["11370000MB2DEM045P"]),
        "system": rng.choice([SYSTEM] * 9 + [f"{USCC}/other"]),
        "role": rng.choice(["经办"] * 8 + ["复核", "系统"]),
        "matter": rng.choice(["M2"] * 6 + ["M1", "M3"]),
        "dataset": rng.choice(["zz.test@1"] * 9 + ["zz.test@2"]),
        "basis": rng.choice([BASIS] * 9 + ["无"]),
        "day": rng.choice([0] * 6 + [-31, -4, 2, 9, 335, 336]),
        "names": names,
        "titles": [FIELDS[name] for name in names],
    }


def build_input(question: Tree, letters: list[str]) -> DecisionInput:
    """Return the question as the gateway asks it; noon in China of the day."""
    facts: dict[str, FactValue] = {f"fact_{i}": LETTERS[a] for i, a in enumerate(letters)}
    return DecisionInput(
        agreement=str(question["agreement"]),
        organisation=str(question["organisation"]),
        system=SystemId(str(question["system"])),
        role=str(question["role"]),
        matter=str(question["matter"]),
        facts=facts,
        dataset=DatasetName(str(question["dataset"])),
        fields=tuple(FieldName(name) for name in question["names"]),
        at_ms=AT_MS + 4 * 3_600_000 + question["day"] * DAY_MS,
        legal_basis=str(question["basis"]),
    )
