"""Writes small bundles: a catalog with one field of each kind, and one agreement to be varied."""

import copy
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

START = date(2026, 11, 23)
AT_MS = 1_795_392_000_000  # 2026-11-23T00:00:00Z
USCC = "11370000MB2DEM0105"
SYSTEM = f"{USCC}/retirement"
BASIS = "社会保险法第五十七条"

Tree = dict[str, Any]
"""A document as YAML reads it."""

_FIELDS = (
    ("person_id", "证件号码", "cid18", "S3", "CONDITIONAL", "掩码(6,4)"),
    ("full_name", "姓名", "str60", "S3", "CONDITIONAL", "明文"),
    ("birth_date", "出生日期", "date", "S3", "CONDITIONAL", "明文"),
    ("place", "户籍区划", "code:GB/T2260", "S3", "CONDITIONAL", "明文"),
    ("grant_date", "授予日期", "date", "S3", "CONDITIONAL", "概化(年)"),
    ("months", "累计月数", "int", "S3", "CONDITIONAL", "明文"),
    ("amount", "金额", "dec10.2", "S3", "CONDITIONAL", "明文"),
    ("verified", "核验一致", "pred", "S3", "PREDICATE_ONLY", "判断"),
    ("reason", "原因", "code:closed/lost", "S4", "PREDICATE_ONLY", "判断(类别)"),
    ("photo", "照片", "b64", "S4", "WITHHELD", "不予提供"),
    ("paper", "证照文件", "document/ofd", "S3", "CONDITIONAL", "明文"),
)


def catalog() -> Tree:
    """Return a catalog of one dataset."""
    fields = {
        name: {
            "title_zh": title,
            "type": kind,
            "sensitivity": sensitivity,
            "sharing": sharing,
            "ceiling": ceiling,
            "ceiling_reason": "测试",
        }
        for name, title, kind, sensitivity, sharing, ceiling in _FIELDS
    }
    dataset = {
        "title_zh": "测试数据集",
        "title_en": "Test dataset",
        "provider": USCC,
        "retention_days": 90,
        "further_keys": [],
        "fields": fields,
    }
    return {"providers": {USCC: "测试机构"}, "datasets": {"zz.test@1": dataset}}


def conditions(count: int = 6) -> Tree:
    """Return conditions 条件0 … over boolean facts of their own, each the fact itself."""
    facts = {
        f"fact_{index}": {
            "类型": "bool",
            "来源": "subject" if index % 2 else "case",
            "名称": "事实",
        }
        for index in range(count)
    }
    named = {
        f"条件{index}": {
            "式": f"fact_{index}",
            "责任人": "测试处",
            "英文": f"fact {index} holds",
            "例": [
                {"事实": {f"fact_{index}": "true"}, "得": "是"},
                {"事实": {f"fact_{index}": "false"}, "得": "否"},
                {"事实": {}, "得": "不明"},
            ],
        }
        for index in range(count)
    }
    return {"词汇": facts, "条件": named}


def restrictions() -> Tree:
    """Return one prohibition over everything."""
    return {
        "禁止": [{"编号": "JZ-01", "说明": "测试禁止", "字段": "*", "当": "条件5"}],
        "条件上限": [],
        "不得同出": [],
    }


def agreement(**changes: object) -> Tree:
    """Return an agreement with some members replaced; a value None removes the member."""
    document: Tree = {
        "编号": "XY-T-001",
        "名称": "测试协议",
        "使用方": SYSTEM,
        "目录": "zz.test@1",
        "依据": [BASIS],
        "责任人": "测试处",
        "事项": ["M2"],
        "角色": ["经办"],
        "有效": {"起": "启动日-30天", "止": "启动日+335天"},
        "前提": ["条件0"],
        "频次": {"每办件每人": 3, "每日": 1000, "每秒": 10},
        "字段": {"姓名": "掩码(1,0)"},
        "例": [{"名称": "一般", "得": {"姓名": "掩码(1,0)"}}],
    }
    document.update(changes)
    return {name: value for name, value in document.items() if value is not None}


def granting(cells: Tree, **changes: object) -> Tree:
    """Return an agreement with other cells of one rung each, and the example they need."""
    return agreement(字段=cells, 例=[{"名称": "一般", "得": dict(cells)}], **changes)


def head() -> Tree:
    """Return the head of a bundle."""
    return {
        "序号": 1,
        "到期": "启动日+365天",
        "事项": {"M1": "待遇资格认证", "M2": "退休申请"},
        "角色": ["经办", "复核", "系统"],
    }


def write_bundle(folder: Path, **documents: object) -> None:
    """Write a bundle; head, catalog, conditions, restrictions, agreements may be given."""
    defaults: Tree = {
        "head": head(),
        "catalog": catalog(),
        "conditions": conditions(),
        "restrictions": restrictions(),
        "agreements": [agreement()],
    }
    chosen = {**defaults, **documents}
    names = {
        "head": "bundle.yaml",
        "catalog": "catalog.yaml",
        "conditions": "conditions.yaml",
        "restrictions": "restrictions.yaml",
        "agreements": "agreements/all.yaml",
    }
    (folder / "agreements").mkdir(exist_ok=True)
    for member, name in names.items():
        value = chosen[member]
        text = value if isinstance(value, str) else dump(value)
        (folder / name).write_text(text, encoding="utf-8")


def dump(value: object) -> str:
    """Return YAML without aliases."""
    return yaml.dump(copy.deepcopy(value), Dumper=_Plain, allow_unicode=True, sort_keys=False)


class _Plain(yaml.CSafeDumper):
    """Writes every value out instead of referring to an earlier one."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Return that nothing is an alias."""
        del data
        return True
