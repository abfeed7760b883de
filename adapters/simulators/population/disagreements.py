"""Where departments disagree on purpose: about one person in two hundred.

Says who and about what; the views apply it. INVARIANT: planted people never disagree by chance,
their differences are part of their case.
"""

from enum import StrEnum
from typing import Final

from adapters.simulators.population.draw import Draws

PER_MILLE: Final = 5
"""Share of people about whom departments disagree (domain.md, section 5)."""


class Disagreement(StrEnum):
    """What one department holds differently from the population register."""

    HRSS_NAME_VARIANT = "hrss_name_variant"
    HRSS_STATE_LAG = "hrss_state_lag"
    EDUCATION_NAME_VARIANT = "education_name_variant"
    EDUCATION_BIRTH_DATE = "education_birth_date"
    HEALTH_DEATH_DATE = "health_death_date"
    CIVIL_AFFAIRS_NAME_VARIANT = "civil_affairs_name_variant"
    CIVIL_AFFAIRS_DEATH_DAY = "civil_affairs_death_day"
    BANK_NAME_VARIANT = "bank_name_variant"
    BANK_STATE_LAG = "bank_state_lag"
    TAX_NAME_VARIANT = "tax_name_variant"


def disagreement_of(draws: Draws) -> Disagreement | None:
    """Draw whether departments disagree about a person, and about what.

    A kind that cannot show (no diploma, not dead, not cremated) becomes another of the same person
    in `people.disagreement`.
    """
    if not draws.chance("disagreement", per_mille=PER_MILLE):
        return None
    # The highest of one draw a kind: a kind more takes people from others and moves nobody else.
    return max(Disagreement, key=lambda kind: draws.number(f"disagreement/{kind}"))


class EnterpriseDisagreement(StrEnum):
    """What the commerce register holds of an enterprise differently from other departments."""

    LEGAL_REP_NAME_VARIANT = "legal_rep_name_variant"
    REVOKED_STILL_INSURING = "revoked_still_insuring"


def enterprise_disagreement(draws: Draws) -> EnterpriseDisagreement | None:
    """Draw whether and about what; `draws` are those of an employer people can have."""
    # Kinds of their own: one more kind of person would change who disagrees about what.
    if not draws.chance("commerce/disagreement", per_mille=PER_MILLE):
        return None
    return draws.pick("commerce/kind", tuple(EnterpriseDisagreement))
