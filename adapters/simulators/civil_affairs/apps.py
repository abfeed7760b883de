"""Who may call and who may read: the registration file (docs/adapters/civil_affairs.md, 5)."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_USER: Final = re.compile(r"(?!pg_|postgres$)[a-z][a-z0-9_]{0,29}")
_PASSWORD: Final = re.compile(r"[!-~]{8,64}")


class BadRegistration(Exception):
    """The registration file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A registered requester of the REST face."""

    sid: str
    access_key: str = field(repr=False)
    app_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The read-only account of the front-end database."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Requesters by sid, and the reader."""

    apps: dict[str, App]
    reader: Reader


def load_registration(path: Path) -> Registration:
    """Read the registration file.

    Raises:
        BadRegistration: it is no JSON of the documented shape, or a value is outside its limits.
    """
    try:
        parsed = json.loads(path.read_bytes())
        apps = [App(**row) for row in parsed["apps"]]
        reader = Reader(**parsed["front_end"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise BadRegistration("the registration file has another shape") from cause
    if not (_USER.fullmatch(reader.user) and _PASSWORD.fullmatch(reader.password)):
        raise BadRegistration("the reader's name or password is outside its limits")
    return Registration(apps={app.sid: app for app in apps}, reader=reader)
