"""What the register answers to a question. Knows no envelope and no HTTP.

Rules and their order: docs/adapters/health.md, sections 3 and 4.
"""

from datetime import UTC, datetime
from typing import Final

from adapters.simulators.health.apps import App
from adapters.simulators.health.message import Question, QuestionRefused, Row
from adapters.simulators.health.operations import Operation
from adapters.simulators.health.rows import rows_of
from adapters.simulators.health.signatures import WINDOW_MS
from adapters.simulators.population import Person, Population, health_record
from adapters.simulators.population.identity import is_identity_number
from adapters.simulators.virtual_clock import BEIJING

_NAME_LIMIT: Final = 60


class Register:
    """The certificates over the population."""

    def __init__(self, people: Population) -> None:
        self._people = people

    def answer(self, operation: Operation, question: Question) -> list[Row]:
        """List the rows of whoever bears number and name.

        Raises:
            QuestionRefused: 4, 5 or 6.
        """
        if not is_identity_number(question.id_number):
            raise QuestionRefused("4")
        if not 0 < len(question.full_name) <= _NAME_LIMIT:
            raise QuestionRefused("5")
        held = {
            person.full_name: rows
            for person in self._people.find(question.id_number)
            if (rows := rows_of(operation, person))
        }
        # Whoever has no certificate is unknown here, whatever his name.
        if not held:
            return []
        if question.full_name not in held:
            raise QuestionRefused("6")
        return held[question.full_name]

    def bearer(self, question: Question) -> Person:
        """Find the person asked about, anybody when he is not of this population."""
        bearers = self._people.find(question.id_number)
        named = [person for person in bearers if person.full_name == question.full_name]
        return (*named, *bearers, self._people.person(0))[0]

    def someone_else(self, operation: Operation, id_number: str) -> Person:
        """Find somebody who has a certificate and does not bear this number.

        Raises:
            LookupError: nobody else of this population has one.
        """
        bearers = self._people.find(id_number)
        start = bearers[-1].index + 1 if bearers else 0
        for step in range(self._people.size):
            person = self._people.person((start + step) % self._people.size)
            record = health_record(person)
            held = record.deaths if operation is Operation.DEATH else record.birth
            # Once around, whoever bears the number is met again.
            if held and person.id_number != id_number:
                return person
        raise LookupError("nobody else in this population has a certificate")


def require_asker(question: Question, app: App, now_ms: int) -> None:
    """Judge who asks and when.

    Raises:
        QuestionRefused: 2 for the organisation, 3 for the time.
    """
    if question.org_code != app.org_code or not 0 < len(question.org_name) <= _NAME_LIMIT:
        raise QuestionRefused("2")
    sent_ms = _sent_ms(question.sent)
    # Seconds only are sent: a sender at the edge of the window is up to one second early.
    if sent_ms is None or abs(sent_ms - now_ms // 1000 * 1000) > WINDOW_MS:
        raise QuestionRefused("3")


def _sent_ms(text: str) -> int | None:
    try:
        sent = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    # strptime takes fewer digits than fourteen; the text must come back the same.
    if f"{sent:%Y%m%d%H%M%S}" != text:
        return None
    return int(sent.astimezone(UTC).timestamp() * 1000)
