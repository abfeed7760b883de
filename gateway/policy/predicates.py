"""The closed list of predicates an agreement may grant. `adapters.effects` implements exactly these.

An agreement writes `判断(满12个月)`; the adapter receives `Effect(PREDICATE, ("at_least", "12"))`: the id,
then its parameters as canonical decimals. Thresholds stand in the agreement, never in a question: a free
threshold tells a number of 100,000 possible values in 17 questions (policy.md 3.4).

| id | text | field types | meaning; result |
|---|---|---|---|
| `is_true` | 判断(是) | `pred`, `bool` | what the department itself answers; a finding |
| `at_least` N | 判断(满N个月) | `int`, and the `pred` fields of `COUNTED` | value >= N; a finding. For a field of `COUNTED` the raw value an adapter applies it to is the number of months |
| `age_at_least` N | 判断(满N周岁) | `date` | N-th birthday not after the day of `iat` in China (born on 29 February: 1 March in common years); a finding |
| `alive` | 判断(健在) | the fields of `ALIVE` | 正常 YES, 注销 INDETERMINATE (a cancelled registration is not always a death), 迁出 INDETERMINATE; a finding |
| `insured` | 判断(在保) | the fields of `INSURED` | 参保 YES, 中断 and 终止 NO, 领取 NOT_APPLICABLE; a finding |
| `category` | 判断(类别) | `code…`, `list(str)` | the code itself, or the listed names, from the closed list of the catalog: the reasons and bands that count as predicates; a value, not a finding |

A missing value is INDETERMINATE; no record at all is the catalog's `when_absent`.
Comparison is not in this list: `核对(相符)` is `Effect(COMPARE)` without parameters, and compares with the
claim of the field's own name. Masks are `Effect(MASK, (front, back))`, e.g. ("3", "4"); a name keeps its
surname with ("1", "0"); a value not longer than front + back shows nothing. Coarser values are
`Effect(GENERALISE, (step,))` with `year`, `month`, `decade`, `county`, `city`, `thousand`.
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

    @property
    def has_threshold(self) -> bool:
        """Whether the words hold a threshold."""
        return "N" in self.words


PREDICATES: Final = (
    Predicate(id="is_true", words="是", meaning_en="whether it is so"),
    Predicate(id="at_least", words="满N个月", meaning_en="whether at least N months"),
    Predicate(id="age_at_least", words="满N周岁", meaning_en="whether at least N years old"),
    Predicate(id="alive", words="健在", meaning_en="whether alive"),
    Predicate(id="insured", words="在保", meaning_en="whether insured now"),
    Predicate(id=CATEGORY_ID, words="类别", meaning_en="which listed category"),
)
PREDICATES_BY_ID: Final = {predicate.id: predicate for predicate in PREDICATES}


def is_applicable(predicate_id: str, dataset: str, field: str, field_type: str) -> bool:
    """Whether a predicate has a meaning for a field; `dataset` without its version."""
    name = f"{dataset}.{field}"
    match predicate_id:
        case "is_true":
            return field_type in {"pred", "bool"} and name not in COUNTED
        case "at_least":
            return field_type == "int" or name in COUNTED
        case "age_at_least":
            return field_type == "date" and "birth" in field
        case "alive":
            return name in ALIVE
        case "insured":
            return name in INSURED
        case "category":
            return re.fullmatch(r"code(:.*)?|list\(str\)", field_type) is not None
        case _:
            return False
