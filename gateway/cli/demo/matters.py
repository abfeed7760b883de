"""What must come out in M3, M4, M5, M7 and M13: benefits and titles.

Reasoned from docs/population.md and the departments' pages, spelled as in `expectations`.
INVARIANT: nothing here is computed from an answer of the gateway.
"""

from collections.abc import Mapping
from typing import Final

from gateway.cli.demo.expectations import (
    ANY,
    CANCEL,
    CONTRIBUTIONS,
    CREMATION,
    DIPLOMA,
    HOUSEHOLD,
    PARTICIPATION,
    About,
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

REFUSED: Final = "REFUSED NOTHING_GRANTED"
ACCOUNT_FINE: Final = {
    "name_match": "PREDICATE YES",
    "id_match": "PREDICATE YES",
    "account_usable": "PREDICATE YES",
}
ALIVE_AND_SAME: Final = {
    "id_match": "PREDICATE YES",
    "name_match": "PREDICATE YES",
    "deceased": "PREDICATE NO",
}


def all_answered(wanted: Mapping[str, Mapping[str, str]]) -> dict[str, Expected]:
    """Return what is wanted per dataset and field, every dataset answered."""
    return {dataset: Expected(fields=fields) for dataset, fields in wanted.items()}


def refused(dataset: str, *fields: str) -> dict[str, Expected]:
    """Return that a dataset is refused with all its fields."""
    return {dataset: Expected(state=REFUSED, fields=dict.fromkeys(fields, "REFUSED"))}


BENEFITS: Final = (
    Person(
        case="unemployed",
        matter="M3",
        why="registered as unemployed: no contract, no pension, no enterprise of his own",
        datasets=all_answered(
            {
                PARTICIPATION: {"state": "PREDICATE NO", "is_insured": "PREDICATE NO"},
                CONTRIBUTIONS: {"months_paid": "CLEAR 279"},
                INCOME: {"has_wage_income": "PREDICATE YES"},
                CONTRACT: {"has_active_contract": "PREDICATE NO"},
            }
        )
        # No row is a no where the register is whole (docs/adapters/hrss.md, commerce.md).
        | {
            PENSION: Expected(state="NOT_FOUND", fields={"is_receiving": "PREDICATE NO"}),
            POSITIONS: Expected(state="NOT_FOUND", fields={"has_active_entity": "PREDICATE NO"}),
        },
    ),
    Person(
        case="sole_trader",
        matter="M3",
        why="runs a shop under a code that begins with 92: an enterprise of her own",
        datasets=all_answered({POSITIONS: {"has_active_entity": "PREDICATE YES"}}),
    ),
    Person(
        case="employer_revoked",
        matter="M3",
        why="head of a company revoked and not cancelled: to be looked at, which is not no",
        datasets=all_answered({POSITIONS: {"has_active_entity": "PREDICATE INDETERMINATE"}}),
    ),
    Person(
        case="dead_pension_paid",
        matter="M4",
        why="the deceased: date of death in clear, cause never",
        datasets=all_answered(
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
        datasets=all_answered({ACCOUNT: ACCOUNT_FINE}),
    ),
    Person(
        case="divorced_by_court",
        matter="M4",
        why="divorced by judgment, which civil affairs does not hold: to be looked at",
        datasets=all_answered({MARRIAGE: {"is_couple": "PREDICATE YES"}}),
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
        datasets=all_answered({CHILD: {"is_dependent_child": "PREDICATE YES"}}),
    ),
)
TITLES: Final = (
    Person(
        case="ordinary_graduate",
        matter="M5",
        why="diploma and degree agree; no skill certificate is held, which is not no",
        datasets={
            **all_answered(
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
        datasets=all_answered(
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
        datasets=all_answered(
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
                ACCOUNT: ACCOUNT_FINE,
            }
        ),
    ),
    Person(
        case="unemployed",
        matter="M13",
        why="a skill certificate in force",
        datasets=all_answered(
            {
                QUALIFICATION: {
                    "certificate_no": f"CLEAR {ANY}",
                    "skill_level": "CLEAR 2",
                    "issue_date": "CLEAR 2016-03-08",
                    "verified": "PREDICATE YES",
                },
                CONTRIBUTIONS: {"paid_at_least": "PREDICATE YES"},
                ACCOUNT: ACCOUNT_FINE,
            }
        ),
    ),
    Person(
        case="qualification_revoked",
        matter="M13",
        why="his skill certificate was revoked",
        datasets=all_answered(
            {QUALIFICATION: {"skill_level": "CLEAR 1", "verified": "PREDICATE NO"}}
        ),
    ),
)
