"""The registry: adapters are built from sections of the configuration, one per dataset."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.errors import AdapterMisconfigured
from adapters.kind import Means
from adapters.kinds.education import ClientIdentity, EducationAdapter
from adapters.kinds.hrss import HrssAdapter
from adapters.kinds.public_security import PublicSecurityAdapter, ServiceIdentity
from adapters.limits import TransportLimits, build_limits
from adapters.port import DatasetName
from adapters.registry import KINDS, AdapterRegistry, build_registry
from adapters.settings import (
    DepartmentsConfig,
    EducationConfig,
    HrssConfig,
    KeyConfig,
    LimitsConfig,
    PublicSecurityConfig,
)
from certs.algorithms import Suite, generate_private_key
from signing.signer import FileSigner
from tests.adapters.asking import NOW_MS

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
KEY = KeyConfig(key=Path("key"), passphrase_file=Path("passphrase"))
EDUCATION = EducationConfig(
    base_url="http://127.0.0.1:1",
    issuer="https://edu.invalid",
    client_id="c",
    client_key=KEY,
    record_key=KEY,
)
PUBLIC_SECURITY = PublicSecurityConfig(
    base_url="http://127.0.0.1:1",
    sid="s",
    app_key_file=Path("app-key"),
    user="u",
    password_file=Path("password"),
    ministry=("1", "a"),
    origin_system=("2", "b"),
    business_system=("3", "c"),
    system_user_file=Path("system-user"),
    record_key=KEY,
)
HRSS = HrssConfig(database=Path("hrss.db"), record_key=KEY)
SECRETS: Mapping[str, bytes] = {
    "app-key": b"k",
    "password": b"p",
    "system-user": (
        b'{"name": "n", "identifier": "i", "unit": "u", "unit_code": "1", "call_reason": "r"}'
    ),
}


def means(
    providers: Mapping[str, str], secrets: Mapping[str, bytes] = SECRETS, suite: Suite = Suite.ES256
) -> Means:
    """Return what adapters share, with one key for everything."""
    signer = FileSigner.of(generate_private_key(suite))
    return Means(
        providers={DatasetName(name): uscc for name, uscc in providers.items()},
        matters={},
        now_ms=lambda: NOW_MS,
        load_secret=lambda path: secrets[path.name],
        load_signer=lambda _: signer,
    )


async def test_each_kind_is_built_from_its_section() -> None:
    """Datasets find the adapter of their department; what nobody serves finds none."""
    every = DepartmentsConfig(education=EDUCATION, public_security=PUBLIC_SECURITY, hrss=HRSS)
    catalog = {"hr.pension@1": "H", "edu.degree@1": "E", "ps.person_core@1": "P", "bk.x@1": "B"}

    registry = build_registry(every, means(catalog))

    found = {name: type(adapter) for name, adapter in registry.by_dataset.items()}
    organisations = {adapter.organisation for adapter in registry.adapters}
    await registry.close()
    assert found == {
        "hr.pension@1": HrssAdapter,
        "edu.degree@1": EducationAdapter,
        "ps.person_core@1": PublicSecurityAdapter,
    }
    assert organisations == {"H", "E", "P"}


@pytest.mark.parametrize("name", ["education", "public_security"])
async def test_the_limits_of_a_section_reach_its_transport(name: str) -> None:
    """A department that allows less is taken less of, and no other one."""
    limits = LimitsConfig(concurrency=3, per_second=20, attempts=1)
    section = {"education": EDUCATION, "public_security": PUBLIC_SECURITY}[name]
    limited = section.model_copy(update={"limits": limits})
    config = DepartmentsConfig(education=EDUCATION, public_security=PUBLIC_SECURITY)
    config = config.model_copy(update={name: limited})

    registry = build_registry(config, means({"edu.degree@1": "E", "ps.person_core@1": "P"}))

    found = {}
    for adapter in registry.adapters:
        assert isinstance(adapter, EducationAdapter | PublicSecurityAdapter)
        found[adapter.organisation] = adapter._transport._limits
    await registry.close()
    own, other = ("E", "P") if name == "education" else ("P", "E")
    assert found[own] == build_limits(limits)
    assert found[other] == TransportLimits()


def test_every_section_has_a_kind() -> None:
    """A section nothing is built from would be a department that is silently not connected."""
    assert set(KINDS) == set(DepartmentsConfig.model_fields)


async def test_a_department_without_a_section_is_not_connected() -> None:
    """Nothing configured, nothing served."""
    registry = build_registry(DepartmentsConfig(), means({"hr.pension@1": "H"}))

    assert registry.by_dataset == {}


@pytest.mark.parametrize("dataset", ["hr.pension@2", "hr.unheard@1", "hr.pension"])
def test_a_dataset_that_is_unknown_to_its_kind_is_refused(dataset: str) -> None:
    """Another version's records would have other slots; silence would be "not connected"."""
    with pytest.raises(AdapterMisconfigured, match=rf"departments\.hrss.*{dataset}$"):
        build_registry(DepartmentsConfig(hrss=HRSS), means({"hr.pension@1": "H", dataset: "H"}))


async def test_what_a_kind_passes_over_is_not_connected() -> None:
    """The manual has no operation for it, and the kind says so."""
    catalog = {"ps.person_core@1": "P", "ps.photo_compare@1": "P", "edu.degree@1": "E"}

    registry = build_registry(DepartmentsConfig(public_security=PUBLIC_SECURITY), means(catalog))

    served = set(registry.by_dataset)
    await registry.close()
    assert served == {"ps.person_core@1"}


@pytest.mark.parametrize(
    ("catalog", "count"),
    [
        ({"hr.pension@1": "H", "hr.sscard@1": "another"}, "more than one provider"),
        ({"edu.degree@1": "E"}, "none"),
    ],
)
def test_one_key_signs_for_one_organisation(catalog: Mapping[str, str], count: str) -> None:
    """Two behind one source would share a signature; none would sign in nobody's name."""
    with pytest.raises(AdapterMisconfigured, match=rf"departments\.hrss: .* {count}$"):
        build_registry(DepartmentsConfig(hrss=HRSS), means(catalog))


async def test_a_dataset_has_exactly_one_adapter() -> None:
    """Two departments for one dataset cannot both be asked."""
    built = [
        build_registry(DepartmentsConfig(hrss=HRSS), means({"hr.pension@1": uscc}))
        for uscc in ("H", "another")
    ]

    with pytest.raises(AdapterMisconfigured, match=r"two adapters serve hr\.pension@1"):
        AdapterRegistry(adapter for each in built for adapter in each.adapters)

    for each in built:
        await each.close()


def test_an_organisation_has_exactly_one_adapter() -> None:
    """Health and the board tell of a department by its organisation: one would hide the other."""
    both = DepartmentsConfig(hrss=HRSS, education=EDUCATION)

    with pytest.raises(AdapterMisconfigured, match="one organisation"):
        build_registry(both, means({"hr.pension@1": "H", "edu.degree@1": "H"}))


def test_a_client_key_the_department_does_not_take_is_refused() -> None:
    """Education accepts ES256 only."""
    with pytest.raises(AdapterMisconfigured, match="ES256"):
        build_registry(
            DepartmentsConfig(education=EDUCATION), means({"edu.degree@1": "E"}, suite=Suite.EDDSA)
        )


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"name": "someone real"}', b"\xff"])
def test_a_system_user_that_is_not_as_expected_is_refused(content: bytes) -> None:
    """The setting is named; what the file holds is not."""
    secrets = {**SECRETS, "system-user": content}

    with pytest.raises(AdapterMisconfigured, match="system_user_file") as refused:
        build_registry(
            DepartmentsConfig(public_security=PUBLIC_SECURITY),
            means({"ps.person_core@1": "P"}, secrets),
        )

    # A traceback would show the cause, and the cause quotes the file.
    assert refused.value.__suppress_context__
    assert refused.value.__cause__ is None


def test_no_repr_shows_a_secret() -> None:
    """What may be logged by accident tells no key."""
    signer = FileSigner.of(generate_private_key(Suite.ES256))
    client = ClientIdentity(client_id="c", issuer="https://edu.invalid", signer=signer)
    shown = repr(IDENTITY) + repr(client) + repr(means({}))

    assert "app_key" not in shown
    assert "password" not in shown
    assert "signer" not in shown
    assert "secret" not in shown
