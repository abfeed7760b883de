"""The closed list of identifiers: what each is called, by which rule it is examined, and where.

One row per kind, printed in docs/identifiers.md; examples are synthetic.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapters.mapping.identifiers.bank import examine_account_number, examine_cnaps
from adapters.mapping.identifiers.certificates import (
    examine_license_id,
    examine_marriage_number,
    examine_service_item,
)
from adapters.mapping.identifiers.education import examine_degree_number, examine_diploma_number
from adapters.mapping.identifiers.organisation import (
    examine_organisation_code,
    examine_tax_id,
    examine_uscc,
)
from adapters.mapping.identifiers.problems import Examined, Problem
from adapters.mapping.identifiers.resident import examine_resident_id
from adapters.mapping.identifiers.social import examine_social_card, examine_voucher

_P: Final = Problem


class IdentifierKind(StrEnum):
    """Every identifier that has a rule."""

    RESIDENT_ID = "RESIDENT_ID"
    USCC = "USCC"
    ORGANISATION_CODE = "ORGANISATION_CODE"
    TAX_ID = "TAX_ID"
    LICENSE_ID = "LICENSE_ID"
    ACCOUNT_NUMBER = "ACCOUNT_NUMBER"
    CNAPS = "CNAPS"
    DIPLOMA_NUMBER = "DIPLOMA_NUMBER"
    DEGREE_NUMBER = "DEGREE_NUMBER"
    MARRIAGE_NUMBER = "MARRIAGE_NUMBER"
    SERVICE_ITEM = "SERVICE_ITEM"
    SOCIAL_CARD = "SOCIAL_CARD"
    VOUCHER = "VOUCHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """How one kind is examined, for the code (`examine`) and for people."""

    zh: str
    rule: str
    source: str
    example: str
    examine: Callable[[str, date | None], Examined]
    problems: tuple[Problem, ...]
    """What may be found beside FORMAT."""


def _without_day(examine: Callable[[str], Examined]) -> Callable[[str, date | None], Examined]:
    return lambda text, _: examine(text)


_PERSON: Final = (_P.PERSON_CHECK, _P.BIRTH_DATE, _P.BIRTH_IN_FUTURE, _P.AGE, _P.REGION)
_COMPANY: Final = (_P.PREFIX, _P.REGION, _P.ORGANISATION_CHECK, _P.CREDIT_CODE_CHECK)

KINDS: Final[Mapping[IdentifierKind, KindRule]] = MappingProxyType(
    {
        IdentifierKind.RESIDENT_ID: KindRule(
            zh="公民身份号码",
            rule="18 characters, ISO 7064 MOD 11-2; 15 digits are widened with 19",
            source="GB 11643-1999",
            example="37010219560315002X",
            examine=examine_resident_id,
            problems=_PERSON,
        ),
        IdentifierKind.USCC: KindRule(
            zh="统一社会信用代码",
            rule="18 of 31 characters, weights 3^(i-1) mod 31; organisation code inside",
            source="GB 32100-2015",
            example="91370100MA3FAKE04Q",
            examine=_without_day(examine_uscc),
            problems=_COMPANY,
        ),
        IdentifierKind.ORGANISATION_CODE: KindRule(
            zh="组织机构代码",
            rule="9 characters, weights 3 7 9 10 5 8 4 2 mod 11",
            source="GB 11714-1997",
            example="MA3FAKE04",
            examine=_without_day(examine_organisation_code),
            problems=(_P.ORGANISATION_CHECK,),
        ),
        IdentifierKind.TAX_ID: KindRule(
            zh="纳税人识别号",
            rule="15 to 20 characters; 18 a credit code or resident number, 20 begin with one",
            source="layouts in use",
            example="91370100MA3FAKE04Q",
            examine=examine_tax_id,
            problems=tuple(dict.fromkeys((*_PERSON, *_COMPANY))),
        ),
        IdentifierKind.LICENSE_ID: KindRule(
            zh="电子证照标识",
            rule="root, type 21, issuer 18, serial, version 3, check ISO 7064 MOD 37,36",
            source="GB/T 36904-2018",
            example="1.2.156.3005.2.11100000000013338W000.11370000MB2DEM0105"
            ".2026HRSS000000000001.001.Q",
            examine=_without_day(examine_license_id),
            problems=(_P.CERTIFICATE_CHECK, *_COMPANY),
        ),
        IdentifierKind.ACCOUNT_NUMBER: KindRule(
            zh="银行卡号、账号",
            rule="16 to 19 digits; Luhn under a known card prefix only",
            source="ISO/IEC 7812-1",
            example="6217000000000000012",
            examine=_without_day(examine_account_number),
            problems=(_P.CARD_CHECK,),
        ),
        IdentifierKind.CNAPS: KindRule(
            zh="联行号",
            rule="12 digits; the check rule is not published",
            source="form alone",
            example="102451000017",
            examine=_without_day(examine_cnaps),
            problems=(),
        ),
        IdentifierKind.DIPLOMA_NUMBER: KindRule(
            zh="学历证书编号",
            rule="18 digits, 17 until about 2002; self-taught 65, division, serial",
            source="numbering of the education department",
            example="104221200405000123",
            examine=examine_diploma_number,
            problems=(_P.PART, _P.YEAR, _P.REGION),
        ),
        IdentifierKind.DEGREE_NUMBER: KindRule(
            zh="学位证书编号",
            rule="16 characters, S or E at 11; prefix C, T or Z",
            source="rule of 2005",
            example="1042242004000123",
            examine=examine_degree_number,
            problems=(_P.PART, _P.YEAR),
        ),
        IdentifierKind.MARRIAGE_NUMBER: KindRule(
            zh="结婚证、离婚证字号",
            rule="J, L, BJ or BL, division 6, year 4, serial 6; before that free text",
            source="numbering of civil affairs",
            example="J370102-2019-000123",
            examine=examine_marriage_number,
            problems=(_P.REGION, _P.YEAR, _P.FREE_TEXT),
        ),
        IdentifierKind.SERVICE_ITEM: KindRule(
            zh="政务服务事项实施编码",
            rule="31 characters: credit code, level, basic code 12; 33 with business item",
            source="inferred from published codes",
            example="11370000MB2DEM01052372014001000",
            examine=_without_day(examine_service_item),
            problems=(_P.PART, *_COMPANY),
        ),
        IdentifierKind.SOCIAL_CARD: KindRule(
            zh="社会保障卡号",
            rule="9 characters, no check rule published",
            source="form alone",
            example="A12345678",
            examine=_without_day(examine_social_card),
            problems=(),
        ),
        IdentifierKind.VOUCHER: KindRule(
            zh="税票号",
            rule="8 to 30 characters, 18 digits when electronic",
            source="form alone",
            example="337010260100000123",
            examine=_without_day(examine_voucher),
            problems=(),
        ),
    }
)

_BY_FIELD: Final[Mapping[str, IdentifierKind]] = MappingProxyType(
    {
        "edu.diploma.certificate_no": IdentifierKind.DIPLOMA_NUMBER,
        "edu.degree.certificate_no": IdentifierKind.DEGREE_NUMBER,
        "ca.marriage_record.certificate_no": IdentifierKind.MARRIAGE_NUMBER,
        "tx.taxpayer.taxpayer_id": IdentifierKind.TAX_ID,
        "tx.contribution.voucher_no": IdentifierKind.VOUCHER,
        "bk.sscard_account.bank_code": IdentifierKind.CNAPS,
        "bk.sscard_account.account_no": IdentifierKind.ACCOUNT_NUMBER,
        "hr.sscard.card_no": IdentifierKind.SOCIAL_CARD,
    }
)
_BY_TYPE: Final[Mapping[str, IdentifierKind]] = MappingProxyType(
    {"cid18": IdentifierKind.RESIDENT_ID, "uscc18": IdentifierKind.USCC}
)


def kind_of_field(dataset: str, field: str, catalog_type: str) -> IdentifierKind | None:
    """Return which identifier a field of the catalog holds, None where it holds none.

    `dataset` is without its version, e.g. `edu.diploma`.
    """
    return _BY_TYPE.get(catalog_type) or _BY_FIELD.get(f"{dataset}.{field}")


def examine(kind: IdentifierKind, text: str, today: date | None = None) -> Examined:
    """Report on an identifier of a kind; `today` is the day it is in China."""
    return KINDS[kind].examine(text, today)
