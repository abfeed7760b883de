"""The two operations by their names on the wire (manual, section 2)."""

from enum import StrEnum


class Operation(StrEnum):
    """What may be asked."""

    DEATH = "getSwyxzmInfo"
    BIRTH = "getBirthInfo"
