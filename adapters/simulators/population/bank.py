"""Bank accounts on social security cards: a number that leads back to its person, and its state.

An account follows its card (`cards`); whose it is now need not be who it was opened for.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from adapters.simulators.population.cards import card_state, was_replaced
from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.identity import card_number
from adapters.simulators.population.names import variant_of
from adapters.simulators.population.people import Population, disagreement
from adapters.simulators.population.person import AS_OF, Person, person_at
from adapters.simulators.population.quirks import Quirk

# Synthetic clearing numbers: 12 digits as CNAPS numbers are (domain.md, section 6).
_BANKS: Final = (
    ("102451000017", "示例工商银行"),
    ("103451000025", "示例农业银行"),
    ("104451000033", "示例中国银行"),
    ("105451000041", "示例建设银行"),
    ("402451000058", "示例农村商业银行"),
)
BANK_CODES: Final = frozenset(code for code, _ in _BANKS)
"""The directory of clearing numbers."""

_ISSUER: Final = "621700"
_SPAN: Final = 10**10
# A power of three is coprime to a power of ten: every index keeps its own number.
_FACTOR: Final = 387_420_489
_INVERSE: Final = pow(_FACTOR, -1, _SPAN)

REUSED_BY: Final = 5
"""Places from the first holder to who got his number: the spouse of the next household."""

_IN_USE: Final = (("normal", 965), ("dormant", 25), ("frozen", 10))
"""States of the accounts behind good cards, per mille."""


class AccountState(StrEnum):
    """What can be done with an account."""

    NORMAL = "normal"
    CLOSED = "closed"
    FROZEN = "frozen"
    DORMANT = "dormant"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account as its bank holds it; `holder_name` as the bank writes it."""

    bank_code: str
    bank_name: str
    account_no: str
    activated: bool
    state: AccountState
    holder_name: str
    holder_id: str
    opened: date
    balance: str


def account_of(person: Person) -> Account:
    """Find the account behind a person's card in use."""
    return _account(person, _generations(person)[-1])


def old_account_of(person: Person) -> Account | None:
    """Find the closed account of a replaced card, None where there was none.

    Its number may belong to somebody else by now: `find_account` knows.
    """
    generations = _generations(person)
    return _account(person, generations[0]) if len(generations) > 1 else None


def find_account(people: Population, account_no: str) -> Account | None:
    """Find what the banks hold under a number now: nothing, or one account."""
    head, tail = account_no[:7], account_no[7:18]
    ours = len(account_no) == 19 and account_no.isascii() and account_no.isdigit()  # noqa: PLR2004 - as composed below
    if not ours or head[:6] != _ISSUER or int(tail) >= _SPAN:
        return None
    index = int(tail) * _INVERSE % _SPAN
    if index >= people.size:
        return None
    first, generation = people.person(index), int(head[6])
    if generation not in _generations(first) or _number(first, generation) != account_no:
        return None
    account = _account(first, generation)
    if first.quirk is Quirk.ACCOUNT_REUSED and account.state is AccountState.CLOSED:
        return _reused(account, person_at(first.seed, first.index + REUSED_BY))
    return account


def _generations(person: Person) -> tuple[int, ...]:
    # A replaced card has another number, and the old account is dead.
    renewed = was_replaced(person) or person.quirk is Quirk.ACCOUNT_REUSED
    return (1, 2) if renewed else (1,)


def _number(person: Person, generation: int) -> str:
    """Compose the 19 digits; the index stands in them."""
    return card_number(f"{_ISSUER}{generation}{person.index * _FACTOR % _SPAN:011d}")


def _account(person: Person, generation: int) -> Account:
    bank_code, bank_name = person.draws.pick("bank", _BANKS)
    current = generation == _generations(person)[-1]
    misspelt = disagreement(person) is Disagreement.BANK_NAME_VARIANT
    cents = person.draws.below(f"balance/{generation}", 8_000_000) if current else 0
    card = card_state(person)
    return Account(
        bank_code=bank_code,
        bank_name=bank_name,
        account_no=_number(person, generation),
        activated=current and (card in {"正常", "挂失"} or _outlives(person)),
        state=_state(person, card) if current else AccountState.CLOSED,
        holder_name=variant_of(person.full_name) if misspelt else person.full_name,
        holder_id=person.id_number,
        opened=_opened(person, generation),
        balance=f"{cents // 100}.{cents % 100:02d}",
    )


def _opened(person: Person, generation: int) -> date:
    last = person.death.day if person.death else AS_OF
    first = max(person.birth_date, date(2011 + 6 * (generation - 1), 1, 1))
    return min(person.draws.day(f"opened/{generation}", first, last), last)


def _state(person: Person, card: str) -> AccountState:
    match card:
        case "注销":
            return AccountState.NORMAL if _outlives(person) else AccountState.CLOSED
        case "挂失":
            return AccountState.LOST
        case "未启用":
            return AccountState.DORMANT
        # A planted account is good, so that a test meets its own case only.
        case _ if person.quirk:
            return AccountState.NORMAL
        case _:
            return AccountState(person.draws.weighted("account", _IN_USE))


def _outlives(person: Person) -> bool:
    """Tell whether the account of somebody cancelled goes on: nobody told the bank."""
    # Money still arrives there, which is what the yearly re-certification exists to find.
    paid_on = person.quirk is Quirk.DEAD_PENSION_PAID
    return paid_on or disagreement(person) is Disagreement.BANK_STATE_LAG


def _reused(account: Account, stranger: Person) -> Account:
    """Give the number of a closed account to somebody else."""
    return Account(
        bank_code=account.bank_code,
        bank_name=account.bank_name,
        account_no=account.account_no,
        activated=True,
        state=AccountState.NORMAL,
        holder_name=stranger.full_name,
        holder_id=stranger.id_number,
        opened=date(2025, 3, 3),
        balance="88.00",
    )
