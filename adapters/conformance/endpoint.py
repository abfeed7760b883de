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
    names_unseen: bool = False
    """Whether the page tells somebody under another name as nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What proves us to the department: a setting of the section and the file it names."""

    setting: str
    path: Path
    opened_besides: bool = False
    """Whether the adapter opens the file by itself, where no other can be put in its place."""


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
            Credential(
                setting=_setting_of(self._section, path),
                path=path,
                opened_besides=_passphrase_of(self._section, path) in files.loaded,
            )
            for path in dict.fromkeys(files.loaded)
        )

    def open_spoilt(self, credential: Credential) -> ProviderAdapter | None:
        """Build the adapter with another secret or key in this one place.

        None where no other would do: the file holds no credential but data in a form, or the
        adapter opens it by itself.
        """
        if credential.opened_besides:
            return None
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
        # With the certificate of the true one: what is to be refused is the signature.
        return _OtherKey(
            certificate_der=signer.certificate_der,
            other=FileSigner.of(generate_private_key(signer.suite)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _OtherKey:
    """Signs with another key than the certificate's."""

    certificate_der: bytes
    other: FileSigner

    @property
    def keyid(self) -> str:
        """Of the other key."""
        return self.other.keyid

    @property
    def suite(self) -> Suite:
        """Of either key."""
        return self.other.suite

    def sign(self, message: bytes) -> bytes:
        """Return a signature of the other key."""
        return self.other.sign(message)


def _setting_of(section: DepartmentConfig, path: Path) -> str:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if value == path or getattr(value, "key", None) == path:
            return name
        if getattr(value, "passphrase_file", None) == path:
            return f"{name}.passphrase_file"
    return path.name


def _passphrase_of(section: DepartmentConfig, path: Path) -> Path | None:
    """Return the file with the passphrase of a key, None of what is no key of the section."""
    keys = (getattr(section, name) for name in type(section).model_fields)
    return next((each.passphrase_file for each in keys if getattr(each, "key", None) == path), None)
