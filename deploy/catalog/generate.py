"""Write the catalog of the sandbox from the list of datasets and the authority's rules.

Run once: `python -m deploy.catalog.generate > gateway/bundle/catalog.yaml`. Knows the list of
fields, what the matters M1 to M14 need of each, and the default ceilings; knows nothing of the
gateway. The result is then kept by hand, and tests hold every rule stated here against it.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

HRSS: Final = "11370000MB2DEM0105"
EDUCATION: Final = "11370000MB2DEM0292"
PUBLIC_SECURITY: Final = "11370000MB2DEM037W"
CIVIL_AFFAIRS: Final = "11370000MB2DEM045P"
TAX: Final = "11370000MB2DEM053J"
COMMERCE: Final = "11370000MB2DEM061D"
HEALTH: Final = "11370000MB2DEM07X5"
BANK: Final = "91370000MA3DEM094M"

PROVIDERS: Final = {
    EDUCATION: "省教育厅（模拟）",
    PUBLIC_SECURITY: "省公安厅（模拟）",
    CIVIL_AFFAIRS: "省民政厅（模拟）",
    TAX: "省税务局（模拟）",
    COMMERCE: "省市场监管局（模拟）",
    BANK: "演示银行（模拟）",
    HEALTH: "省卫生健康委（模拟）",
    HRSS: "省人力资源和社会保障厅（模拟）",
}
PREFIXES: Final = {
    "edu": EDUCATION,
    "ps": PUBLIC_SECURITY,
    "ca": CIVIL_AFFAIRS,
    "tx": TAX,
    "cm": COMMERCE,
    "bk": BANK,
    "hr": HRSS,
    "hc": HEALTH,
}
SHARING: Final = {
    "U": "UNCONDITIONAL",
    "C": "CONDITIONAL",
    "P": "PREDICATE_ONLY",
    "N": "WITHHELD",
}


class Title(NamedTuple):
    """What a dataset is called, how long its facts are kept, and what else a question may claim."""

    zh: str
    en: str
    retention_days: int
    further_keys: tuple[str, ...] = ()


TITLES: Final = {
    "edu.diploma": Title("学历证书", "Diplomas", 180, ("certificate_no", "verification_code")),
    "edu.degree": Title("学位证书", "Degrees", 180, ("certificate_no", "verification_code")),
    "edu.enrolment": Title("学籍", "Enrolment", 90),
    "ps.person_verify": Title("人口身份核查", "Identity verification", 30),
    "ps.person_core": Title("人口基本信息", "Population base", 90),
    "ps.household": Title("户籍家庭", "Household", 90, ("relative_id", "relative_name")),
    "ps.death_cancel": Title("户口注销", "Cancelled registration", 90),
    "ps.photo_compare": Title("人像比对", "Portrait comparison", 30, ("photo_digest",)),
    "ca.marriage_verify": Title(
        "婚姻状况核验", "Marriage verification", 90, ("spouse_id", "spouse_name")
    ),
    "ca.marriage_record": Title("婚姻登记", "Marriage records", 90, ("certificate_no",)),
    "ca.cremation": Title("火化", "Cremation", 90),
    "ca.assistance": Title("社会救助", "Social assistance", 90),
    "ca.adoption_child": Title("儿童福利", "Child welfare", 90, ("child_id", "child_name")),
    "tx.contribution": Title(
        "社保费征缴", "Contribution payments", 90, ("period", "insurance_kind")
    ),
    "tx.income_tax": Title("个人所得税", "Income tax", 60, ("tax_year",)),
    "tx.taxpayer": Title("纳税人登记", "Taxpayers", 180),
    "cm.enterprise": Title("市场主体登记", "Enterprises", 365, ("name",)),
    "cm.enterprise_verify": Title(
        "市场主体核验", "Enterprise verification", 180, ("name", "legal_representative", "address")
    ),
    "cm.positions": Title("任职投资", "Positions held", 90),
    "bk.account_verify": Title("账户核验", "Account verification", 60, ("account_no", "bank_code")),
    "bk.sscard_account": Title("社保卡账户", "Social-security card accounts", 90, ("account_no",)),
    "bk.payment_result": Title("代发结果", "Payment results", 180, ("batch_no",)),
    "hr.participation": Title("参保登记", "Participation", 180),
    "hr.contribution_record": Title("缴费记录", "Contribution records", 180),
    "hr.pension": Title("养老待遇", "Pensions", 180),
    "hr.sscard": Title("社会保障卡", "Social-security cards", 180, ("card_no",)),
    "hr.unemployment": Title("失业登记", "Unemployment", 90),
    "hr.labour_contract": Title("劳动合同", "Labour contracts", 90),
    "hr.qualification": Title("职业资格", "Qualifications", 180, ("certificate_no",)),
    "hc.death_certificate": Title("死亡医学证明", "Death certificates", 60),
}

# What the matters need: (dataset.field) -> (highest effect needed, matters that need it).
CLEAR: Final = "明文"
PREDICATE: Final = "判断"
CATEGORY: Final = "判断(类别)"
NEEDS: Final = {
    "edu.diploma.full_name": ("掩码(1,0)", "M2"),
    "edu.diploma.certificate_no": (CLEAR, "M2、M5"),
    "edu.diploma.institution_code": (CLEAR, "M5"),
    "edu.diploma.institution_name": (CLEAR, "M2、M5"),
    "edu.diploma.education_level": (CLEAR, "M5"),
    "edu.diploma.graduation_date": (CLEAR, "M5"),
    "edu.diploma.verified": (PREDICATE, "M2、M5"),
    "edu.degree.certificate_no": (CLEAR, "M5"),
    "edu.degree.degree_level": (CLEAR, "M5、M7"),
    "edu.degree.granting_unit": (CLEAR, "M5"),
    "edu.degree.grant_date": (CLEAR, "M5、M7"),
    "edu.degree.revoked": (PREDICATE, "M5、M7"),
    "edu.degree.verified": (PREDICATE, "M5、M7"),
    "ps.person_verify.id_match": (PREDICATE, "M10、M12"),
    "ps.person_verify.name_match": (PREDICATE, "M10、M12"),
    "ps.person_verify.deceased": (PREDICATE, "M1、M10、M12"),
    "ps.person_core.full_name": (CLEAR, "M8"),
    "ps.person_core.sex": (CLEAR, "M2、M8"),
    "ps.person_core.birth_date": (CLEAR, "M2、M8"),
    "ps.person_core.registered_address": (CLEAR, "M8"),
    "ps.person_core.person_state": (CLEAR, "M2"),
    "ps.household.kinship_ok": (PREDICATE, "M2、M4"),
    "ps.death_cancel.death_date": (CLEAR, "M1、M4"),
    "ps.death_cancel.is_cancelled": (PREDICATE, "M1、M4"),
    "ps.photo_compare.same_person": (PREDICATE, "M8"),
    "ca.marriage_verify.is_couple": (PREDICATE, "M4"),
    "ca.marriage_verify.current_status": (CLEAR, "M6"),
    "ca.cremation.is_cremated": (PREDICATE, "M1、M4"),
    "ca.assistance.is_recipient": (PREDICATE, "M6、M12"),
    "ca.assistance.category": (CLEAR, "M12"),
    "ca.adoption_child.is_dependent_child": (PREDICATE, "M4"),
    "tx.income_tax.income_band": (CATEGORY, "M7"),
    "tx.income_tax.has_wage_income": (PREDICATE, "M3"),
    "tx.taxpayer.taxpayer_id": (CLEAR, "M9"),
    "tx.taxpayer.taxpayer_state": (CLEAR, "M9"),
    "tx.taxpayer.in_arrears": (PREDICATE, "M6"),
    "tx.taxpayer.is_micro": (PREDICATE, "M6"),
    **{
        f"cm.enterprise.{name}": (CLEAR, "M6、M9")
        for name in (
            "uscc",
            "name",
            "entity_type",
            "legal_representative",
            "reg_state",
            "establish_date",
            "valid_to",
            "registered_capital",
            "address",
            "business_scope",
            "reg_authority",
        )
    },
    "cm.enterprise_verify.all_match": (PREDICATE, "M9"),
    "cm.enterprise_verify.mismatched_keys": (CATEGORY, "M9"),
    "cm.positions.has_active_entity": (PREDICATE, "M3"),
    "bk.account_verify.name_match": (PREDICATE, "M4、M7、M9、M10、M13"),
    "bk.account_verify.id_match": (PREDICATE, "M4、M7、M9、M10、M13"),
    "bk.account_verify.account_usable": (PREDICATE, "M4、M7、M9、M10、M13"),
    "bk.account_verify.reason": (CATEGORY, "M4、M7、M10、M13"),
    "bk.sscard_account.activated": (PREDICATE, "M6、M8、M10"),
    "hr.participation.state": (PREDICATE, "M2、M3、M12"),
    "hr.participation.first_date": (CLEAR, "M2、M11"),
    "hr.participation.is_insured": (PREDICATE, "M3、M6、M12、M14"),
    "hr.contribution_record.months_paid": (CLEAR, "M2、M3、M11"),
    "hr.contribution_record.paid_at_least": (PREDICATE, "M5、M7、M13"),
    "hr.pension.monthly_amount": (CLEAR, "M14"),
    "hr.pension.is_receiving": (PREDICATE, "M3、M14"),
    "hr.labour_contract.has_active_contract": (PREDICATE, "M3、M7"),
    "hr.qualification.certificate_no": (CLEAR, "M5、M13"),
    "hr.qualification.skill_level": (CLEAR, "M5、M13"),
    "hr.qualification.issue_date": (CLEAR, "M13"),
    "hr.qualification.verified": (PREDICATE, "M5、M13"),
    "hc.death_certificate.death_date": (CLEAR, "M1"),
    "hc.death_certificate.has_record": (PREDICATE, "M1"),
}

# The finding of a predicate when the department holds no record. NO only where holding no record IS
# the answer (a register of all events of its kind in the province); elsewhere "not found" is not
# "no": a diploma older than the register, a marriage registered in another province.
ABSENT: Final = {
    "edu.enrolment.is_enrolled": "NO",
    "ps.death_cancel.is_cancelled": "NO",
    "ca.marriage_verify.registration_found": "NO",
    "ca.cremation.is_cremated": "NO",
    "ca.assistance.is_recipient": "NO",
    "tx.contribution.paid_in_period": "NO",
    "tx.income_tax.has_wage_income": "NO",
    "tx.taxpayer.in_arrears": "NOT_APPLICABLE",
    "tx.taxpayer.is_micro": "NOT_APPLICABLE",
    "cm.positions.has_active_entity": "NO",
    "bk.sscard_account.activated": "NO",
    "hr.participation.state": "NO",
    "hr.participation.is_insured": "NO",
    "hr.contribution_record.paid_at_least": "NO",
    "hr.pension.is_receiving": "NO",
    "hr.sscard.has_valid_card": "NO",
    "hr.unemployment.registered": "NO",
    "hr.labour_contract.has_active_contract": "NO",
    "hc.death_certificate.has_record": "NO",
}


def choose_ceiling(name: str, kind: str, sensitivity: str, sharing: str) -> tuple[str, str]:
    """Return the ceiling of a field and why."""
    if sharing == "N":
        return "不予提供", "不予共享"
    if name in NEEDS:
        text, matters = NEEDS[name]
        return text, f"事项 {matters} 所需的最高程度"
    if sharing == "P":
        native = kind in {"pred", "bool"}
        return (PREDICATE if native else "核对(相符)"), "只提供判断结论；暂无事项需要"
    if sharing == "U" or sensitivity in {"S1", "S2"}:
        return CLEAR, "无条件共享" if sharing == "U" else "有条件共享，非个人信息"
    if sensitivity == "S4":
        return PREDICATE, "敏感个人信息；暂无事项需要"
    return choose_coarse(kind), "个人信息；暂无事项需要明文"


def choose_coarse(kind: str) -> str:
    """Return the mask or coarser value an S3 field is shown by when no matter needs more."""
    if kind in {"date", "ts", r"re:\d{6}"}:
        return "概化(年)"
    if kind == "code:GB/T2260":
        return "概化(市)"
    if kind.startswith("dec"):
        return "概化(千元)"
    if kind in {"cid18", "uscc18"}:
        return "掩码(4,4)"
    if kind in {"str60", "str80", "str100"}:
        return "掩码(1,0)"
    # A code, a count or a list has no harmless part: only that there is one.
    return "掩码(0,0)"


def write_lines(rows: list[dict[str, str]]) -> Iterator[str]:
    """Yield the lines of the catalog."""
    yield "# Generated once by deploy/catalog/generate.py, then kept; tests/policy hold its rules."
    yield "providers:"
    for uscc, title in PROVIDERS.items():
        yield f"  {uscc}: {title}"
    yield "datasets:"
    current = ""
    for row in rows:
        dataset = row["dataset"]
        if dataset != current:
            current = dataset
            title = TITLES[dataset]
            yield f"  {dataset}@1:"
            yield f"    title_zh: {title.zh}"
            yield f"    title_en: {title.en}"
            yield f"    provider: {PREFIXES[dataset.partition('.')[0]]}"
            yield f"    retention_days: {title.retention_days}"
            yield f"    further_keys: [{', '.join(title.further_keys)}]"
            yield "    fields:"
        yield from write_field(row)


def write_field(row: dict[str, str]) -> Iterator[str]:
    """Yield the lines of one field."""
    name = f"{row['dataset']}.{row['field']}"
    ceiling, reason = choose_ceiling(name, row["type"], row["sensitivity"], row["sharing"])
    yield f"      {row['field']}:"
    yield f"        title_zh: {row['name_zh']}"
    yield f"        type: '{row['type']}'"
    yield f"        sensitivity: {row['sensitivity']}"
    yield f"        sharing: {SHARING[row['sharing']]}"
    yield f'        ceiling: "{ceiling}"'
    yield f"        ceiling_reason: {reason}"
    if name in ABSENT:
        yield f'        when_absent: "{ABSENT[name]}"'


def main() -> None:
    """Write the catalog to standard output."""
    source = Path(__file__).with_name("datasets.csv")
    with source.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="|"))
    sys.stdout.writelines(f"{line}\n" for line in write_lines(rows))


if __name__ == "__main__":
    main()
