"""Everything the compiler refuses, each with its one reason; and positions an author can find."""

import re
from datetime import date
from pathlib import Path

import pytest

from gateway.catalog.problems import PolicyReason, PolicyRefused
from gateway.policy import load_bundle
from tests.policy.conftest import SANDBOX, LoadSmall
from tests.policy.writing import (
    START,
    Tree,
    agreement,
    conditions,
    granting,
    head,
    restrictions,
    write_bundle,
)

R = PolicyReason
LADDER_UP = [{"当": "条件1", "给": "掩码(1,0)"}, {"否则": "明文"}]
LADDER_SIDEWAYS = [{"当": "条件1", "给": "掩码(1,0)"}, {"否则": "核对(相符)"}]
LADDER_FLAT = [{"当": "条件1", "给": "明文"}, {"否则": "明文"}]
LADDER_OPEN = [{"当": "条件1", "给": "明文"}]
LADDER_EARLY = [{"否则": "明文"}, {"当": "条件1", "给": "掩码(1,0)"}]
LADDER = [{"当": "条件1", "给": "明文"}, {"否则": "掩码(1,0)"}]
SYSTEM_JOB: Tree = {"角色": ["系统"]}

REFUSED = [
    (agreement(目录="zz.none@1"), R.UNKNOWN_DATASET),
    (agreement(目录="zz.test@2"), R.UNKNOWN_DATASET),
    (agreement(使用方="人社厅/就业补贴系统"), R.BAD_SYSTEM),
    (agreement(使用方="11370000MB2DEM0105"), R.BAD_SYSTEM),
    (agreement(事项=["M99"]), R.UNKNOWN_MATTER),
    (agreement(事项=[]), R.MEMBER_MISSING),
    (agreement(角色=["局长"]), R.UNKNOWN_ROLE),
    (agreement(角色=[]), R.MEMBER_MISSING),
    (agreement(前提=["工作时段"]), R.UNKNOWN_CONDITION),
    (agreement(依据=None), R.BASIS_MISSING),
    (agreement(依据=[]), R.BASIS_MISSING),
    (agreement(有效=None), R.EXPIRY_MISSING),
    (agreement(有效={"起": "2026-12-01", "止": "2026-11-01"}), R.EXPIRY_MISSING),
    (agreement(有效={"起": "2026-12-01"}), R.MEMBER_MISSING),
    (agreement(有效={"起": "2026-1-1", "止": "2026-12-01"}), R.WRONG_SHAPE),
    (agreement(有效={"起": "启动日", "止": "2026-12-01"}), R.WRONG_SHAPE),
    (agreement(频次=None), R.QUOTA_MISSING),
    (agreement(频次={}), R.QUOTA_MISSING),
    (agreement(频次={"每秒": 5}), R.MEMBER_MISSING),
    (agreement(频次={"每日": "很多", "每秒": 5}), R.WRONG_SHAPE),
    (agreement(频次={"每日": "\uff11\uff10", "每秒": 5}), R.WRONG_SHAPE),
    (agreement(责任人=None), R.OWNER_MISSING),
    (agreement(保存天数=91), R.WRONG_SHAPE),
    (agreement(保存天数=0), R.WRONG_SHAPE),
    (agreement(查无="也许"), R.WRONG_SHAPE),
    (agreement(备注="x"), R.UNKNOWN_MEMBER),
    (agreement(字段={}, 例=[]), R.MEMBER_MISSING),
    (granting({"身高": "明文"}), R.UNKNOWN_FIELD),
    (granting({"full_name": "明文"}), R.UNKNOWN_FIELD),
    (granting({"照片": "掩码(0,0)"}), R.NOT_SHAREABLE),
    (granting({"照片": "不予提供"}), R.NOT_SHAREABLE),
    (granting({"姓名": "打码"}), R.EFFECT_MALFORMED),
    (granting({"累计月数": "判断(满N个月)"}), R.THRESHOLD_OPEN),
    (granting({"姓名": "概化(年)"}), R.EFFECT_NOT_APPLICABLE),
    (granting({"姓名": "掩码(1,1)"}), R.EFFECT_NOT_APPLICABLE),
    (granting({"核验一致": "判断"}), R.EFFECT_NOT_APPLICABLE),
    (granting({"授予日期": "明文"}), R.ABOVE_CEILING),
    (granting({"授予日期": "概化(月)"}), R.ABOVE_CEILING),
    (granting({"授予日期": "核对(相符)"}), R.ABOVE_CEILING),
    (granting({"证件号码": "明文"}), R.ABOVE_CEILING),
    (agreement(字段={"姓名": LADDER_UP}), R.LADDER_NOT_DESCENDING),
    (agreement(字段={"姓名": LADDER_SIDEWAYS}), R.LADDER_NOT_DESCENDING),
    (agreement(字段={"姓名": LADDER_FLAT}), R.LADDER_NOT_DESCENDING),
    (agreement(字段={"姓名": LADDER_OPEN}), R.LADDER_OPEN_ENDED),
    (agreement(字段={"姓名": LADDER_EARLY}), R.LADDER_OPEN_ENDED),
    (agreement(字段={"姓名": []}), R.LADDER_OPEN_ENDED),
    (
        agreement(字段={"姓名": [{"当": "无名", "给": "明文"}, {"否则": "掩码(1,0)"}]}),
        R.UNKNOWN_CONDITION,
    ),
    (granting({"证照文件": "掩码(1,0)"}), R.SEALED_DOCUMENT_MASKED),
    (granting({"证照文件": "概化(年)"}), R.SEALED_DOCUMENT_MASKED),
    (granting({"证照文件": "验真"}), R.DOCUMENT_UNSUPPORTED),
    (granting({"姓名": "全件"}), R.EFFECT_MALFORMED),
    (granting({"核验一致": "判断(是)"}, 角色=["系统", "经办"]), R.SYSTEM_ROLE_MIXED),
    (granting({"姓名": "掩码(1,0)"}, **SYSTEM_JOB), R.SYSTEM_ABOVE_PREDICATE),
    (granting({"姓名": "核对(相符)"}, **SYSTEM_JOB), R.SYSTEM_ABOVE_PREDICATE),
    (granting({"授予日期": "概化(年)"}, **SYSTEM_JOB), R.SYSTEM_ABOVE_PREDICATE),
    (granting({"证件号码": "掩码(6,4)", "出生日期": "概化(年)"}), R.JOINT_DISCLOSURE),
    (granting({"证件号码": "掩码(6,4)", "出生日期": "明文"}), R.JOINT_DISCLOSURE),
    (agreement(例=[]), R.EXAMPLE_MISSING),
    (agreement(例=None), R.EXAMPLE_MISSING),
    (
        agreement(字段={"姓名": LADDER}, 例=[{"名称": "底", "得": {"姓名": "掩码(1,0)"}}]),
        R.EXAMPLE_MISSING,
    ),
    (
        agreement(例=[{"名称": "关", "条件": {"条件0": "否"}, "得": "不予提供"}]),
        R.EXAMPLE_MISSING,
    ),
    (agreement(例=[{"名称": "错", "得": {"姓名": "明文"}}]), R.EXAMPLE_FAILED),
    (
        agreement(
            例=[
                {"名称": "甲", "得": {"姓名": "掩码(1,0)"}},
                {"名称": "乙", "得": {"身高": "不予提供"}},
            ]
        ),
        R.EXAMPLE_FAILED,
    ),
    (
        agreement(例=[{"名称": "甲", "条件": {"条件3": "是"}, "得": "不予提供"}]),
        R.UNKNOWN_CONDITION,
    ),
    (
        agreement(例=[{"名称": "甲", "条件": {"条件0": "大概"}, "得": "不予提供"}]),
        R.WRONG_SHAPE,
    ),
]


@pytest.mark.parametrize(("document", "reason"), REFUSED)
def test_a_wrong_agreement_is_refused(
    load_small: LoadSmall, document: Tree, reason: PolicyReason
) -> None:
    """Its reason is among those reported, with a line in the file."""
    with pytest.raises(PolicyRefused) as refused:
        load_small(agreements=[document])

    assert reason in refused.value.reasons
    assert all(problem.position.line >= 1 for problem in refused.value.problems)
    assert all(problem.text_zh and problem.text_en for problem in refused.value.problems)


def test_two_agreements_of_one_number_are_refused(load_small: LoadSmall) -> None:
    """No agreement hides another."""
    with pytest.raises(PolicyRefused) as refused:
        load_small(agreements=[agreement(), agreement()])

    assert refused.value.reasons == {R.NUMBER_TAKEN}


def test_two_cells_of_one_field_are_refused(tmp_path: Path) -> None:
    """A duplicate key names its own line."""
    write_bundle(tmp_path)
    path = tmp_path / "agreements" / "all.yaml"
    text = path.read_text("utf-8").replace(
        "    姓名: 掩码(1,0)\n  例", "    姓名: 掩码(1,0)\n    姓名: 明文\n  例"
    )
    path.write_text(text, "utf-8")
    line = text.split("\n").index("    姓名: 明文") + 1

    with pytest.raises(PolicyRefused) as refused:
        load_bundle(tmp_path, START)

    problem = refused.value.problems[0]
    assert (problem.reason, problem.position.line, problem.position.column) == (
        R.DUPLICATE_KEY,
        line,
        5,
    )


def test_every_problem_of_every_agreement_is_reported_at_once(load_small: LoadSmall) -> None:
    """An author sees all he has to mend."""
    wrong = granting({"身高": "明文", "授予日期": "明文", "照片": "明文"}, 事项=["M99"])
    other = agreement(编号="XY-T-002", 使用方="无")

    with pytest.raises(PolicyRefused) as refused:
        load_small(agreements=[wrong, other])

    assert refused.value.reasons >= {
        R.UNKNOWN_MATTER,
        R.UNKNOWN_FIELD,
        R.ABOVE_CEILING,
        R.NOT_SHAREABLE,
        R.BAD_SYSTEM,
    }


def lowering(**more: object) -> Tree:
    """Return the restrictions with some lists replaced."""
    return {**restrictions(), **more}


CEILING = {"编号": "TJ-1", "说明": "测试", "目录": "zz.test@1", "字段": ["姓名"], "当": "条件2"}
JOINT = {
    "编号": "TC-1",
    "说明": "测试",
    "目录": "zz.test@1",
    "字段": {"姓名": "掩码(1,0)", "累计月数": "判断(满12个月)"},
}


@pytest.mark.parametrize(
    ("stated", "document", "reason"),
    [
        (lowering(条件上限=[{**CEILING, "上限": "核对(相符)"}]), agreement(), R.ABOVE_CEILING),
        (lowering(条件上限=[{**CEILING, "上限": "核对"}]), agreement(), R.EFFECT_MALFORMED),
        (lowering(条件上限=[CEILING]), agreement(), R.MEMBER_MISSING),
        (
            lowering(条件上限=[{**CEILING, "当": "无名", "上限": "明文"}]),
            agreement(),
            R.UNKNOWN_CONDITION,
        ),
        (
            lowering(条件上限=[{**CEILING, "字段": ["身高"], "上限": "明文"}]),
            agreement(),
            R.UNKNOWN_FIELD,
        ),
        (
            lowering(禁止=[{"编号": "JZ", "说明": "无", "字段": ["姓名"], "当": "条件5"}]),
            agreement(),
            R.MEMBER_MISSING,
        ),
        (
            lowering(禁止=restrictions()["禁止"] * 2),
            agreement(),
            R.NUMBER_TAKEN,
        ),
        (
            lowering(不得同出=[JOINT]),
            granting({"姓名": "明文", "累计月数": "明文"}),
            R.JOINT_SET_REACHED,
        ),
        (lowering(不得同出=[{**JOINT, "目录": "zz.none@1"}]), agreement(), R.UNKNOWN_DATASET),
    ],
)
def test_a_wrong_restriction_or_a_cell_against_one_is_refused(
    load_small: LoadSmall, stated: Tree, document: Tree, reason: PolicyReason
) -> None:
    """Incomparable effects that could meet, joint sets, unknown names."""
    with pytest.raises(PolicyRefused) as refused:
        load_small(restrictions=stated, agreements=[document])

    assert reason in refused.value.reasons


def test_half_of_a_joint_set_may_be_granted(load_small: LoadSmall) -> None:
    """Only all of it together is refused."""
    bundle = load_small(
        restrictions=lowering(不得同出=[JOINT]), agreements=[granting({"姓名": "明文"})]
    )

    assert bundle.find_agreement("XY-T-001") is not None


def change_condition(**changes: object) -> Tree:
    """Return conditions whose first is changed."""
    changed = conditions()
    changed["条件"]["条件0"].update(changes)
    return changed


def change_fact(**changes: object) -> Tree:
    """Return conditions whose first fact is changed."""
    changed = conditions()
    changed["词汇"]["fact_0"].update(changes)
    return changed


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        (change_condition(式="fact_0 &&"), R.CONDITION_MALFORMED),
        (change_condition(式="fact_9"), R.CONDITION_MALFORMED),
        (change_condition(式='"x"'), R.CONDITION_NOT_BOOLEAN),
        (change_condition(式="[true].all(x, x == fact_0)"), R.CONDITION_OUTSIDE_SUBSET),
        (change_condition(式="fact_0 || fact_1"), R.EXAMPLE_FAILED),
        (change_condition(例=[]), R.EXAMPLE_MISSING),
        (change_condition(例=[{"事实": {"fact_0": "1"}, "得": "是"}]), R.WRONG_SHAPE),
        (change_condition(例=[{"事实": {"fact_9": "true"}, "得": "是"}]), R.WRONG_SHAPE),
        (change_fact(类型="float"), R.WRONG_SHAPE),
        (change_fact(来源="别处"), R.WRONG_SHAPE),
        (change_fact(取值=["a"]), R.WRONG_SHAPE),
    ],
)
def test_a_wrong_condition_is_refused(
    load_small: LoadSmall, stated: Tree, reason: PolicyReason
) -> None:
    """Its expression, its vocabulary or its examples."""
    with pytest.raises(PolicyRefused) as refused:
        load_small(conditions=stated)

    assert refused.value.reasons == {reason}


def test_an_expired_bundle_is_refused(load_small: LoadSmall) -> None:
    """A bundle that would never decide is not loaded."""
    with pytest.raises(PolicyRefused) as refused:
        load_small(head={**head(), "到期": "启动日+0天"})

    assert refused.value.reasons == {R.BUNDLE_EXPIRED}


def test_a_missing_document_is_refused(tmp_path: Path) -> None:
    """The file is named, the folder is not."""
    write_bundle(tmp_path)
    (tmp_path / "restrictions.yaml").unlink()

    with pytest.raises(PolicyRefused) as refused:
        load_bundle(tmp_path, START)

    assert "restrictions.yaml" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_pinned_digest_holds_the_bundle_to_every_byte_agreed(tmp_path: Path) -> None:
    """The same content loads; one changed quota does not."""
    write_bundle(tmp_path)
    digest = load_bundle(tmp_path, START).digest

    assert load_bundle(tmp_path, START, pinned=digest).digest == digest

    write_bundle(tmp_path, agreements=[agreement(频次={"每日": 1001, "每秒": 10})])
    with pytest.raises(PolicyRefused) as refused:
        load_bundle(tmp_path, START, pinned=digest)
    assert refused.value.reasons == {R.DIGEST_MISMATCH}


def test_days_relative_to_start_move_with_it(tmp_path: Path) -> None:
    """启动日 is the day given; an absolute day stays."""
    write_bundle(tmp_path, agreements=[agreement(有效={"起": "2026-01-01", "止": "启动日+9天"})])

    early = load_bundle(tmp_path, date(2026, 11, 1)).find_agreement("XY-T-001")
    late = load_bundle(tmp_path, date(2026, 12, 1)).find_agreement("XY-T-001")

    assert early is not None
    assert late is not None
    assert (early.valid_from, early.valid_until) == ("2026-01-01", "2026-11-11")
    assert (late.valid_from, late.valid_until) == ("2026-01-01", "2026-12-11")


def test_no_agreement_of_the_sandbox_names_office_hours() -> None:
    """M1 and M2 run at night too (decisions.md)."""
    texts = [path.read_text("utf-8") for path in (SANDBOX / "agreements").glob("*.yaml")]

    assert len(texts) >= 14
    assert not any(re.search("工作时段", text) for text in texts)
