"""The commerce register's view: of an enterprise and of a person, the cm.* datasets.

Field names are those of the catalog; amounts in yuan, shares in hundredths of a percent.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from adapters.simulators.population.disagreements import EnterpriseDisagreement
from adapters.simulators.population.divisions import DIVISIONS, PROVINCE
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.employers import employer_of
from adapters.simulators.population.enterprises import (
    Enterprise,
    RegisterState,
    enterprise_at,
    enterprises_of,
)
from adapters.simulators.population.names import variant_of
from adapters.simulators.population.person import Person

SOLE_TRADER_TYPE: Final = "个体工商户"

_SCOPES: Final = ("软件开发", "食品销售", "机械加工", "道路货物运输", "建材批发", "服装零售")

_CATALOG_STATES: Final = {
    RegisterState.ACTIVE: "在营",
    RegisterState.SUSPENDED: "歇业",
    RegisterState.REVOKED: "吊销",
    RegisterState.REVOKED_CANCELLED: "注销",
    RegisterState.CANCELLED: "注销",
    RegisterState.MOVED: "迁出",
}

_GONE: Final = frozenset({RegisterState.CANCELLED, RegisterState.REVOKED_CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shareholder:
    """One entry of the list of shareholders."""

    name: str
    id_number: str
    yuan: int
    hundredths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseRecord:
    """A record of cm.enterprise; `state` is what the register writes, `reg_state` the catalog's."""

    uscc: str
    name: str
    entity_type: str
    legal_representative: str
    legal_rep_id: str
    reg_state: str
    establish_date: date
    valid_to: date | None
    registered_capital: int
    address: str
    business_scope: str
    reg_authority: str
    shareholders: tuple[Shareholder, ...]
    state: RegisterState
    register_no: str
    approved: datetime
    phone: str
    home: str
    predecessor: str | None
    sole: bool
    old_register: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseVerify:
    """A record of cm.enterprise_verify, as it answers whoever declares the truth."""

    all_match: bool
    mismatched_keys: tuple[str, ...]
    true_values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What a person is to an enterprise; amounts only of a shareholder."""

    position: str
    person_name: str
    enterprise: EnterpriseRecord
    yuan: int | None
    hundredths: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """A record of cm.positions; None where it cannot be told: suspended, revoked, moved away."""

    has_active_entity: bool | None
    entity_list: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommerceRecord:
    """What the register holds of a person's employer and of his own enterprises."""

    enterprise: EnterpriseRecord
    enterprise_verify: EnterpriseVerify
    positions: Positions


def commerce_record(person: Person) -> CommerceRecord:
    """View a person as the commerce register does; `enterprise` is his employer, had he one."""
    employer = enterprise_at(person.seed, employer_of(person).number)
    if employer is None:
        raise LookupError("an employer is not registered")
    return CommerceRecord(
        enterprise=enterprise_record(employer),
        enterprise_verify=EnterpriseVerify(all_match=True, mismatched_keys=(), true_values=()),
        positions=positions_of(person),
    )


def enterprise_record(enterprise: Enterprise) -> EnterpriseRecord:
    """Write an enterprise as the register holds it."""
    employer, behind = enterprise.employer, enterprise.representative
    draws = Draws(seed=behind.seed, scope="enterprise", index=employer.number)
    place = DIVISIONS[employer.division]
    before = enterprise.predecessor
    return EnterpriseRecord(
        uscc=employer.uscc,
        name=employer.name,
        entity_type=_entity_type(enterprise),
        legal_representative=_name_held(enterprise),
        legal_rep_id=behind.id_number,
        reg_state=_CATALOG_STATES[enterprise.state],
        establish_date=enterprise.founded,
        valid_to=enterprise.valid_to,
        registered_capital=enterprise.capital,
        # The number makes the address belong to one enterprise alone.
        address=f"{PROVINCE}{place}示例路{employer.number}号",
        business_scope=draws.pick("scope", _SCOPES),
        reg_authority=f"{place}市场监督管理局",
        shareholders=tuple(
            Shareholder(
                name=share.holder.full_name,
                id_number=share.holder.id_number,
                yuan=share.yuan,
                hundredths=share.hundredths,
            )
            for share in enterprise.shares
        ),
        state=enterprise.state,
        register_no=f"{employer.division}{6 if enterprise.sole else 2}{employer.number:08d}",
        approved=enterprise.approved,
        phone=_phone(behind),
        home=behind.household.address,
        predecessor=before.full_name if before else None,
        sole=enterprise.sole,
        old_register=draws.below("old", 3) == 0,
    )


def positions_of(person: Person) -> Positions:
    """List what a person is to which enterprise: by code, the representative's place first."""
    found: list[Position] = []
    for enterprise in sorted(enterprises_of(person), key=lambda one: one.employer.uscc):
        found += _positions_in(person, enterprise)
    return Positions(has_active_entity=_has_active(found), entity_list=tuple(found))


def _positions_in(person: Person, enterprise: Enterprise) -> list[Position]:
    record = enterprise_record(enterprise)
    found: list[Position] = []
    if person.index == enterprise.representative.index:
        title = "经营者" if enterprise.sole else "法定代表人"
        name = record.legal_representative
        found.append(_position(title, name, record, None))
    for share, entry in zip(enterprise.shares, record.shareholders, strict=True):
        if share.holder.index == person.index:
            found.append(_position("股东", entry.name, record, entry))
    return found


def _position(
    title: str, name: str, record: EnterpriseRecord, entry: Shareholder | None
) -> Position:
    return Position(
        position=title,
        person_name=name,
        enterprise=record,
        yuan=entry.yuan if entry else None,
        hundredths=entry.hundredths if entry else None,
    )


def _has_active(found: list[Position]) -> bool | None:
    states = {one.enterprise.state for one in found}
    if RegisterState.ACTIVE in states:
        return True
    return False if states <= _GONE else None


def _entity_type(enterprise: Enterprise) -> str:
    if enterprise.sole:
        return SOLE_TRADER_TYPE
    alone = len(enterprise.shares) == 1
    return f"有限责任公司(自然人{'独资' if alone else '投资或控股'})"


def _name_held(enterprise: Enterprise) -> str:
    name = enterprise.representative.full_name
    misspelt = enterprise.disagreement is EnterpriseDisagreement.LEGAL_REP_NAME_VARIANT
    return variant_of(name) if misspelt else name


def _phone(person: Person) -> str:
    """Tell the number every department that holds one has of him."""
    draws = Draws(seed=person.seed, scope="private", index=person.index)
    return f"199{draws.below('phone', 10**8):08d}"
