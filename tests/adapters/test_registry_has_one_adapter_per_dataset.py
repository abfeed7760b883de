"""The registry: one adapter per dataset, and what nothing serves is not connected."""

from pathlib import Path

import pytest

from adapters.errors import AdapterMisconfigured
from adapters.kinds.education import ClientIdentity, EducationAdapter
from adapters.kinds.hrss import HrssAdapter
from adapters.kinds.public_security import PublicSecurityAdapter, ServiceIdentity
from adapters.port import DatasetName, Indeterminate, Untold
from adapters.records import RecordSource
from adapters.registry import (
    EducationDepartment,
    HrssDepartment,
    HttpFace,
    PublicSecurityDepartment,
    UnconnectedDepartment,
    build_registry,
)
from certs.algorithms import Suite, generate_private_key
from signing.signer import FileSigner
from tests.adapters.asking import IS_TRUE, NOW_MS, query_of, shape_of

FACE = HttpFace(base_url="http://127.0.0.1:1")
IDENTITY = ServiceIdentity(
    sid="s",
    app_key="k",
    user="u",
    password="p",
    ministry=("1", "a"),
    origin_system=("2", "b"),
    business_system=("3", "c"),
    matter_names={},
)
BANK = shape_of("bk.account_verify@1", {"name_match": "pred"})


def names(*datasets: str) -> frozenset[DatasetName]:
    """Return dataset names."""
    return frozenset(map(DatasetName, datasets))


def client(suite: Suite = Suite.ES256) -> ClientIdentity:
    """Return who we are to the education department."""
    signer = FileSigner.of(generate_private_key(suite))
    return ClientIdentity(client_id="c", issuer="https://edu.invalid", signer=signer)


async def test_each_kind_is_built_from_its_configuration(
    source: RecordSource, tmp_path: Path
) -> None:
    """Datasets find the adapter of their department; a bank nobody connected is told as such."""
    registry = build_registry(
        [
            HrssDepartment(
                source=source, datasets=names("hr.pension@1"), database=tmp_path / "x.sqlite"
            ),
            EducationDepartment(
                source=source, datasets=names("edu.degree@1"), face=FACE, identity=client()
            ),
            PublicSecurityDepartment(
                source=source, datasets=names("ps.person_core@1"), face=FACE, identity=IDENTITY
            ),
            UnconnectedDepartment(organisation="91370000MA3DEM0931", datasets=names(BANK.name)),
        ],
        lambda: NOW_MS,
    )
    query = query_of(BANK, ("370102198203150024", None), {"name_match": IS_TRUE})

    found = {name: type(adapter) for name, adapter in registry.by_dataset.items()}
    bank = registry.by_dataset[BANK.name]
    outcome = await bank.fetch(query)
    health = await bank.examine_health()
    await registry.close()

    assert found == {
        "hr.pension@1": HrssAdapter,
        "edu.degree@1": EducationAdapter,
        "ps.person_core@1": PublicSecurityAdapter,
        "bk.account_verify@1": type(bank),
    }
    assert bank.organisation == "91370000MA3DEM0931"
    assert outcome == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)
    assert not health.reachable
    assert len(registry.adapters) == 4
    assert {adapter.organisation for adapter in registry.adapters} == {
        source.organisation,
        "91370000MA3DEM0931",
    }


def test_a_dataset_has_exactly_one_adapter() -> None:
    """Two departments for one dataset cannot both be asked."""
    twice = UnconnectedDepartment(organisation="x", datasets=names(BANK.name))

    with pytest.raises(AdapterMisconfigured):
        build_registry([twice, twice], lambda: NOW_MS)


@pytest.mark.parametrize("dataset", ["hr.pension@2", "edu.diploma@1", "hr.pension"])
def test_a_kind_serves_its_own_datasets_only(
    source: RecordSource, tmp_path: Path, dataset: str
) -> None:
    """Neither another department's nor another version."""
    department = HrssDepartment(
        source=source, datasets=names(dataset), database=tmp_path / "x.sqlite"
    )

    with pytest.raises(AdapterMisconfigured):
        build_registry([department], lambda: NOW_MS)


def test_a_client_key_the_department_does_not_take_is_refused() -> None:
    """Education accepts ES256 only."""
    with pytest.raises(AdapterMisconfigured):
        client(Suite.EDDSA)


def test_no_repr_shows_a_secret() -> None:
    """What may be logged by accident tells no key."""
    shown = repr(IDENTITY) + repr(client())

    assert "app_key" not in shown
    assert "password" not in shown
    assert "signer" not in shown
