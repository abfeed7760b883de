"""What must come out in M6, M8 to M12 and M14: enterprises, payments, others' counters.

Reasoned from docs/population.md and the departments' pages, spelled as in `expectations`.
INVARIANT: nothing here is computed from an answer of the gateway.
"""

from typing import Final

from gateway.cli.demo.expectations import (
    ANY,
    CONTRIBUTIONS,
    CORE,
    DIPLOMA,
    PARTICIPATION,
    VERIFY,
    About,
    Clerk,
    Expected,
    Person,
)
from gateway.cli.demo.matters import (
    ACCOUNT,
    ACCOUNT_FINE,
    ALIVE_AND_SAME,
    ASSISTANCE,
    BENEFITS,
    CARD_ACCOUNT,
    ENTERPRISE,
    ENTERPRISE_VERIFY,
    MARRIAGE,
    PENSION,
    PHOTO,
    TAXPAYER,
    TITLES,
    all_answered,
    refused,
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
        datasets=all_answered(
            {
                # A sole trader answers with all he has: there is no capital to register.
                ENTERPRISE: {
                    **_REGISTERED,
                    "registered_capital": "ABSENT",
                    "reg_state": "CLEAR 在营",
                },
                TAXPAYER: {"in_arrears": "PREDICATE NO", "is_micro": "PREDICATE YES"},
            }
        ),
    ),
    Person(
        case="sole_trader",
        matter="M6",
        why="herself: insured, married, her card in use, no assistance drawn",
        datasets={
            **all_answered(
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
        datasets=all_answered({ENTERPRISE: {"reg_state": "CLEAR 吊销"}}),
    ),
    Person(
        case="legal_rep_changed",
        matter="M9",
        why="another head since yesterday: one item differs, and who it is now is not told",
        about=About.EMPLOYER,
        datasets=all_answered(
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
        datasets=all_answered(
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
        case="card_replaced",
        matter="M8",
        why="somebody else of the household stood before the camera: the face is another's",
        portrait_of=About.SPOUSE,
        datasets=all_answered({PHOTO: {"same_person": "PREDICATE NO"}}),
    ),
    Person(
        case="household_split",
        matter="M8",
        why="did not consent: the faces are not compared, all else goes on",
        datasets={
            **all_answered({CORE: {"full_name": "CLEAR 杨立志", "sex": "CLEAR 1"}}),
            **refused(PHOTO, "same_person"),
        },
    ),
    Person(
        case="ordinary_employee",
        matter="M8",
        why="collected at a township counter: nothing in clear, the address down to the county",
        clerk=Clerk.TOWNSHIP,
        datasets=all_answered(
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
            **refused(CORE, "full_name", "registered_address"),
            **all_answered({CARD_ACCOUNT: {"activated": "PREDICATE YES"}}),
        },
    ),
    Person(
        case="other_village",
        matter="M8",
        why="the clerk belongs to another county than the case: nothing is provided",
        clerk=Clerk.OTHER_COUNTY,
        datasets=refused(CORE, "full_name", "registered_address"),
    ),
    Person(
        case="ordinary_pensioner",
        matter="M10",
        why="before pay day: his account, his card, himself",
        datasets=all_answered(
            {
                ACCOUNT: ACCOUNT_FINE,
                CARD_ACCOUNT: {"activated": "PREDICATE YES"},
                VERIFY: ALIVE_AND_SAME,
            }
        ),
    ),
    Person(
        case="account_reused",
        matter="M10",
        why="the account number belongs to somebody else now, whose name is not told",
        datasets=all_answered(
            {ACCOUNT: {"name_match": "PREDICATE NO", "id_match": "PREDICATE NO"}}
        ),
    ),
    Person(
        case="card_replaced",
        matter="M10",
        why="the account of the old card is closed",
        datasets=all_answered(
            {ACCOUNT: {"account_usable": "PREDICATE NO", "reason": "PREDICATE closed"}}
        ),
    ),
    Person(
        case="ordinary_pensioner",
        matter="M12",
        why="no household of his draws assistance",
        datasets={
            ASSISTANCE: Expected(fields={"is_recipient": "PREDICATE NO"}),
            **all_answered({PARTICIPATION: {"is_insured": "PREDICATE NO"}, VERIFY: ALIVE_AND_SAME}),
        },
    ),
)
_OUTWARD: Final = (
    Person(
        case="ordinary_employee",
        matter="M11",
        why="moved within the province: asked by the county she moved to",
        clerk=Clerk.OTHER_COUNTY,
        datasets=all_answered(
            {
                PARTICIPATION: {"first_date": "CLEAR 2010-08-01"},
                CONTRIBUTIONS: {"months_paid": "CLEAR 195"},
            }
        ),
    ),
    Person(
        case="ordinary_pensioner",
        matter="M14",
        why="civil affairs asks on the family's mandate: the amount in clear",
        asked_by="social-assistance",
        datasets=all_answered(
            {PENSION: {"monthly_amount": "CLEAR 5754.14", "is_receiving": "PREDICATE YES"}}
        ),
    ),
    Person(
        case="pension_suspended",
        matter="M14",
        why="the family gave no mandate: nothing is provided",
        asked_by="social-assistance",
        datasets=refused(PENSION, "monthly_amount", "is_receiving"),
    ),
    Person(
        case="ordinary_employee",
        matter="M14",
        why="the housing fund learns whether she is insured, and nothing else",
        asked_by="fund",
        datasets=all_answered({PARTICIPATION: {"is_insured": "PREDICATE YES"}}),
    ),
)
ABROAD: Final = Person(
    case="moved_out",
    matter="M11",
    why="moved between provinces: the other one's HRSS department tells what he paid there",
    datasets=all_answered(
        {
            PARTICIPATION: {"first_date": f"CLEAR {ANY}"},
            CONTRIBUTIONS: {"months_paid": f"CLEAR {ANY}"},
        }
    ),
)
"""Asked at the gateway of another province."""
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
    *BENEFITS,
    *TITLES,
    *_ENTERPRISES,
    *_PAYMENTS,
    *_OUTWARD,
)
"""People of the matters M3 to M14."""
