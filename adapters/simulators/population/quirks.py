"""The closed list of what can be special about a planted person (domain.md, section 11).

Names only: what each quirk does stands in the department's view, who has it in `planting`.
"""

from enum import StrEnum


class Quirk(StrEnum):
    """One nasty case, named by what is wrong."""

    ORDINARY_PENSIONER = "ordinary_pensioner"
    ORDINARY_GRADUATE = "ordinary_graduate"
    ORDINARY_EMPLOYEE = "ordinary_employee"
    FIFTEEN_DIGIT_ID = "fifteen_digit_id"
    TWO_PEOPLE_ONE_ID = "two_people_one_id"
    NAME_DOT_00B7 = "name_dot_00b7"
    NAME_DOT_2022 = "name_dot_2022"
    NAME_DOT_2027 = "name_dot_2027"
    NAME_DOT_30FB = "name_dot_30fb"
    NAME_PRIVATE_USE = "name_private_use"
    NAME_EXTENSION_B = "name_extension_b"
    DEAD_IN_CA_ALIVE_IN_PS = "dead_in_ca_alive_in_ps"
    DEAD_IN_PS_ALIVE_IN_CA = "dead_in_ps_alive_in_ca"
    CREMATED_NOT_CANCELLED = "cremated_not_cancelled"
    DEAD_PENSION_PAID = "dead_pension_paid"
    REMARRIED_WIDOW = "remarried_widow"
    MARRIED_ELSEWHERE = "married_elsewhere"
    DIVORCED_BY_COURT = "divorced_by_court"
    HOUSEHOLD_SPLIT = "household_split"
    ADOPTED_CHILD = "adopted_child"
    EMIGRANT = "emigrant"
    MOVED_OUT = "moved_out"
    DEGREE_REVOKED = "degree_revoked"
    DEGREE_LETTER = "degree_letter"
    DEGREE_PREFIX = "degree_prefix"
    DIPLOMA_17_DIGITS = "diploma_17_digits"
    DIPLOMA_SELF_TAUGHT = "diploma_self_taught"
    DIPLOMA_BEFORE_2002 = "diploma_before_2002"
    DIPLOMA_INCOMPLETE = "diploma_incomplete"
    DIPLOMA_CODE_EXPIRED = "diploma_code_expired"
    STUDENT_ENROLLED = "student_enrolled"
    STUDENT_SUSPENDED = "student_suspended"
    NO_EDUCATION = "no_education"
    EMPLOYER_REVOKED = "employer_revoked"
    SOLE_TRADER = "sole_trader"
    LEGAL_REP_CHANGED = "legal_rep_changed"
    ACCOUNT_REUSED = "account_reused"
    CARD_REPLACED = "card_replaced"
    TAX_PERIOD_WRONG = "tax_period_wrong"
    TAX_REFUND_NEGATIVE = "tax_refund_negative"
    CONTRIBUTION_TWICE = "contribution_twice"
    PENSION_SUSPENDED = "pension_suspended"
    PENSION_UNDER_REVIEW = "pension_under_review"
    UNEMPLOYED = "unemployed"
    QUALIFICATION_REVOKED = "qualification_revoked"
    MANDATORY_FIELD_EMPTY = "mandatory_field_empty"
    OFFICER_WITH_RELATIVE = "officer_with_relative"
    OTHER_VILLAGE = "other_village"
    PROTECTED_PERSON = "protected_person"
    ENUMERATION = "enumeration"


DEAD: frozenset[Quirk] = frozenset(
    {
        Quirk.DEAD_IN_CA_ALIVE_IN_PS,
        Quirk.DEAD_IN_PS_ALIVE_IN_CA,
        Quirk.CREMATED_NOT_CANCELLED,
        Quirk.DEAD_PENSION_PAID,
    }
)
"""Quirks of people who died."""

NOT_CANCELLED: frozenset[Quirk] = frozenset(
    {Quirk.DEAD_IN_CA_ALIVE_IN_PS, Quirk.CREMATED_NOT_CANCELLED}
)
"""Quirks of the dead whom the population register still calls alive."""

GRADUATES: frozenset[Quirk] = frozenset(
    {
        Quirk.ORDINARY_GRADUATE,
        Quirk.FIFTEEN_DIGIT_ID,
        Quirk.NAME_DOT_00B7,
        Quirk.NAME_DOT_2022,
        Quirk.NAME_DOT_2027,
        Quirk.NAME_DOT_30FB,
        Quirk.NAME_PRIVATE_USE,
        Quirk.NAME_EXTENSION_B,
        Quirk.TWO_PEOPLE_ONE_ID,
        Quirk.DEGREE_REVOKED,
        Quirk.DEGREE_LETTER,
        Quirk.DEGREE_PREFIX,
        Quirk.DIPLOMA_17_DIGITS,
        Quirk.DIPLOMA_SELF_TAUGHT,
        Quirk.DIPLOMA_BEFORE_2002,
        Quirk.DIPLOMA_INCOMPLETE,
        Quirk.DIPLOMA_CODE_EXPIRED,
        Quirk.MANDATORY_FIELD_EMPTY,
    }
)
"""Quirks of people who hold a diploma whatever is drawn."""

NOT_GRADUATES: frozenset[Quirk] = frozenset(
    {Quirk.NO_EDUCATION, Quirk.STUDENT_ENROLLED, Quirk.STUDENT_SUSPENDED}
)
"""Quirks of people who hold none."""
