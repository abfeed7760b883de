"""Where things lie in the folder of a sandbox (0700)."""

import json
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.log import FILE_NAME
from gateway.cli.printing import command_line
from gateway.cli.told import CommandReason, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The folder of one sandbox and what lies in it."""

    root: Path

    @property
    def trust(self) -> Path:
        """The trust directory the gateway reloads from."""
        return self.root / "trust"

    @property
    def gateway(self) -> Path:
        """Configuration, keys and credentials of the gateway."""
        return self.root / "gateway"

    @property
    def config(self) -> Path:
        """The configuration file of the gateway."""
        return self.gateway / "config.yaml"

    @property
    def policy(self) -> Path:
        """The bundle in force: what the sandbox ships with, and the seats of newcomers."""
        return self.root / "policy"

    @property
    def log_key(self) -> Path:
        """The log's public key, as `--log-key-file` of the verifier reads it."""
        return self.root / "log-key"

    @property
    def address(self) -> Path:
        """Says where the gateway listens; there while it runs."""
        return self.root / "running.json"

    @property
    def kept(self) -> Path:
        """What a later start has to know; there once everything has answered."""
        return self.root / "sandbox.json"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the sandbox."""
        return self.root / "lock"

    @property
    def identities(self) -> Path:
        """Where newcomers keep identities outside of this folder, a line each."""
        return self.root / "identities"

    @property
    def log(self) -> Path:
        """The access log and its epoch keys."""
        return self.root / "log"

    @property
    def log_file(self) -> Path:
        """The access log itself."""
        return self.log / FILE_NAME

    @property
    def departments(self) -> Path:
        """What the simulated departments were told of us, and HRSS's own tables."""
        return self.root / "departments"

    @property
    def authority(self) -> Path:
        """The key of the sandbox CA, for `sandbox enrol`."""
        return self.root / "authority"

    @property
    def partners(self) -> Path:
        """One identity directory per system."""
        return self.root / "partners"

    def partner(self, slug: str) -> Path:
        """The identity directory of one system."""
        return self.partners / slug

    def make(self) -> None:
        """Make every folder, readable by this user only."""
        for folder in (
            self.root,
            self.gateway,
            self.log,
            self.departments,
            self.authority,
            self.partners,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def store_address(folders: Folders, address: str) -> None:
    """Note where the gateway of a running sandbox listens."""
    folders.address.write_text(json.dumps({"address": address}) + "\n", "utf-8")


def load_address(folders: Folders) -> str:
    """Return where the gateway of a running sandbox listens.

    Raises:
        Told: SANDBOX_NOT_RUNNING.
    """
    try:
        noted = json.loads(folders.address.read_text("utf-8"))
        return str(noted["address"])
    except (OSError, ValueError, KeyError, TypeError):
        # from None: what the file holds is no help.
        starting = command_line("sandbox", "--dir", str(folders.root))
        detail = f"{folders.root}\n{starting}"
        raise Told(CommandReason.SANDBOX_NOT_RUNNING, detail) from None
