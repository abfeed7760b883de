"""The tax department's view of a person: the tx.* datasets, and who he is in its register.

Field names are those of the catalog; amounts in cents. `taxpayer` is the employer who withholds.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.employers import employer_of
from adapters.simulators.population.incomes import IncomeTax, income_tax
from adapters.simulators.population.names import variant_of
from adapters.simulators.population.people import disagreement
from adapters.simulators.population.person import AS_OF, Person
from adapters.simulators.population.tax_contributions import Contribution, tax_contributions
from adapters.simulators.population.taxpayers import Taxpayer, taxpayer_of
from adapters.simulators.population.working_life import career_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRecord:
    """What the tax department holds of one person; `income_tax` of the last full year."""

    person_id: str
    full_name: str
    contribution: tuple[Contribution, ...]
    income_tax: IncomeTax | None
    taxpayer: Taxpayer | None
    as_of: date


def tax_record(person: Person) -> TaxRecord:
    """View a person as the tax department does; it knows everyone, also as somebody's child."""
    career = career_of(person)
    misspelt = disagreement(person) is Disagreement.TAX_NAME_VARIANT
    return TaxRecord(
        person_id=person.id_number,
        full_name=variant_of(person.full_name) if misspelt else person.full_name,
        contribution=tax_contributions(person),
        income_tax=income_tax(person, AS_OF.year - 1),
        taxpayer=taxpayer_of(person.seed, employer_of(person)) if career and career.urban else None,
        as_of=AS_OF - timedelta(days=person.draws.below("tx/as_of", 30)),
    )
