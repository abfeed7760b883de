"""Who may call: the registration file of the national share platform (its manual, section 5)."""

import json
from dataclasses import dataclass, field
from pathlib import Path


class BadRegistration(Exception):
    """The registration file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A registered requester: its platform key and its account at the service."""

    sid: str
    app_key: str = field(repr=False)
    user: str
    password: str = field(repr=False)


def load_apps(path: Path) -> dict[str, App]:
    """Read the registration file.

    Raises:
        BadRegistration: it is no JSON of the documented shape.
    """
    try:
        rows = json.loads(path.read_bytes())["apps"]
        apps = [App(**row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise BadRegistration("the registration file has another shape") from cause
    return {app.sid: app for app in apps}
