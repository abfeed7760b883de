"""The five operations, and which members a RECORD of each must have (manual, sections 2 and 3)."""

from enum import StrEnum
from typing import Final


class Operation(StrEnum):
    """An operation by its name on the wire; the last three are modelled on the first two."""

    VERIFY = "GK_GXFW_SFHC"
    CORE = "GK_JZCX_RKJCXXCX"
    HOUSEHOLD = "GK_JZCX_HJCXXCX"
    CANCELLATION = "GK_JZCX_SWZXCX"
    PHOTO = "GK_GXFW_RXBD"


_PERSON: Final = frozenset({"GMSFHM", "XM"})

REQUIRED: Final = {
    Operation.VERIFY: _PERSON,
    Operation.CORE: _PERSON,
    Operation.HOUSEHOLD: _PERSON,
    Operation.CANCELLATION: _PERSON,
    Operation.PHOTO: _PERSON | {"XPZY", "MBBB", "SQBH"},
}
"""Members every RECORD has."""

OPTIONAL: Final = {Operation.HOUSEHOLD: frozenset({"GXRGMSFHM", "GXRXM"})}
"""Members a RECORD may have, all of them or none."""
