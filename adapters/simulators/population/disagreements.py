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
    TAX_NAME_VARIANT = "tax_name_variant"


def disagreement_of(draws: Draws) -> Disagreement | None:
    """Draw whether departments disagree about a person, and about what.

    A kind that cannot show (no diploma, not dead) becomes HRSS_NAME_VARIANT in
    `people.disagreement`.
    """
    if not draws.chance("disagreement", per_mille=PER_MILLE):
        return None
    return draws.pick("disagreement/kind", tuple(Disagreement))
