"""The life of a social security card: what HRSS and the bank behind it both know."""

from typing import Final

from adapters.simulators.population.person import Person
from adapters.simulators.population.quirks import Quirk

_STATES: Final = (("正常", 940), ("挂失", 15), ("未启用", 45))
"""Shares per mille."""


def card_state(person: Person) -> str:
    """Tell the state of the card in use: 正常, 挂失, 未启用 or 注销."""
    if person.cancellation:
        return "注销"
    # A planted card is good, so that a test meets its own case only.
    return "正常" if person.quirk else person.draws.weighted("card", _STATES)


def was_replaced(person: Person) -> bool:
    """Tell whether an older card of the person was withdrawn."""
    return person.quirk is Quirk.CARD_REPLACED or (
        person.quirk is None and person.draws.chance("replaced", per_mille=100)
    )
