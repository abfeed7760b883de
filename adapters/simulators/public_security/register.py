"""What the population register answers to each record. Knows no envelope and no HTTP.

Rules: docs/adapters/public_security.md, sections 3.2 to 4. Names are compared code point by code
point.
"""

import re
from typing import Final, assert_never

from adapters.simulators.population import Person, Population
from adapters.simulators.population.identity import is_identity_number
from adapters.simulators.public_security.operations import Operation
from adapters.simulators.public_security.package import Members, Reply
from adapters.simulators.public_security.shapes import (
    cancellation_members,
    core_members,
    household_members,
    photo_members,
    verify_members,
)

_CONSENT: Final = re.compile(r"[!-~]{1,64}", re.ASCII)
"""The number of the case in which the person consented."""
TEMPLATE_VERSION: Final = "RX-2024-1"
"""The version of portrait templates that is compared with."""


class Register:
    """The register over the population."""

    def __init__(self, people: Population) -> None:
        self._people = people

    def answer(self, operation: Operation, number: int, asked: Members) -> Reply:
        """Answer one record; the number asked about is echoed always."""
        code, members = self._judge(operation, asked)
        return Reply(number=number, code=code, members={"GMSFHM": asked["GMSFHM"], **members})

    def bearers(self, id_number: str) -> tuple[Person, ...]:
        """Find who bears a number."""
        return self._people.find(id_number)

    def someone_else(self, id_number: str) -> Person:
        """Find a person who does not bear this number."""
        bearers = self._people.find(id_number)
        start = bearers[-1].index if bearers else 0
        return self._people.person((start + 5) % self._people.size)

    def _judge(self, operation: Operation, asked: Members) -> tuple[str, Members]:
        if not is_identity_number(asked["GMSFHM"]):
            return "12", {}
        bearers = self._people.find(asked["GMSFHM"])
        if not bearers:
            return "11", {"GMSFHM_PPDDM": "0"} if operation is Operation.VERIFY else {}
        # A historic duplicate: nobody guesses which of the two is meant.
        if len(bearers) > 1:
            return "14", {}
        person = bearers[0]
        same_name = person.full_name == asked["XM"]
        # A verification answers with match codes, a query under a wrong name with nothing.
        if operation is Operation.VERIFY:
            return "10", verify_members(person, same_name=same_name)
        if not same_name:
            return "13", {}
        return self._tell(operation, person, asked)

    def _tell(self, operation: Operation, person: Person, asked: Members) -> tuple[str, Members]:
        match operation:
            case Operation.VERIFY:
                return "10", verify_members(person, same_name=True)
            case Operation.CORE:
                return "10", core_members(person)
            case Operation.HOUSEHOLD:
                named = "GXRGMSFHM" in asked
                relative = self._relative(asked) if named else None
                return "10", household_members(person, relative, asked=named)
            case Operation.CANCELLATION:
                return "10", cancellation_members(person)
            case Operation.PHOTO:
                return _compare(person, asked)
            case _:
                assert_never(operation)

    def _relative(self, asked: Members) -> Person | None:
        """Find the relative, None when number and name do not lead to exactly one person."""
        bearers = self._people.find(asked["GXRGMSFHM"])
        if len(bearers) != 1 or bearers[0].full_name != asked["GXRXM"]:
            return None
        return bearers[0]


def _compare(person: Person, asked: Members) -> tuple[str, Members]:
    if not _CONSENT.fullmatch(asked["SQBH"]):
        return "16", {}
    if asked["MBBB"] != TEMPLATE_VERSION:
        return "18", {}
    compared = photo_members(person, asked["XPZY"])
    return ("19", {}) if compared is None else ("10", compared)
