"""Bank accounts on social security cards: a valid card number for each person, and its bank."""

from dataclasses import dataclass
from typing import Final

from adapters.simulators.population.identity import card_number
from adapters.simulators.population.person import Person
from adapters.simulators.population.quirks import Quirk

# Synthetic clearing numbers: 12 digits as CNAPS numbers are (domain.md, section 6).
_BANKS: Final = (
    ("102451000017", "示例工商银行"),
    ("103451000025", "示例农业银行"),
    ("104451000033", "示例中国银行"),
    ("105451000041", "示例建设银行"),
    ("402451000058", "示例农村商业银行"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account behind a card."""

    bank_code: str
    bank_name: str
    account_no: str
    activated: bool


def account_of(person: Person) -> Account:
    """Find the account of a person; 19 digits, the index stands in the number."""
    bank_code, bank_name = person.draws.pick("bank", _BANKS)
    # A replaced card has another number, and the old account is dead.
    generation = 2 if person.quirk in {Quirk.CARD_REPLACED, Quirk.ACCOUNT_REUSED} else 1
    # A power of three is coprime to a power of ten: every index keeps its own number.
    scrambled = person.index * 387_420_489 % 10**10
    return Account(
        bank_code=bank_code,
        bank_name=bank_name,
        account_no=card_number(f"621700{generation}{scrambled:011d}"),
        activated=not person.draws.chance("dormant", per_mille=80),
    )
