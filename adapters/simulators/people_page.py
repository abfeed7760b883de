"""One synthetic person as JSON for the admin port: what every department holds of him."""

from base64 import b64encode
from dataclasses import fields, is_dataclass
from datetime import date, datetime

from adapters.simulators.population import (
    Person,
    bank_record,
    canaries,
    civil_affairs_record,
    commerce_record,
    education_record,
    health_record,
    hrss_record,
    public_security_record,
    tax_record,
)

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]


def person_page(person: Person) -> dict[str, Json]:
    """Show a person with every department's view and the values to search for."""
    return {
        "index": person.index,
        "id_number": person.id_number,
        "full_name": person.full_name,
        "quirk": person.quirk.value if person.quirk else None,
        "village_code": person.household.village_code,
        "education": to_json(education_record(person)),
        "public_security": to_json(public_security_record(person)),
        "civil_affairs": to_json(civil_affairs_record(person)),
        "commerce": to_json(commerce_record(person)),
        "hrss": to_json(hrss_record(person)),
        "health": to_json(health_record(person)),
        "bank": to_json(bank_record(person)),
        "tax": to_json(tax_record(person)),
        "canaries": list(canaries(person)),
    }


def to_json(value: object) -> Json:
    """Turn a record into JSON: dates as ISO 8601, octets as base64."""
    match value:
        # bool before int would be the same value; StrEnum members are texts already.
        case None | bool() | int() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case tuple():
            return [to_json(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError("a record holds a type the admin port cannot show")
