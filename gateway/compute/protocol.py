"""What the two processes say to each other, apart from what each job holds."""

import marshal
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias


class Job(StrEnum):
    """What is asked."""

    BEGIN = "begin"
    OPEN = "open"
    PROVE = "prove"
    SEAL = "seal"
    FETCH = "fetch"


class Ending(StrEnum):
    """How a job ended."""

    DONE = "done"
    REFUSED = "refused"
    DISTRUSTED = "distrusted"
    BROKE = "broke"
    """An adapter met what nobody foresaw: whoever asked does the job himself and meets it there."""


Asked: TypeAlias = tuple[int, str, bytes]
"""Number, job, what it is given."""
Ended: TypeAlias = tuple[int, str, bytes]
"""Number of the job, ending, what it yields."""

BEGIN_NUMBER: Final = 0
PACKAGE: Final = Path(__file__).parent
"""Whose form both ends must share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What the second process has to know before its first job."""

    config: str = field(repr=False)
    """The configuration as JSON."""
    organisation: str
    """USCC of the department whose tables lie here; empty where none do."""
    datasets: tuple[str, ...]
    keyids: tuple[str, ...]
    """What the gateway signs with: envelope key, then record key where a department is served."""
    form: str
    """Digest of this package, as the gateway started with it."""


def encode_begin(begin: Begin) -> bytes:
    """Write the first message."""
    return marshal.dumps(
        (begin.config, begin.organisation, begin.datasets, begin.keyids, begin.form)
    )


def parse_begin(data: bytes) -> Begin:
    """Return the first message."""
    row: tuple[str, str, tuple[str, ...], tuple[str, ...], str] = marshal.loads(data)
    config, organisation, datasets, keyids, form = row
    return Begin(
        config=config, organisation=organisation, datasets=datasets, keyids=keyids, form=form
    )
