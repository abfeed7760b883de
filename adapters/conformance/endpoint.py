"""The end that is examined: its adapter, built as a gateway builds it, and once with a wrong key.

Records are signed by a key of this run, so that nobody needs the department's own for a test.
"""

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.errors import AdapterError
from adapters.kind import KeyFiles, Means
from adapters.port import DatasetName, DatasetShape, FieldName, ProviderAdapter
from adapters.settings import DepartmentConfig
from certs.algorithms import PublicKey, Suite, generate_private_key
from signing.signer import FileSigner, Signer

Build = Callable[[DepartmentConfig, Means], ProviderAdapter]
"""Builds the adapter of the kind that is examined from its section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One dataset of the end and what may be asked of it at all."""

    shape: DatasetShape
    fields: frozenset[FieldName]
    """Those the catalog does not withhold from everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What proves us to the department: a setting of the section and the file it names."""

    setting: str
    path: Path


class Endpoint:
    """One end under examination."""

    def __init__(
        self,
        *,
        build: Build,
        section: DepartmentConfig,
        means: Means,
        offered: Mapping[DatasetName, Offered],
    ) -> None:
        self._build = build
        self._section = section
        self._means = means
        self._key = generate_private_key(Suite.ES256)
        self.offered: Final = offered

    @property
    def record_key(self) -> PublicKey:
        """The key that verifies the records of this run."""
        return self._key.public_key

    def now_ms(self) -> int:
        """Return the time questions are asked at."""
        return self._means.now_ms()

    def open(self) -> ProviderAdapter:
        """Build the adapter.

        Raises:
            AdapterMisconfigured: The section cannot work; besides, what `Means` raises for a file.
        """
        return self._build(self._section, self._watched(_Files()))

    def find_credentials(self) -> tuple[Credential, ...]:
        """Return what the adapter loads, but for the key of the records, in its order.

        Raises:
            AdapterMisconfigured: As `open`.
        """
        files = _Files()
        self._build(self._section, self._watched(files))
        return tuple(
            Credential(setting=_setting_of(self._section, path), path=path)
            for path in dict.fromkeys(files.loaded)
        )

    def open_spoilt(self, credential: Credential) -> ProviderAdapter | None:
        """Build the adapter with another secret or key in this one place.

        None where no other would do: then the file holds no credential but data in a form.
        """
        try:
            return self._build(self._section, self._watched(_Files(spoilt=credential.path)))
        except (AdapterError, ValueError, OSError):
            # Whatever refuses it here would refuse it at the start of a gateway.
            return None

    def _watched(self, files: "_Files") -> Means:
        own = self._section.record_key

        def load_signer(key: KeyFiles) -> Signer:
            if key is own:
                return FileSigner.of(self._key)
            return files.sign(key.key, self._means.load_signer(key))

        def load_secret(path: Path) -> bytes:
            return files.read(path, self._means.load_secret(path))

        return dataclasses.replace(self._means, load_secret=load_secret, load_signer=load_signer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """Which files an adapter loads, and which of them is to be another."""

    spoilt: Path | None = None
    loaded: list[Path] = field(default_factory=list)

    def read(self, path: Path, content: bytes) -> bytes:
        self.loaded.append(path)
        if path != self.spoilt:
            return content
        # As long as the true one: a length is not what is to be refused.
        return secrets.token_hex(len(content))[: len(content)].encode("ascii")

    def sign(self, path: Path, signer: Signer) -> Signer:
        self.loaded.append(path)
        if path != self.spoilt:
            return signer
        return FileSigner.of(generate_private_key(signer.suite))


def _setting_of(section: DepartmentConfig, path: Path) -> str:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if value == path or getattr(value, "key", None) == path:
            return name
    return path.name
