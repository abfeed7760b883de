"""Who may call and where to: the registration file of the platform (its page, section 9)."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.simulators.keyed_hash import Mac

# A department's simulator on this machine: nothing received may leave it.
_TARGET: Final = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}")
_PATH: Final = re.compile(r"/([!-~]*/)?")


class BadRegistration(Exception):
    """The registration file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A registered requester of one department's paths."""

    sid: str
    app_key: str = field(repr=False)
    access_key: str = field(repr=False)
    mac: Mac
    target: str
    paths: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Tell whether it may call this path."""
        # A path that climbs out of its beginning would be another interface's.
        return path.startswith(self.paths) and "/../" not in path and "//" not in path


def load_apps(path: Path) -> dict[str, App]:
    """Read the registration file.

    Raises:
        BadRegistration: it is no JSON of the documented shape, or a target is not on loopback.
    """
    try:
        rows = json.loads(path.read_bytes())["apps"]
        apps = [
            App(**{**row, "mac": Mac(row["mac"]), "paths": tuple(row["paths"])}) for row in rows
        ]
        fine = all(
            _TARGET.fullmatch(app.target) and app.paths and all(map(_PATH.fullmatch, app.paths))
            for app in apps
        )
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise BadRegistration("the registration file has another shape") from cause
    if not fine:
        raise BadRegistration("a target or path of the registration file is outside its limits")
    return {app.sid: app for app in apps}
