"""What a partner asks, as values; sizes and forms are judged before anything is signed.

Sources of the bounds: exchange.proto. INVARIANT: identifiers, names and claimed values stand in no
`repr` and no error text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hutong.client.errors import QuestionRefused
from hutong.client.reasons import ClientReason

if TYPE_CHECKING:
    from hutong.client.officer import AssertionSource

_R: Final = ClientReason

MAX_FIELDS: Final = 64
MAX_CLAIMS: Final = 16
MAX_QUERIES: Final = 32
MAX_CLAIM_CHARACTERS: Final = 256
MAX_BASIS_CHARACTERS: Final = 200
MAX_NAME_CHARACTERS: Final = 60

_AGREEMENT: Final = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
_DATASET: Final = re.compile(r"[a-z]{2,8}\.[a-z0-9_]{1,40}@[1-9][0-9]{0,3}", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_MATTER: Final = re.compile(r"[A-Za-z0-9-]{1,16}", re.ASCII)
_CASE: Final = re.compile(r"[!-~]{1,64}", re.ASCII)
_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_FIFTEEN: Final = re.compile(r"[0-9]{15}", re.ASCII)
# GB 32100-2015 4.1: digits and capitals without I, O, S, V, Z.
_USCC: Final = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}", re.ASCII)
# GB 11643-1999 4.2.1, ISO 7064 MOD 11-2: weights of the first 17 places and the characters.
_WEIGHTS: Final = tuple(pow(2, 17 - place, 11) for place in range(17))
_CHECK_CHARACTERS: Final = "10X98765432"


class SubjectType(StrEnum):
    """What kind of identifier names the subject."""

    RESIDENT_ID = "RESIDENT_ID"
    USCC = "USCC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """About whom; the identifier is brought into its normal form of 18 characters.

    Raises:
        QuestionRefused: the identifier is of another form, or the name is too long.
    """

    type: SubjectType = SubjectType.RESIDENT_ID
    identifier: str = field(repr=False)
    full_name: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Normalise, because the record is bound to the normal form."""
        if len(self.full_name) > MAX_NAME_CHARACTERS:
            raise QuestionRefused(_R.SUBJECT_NAME_INVALID)
        # Frozen: the only way to put the normal form where callers and `repr` find it.
        normal = _normal_form(self.type, self.identifier)
        object.__setattr__(self, "identifier", normal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why it is asked: matter, the cited rule, the case.

    Raises:
        QuestionRefused: a part is absent or of another form.
    """

    matter: str
    legal_basis: str
    case_number: str = field(repr=False)

    def __post_init__(self) -> None:
        """Hold the parts to their forms."""
        _require(_R.MATTER_INVALID, holds=_MATTER.fullmatch(self.matter) is not None)
        _require(_R.LEGAL_BASIS_INVALID, holds=1 <= len(self.legal_basis) <= MAX_BASIS_CHARACTERS)
        _require(_R.CASE_NUMBER_INVALID, holds=_CASE.fullmatch(self.case_number) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetQuery:
    """One dataset asked for under one agreement; there is no way to say "all fields".

    Raises:
        QuestionRefused: a part is absent, repeated, too long or of another form.
    """

    agreement: str
    dataset: str
    fields: tuple[str, ...]
    claims: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Hold the parts to their forms."""
        object.__setattr__(self, "fields", tuple(self.fields))
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))
        names = (*self.fields, *self.claims)
        values = self.claims.values()
        distinct = len(set(self.fields)) == len(self.fields)
        _require(_R.AGREEMENT_INVALID, holds=_AGREEMENT.fullmatch(self.agreement) is not None)
        _require(_R.DATASET_INVALID, holds=_DATASET.fullmatch(self.dataset) is not None)
        _require(_R.FIELDS_INVALID, holds=1 <= len(self.fields) <= MAX_FIELDS and distinct)
        _require(_R.CLAIMS_INVALID, holds=len(self.claims) <= MAX_CLAIMS)
        _require(_R.NAME_INVALID, holds=all(_NAME.fullmatch(name) for name in names))
        _require(
            _R.CLAIMS_INVALID, holds=all(1 <= len(each) <= MAX_CLAIM_CHARACTERS for each in values)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Fields of one dataset about one subject, and why; `officer` is absent for system jobs."""

    agreement: str
    dataset: str
    fields: tuple[str, ...]
    subject: Subject
    purpose: Purpose
    claims: Mapping[str, str] = field(default_factory=dict, repr=False)
    officer: "AssertionSource | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what could not be sent when it is written, not when it is asked."""
        query = self.query
        object.__setattr__(self, "fields", query.fields)
        object.__setattr__(self, "claims", query.claims)

    @property
    def query(self) -> DatasetQuery:
        """What is asked, without subject and purpose."""
        return DatasetQuery(
            agreement=self.agreement, dataset=self.dataset, fields=self.fields, claims=self.claims
        )

    @property
    def queries(self) -> tuple[DatasetQuery, ...]:
        """The one query."""
        return (self.query,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterQuestion:
    """Everything one matter needs of one subject.

    Raises:
        QuestionRefused: no query, more than 32, or one dataset twice under one agreement.
    """

    queries: tuple[DatasetQuery, ...]
    subject: Subject
    purpose: Purpose
    officer: "AssertionSource | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Bound the queries."""
        object.__setattr__(self, "queries", tuple(self.queries))
        keys = {(query.agreement, query.dataset) for query in self.queries}
        _require(_R.QUERIES_INVALID, holds=1 <= len(self.queries) <= MAX_QUERIES)
        _require(_R.QUERIES_INVALID, holds=len(keys) == len(self.queries))


def _normal_form(kind: SubjectType, text: str) -> str:
    upper = text.upper()
    if kind is SubjectType.USCC:
        _require(_R.SUBJECT_INVALID, holds=_USCC.fullmatch(upper) is not None)
        return upper
    if _FIFTEEN.fullmatch(upper):
        # Numbers of the first generation name years of the twentieth century (GB 11643-1999).
        seventeen = upper[:6] + "19" + upper[6:]
        return seventeen + _check_character(seventeen)
    right = _EIGHTEEN.fullmatch(upper) is not None and _check_character(upper[:17]) == upper[17]
    _require(_R.SUBJECT_INVALID, holds=right)
    return upper


def _check_character(seventeen: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(seventeen, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def _require(reason: ClientReason, *, holds: bool) -> None:
    if not holds:
        raise QuestionRefused(reason)
