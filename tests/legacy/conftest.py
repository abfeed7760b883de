"""A sandbox with a legacy system: registered as such, its services configured."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from certs.registry_file import OrganisationRecord, RegistryDocument, SystemClass
from certs.trust_directory import load_trust_directory, store_trust_directory
from gateway.app import Gateway
from gateway.cli.sandbox.authority import write_private
from gateway.cli.sandbox.partners import readdress_partners
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from gateway.cli.sandbox.simulated.department import key_setting
from gateway.config import Config, load_config
from tests.legacy.legacy_client import (
    APP_KEY,
    LEGACY,
    ORDINARY,
    OTHER,
    OTHER_SID,
    SID,
    LegacyClient,
)

POPULATION = 300
LEGACY_SLUGS = {each.rpartition("/")[2] for each in (LEGACY, OTHER)}
SERVICE = {
    "name": "deceased",
    "sid": SID,
    "agreement": "XY-2026-101",
    "dataset": "ps.person_verify@1",
    "fields": ["deceased"],
    "matter": "M1",
    "legal_basis": "社会保险经办条例第二十六条",
}


def _reclassed(organisation: OrganisationRecord) -> OrganisationRecord:
    systems = tuple(
        replace(each, system_class=SystemClass.HMAC) if each.slug in LEGACY_SLUGS else each
        for each in organisation.systems
    )
    return replace(organisation, systems=systems)


def _make_legacy(sandbox: Sandbox) -> None:
    """Register the system of M1 as one that signs nothing, and configure the face for it."""
    world = sandbox.world
    material = load_trust_directory(world.folders.trust)
    organisations = tuple(_reclassed(each) for each in material.registry.organisations)
    store_trust_directory(
        replace(
            material,
            sequence=material.sequence + 1,
            registry=RegistryDocument(organisations=organisations),
        ),
        world.folders.trust,
    )
    write_private(world.folders.gateway / "legacy-key", APP_KEY.encode())
    config = yaml.safe_load(world.folders.config.read_text("utf-8"))
    config["legacy"] = {
        "listen": "127.0.0.1:0",
        "systems": [
            {
                "sid": sid,
                "system_id": system_id,
                "app_key_file": "legacy-key",
                "envelope_signer": key_setting(world.partners[system_id].envelope),
            }
            for sid, system_id in ((SID, LEGACY), (OTHER_SID, OTHER))
        ],
        "services": [SERVICE],
    }
    write_private(world.folders.config, yaml.safe_dump(config, allow_unicode=True).encode())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A world on loopback whose departments run."""
    options = SandboxOptions(
        root=tmp_path_factory.mktemp("legacy") / "sandbox",
        population=POPULATION,
        systems=frozenset({LEGACY, ORDINARY, OTHER}),
    )
    async with prepared(options) as made:
        _make_legacy(made)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(sandbox: Sandbox) -> AsyncIterator[Gateway]:
    """The real gateway; another module starts it anew over the same folder."""
    async with serving(sandbox) as running:
        readdress_partners(sandbox.world.folders, f"127.0.0.1:{running.port}")
        yield running


@pytest.fixture(scope="session")
def config(sandbox: Sandbox) -> Config:
    """The configuration with the face in it."""
    return load_config(sandbox.world.folders.config)


@pytest.fixture(scope="session")
def identities(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The TLS certificate and key of each system, as one PEM file."""
    folder = tmp_path_factory.mktemp("identities")
    files = {}
    for system, partner in sandbox.world.partners.items():
        files[system] = folder / f"{system.rpartition('/')[2]}.pem"
        key = partner.tls.key.encode_pkcs8(None)
        files[system].write_bytes(key + partner.tls.certificate_path.read_bytes())
    files["authority"] = folder / "authority.pem"
    files["authority"].write_bytes(
        next((sandbox.world.folders.trust / "anchors").glob("*.crt")).read_bytes()
    )
    return files


@pytest.fixture
def client(gateway: Gateway, identities: dict[str, Path]) -> Iterator[LegacyClient]:
    """The legacy system."""
    assert gateway.legacy is not None
    made = LegacyClient.open(gateway.legacy.port, identities[LEGACY], identities["authority"])
    yield made
    made.http.close()
