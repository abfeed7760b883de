"""The values of a person that must not be found where they were not granted."""

from base64 import b64encode
from typing import Final

from adapters.simulators.population.bank import account_of
from adapters.simulators.population.health import health_record
from adapters.simulators.population.hrss import hrss_record
from adapters.simulators.population.person import Person
from adapters.simulators.population.photo import photo_of
from adapters.simulators.population.public_security import household_no
from adapters.simulators.population.schooling import schooling_of
from adapters.simulators.population.tax_contributions import tax_contributions

TELLING: Final = 3
"""Characters a name needs to be searched for: two occur by chance in addresses."""


def canaries(person: Person) -> tuple[str, ...]:
    """List texts that belong to this person alone and are long enough to search for.

    Left out are values that many share (a date, a county) and names of fewer than three characters.
    """
    found = [
        person.id_number,
        person.household.address,
        household_no(person),
        account_of(person).account_no,
        b64encode(photo_of(person)).decode(),
    ]
    # Short names would be found everywhere and prove nothing.
    if len(person.full_name) >= TELLING:
        found.append(person.full_name)
    schooling = schooling_of(person)
    if schooling:
        found += [schooling.diploma_no, schooling.diploma_code]
        found += [schooling.degree_no] if schooling.degree_no else []
    record = hrss_record(person)
    found += [card.card_no for card in record.sscard]
    found += [skill.certificate_no for skill in record.qualification]
    for death in health_record(person).deaths:
        found += [death.certificate_no, death.medical_record_no]
    found += [entry.voucher_no for entry in tax_contributions(person)[:1]]
    return tuple(found)
