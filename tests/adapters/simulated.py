"""Starts a department's simulator as its own process and speaks to its admin port."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from signing.encoding import JsonValue

POPULATION = 240
"""Planted people stand at every fourth index below 208."""
_PLANTED_STEP = 4
_PLANTED_END = 208


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One synthetic person as the department holds him."""

    identifier: str
    full_name: str
    views: Mapping[str, Mapping[str, Mapping[str, str | int | bool | None]]]
    """Department → dataset → field → value."""
    canaries: tuple[str, ...]
    """Texts of this person that no question of a test is granted."""

    def text(self, department: str, dataset: str, name: str) -> str:
        """Return one value the department holds."""
        return str(self.views[department][dataset][name])

    @property
    def named(self) -> tuple[str, str]:
        """Number and name, as a query names a subject."""
        return self.identifier, self.full_name


class Simulator:
    """A running simulator."""

    def __init__(self, ready: Mapping[str, str | int]) -> None:
        """Keep where it listens."""
        self.ready = dict(ready)
        self.base_url = f"http://127.0.0.1:{ready['port']}"
        self._admin_url = f"http://127.0.0.1:{ready['admin_port']}"
        self._token = str(ready["admin_token"])
        self._planted: dict[str, Person] = {}

    def admin(
        self, method: str, path: str, body: Mapping[str, JsonValue] | None = None
    ) -> dict[str, JsonValue]:
        """Call the admin port."""
        request = urllib.request.Request(  # noqa: S310 - the address is this test's own loopback port
            self._admin_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - as above
            content: dict[str, JsonValue] = json.load(reply)
        return content

    def set_fault(self, name: str, count: int | None = None, after: int = 0) -> None:
        """Switch a fault on, for some calls or until switched off, sparing the first ones."""
        self.admin("POST", "/faults", {"name": name, "count": count, "after": after})

    def reset(self) -> None:
        """Switch every fault off."""
        self.admin("DELETE", "/faults")

    def now_ms(self) -> int:
        """Return the department's clock."""
        now = self.admin("GET", "/clock")["now_ms"]
        assert isinstance(now, int)
        return now

    def received(self) -> int:
        """Return how many calls the department has received."""
        count = self.admin("GET", "/received")["count"]
        assert isinstance(count, int)
        return count

    def person(self, quirk: str) -> Person:
        """Return a planted person by what is odd about him."""
        if not self._planted:
            for index in range(0, _PLANTED_END, _PLANTED_STEP):
                content = self.admin("GET", f"/persons/{index}")
                self._planted.setdefault(str(content["quirk"]), _read_person(content))
        return self._planted[quirk]

    def person_at(self, index: int) -> Person:
        """Return a person by index."""
        return _read_person(self.admin("GET", f"/persons/{index}"))


def _read_person(content: Mapping[str, JsonValue]) -> Person:
    views: dict[str, dict[str, dict[str, str | int | bool | None]]] = {}
    for department, datasets in content.items():
        if not isinstance(datasets, dict):
            continue
        views[department] = {
            dataset: {
                name: value
                for name, value in fields.items()
                if isinstance(value, str | int | bool | None)
            }
            for dataset, fields in datasets.items()
            if isinstance(fields, dict)
        }
    canaries = content["canaries"]
    assert isinstance(canaries, dict | list)
    return Person(
        identifier=str(content["id_number"]),
        full_name=str(content["full_name"]),
        views=views,
        canaries=tuple(_texts(canaries)),
    )


def _texts(content: JsonValue) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for member in content.values() if isinstance(content, dict) else content:
            yield from _texts(member)


@contextmanager
def running(department: str, *arguments: str) -> Iterator[Simulator]:
    """Start a simulator; it ends when its standard input does."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            f"adapters.simulators.{department}",
            "--population",
            str(POPULATION),
            "--exit-with-stdin",
            *arguments,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Simulator(json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()
