"""Which deaths the health department certified: a leaf, so that disagreements may ask it too."""

from typing import Final

from adapters.simulators.population.person import Person
from adapters.simulators.population.quirks import DEAD, Quirk

CERTIFIED_PER_MILLE: Final = 920
"""Share of the dead with a certificate: the others died at home, elsewhere, or by violence."""


def is_certified(someone: Person) -> bool:
    """Tell whether the health department certified a death."""
    if someone.death is None:
        return False
    # The police alone know of this death; the others' cases rest on a certificate.
    if someone.quirk in DEAD:
        return someone.quirk is not Quirk.DEAD_IN_PS_ALIVE_IN_CA
    return someone.draws.chance("hc/certified", per_mille=CERTIFIED_PER_MILLE)
