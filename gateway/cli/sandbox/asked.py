"""What a dataset is asked about a planted subject beside number and name, and what is due then.

Only what its view in the population does not say as the catalog does: further keys, findings, and
values in another unit. A dataset that needs none of that stands in no table here.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from adapters.port import Finding
from adapters.simulators.population import Person, account_of, photo_of
from signing.encoding import JsonValue

View = Mapping[str, JsonValue]

_YUAN: Final = 10_000
"""The catalog's capital is in 10,000 yuan, the population's in yuan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What stands in an entry of a sample, over what the view says."""

    claims: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()


NOTHING: Final = Asked()


def ask_known(dataset: str, person: Person, view: View) -> Asked:
    """Return what is asked about somebody on record, dataset without version."""
    return _KNOWN.get(dataset, _ask_nothing)(person, view)


def ask_other_name(dataset: str, person: Person) -> Asked:
    """Return what is asked about the number of one under the name of another."""
    asked = _KNOWN[dataset](person, {}) if dataset in _CLAIMING else NOTHING
    return Asked(claims=asked.claims, expect=_OTHER_NAME.get(dataset, {}))


def ask_unknown(dataset: str, person: Person) -> Asked:
    """Return what is asked about somebody who is not on record."""
    asked = _KNOWN[dataset](person, {}) if dataset in _CLAIMING else NOTHING
    return Asked(claims=asked.claims, expect=_UNKNOWN.get(dataset, {}))


def holds(dataset: str, view: View) -> bool:
    """Tell whether the department holds anything: some views say that there is nothing."""
    # docs/adapters/commerce.md 7: whoever has no position is told as not found.
    return dataset != "cm.positions" or bool(view.get("entity_list"))


def _ask_nothing(_person: Person, _view: View) -> Asked:
    return NOTHING


def _ask_portrait(person: Person, _view: View) -> Asked:
    digest = hashlib.sha256(photo_of(person)).hexdigest()
    return Asked(claims={"photo_digest": digest}, expect={"same_person": Finding.YES})


def _ask_account(person: Person, view: View) -> Asked:
    holder = Finding.YES if view.get("name_match") else Finding.NO
    usable = Finding.YES if view.get("account_usable") else Finding.NO
    told = {
        "name_match": holder,
        "id_match": Finding.YES,
        # Whose account it is not, is told nothing of it.
        "account_usable": usable if holder is Finding.YES else Finding.INDETERMINATE,
    }
    return Asked(claims={"account_no": account_of(person).account_no}, expect=told)


def _ask_batch(_person: Person, view: View) -> Asked:
    told = {name: view.get(name) for name in ("batch_no", "result_code", "return_reason")}
    return Asked(
        claims={"batch_no": str(told["batch_no"])},
        expect={name: str(value) for name, value in told.items() if value is not None},
        lacks=frozenset(name for name, value in told.items() if value is None),
    )


def _ask_company(_person: Person, view: View) -> Asked:
    capital = Decimal(str(view.get("registered_capital"))) / _YUAN
    return Asked(expect={"registered_capital": f"{capital.normalize():f}"})


def _ask_declared(_person: Person, view: View) -> Asked:
    claimed = ("name", "legal_representative", "address")
    return Asked(
        claims={name: str(view.get(name)) for name in claimed},
        expect={"all_match": Finding.YES},
    )


def _ask_positions(_person: Person, view: View) -> Asked:
    active = {"True": Finding.YES, "False": Finding.NO}
    told = active.get(str(view.get("has_active_entity")), Finding.INDETERMINATE)
    return Asked(expect={"has_active_entity": told})


def _ask_child(_person: Person, _view: View) -> Asked:
    # Asked about as the child himself: then nobody is named as whose child he is.
    return Asked(expect={"is_dependent_child": Finding.INDETERMINATE})


_Known = Callable[[Person, View], Asked]
_KNOWN: Final[Mapping[str, _Known]] = MappingProxyType(
    {
        "ps.photo_compare": _ask_portrait,
        "bk.account_verify": _ask_account,
        "bk.payment_result": _ask_batch,
        "cm.enterprise": _ask_company,
        "cm.enterprise_verify": _ask_declared,
        "cm.positions": _ask_positions,
        "ca.adoption_child": _ask_child,
    }
)
_CLAIMING: Final = frozenset({"ps.photo_compare", "bk.account_verify"})
"""Datasets about which nothing is asked without a claim, whoever it is."""
# docs/adapters/bank.md 4.2, rows 8 and 6.
_OTHER_NAME: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "bk.account_verify": {
            "name_match": Finding.NO,
            "id_match": Finding.YES,
            "account_usable": Finding.INDETERMINATE,
        }
    }
)
_UNKNOWN: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "bk.account_verify": {
            "name_match": Finding.NOT_APPLICABLE,
            "id_match": Finding.NOT_APPLICABLE,
            "account_usable": Finding.NO,
            "reason": "not_found",
        },
        # docs/adapters/tax.md 6 (code 1001) and 9.2: no period and no year is claimed here.
        "tx.contribution": {"paid_in_period": Finding.NOT_APPLICABLE},
        "tx.income_tax": {"has_wage_income": Finding.NOT_APPLICABLE},
    }
)
"""Findings that are told of whoever is not on record, where the page tells him by findings."""
