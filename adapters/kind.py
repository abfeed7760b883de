"""What a kind of department is: its datasets, and how its adapter is built.

Knows no kind. What an adapter needs beside its section of the configuration is handed to it:
adapters read no key, no secret and no wall clock of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from adapters.port import DatasetName, Lacking, ProviderAdapter, Query
from adapters.records import RecordSource
from adapters.settings import DepartmentConfig
from certs.identity import SystemId
from certs.trust_store import TrustSnapshot
from signing.record import Custody
from signing.signer import Signer


class KeyFiles(Protocol):
    """A private key as files, whoever names them."""

    @property
    def key(self) -> Path:
        """The encrypted key."""
        ...

    @property
    def passphrase_file(self) -> Path:
        """The file with its passphrase."""
        ...

    @property
    def certificate(self) -> Path | None:
        """Its certificate, where one is needed."""
        ...


Section = TypeVar("Section", bound=DepartmentConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLink:
    """Who we are towards provider nodes, and whom we believe."""

    gateway: SystemId
    signer: Signer = field(repr=False)
    """Signs envelopes of that system."""
    snapshot: Callable[[], TrustSnapshot] = field(repr=False)
    load_tls: Callable[[KeyFiles], tuple[bytes, bytes]] = field(repr=False)
    """Returns a private key and its certificate chain, PEM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every adapter of a process shares."""

    providers: Mapping[DatasetName, str]
    """USCC of the organisation that provides each dataset of the catalog."""
    matters: Mapping[str, str]
    """Names of the matters by code, as departments are told them."""
    now_ms: Callable[[], int]
    load_secret: Callable[[Path], bytes] = field(repr=False)
    """Returns what a credential file holds."""
    load_signer: Callable[[KeyFiles], Signer] = field(repr=False)
    link: NodeLink | None = None
    """None where departments are not asked through nodes: at a node."""
    custody: Custody = Custody.EMBEDDED
    """Where the keys lie that sign records in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What one adapter is built from, beside its section."""

    source: RecordSource
    datasets: frozenset[DatasetName]
    means: Means


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Section]):
    """One kind of department.

    `build` raises `AdapterMisconfigured` for a section that cannot work, and passes on what
    `Means` raises for a file.
    """

    datasets: frozenset[str]
    """What it serves, without version; each in version 1."""
    build: Callable[[Section, Parts], ProviderAdapter]
    find_lacking: Callable[[Query], Lacking | None]
    """Returns what the department would miss in any question, whoever connects it."""
    names_unseen: frozenset[str] = frozenset()
    """Datasets, without version, whose page tells somebody under another name as nobody."""
    unserved: frozenset[str] = frozenset()
    """What the catalog has under its prefix and it does not serve, without version."""
