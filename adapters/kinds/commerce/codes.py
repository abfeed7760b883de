"""What each code of the commerce register means; all there are (docs/adapters/commerce.md 3.2, 10).

Knows no message. INVARIANT: what stands in no table here is never read as NO and never told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.port import Finding, Indeterminate

FOUND: Final = "2000"
NONE_HELD: Final = "2004"
OTHER_NAME: Final = "2005"
SOLE_TRADER: Final = "2006"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one `code` is: the only status it comes with, and why it tells nothing, if so."""

    status: int
    untold: Indeterminate | None = None
    cause: Cause | None = None


_REFUSED: Final = Indeterminate.PROVIDER_FAULT
"""The requester can mend none of them: the form of each question is ours, and so are key and
authorisation."""

REPLIES: Final[Mapping[str, Reply]] = MappingProxyType(
    {
        # 201 belongs to webhooks, and none is registered.
        FOUND: Reply(status=200),
        NONE_HELD: Reply(status=200),
        # Number and name disagree: whose records are meant, a person has to look.
        OTHER_NAME: Reply(status=200, untold=Indeterminate.SUBJECT_UNRESOLVED),
        SOLE_TRADER: Reply(status=200),
        "4000": Reply(status=400, untold=_REFUSED, cause=Cause.CODE_REFUSED),
        "4010": Reply(status=401, untold=_REFUSED, cause=Cause.IDENTITY_REFUSED),
        # "Once, after setting the clock": no department sets the gateway's clock.
        "4011": Reply(status=401, untold=_REFUSED, cause=Cause.CLOCK_APART),
        "4030": Reply(status=403, untold=_REFUSED, cause=Cause.IDENTITY_REFUSED),
        # No such path, which is not "no such enterprise".
        "4040": Reply(status=404, untold=_REFUSED, cause=Cause.CODE_REFUSED),
        "4050": Reply(status=405, untold=_REFUSED, cause=Cause.CODE_REFUSED),
        "4090": Reply(status=409, untold=_REFUSED, cause=Cause.CODE_REFUSED),
        "4100": Reply(status=410, untold=_REFUSED, cause=Cause.CODE_REFUSED),
        "4130": Reply(status=413, untold=_REFUSED, cause=Cause.CODE_REFUSED),
        "4290": Reply(status=429, untold=Indeterminate.PROVIDER_QUOTA),
        "5000": Reply(status=503, untold=Indeterminate.PROVIDER_UNAVAILABLE),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterState:
    """What one `regstateCn` is in the catalog, and whether the entity does business."""

    catalog: str
    active: Finding


STATES: Final[Mapping[str, RegisterState]] = MappingProxyType(
    {
        "存续（在营、开业、在册）": RegisterState(catalog="在营", active=Finding.YES),
        "歇业": RegisterState(catalog="歇业", active=Finding.INDETERMINATE),
        # Revoked and not cancelled: the entity still exists, debts and insured people included.
        "吊销.未注销": RegisterState(catalog="吊销", active=Finding.INDETERMINATE),
        "吊销.已注销": RegisterState(catalog="注销", active=Finding.NO),
        "注销": RegisterState(catalog="注销", active=Finding.NO),
        "迁出": RegisterState(catalog="迁出", active=Finding.INDETERMINATE),
    }
)

POSITIONS: Final = frozenset({"法定代表人", "股东", "经营者"})

SOLE_TRADER_TYPE: Final = "个体工商户"
ENTITY_TYPES: Final = frozenset({"有限责任公司(自然人独资)", "有限责任公司(自然人投资或控股)"})

CURRENCY: Final = "人民币"
"""The only currency of amounts: the catalog's capital is in 10,000 yuan."""

VERDICTS: Final[Mapping[str, Finding]] = MappingProxyType(
    {"一致": Finding.YES, "不一致": Finding.NO}
)
"""What `entchk_checkrcs_msg` says; the list of differences is what counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One item that can be verified: the catalog's name of it, and how long it may be."""

    claim: str
    longest: int


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "entname": Check(claim="name", longest=120),
        "name": Check(claim="legal_representative", longest=60),
        "dom": Check(claim="address", longest=200),
    }
)
"""By `chk_key`, in the order of the interface; what the catalog lets a requester claim of a
company. Identity number, capital and day of establishment are in its interface and no claim."""
