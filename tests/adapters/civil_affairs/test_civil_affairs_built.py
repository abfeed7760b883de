"""The adapter of civil affairs is built from its section, and refuses one that cannot work."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.errors import AdapterMisconfigured
from adapters.kind import Means, Parts
from adapters.kinds.civil_affairs import KIND, CivilAffairsAdapter
from adapters.kinds.civil_affairs.front_end import FrontEnd
from adapters.kinds.civil_affairs.poller import Poller
from adapters.port import DatasetName
from adapters.records import RecordSource
from adapters.registry import build_registry
from adapters.settings import CivilAffairsConfig, DepartmentsConfig, KeyConfig
from tests.adapters.asking import NOW_MS

SECTION: dict[str, Any] = {
    "base_url": "http://127.0.0.1:1",
    "sid": "s",
    "access_key_file": Path("access-key"),
    "app_key_file": Path("app-key"),
    "front_end": "127.0.0.1:5432",
    "front_end_user": "hrss_reader",
    "front_end_password_file": Path("password"),
    "record_key": KeyConfig(key=Path("key"), passphrase_file=Path("passphrase")),
}
DATASETS = frozenset({DatasetName("ca.cremation@1")})


def build(source: RecordSource, **changed: object) -> CivilAffairsAdapter:
    """Build an adapter from a section."""
    means = Means(
        providers=dict.fromkeys(DATASETS, "C"),
        matters={},
        now_ms=lambda: NOW_MS,
        load_secret=lambda path: path.name.encode(),
        load_signer=lambda _: source.signer,
    )
    section = CivilAffairsConfig(**{**SECTION, **changed})
    adapter = KIND.build(section, Parts(source=source, datasets=DATASETS, means=means))
    assert isinstance(adapter, CivilAffairsAdapter)
    return adapter


def poller_of(adapter: CivilAffairsAdapter) -> Poller:
    """Return what keeps its copies."""
    poller = adapter._poller
    assert poller is not None
    return poller


async def test_only_what_a_system_job_needs_is_copied(source: RecordSource) -> None:
    """Cremations by default; assistance where it is asked for, each once and in order."""
    usual = build(source)
    both = build(source, front_end_datasets=("ca.assistance", "ca.cremation", "ca.assistance"))
    none = build(source, front_end_datasets=())
    without = build(source, front_end=None)

    assert list(poller_of(usual).views) == ["v_cremation"]
    assert list(poller_of(both).views) == ["v_assistance", "v_cremation"]
    assert none._poller is None
    assert without._poller is None
    for adapter in (usual, both, none, without):
        await adapter.close()


@pytest.mark.parametrize(
    ("host", "encrypted"),
    [("127.0.0.1", False), ("localhost", False), ("[::1]", False), ("qzk.invalid", True)],
)
def test_off_the_loopback_the_database_has_to_prove_itself(
    source: RecordSource, host: str, *, encrypted: bool
) -> None:
    """By a certificate of its own name, whatever the configuration leaves out."""
    poller = poller_of(build(source, front_end=f"{host}:5432"))

    front_end = poller._front_end
    assert isinstance(front_end, FrontEnd)
    tls = front_end._address.tls
    assert (tls is not None) is encrypted
    if tls is not None:
        assert tls.verify_mode is ssl.CERT_REQUIRED
        assert tls.check_hostname
        assert tls.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "changed",
    [
        {"front_end": "127.0.0.1"},
        {"front_end": ":5432"},
        {"front_end": "127.0.0.1:0"},
        {"front_end": "127.0.0.1:65536"},
        {"front_end": "127.0.0.1:x"},
        {"front_end_user": None},
        {"front_end_password_file": None},
        {"front_end_ca_file": Path("no-such-file")},
        {"base_url": "http://platform.invalid"},
    ],
)
def test_a_section_that_cannot_work_is_refused(
    source: RecordSource, changed: dict[str, object]
) -> None:
    """When the gateway starts, and not with the first question."""
    with pytest.raises(AdapterMisconfigured):
        build(source, **changed)


@pytest.mark.parametrize(
    "changed",
    [
        # A register of everybody's marriages is copied for nobody.
        {"front_end_datasets": ("ca.marriage_record",)},
        {"front_end_interval_s": 0.5},
        {"front_end_interval_s": 301},
        {"front_end_hosts": "x"},
    ],
)
def test_a_section_of_another_form_is_refused(changed: dict[str, object]) -> None:
    """By its form, before anything is read."""
    with pytest.raises(ValidationError):
        CivilAffairsConfig(**{**SECTION, **changed})


def _noting(started: list[Poller]) -> Callable[[Poller], None]:
    """Return what notes a poller instead of starting it."""

    def note(poller: Poller) -> None:
        started.append(poller)

    return note


async def test_a_registry_lets_adapters_begin_that_keep_copies(
    source: RecordSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sweep need not wait for the first copy."""
    means = Means(
        providers=dict.fromkeys(DATASETS, "C"),
        matters={},
        now_ms=lambda: NOW_MS,
        load_secret=lambda path: path.name.encode(),
        load_signer=lambda _: source.signer,
    )
    registry = build_registry(DepartmentsConfig(civil_affairs=CivilAffairsConfig(**SECTION)), means)
    started: list[Poller] = []
    monkeypatch.setattr(Poller, "start", _noting(started))

    registry.begin()

    await registry.close()
    assert len(started) == 1
