"""One synthetic population seen by seven departments: consistent lives, planted nasty cases.

A person's life is a pure function of (seed, index): no list of people exists, so a million cost
no memory. Knows no protocol, no server and nothing of the gateway. See docs/population.md.
"""

from adapters.simulators.population.bank import account_of, find_account, old_account_of
from adapters.simulators.population.canaries import canaries
from adapters.simulators.population.civil_affairs import CivilAffairsRecord, civil_affairs_record
from adapters.simulators.population.commerce import CommerceRecord, commerce_record
from adapters.simulators.population.database import hrss_database
from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.education import EducationRecord, education_record
from adapters.simulators.population.health import HealthRecord, health_record
from adapters.simulators.population.hrss import HrssRecord, hrss_record
from adapters.simulators.population.payments import BankRecord, bank_record
from adapters.simulators.population.people import Kinship, Population, disagreement, relation
from adapters.simulators.population.person import AS_OF, Person, person_at
from adapters.simulators.population.photo import photo_of
from adapters.simulators.population.planting import Planted, planted, planted_index
from adapters.simulators.population.public_security import (
    PublicSecurityRecord,
    public_security_record,
)
from adapters.simulators.population.quirks import Quirk
from adapters.simulators.population.tax import TaxRecord, tax_record

__all__ = [
    "AS_OF",
    "BankRecord",
    "CivilAffairsRecord",
    "CommerceRecord",
    "Disagreement",
    "EducationRecord",
    "HealthRecord",
    "HrssRecord",
    "Kinship",
    "Person",
    "Planted",
    "Population",
    "PublicSecurityRecord",
    "Quirk",
    "TaxRecord",
    "account_of",
    "bank_record",
    "canaries",
    "civil_affairs_record",
    "commerce_record",
    "disagreement",
    "education_record",
    "find_account",
    "health_record",
    "hrss_database",
    "hrss_record",
    "old_account_of",
    "person_at",
    "photo_of",
    "planted",
    "planted_index",
    "public_security_record",
    "relation",
    "tax_record",
]
