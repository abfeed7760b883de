"""How long a decision takes: 20 fields, 500 agreements, 6 conditions each (policy.md 8, demand 14).

Questions run over all agreements and several outcomes of their conditions, so that plans are found,
not made; the first pass, which makes them, is not measured. Both back ends of conditions are shown.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaml
from typing_extensions import override

from adapters.port import DatasetName, FieldName
from certs.identity import SystemId
from gateway.policy import Bundle, DecisionInput, EngineKind, load_bundle

AGREEMENTS: Final = 500
FIELDS: Final = 20
CONDITIONS: Final = 6
ROUNDS: Final = 20
_START: Final = datetime(2026, 11, 23, tzinfo=UTC)
_USCC: Final = "11370000MB2DEM0105"
_SYSTEM: Final = f"{_USCC}/retirement"


def measure() -> dict[str, float]:
    """Return p50 and p99 of a decision in microseconds per back end, and the compile time."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder))
        for engine in EngineKind:
            begun = time.perf_counter()
            bundle = load_bundle(Path(folder), _START.date(), engine=engine)
            figures[f"{engine.lower()}_compile_s"] = time.perf_counter() - begun
            figures |= {f"{engine.lower()}_{name}": value for name, value in _time(bundle).items()}
    return figures


def _time(bundle: Bundle) -> dict[str, float]:
    questions = [
        build_question(index, vector) for index in range(AGREEMENTS) for vector in (63, 31, 21)
    ]
    for question in questions:
        bundle.decide(question)
    taken = []
    for _ in range(ROUNDS):
        for question in questions:
            begun = time.perf_counter_ns()
            bundle.decide(question)
            taken.append(time.perf_counter_ns() - begun)
    cuts = statistics.quantiles(taken, n=100)
    return {"decide_p50_us": cuts[49] / 1000, "decide_p99_us": cuts[98] / 1000}


def build_question(index: int, vector: int) -> DecisionInput:
    """Return a question for every field of one agreement; bits of `vector` are the facts."""
    return DecisionInput(
        agreement=f"XY-{index}",
        organisation=_USCC,
        system=SystemId(_SYSTEM),
        role="经办",
        matter="M2",
        facts={f"fact_{bit}": bool(vector >> bit & 1) for bit in range(CONDITIONS)},
        dataset=DatasetName("zz.test@1"),
        fields=tuple(FieldName(f"field_{number}") for number in range(FIELDS)),
        at_ms=int(_START.timestamp() * 1000),
        legal_basis="依据",
    )


def write_bundle(folder: Path) -> None:
    """Write a bundle of many agreements with six conditions each."""
    documents: dict[str, object] = {
        "bundle.yaml": {
            "序号": 1,
            "到期": "启动日+365天",
            "事项": {"M2": "退休申请"},
            "角色": ["经办"],
        },
        "catalog.yaml": {
            "providers": {_USCC: "机构"},
            "datasets": {
                "zz.test@1": {
                    "title_zh": "数据集",
                    "title_en": "Dataset",
                    "provider": _USCC,
                    "retention_days": 90,
                    "further_keys": [],
                    "fields": {f"field_{n}": _write_field(n) for n in range(FIELDS)},
                }
            },
        },
        "conditions.yaml": {
            "词汇": {
                f"fact_{bit}": {"类型": "bool", "来源": "case", "名称": "事实"}
                for bit in range(CONDITIONS)
            },
            "条件": {f"条件{bit}": _write_condition(bit) for bit in range(CONDITIONS)},
        },
        "restrictions.yaml": {"禁止": [], "条件上限": [], "不得同出": []},
        "agreements/all.yaml": [_write_agreement(index) for index in range(AGREEMENTS)],
    }
    (folder / "agreements").mkdir()
    for name, document in documents.items():
        text = yaml.dump(document, Dumper=_Plain, allow_unicode=True)
        (folder / name).write_text(text, encoding="utf-8")


class _Plain(yaml.CSafeDumper):
    """Writes repeated values out: aliases are refused."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Return that nothing is an alias."""
        del data
        return True


def _write_field(number: int) -> dict[str, str]:
    return {
        "title_zh": f"项{number}",
        "type": "str60",
        "sensitivity": "S3",
        "sharing": "CONDITIONAL",
        "ceiling": "明文",
        "ceiling_reason": "测量",
    }


def _write_condition(bit: int) -> dict[str, object]:
    return {
        "式": f"fact_{bit}",
        "责任人": "处",
        "英文": "a fact",
        "例": [
            {"事实": {f"fact_{bit}": "true"}, "得": "是"},
            {"事实": {f"fact_{bit}": "false"}, "得": "否"},
            {"事实": {}, "得": "不明"},
        ],
    }


def _write_agreement(index: int) -> dict[str, object]:
    ladder = [{"当": "条件4", "给": "明文"}, {"当": "条件5", "给": "掩码(1,0)"}]
    cells: dict[str, object] = {f"项{number}": "掩码(1,0)" for number in range(FIELDS)}
    cells["项0"] = [*ladder, {"否则": "掩码(0,0)"}]
    lowest = {name: "掩码(0,0)" if name == "项0" else "掩码(1,0)" for name in cells}
    return {
        "编号": f"XY-{index}",
        "名称": "测量",
        "使用方": _SYSTEM,
        "目录": "zz.test@1",
        "依据": ["依据"],
        "责任人": "处",
        "事项": ["M2"],
        "角色": ["经办"],
        "有效": {"起": "启动日-30天", "止": "启动日+300天"},
        "前提": [f"条件{bit}" for bit in range(4)],
        "频次": {"每日": 1000, "每秒": 10},
        "字段": cells,
        "例": [
            {"名称": "一般", "得": lowest},
            {"名称": "甲", "条件": {"条件4": "是"}, "得": {"项0": "明文"}},
            {"名称": "乙", "条件": {"条件5": "是"}, "得": {"项0": "掩码(1,0)"}},
        ],
    }


def main() -> None:
    """Print the figures."""
    for name, value in measure().items():
        print(f"{name:<24}{value:>10.2f}")


if __name__ == "__main__":
    main()
