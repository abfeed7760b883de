"""Where things lie in the folder of a sandbox (0700)."""

from dataclasses import dataclass
from pathlib import Path


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
    def log(self) -> Path:
        """The access log and its epoch keys."""
        return self.root / "log"

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
