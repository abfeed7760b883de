"""What a sandbox has to know of one simulated department; each department has a module beside this.

A department and its client are told of each other by files, as in a real enrolment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.sandbox.authority import MadeKey

Setting = str | int | bool | list[str] | dict[str, "Setting"]
Addresses = Mapping[str, Mapping[str, Setting]]
"""Of each department, the settings that say where it answers."""


def no_further_address(_ports: Mapping[str, int]) -> dict[str, Setting]:
    """Return nothing: most departments answer in one place."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One simulated department; the functions take the folder of its files in the sandbox."""

    prefix: str
    """Of the names of its datasets, e.g. `edu.`."""
    register: Callable[[Path, MadeKey], None]
    """Writes what department and gateway are told of each other; the key is the gateway's."""
    arguments: Callable[[Path], tuple[str, ...]]
    """Returns what its simulator is started with."""
    section: Callable[[Path, MadeKey], dict[str, Setting]]
    """Returns its section of the configuration, but for addresses and record key."""
    scheme: str = "http"
    """How its simulator is reached on the loopback."""
    further_addresses: Callable[[Mapping[str, int]], dict[str, Setting]] = no_further_address
    """Returns where it answers besides, from the ports it names when it is ready."""
    sm2_only: bool = False
    """Whether its only keys are SM2: its records are disclosure manifests (docs/records.md)."""


def key_setting(key: MadeKey) -> dict[str, Setting]:
    """Return a key as the configuration names it."""
    return {
        "key": str(key.key_path),
        "passphrase_file": str(key.passphrase_path),
        "certificate": str(key.certificate_path),
    }
