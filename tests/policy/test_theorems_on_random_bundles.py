"""The theorems of policy.md 3.3 that are about whole bundles, on random bundles and questions."""

import random
from pathlib import Path

import pytest

from gateway.policy import Bundle, Decision, EngineKind, load_bundle
from gateway.policy.effects import is_at_most
from tests.policy.drawing import (
    CHAINS,
    CONDITIONS,
    FACTS,
    build_input,
    draw_agreements,
    draw_question,
    draw_restrictions,
    load,
    names_of,
    write_conditions,
)
from tests.policy.writing import BASIS, START, SYSTEM, USCC, Tree, dump, write_bundle

SEEDS = range(12)
AGREEMENTS, QUESTIONS = 6, 600
Letters = list[str]


def draw_letters(rng: random.Random) -> Letters:
    """Return outcomes of all facts, most of them true."""
    return rng.choices("TTTTTTF!", k=FACTS)


def draw_world(seed: int) -> tuple[random.Random, Tree, dict[str, Tree]]:
    """Return a generator, restrictions, and agreements that stand beside them."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    restrictions = draw_restrictions(rng)
    return rng, restrictions, draw_agreements(rng, AGREEMENTS, restrictions)


def draw_fitting(rng: random.Random, agreements: dict[str, Tree]) -> Tree:
    """Return a question that its agreement covers; others are withheld before any rule."""
    number = rng.choice(list(agreements))
    document = agreements[number]
    days = range(max(document["_from"], -30), document["_to"] + 1)
    return draw_question(rng, [number]) | {
        "organisation": USCC,
        "system": SYSTEM,
        "role": rng.choice(document["角色"]),
        "matter": rng.choice(document["事项"]),
        "dataset": "zz.test@1",
        "basis": BASIS,
        "day": rng.choice(days),
    }


def is_nowhere_higher(lower: Decision, higher: Decision) -> bool:
    """Whether each field of one decision tells at most what it tells in the other."""
    pairs = zip(lower.fields, higher.fields, strict=True)
    return all(is_at_most(one.effect, other.effect) for one, other in pairs)


def shuffled(rng: random.Random, document: object) -> object:
    """Return a document with the members of each mapping in another order, and lists as they are.

    The order of a ladder, of fields in an example and of legal bases has a meaning.
    """
    if isinstance(document, dict):
        members = list(document.items())
        rng.shuffle(members)
        return {name: shuffled(rng, value) for name, value in members}
    return [shuffled(rng, item) for item in document] if isinstance(document, list) else document


def load_in_another_order(
    folder: Path, rng: random.Random, restrictions: Tree, agreements: dict[str, Tree]
) -> Bundle:
    """Write the same bundle with members, rules and agreements shuffled, over two files."""
    stripped = [
        {name: value for name, value in document.items() if not name.startswith("_")}
        for document in agreements.values()
    ]
    rng.shuffle(stripped)
    rules = {kind: rng.sample(items, len(items)) for kind, items in restrictions.items()}
    write_bundle(
        folder,
        conditions=shuffled(rng, write_conditions()),
        restrictions=shuffled(rng, rules),
        agreements=shuffled(rng, stripped[:2]),
    )
    (folder / "agreements" / "0.yaml").write_text(dump(shuffled(rng, stripped[2:])), "utf-8")
    return load_bundle(folder, START)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_order_of_everything_decides_the_same(seed: int, tmp_path: Path) -> None:
    """T3: files, agreements, rules and members in any order give one digest and one answer."""
    rng, restrictions, agreements = draw_world(seed)
    first = load(tmp_path, restrictions, agreements, EngineKind.CEL)

    second = load_in_another_order(tmp_path, rng, restrictions, agreements)

    assert (first.digest, first.plan_digest) == (second.digest, second.plan_digest)
    for _ in range(QUESTIONS):
        asked = build_input(draw_fitting(rng, agreements), draw_letters(rng))
        assert first.decide(asked).fields == second.decide(asked).fields


@pytest.mark.parametrize("seed", SEEDS)
def test_one_more_restriction_raises_no_field(seed: int, tmp_path: Path) -> None:
    """T4: a prohibition or conditional ceiling more, over any field, under any condition."""
    rng, restrictions, agreements = draw_world(seed)
    named = set().union(*map(names_of, agreements.values()))
    free = sorted(CONDITIONS.keys() - named) or ["甲"]
    # An agreement whose examples the new rule would contradict is another agreement.
    agreements = {
        number: document
        for number, document in agreements.items()
        if free[0] not in names_of(document)
    }
    before = load(tmp_path, restrictions, agreements, EngineKind.CLOSURE)
    title = rng.choice(list(CHAINS))
    rule = {"编号": "ZZ-9", "说明": "测试", "目录": "zz.test@1", "字段": [title], "当": free[0]}
    kind, own = rng.choice(
        [
            ("禁止", {}),
            ("条件上限", {"上限": rng.choice(CHAINS[title])}),
            ("层级上限", {"至多": rng.choice(["判断", "掩码"])}),
        ]
    )
    added = rule | own
    lowering = {**restrictions, kind: [*restrictions[kind], added]}

    after = load(tmp_path, lowering, agreements, EngineKind.CLOSURE)

    for _ in range(QUESTIONS):
        asked = build_input(draw_fitting(rng, agreements), draw_letters(rng))
        assert is_nowhere_higher(after.decide(asked), before.decide(asked))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fact_that_is_lost_raises_no_field(seed: int, tmp_path: Path) -> None:
    """T5: any fact replaced by "unknown" gives at most what was given before."""
    rng, restrictions, agreements = draw_world(seed)
    bundle = load(tmp_path, restrictions, agreements, EngineKind.CEL)

    for _ in range(QUESTIONS):
        question, letters = draw_fitting(rng, agreements), draw_letters(rng)
        fewer = list(letters)
        for lost in rng.sample(range(FACTS), rng.randint(1, 2)):
            fewer[lost] = "!"
        poorer, richer = build_input(question, fewer), build_input(question, letters)
        assert is_nowhere_higher(bundle.decide(poorer), bundle.decide(richer))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_agreement_alone_decides_as_among_others(seed: int, tmp_path: Path) -> None:
    """T7: whatever else was agreed, the same question under one agreement is decided the same."""
    rng, restrictions, agreements = draw_world(seed)
    among = load(tmp_path, restrictions, agreements, EngineKind.CLOSURE)

    for number, document in agreements.items():
        alone = load(tmp_path, restrictions, {number: document}, EngineKind.CLOSURE)
        for _ in range(QUESTIONS // AGREEMENTS):
            asked = build_input(draw_fitting(rng, {number: document}), draw_letters(rng))
            assert among.decide(asked).fields == alone.decide(asked).fields
