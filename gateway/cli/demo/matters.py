"""What must come out in M3 to M14, reasoned from docs/population.md and the departments' pages.

Spelled as in `expectations`. INVARIANT: nothing here is computed from an answer of the gateway.
"""

from collections.abc import Mapping
from typing import Final

from gateway.cli.demo.expectations import (
    ANY,
    CANCEL,
    CONTRIBUTIONS,
    CORE,
    CREMATION,
    DIPLOMA,
    HOUSEHOLD,
    PARTICIPATION,
    VERIFY,
    About,
    Clerk,
    Expected,
    Person,
)

DEGREE: Final = "edu.degree@1"
PHOTO: Final = "ps.photo_compare@1"
MARRIAGE: Final = "ca.marriage_verify@1"
CHILD: Final = "ca.adoption_child@1"
ASSISTANCE: Final = "ca.assistance@1"
INCOME: Final = "tx.income_tax@1"
TAXPAYER: Final = "tx.taxpayer@1"
ENTERPRISE: Final = "cm.enterprise@1"
ENTERPRISE_VERIFY: Final = "cm.enterprise_verify@1"
POSITIONS: Final = "cm.positions@1"
ACCOUNT: Final = "bk.account_verify@1"
CARD_ACCOUNT: Final = "bk.sscard_account@1"
PENSION: Final = "hr.pension@1"
CONTRACT: Final = "hr.labour_contract@1"
QUALIFICATION: Final = "hr.qualification@1"

_REFUSED: Final = "REFUSED NOTHING_GRANTED"
_ACCOUNT_FINE: Final = {
    "name_match": "PREDICATE YES",
    "id_match": "PREDICATE YES",
    "account_usable": "PREDICATE YES",
}
_ALIVE_AND_SAME: Final = {
    "id_match": "PREDICATE YES",
    "name_match": "PREDICATE YES",
    "deceased": "PREDICATE NO",
}


def _all_answered(wanted: Mapping[str, Mapping[str, str]]) -> dict[str, Expected]:
    """Return what is wanted per dataset and field, every dataset answered."""
    return {dataset: Expected(fields=fields) for dataset, fields in wanted.items()}


def _refused(dataset: str, *fields: str) -> dict[str, Expected]:
    return {dataset: Expected(state=_REFUSED, fields=dict.fromkeys(fields, "REFUSED"))}


_BENEFITS: Final = (
    Person(
        case="unemployed",
        matter="M3",
        why="registered as unemployed: no contract, no pension, no enterprise of his own",
        datasets=_all_answered(
            {
                PARTICIPATION: {"state": "PREDICATE NO", "is_insured": "PREDICATE NO"},
                CONTRIBUTIONS: {"months_paid": "CLEAR 279"},
                POSITIONS: {"has_active_entity": "PREDICATE NO"},
                INCOME: {"has_wage_income": "PREDICATE YES"},
                CONTRACT: {"has_active_contract": "PREDICATE NO"},
            }
        )
        # No row in the department's own table is a no (docs/adapters/hrss.md).
        | {PENSION: Expected(state="NOT_FOUND", fields={"is_receiving": "PREDICATE NO"})},
    ),
    Person(
        case="sole_trader",
        matter="M3",
        why="runs a shop under a code that begins with 92: an enterprise of her own",
        datasets=_all_answered({POSITIONS: {"has_active_entity": "PREDICATE YES"}}),
    ),
    Person(
        case="employer_revoked",
        matter="M3",
        why="head of a company revoked and not cancelled: to be looked at, which is not no",
        datasets=_all_answered({POSITIONS: {"has_active_entity": "PREDICATE INDETERMINATE"}}),
    ),
    Person(
        case="dead_pension_paid",
        matter="M4",
        why="the deceased: date of death in clear, cause never",
        datasets=_all_answered(
            {
                CANCEL: {"is_cancelled": "PREDICATE YES", "death_date": f"CLEAR {ANY}"},
                CREMATION: {"is_cremated": "PREDICATE YES"},
                MARRIAGE: {"is_couple": "PREDICATE YES"},
                HOUSEHOLD: {"kinship_ok": "PREDICATE YES"},
            }
        ),
    ),
    Person(
        case="dead_pension_paid",
        matter="M4",
        why="the survivor: her account can be paid to",
        about=About.SPOUSE,
        datasets=_all_answered({ACCOUNT: _ACCOUNT_FINE}),
    ),
    Person(
        case="divorced_by_court",
        matter="M4",
        why="divorced by judgment, which civil affairs does not hold: to be looked at",
        datasets=_all_answered({MARRIAGE: {"is_couple": "PREDICATE YES"}}),
    ),
    Person(
        case="married_elsewhere",
        matter="M4",
        why="married in another province: not found is not single",
        datasets={
            MARRIAGE: Expected(state="NOT_FOUND", fields={"is_couple": "PREDICATE INDETERMINATE"})
        },
    ),
    Person(
        case="adopted_child",
        matter="M4",
        why="an adopted child depends on her",
        datasets=_all_answered({CHILD: {"is_dependent_child": "PREDICATE YES"}}),
    ),
)
_TITLES: Final = (
    Person(
        case="ordinary_graduate",
        matter="M5",
        why="diploma and degree agree; no skill certificate is held, which is not no",
        datasets={
            **_all_answered(
                {
                    DIPLOMA: {
                        "certificate_no": f"CLEAR {ANY}",
                        "institution_code": f"CLEAR {ANY}",
                        "institution_name": "CLEAR 胶东示例职业学院",
                        "education_level": "CLEAR 21",
                        "graduation_date": "CLEAR 2004-07-01",
                        "verified": "PREDICATE YES",
                    },
                    DEGREE: {
                        "certificate_no": f"CLEAR {ANY}",
                        "degree_level": "CLEAR 4",
                        "granting_unit": "CLEAR 胶东示例职业学院",
                        "grant_date": "CLEAR 2004-07-01",
                        "revoked": "PREDICATE NO",
                        "verified": "PREDICATE YES",
                    },
                    CONTRIBUTIONS: {"paid_at_least": "PREDICATE YES"},
                }
            ),
            QUALIFICATION: Expected(
                state="NOT_FOUND",
                fields={
                    "certificate_no": "ABSENT",
                    "skill_level": "ABSENT",
                    "verified": "PREDICATE INDETERMINATE",
                },
            ),
        },
    ),
    Person(
        case="degree_revoked",
        matter="M5",
        why="his degree was revoked in 2019",
        datasets=_all_answered(
            {
                DEGREE: {
                    "degree_level": "CLEAR 4",
                    "revoked": "PREDICATE YES",
                    "verified": "PREDICATE NO",
                }
            }
        ),
    ),
    Person(
        case="degree_prefix",
        matter="M7",
        why="a professional degree, insured and under contract; the bank account is hers to use",
        datasets=_all_answered(
            {
                DEGREE: {
                    "degree_level": "CLEAR 3",
                    "grant_date": "CLEAR 2003-07-01",
                    "revoked": "PREDICATE NO",
                    "verified": "PREDICATE YES",
                },
                CONTRIBUTIONS: {"paid_at_least": "PREDICATE YES"},
                CONTRACT: {"has_active_contract": "PREDICATE YES"},
                INCOME: {"income_band": "PREDICATE B3"},
                ACCOUNT: _ACCOUNT_FINE,
            }
        ),
    ),
    Person(
        case="unemployed",
        matter="M13",
        why="a skill certificate in force",
        datasets=_all_answered(
            {
                QUALIFICATION: {
                    "certificate_no": f"CLEAR {ANY}",
                    "skill_level": "CLEAR 2",
                    "issue_date": "CLEAR 2016-03-08",
                    "verified": "PREDICATE YES",
                },
                CONTRIBUTIONS: {"paid_at_least": "PREDICATE YES"},
                ACCOUNT: _ACCOUNT_FINE,
            }
        ),
    ),
    Person(
        case="qualification_revoked",
        matter="M13",
        why="his skill certificate was revoked",
        datasets=_all_answered(
            {QUALIFICATION: {"skill_level": "CLEAR 1", "verified": "PREDICATE NO"}}
        ),
    ),
)
_REGISTERED: Final = {
    "name": f"CLEAR {ANY}",
    "entity_type": f"CLEAR {ANY}",
    "legal_representative": f"CLEAR {ANY}",
    "registered_capital": f"CLEAR {ANY}",
    "address": f"CLEAR {ANY}",
}
_ENTERPRISES: Final = (
    Person(
        case="sole_trader",
        matter="M6",
        why="her shop: found among the sole traders, in operation, no arrears",
        about=About.EMPLOYER,
        datasets=_all_answered(
            {
                ENTERPRISE: {**_REGISTERED, "reg_state": "CLEAR 在营"},
                TAXPAYER: {"in_arrears": "PREDICATE NO", "is_micro": "PREDICATE YES"},
            }
        ),
    ),
    Person(
        case="sole_trader",
        matter="M6",
        why="herself: insured, married, her card in use, no assistance drawn",
        datasets={
            **_all_answered(
                {
                    PARTICIPATION: {"is_insured": "PREDICATE YES"},
                    MARRIAGE: {"current_status": "CLEAR 20"},
                    CARD_ACCOUNT: {"activated": "PREDICATE YES"},
                }
            ),
            ASSISTANCE: Expected(fields={"is_recipient": "PREDICATE NO"}),
        },
    ),
    Person(
        case="employer_revoked",
        matter="M6",
        why="the licence was revoked and never cancelled: the company is still there",
        about=About.EMPLOYER,
        datasets=_all_answered({ENTERPRISE: {"reg_state": "CLEAR 吊销"}}),
    ),
    Person(
        case="legal_rep_changed",
        matter="M9",
        why="another head since yesterday: one item differs, and who it is now is not told",
        about=About.EMPLOYER,
        datasets=_all_answered(
            {
                ENTERPRISE: {**_REGISTERED, "reg_state": "CLEAR 在营"},
                ENTERPRISE_VERIFY: {
                    "all_match": "PREDICATE NO",
                    "mismatched_keys": "PREDICATE legal_representative",
                },
                TAXPAYER: {"taxpayer_id": f"CLEAR {ANY}", "taxpayer_state": "CLEAR 03"},
            }
        ),
    ),
)
_PAYMENTS: Final = (
    Person(
        case="ordinary_employee",
        matter="M8",
        why="a card is issued to her; the picture never leaves public security",
        datasets=_all_answered(
            {
                CORE: {
                    "full_name": "CLEAR 赵晓岚",
                    "sex": "CLEAR 2",
                    "birth_date": "CLEAR 1988-06-01",
                    "registered_address": f"CLEAR {ANY}",
                },
                PHOTO: {"same_person": "PREDICATE YES"},
                CARD_ACCOUNT: {"activated": "PREDICATE YES"},
            }
        ),
    ),
    Person(
        case="ordinary_employee",
        matter="M8",
        why="collected at a township counter: nothing in clear, the address down to the county",
        clerk=Clerk.TOWNSHIP,
        datasets=_all_answered(
            {
                CORE: {
                    "full_name": "WITHHOLD WITHHELD",
                    "registered_address": "GENERALISE 山东省青岛市市北区",
                },
            }
        ),
    ),
    Person(
        case="ordinary_employee",
        matter="M8",
        why="collected in a village: findings alone",
        clerk=Clerk.VILLAGE,
        datasets={
            **_refused(CORE, "full_name", "registered_address"),
            **_all_answered({CARD_ACCOUNT: {"activated": "PREDICATE YES"}}),
        },
    ),
    Person(
        case="other_village",
        matter="M8",
        why="the clerk belongs to another county than the case: nothing is provided",
        clerk=Clerk.OTHER_COUNTY,
        datasets=_refused(CORE, "full_name", "registered_address"),
    ),
    Person(
        case="ordinary_pensioner",
        matter="M10",
        why="before pay day: his account, his card, himself",
        datasets=_all_answered(
            {
                ACCOUNT: _ACCOUNT_FINE,
                CARD_ACCOUNT: {"activated": "PREDICATE YES"},
                VERIFY: _ALIVE_AND_SAME,
            }
        ),
    ),
    Person(
        case="account_reused",
        matter="M10",
        why="the account number belongs to somebody else now, whose name is not told",
        datasets=_all_answered(
            {ACCOUNT: {"name_match": "PREDICATE NO", "id_match": "PREDICATE NO"}}
        ),
    ),
    Person(
        case="card_replaced",
        matter="M10",
        why="the account of the old card is closed",
        datasets=_all_answered(
            {ACCOUNT: {"account_usable": "PREDICATE NO", "reason": "PREDICATE closed"}}
        ),
    ),
    Person(
        case="ordinary_pensioner",
        matter="M12",
        why="no household of his draws assistance",
        datasets={
            ASSISTANCE: Expected(fields={"is_recipient": "PREDICATE NO"}),
            **_all_answered(
                {PARTICIPATION: {"is_insured": "PREDICATE NO"}, VERIFY: _ALIVE_AND_SAME}
            ),
        },
    ),
)
_OUTWARD: Final = (
    Person(
        case="moved_out",
        matter="M11",
        why="moved to another province: what he paid here goes with him",
        datasets=_all_answered(
            {
                PARTICIPATION: {"first_date": f"CLEAR {ANY}"},
                CONTRIBUTIONS: {"months_paid": f"CLEAR {ANY}"},
            }
        ),
    ),
    Person(
        case="ordinary_pensioner",
        matter="M14",
        why="civil affairs asks on the family's mandate: the amount in clear",
        asked_by="social-assistance",
        datasets=_all_answered(
            {PENSION: {"monthly_amount": "CLEAR 5754.14", "is_receiving": "PREDICATE YES"}}
        ),
    ),
    Person(
        case="pension_suspended",
        matter="M14",
        why="the family gave no mandate: nothing is provided",
        asked_by="social-assistance",
        datasets=_refused(PENSION, "monthly_amount", "is_receiving"),
    ),
    Person(
        case="ordinary_employee",
        matter="M14",
        why="the housing fund learns whether she is insured, and nothing else",
        asked_by="fund",
        datasets=_all_answered({PARTICIPATION: {"is_insured": "PREDICATE YES"}}),
    ),
)
_AWAY: Final = "INDETERMINATE PROVIDER_UNAVAILABLE"
AWAY: Final = "education"
"""The department that is switched off for one person."""
WHILE_AWAY: Final = Person(
    case="diploma_17_digits",
    matter="M5",
    why="education does not answer: its fields are open, the others are told all the same",
    datasets={
        DIPLOMA: Expected(
            state=_AWAY,
            fields={
                "institution_name": "CLEAR INDETERMINATE",
                "verified": "PREDICATE INDETERMINATE",
            },
        ),
        CONTRIBUTIONS: Expected(fields={"paid_at_least": "PREDICATE YES"}),
    },
)
FURTHER: Final[tuple[Person, ...]] = (
    *_BENEFITS,
    *_TITLES,
    *_ENTERPRISES,
    *_PAYMENTS,
    *_OUTWARD,
)
"""People of the matters M3 to M14."""
