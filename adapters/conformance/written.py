"""Writes a commented sample of a kind for its engineer to fill in."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

from adapters.conformance.sample import Fields, section_class
from adapters.settings import KeyConfig

FILL_IN: Final = "填写 FILL IN"
"""Stands wherever something has to be written; nothing with it left in is read as a number."""

_HEAD: Final = """\
# 一致性检验的样例：{kind}。说明见 docs/adapters/conformance.md。
# Sample of the conformance kit for {kind}; see docs/adapters/conformance.md.
# 只写预置的测试人员，不写真实的人；本文件含其号码，权限用 0600。
# Planted test people only, never real ones; it holds their numbers, so keep it at 0600.

# 与网关配置 departments.{kind} 相同；record_key 可省。密钥和口令只写文件名（0600）。
# As departments.{kind} of a gateway; record_key may be left out. Secrets stand in files (0600).
section:
"""
_MIDDLE: Final = """\

# 供给的数据集；不供给的删去。 What this end offers; delete what it does not.
datasets: [{datasets}]
# 事项、办件编号，随问题发出。 Matter and case number, sent with each question.
matter: M1
case_number: CONFORMANCE-0001
# 需要经办人的部门填写，不需要的整段删去。 For departments that demand an officer; else delete it.
# officer:
#   {{name: {fill}, identifier: {fill}, unit: {fill}, unit_code: {fill}, call_reason: {fill}}}

# 不是简单是否的判断项 predicates that are no plain yes or no, e.g. {{paid_at_least: at_least 12}}
# predicates: {{}}

# is 的取值 values of `is`:
#   known          在册；所列数据项都应有值    on record; every field is due
#   unknown        不在册                      not on record
#   other_name     号码在册，姓名是别人的      the number is on record, under another name
#   fifteen_digits 在册，库中是 15 位号码      on record with a number of 15 digits
#   two_people     两人同号                    two people bear the number
# 可选 optional: claims（查询键 further keys）、expect（应得的值 values due）、
#   lacks（此人没有的数据项 fields he has no value of）、type: USCC（单位 an organisation）
people:
"""


def write_sample(path: Path, kind: str, fields: Fields) -> None:
    """Write the sample of a kind, readable by this user only.

    Raises:
        OSError: It cannot be written, or the file is there already.
    """
    # It will hold numbers of people: closed from its first byte on.
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(compose_sample(kind, fields), "utf-8")


def compose_sample(kind: str, fields: Fields) -> str:
    """Return the text of a sample, e.g. of `education` with its three datasets."""
    datasets = ", ".join(sorted(fields))
    people = (line for dataset in sorted(fields) for line in _people(dataset, fields[dataset]))
    return "".join(
        (
            _HEAD.format(kind=kind),
            *_settings(kind),
            _MIDDLE.format(datasets=datasets, fill=FILL_IN),
            *people,
        )
    )


def _settings(kind: str) -> Iterator[str]:
    for name, field in section_class(kind).model_fields.items():
        if name == "record_key":
            continue
        # An address unless told otherwise: who comes through the national platform says that.
        due = field.is_required() or name == "base_url"
        mark = "" if due else "# "
        yield f"  {mark}{name}: {_placeholder(field.annotation)}\n"


def _placeholder(annotation: object) -> str:
    if annotation is KeyConfig:
        return f"{{key: {FILL_IN}, passphrase_file: {FILL_IN}}}"
    parts = get_args(annotation)
    # A pair of texts, such as a code and a name.
    if parts and all(part is str for part in parts):
        return f"[{', '.join([FILL_IN] * len(parts))}]"
    return FILL_IN


def _people(dataset: str, names: Sequence[str]) -> Iterator[str]:
    yield f"  # {dataset}: {' '.join(names)}\n"
    for role in ("known", "unknown", "other_name"):
        yield f"  - {{is: {role}, dataset: {dataset}, id: {FILL_IN}, name: {FILL_IN}}}\n"
