"""Who may call, and what: the registration file (manual, section 8)."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from adapters.simulators.health.operations import Operation


class BadRegistration(Exception):
    """The registration file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A registered requester: its key, its organisation, the operations it may call."""

    app_id: str
    app_key: str = field(repr=False)
    org_code: str
    operations: frozenset[Operation]


def load_apps(path: Path) -> dict[str, App]:
    """Read the registration file.

    Raises:
        BadRegistration: it is no JSON of the documented shape.
    """
    try:
        rows = json.loads(path.read_bytes())["apps"]
        apps = [
            App(**{**row, "operations": frozenset(map(Operation, row["operations"]))})
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise BadRegistration("the registration file has another shape") from cause
    return {app.app_id: app for app in apps}
