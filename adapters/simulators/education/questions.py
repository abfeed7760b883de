"""Reads what is asked of the education department (docs/adapters/education.md, section 3)."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from adapters.simulators.education.refusals import Refused
from adapters.simulators.population.identity import is_identity_number

_NAME_LIMIT: Final = 60
_CODE_LIMIT: Final = 64
_NUMBER_LIMIT: Final = 20

_LIMITS: Final = {
    "zjhm": 18,
    "xm": _NAME_LIMIT,
    "sxbm": _CODE_LIMIT,
    "bjbh": _CODE_LIMIT,
    "zsbh": _NUMBER_LIMIT,
    "xwzsbh": _NUMBER_LIMIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who is asked about and, for a verification, which certificate number."""

    id_number: str = field(repr=False)
    full_name: str = field(repr=False)
    certificate_no: str | None = field(repr=False)


def parse_question(body: bytes, number_member: str | None) -> Question:
    """Read the JSON of a request; `number_member` names the certificate number where one is asked.

    Raises:
        Refused: EDU-4000 for anything but exactly the documented members.
    """
    expected = {"zjhm", "xm", "sxbm", "bjbh"} | ({number_member} if number_member else set())
    members = _parse_members(body, expected)
    if not is_identity_number(members["zjhm"]):
        raise Refused("EDU-4000")
    return Question(
        id_number=members["zjhm"],
        full_name=members["xm"],
        certificate_no=members[number_member] if number_member else None,
    )


def _parse_members(body: bytes, expected: Collection[str]) -> dict[str, str]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as cause:
        raise Refused("EDU-4000") from cause
    # Exactly these members: a typing error must not become a wider question.
    if not isinstance(parsed, dict) or parsed.keys() != expected:
        raise Refused("EDU-4000")
    for name, value in parsed.items():
        if not isinstance(value, str) or not 0 < len(value) <= _LIMITS[name]:
            raise Refused("EDU-4000")
    return parsed
