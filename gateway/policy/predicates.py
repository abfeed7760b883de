"""The closed list of predicates an agreement may grant; `adapters.effects` has exactly these.

An agreement writes `判断(满12个月)`; the adapter receives `Effect(PREDICATE, ("at_least", "12"))`:
the id, then its parameters as canonical decimals. Thresholds stand in the agreement, never in a
question: a free threshold tells a number of 100,000 possible values in 17 questions (policy.md
3.4).

`is_true` 判断(是), on `pred` and `bool`: what the department itself answers.
`at_least` N 判断(满N个月), on `int` and the `pred` fields of `COUNTED`: value >= N. For a field of
    `COUNTED` the raw value an adapter applies it to is the number of months.
`age_at_least` N 判断(满N周岁), on a birth date: the N-th birthday is not after the day of `iat` in
    China (born on 29 February: 1 March in common years).
`alive` 判断(健在), on the fields of `ALIVE`: 正常 YES; 注销 and 迁出 INDETERMINATE, because a
    cancelled registration is not always a death.
`insured` 判断(在保), on the fields of `INSURED`: 参保 YES, 中断 and 终止 NO, 领取 NOT_APPLICABLE.
`category` 判断(类别), on codes and lists of names: the code itself, from the closed list of the
    catalog; a value, not a finding. For the reasons and bands that count as predicates.

A missing value is INDETERMINATE; no record at all is the catalog's `when_absent`.
Comparison is not in this list: `核对(相符)` is `Effect(COMPARE)` without parameters, and compares
with the claim of the field's own name. A mask is `Effect(MASK, (front, back))`, e.g. ("3", "4"); a
name keeps its surname with ("1", "0"); a value not longer than front + back shows nothing. A
coarser value is `Effect(GENERALISE, (step,))`: `year`, `month`, `decade`, `county`, `city`,
`thousand`.
"""

import re
from dataclasses import dataclass
from typing import Final

COUNTED: Final = frozenset({"hr.contribution_record.paid_at_least"})
"""`pred` fields whose threshold the department takes as a parameter."""
ALIVE: Final = frozenset({"ps.person_core.person_state"})
INSURED: Final = frozenset({"hr.participation.state"})

CATEGORY_ID: Final = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """One predicate: its id, its Chinese words with `N` for a threshold, what it means."""

    id: str
    words: str
    meaning_en: str


PREDICATES: Final = (
    Predicate(id="is_true", words="是", meaning_en="whether it is so"),
    Predicate(id="at_least", words="满N个月", meaning_en="whether at least N months"),
    Predicate(id="age_at_least", words="满N周岁", meaning_en="whether at least N years old"),
    Predicate(id="alive", words="健在", meaning_en="whether alive"),
    Predicate(id="insured", words="在保", meaning_en="whether insured now"),
    Predicate(id=CATEGORY_ID, words="类别", meaning_en="which listed category"),
)
PREDICATES_BY_ID: Final = {predicate.id: predicate for predicate in PREDICATES}


_NATIVE: Final = frozenset({"pred", "bool"})
_CODE: Final = re.compile(r"code(:(?!GB/T2260).*)?|list\(str\)")
"""A division is a place, not a category: it has coarser values of its own."""


def is_applicable(predicate_id: str, dataset: str, field: str, field_type: str) -> bool:
    """Whether a predicate has a meaning for a field; `dataset` without its version."""
    name = f"{dataset}.{field}"
    applicable = {
        "is_true": field_type in _NATIVE and name not in COUNTED,
        "at_least": field_type == "int" or name in COUNTED,
        "age_at_least": field_type == "date" and field == "birth_date",
        "alive": name in ALIVE,
        "insured": name in INSURED,
        CATEGORY_ID: _CODE.fullmatch(field_type) is not None,
    }
    return applicable.get(predicate_id, False)
