"""The registry: adapters are built from sections of the configuration, one per dataset."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

import adapters.registry as registry_module
from adapters.errors import AdapterMisconfigured
from adapters.kind import Means
from adapters.kinds.civil_affairs import CivilAffairsAdapter
from adapters.kinds.commerce import CommerceAdapter
from adapters.kinds.education import ClientIdentity, EducationAdapter
from adapters.kinds.health import HealthAdapter, HealthIdentity
from adapters.kinds.hrss import HrssAdapter
from adapters.kinds.public_security import PublicSecurityAdapter, ServiceIdentity
from adapters.kinds.tax import TaxAdapter
from adapters.limits import build_limits
from adapters.port import DatasetName
from adapters.registry import KINDS, AdapterRegistry, build_registry
from adapters.settings import (
    CivilAffairsConfig,
    CommerceConfig,
    DepartmentConfig,
    DepartmentsConfig,
    EducationConfig,
    HealthConfig,
    HrssConfig,
    KeyConfig,
    LimitsConfig,
    PublicSecurityConfig,
    TaxConfig,
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
CIVIL_AFFAIRS = CivilAffairsConfig(
    base_url="http://127.0.0.1:1",
    sid="s",
    access_key_file=Path("access-key"),
    app_key_file=Path("app-key"),
    front_end="127.0.0.1:1",
    front_end_user="u",
    front_end_password_file=Path("password"),
    record_key=KEY,
)
COMMERCE = CommerceConfig(
    base_url="http://127.0.0.1:1",
    key_id="k",
    secret_file=Path("commerce-secret"),
    authcode_file=Path("commerce-authcode"),
    record_key=KEY,
)
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
HEALTH = HealthConfig(
    base_url="http://127.0.0.1:1",
    app_id="a",
    app_key_file=Path("app-key"),
    org_code="11370000MB2DEM0105",
    org_name="o",
    record_key=KEY,
)
HRSS = HrssConfig(database=Path("hrss.db"), record_key=KEY)
TAX = TaxConfig(
    base_url="sftp://127.0.0.1:1",
    host_key=asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode(),
    user="u",
    login_key=KeyConfig(key=Path("login"), passphrase_file=Path("password")),
    client_no="HRSS370000",
    supplier="s",
    sign_key_file=Path("sign-key"),
    record_key=KEY,
)
SECTIONS: Mapping[str, DepartmentConfig] = {
    "civil_affairs": CIVIL_AFFAIRS,
    "commerce": COMMERCE,
    "education": EDUCATION,
    "health": HEALTH,
    "public_security": PUBLIC_SECURITY,
}
"""Departments that are reached over HTTP; the banks' section needs key files to be built."""
DATASET_OF = {
    "civil_affairs": "ca.cremation@1",
    "commerce": "cm.positions@1",
    "education": "edu.degree@1",
    "health": "hc.death_certificate@1",
    "public_security": "ps.person_core@1",
}
SECRETS: Mapping[str, bytes] = {
    "access-key": b"a",
    "app-key": b"k",
    "commerce-secret": b"sixteen-characters",
    "commerce-authcode": b"a",
    "password": b"p",
    "login": asyncssh.generate_private_key("ssh-ed25519").export_private_key("pkcs8-pem", "p"),
    "sign-key": b"0123456789abcdef",
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
    every = DepartmentsConfig(
        civil_affairs=CIVIL_AFFAIRS,
        commerce=COMMERCE,
        education=EDUCATION,
        health=HEALTH,
        hrss=HRSS,
        public_security=PUBLIC_SECURITY,
        tax=TAX,
    )
    catalog = {
        "ca.cremation@1": "A",
        "cm.positions@1": "C",
        "hc.death_certificate@1": "D",
        "hr.pension@1": "H",
        "edu.degree@1": "E",
        "ps.person_core@1": "P",
        "tx.taxpayer@1": "T",
        "xx.x@1": "X",
    }

    registry = build_registry(every, means(catalog))

    found = {name: type(adapter) for name, adapter in registry.by_dataset.items()}
    organisations = {adapter.organisation for adapter in registry.adapters}
    await registry.close()
    assert found == {
        "cm.positions@1": CommerceAdapter,
        "ca.cremation@1": CivilAffairsAdapter,
        "hr.pension@1": HrssAdapter,
        "edu.degree@1": EducationAdapter,
        "ps.person_core@1": PublicSecurityAdapter,
        "hc.death_certificate@1": HealthAdapter,
        "tx.taxpayer@1": TaxAdapter,
    }
    assert organisations == {"A", "C", "D", "E", "H", "P", "T"}


@pytest.mark.parametrize("name", SECTIONS)
async def test_the_limits_of_a_section_reach_its_transport(name: str) -> None:
    """A department that allows less is taken less of, and no other one."""
    limits = LimitsConfig(concurrency=3, per_second=20, attempts=1)
    limited = SECTIONS[name].model_copy(update={"limits": limits})
    config = DepartmentsConfig().model_copy(update={**SECTIONS, name: limited})
    catalog = {dataset: kind for kind, dataset in DATASET_OF.items()}

    registry = build_registry(config, means(catalog))

    found = {}
    for adapter in registry.adapters:
        asking: Any = getattr(adapter, "_live", adapter)
        found[adapter.organisation] = asking._transport._limits
    await registry.close()
    assert found.keys() == SECTIONS.keys()
    for kind, told in found.items():
        expected = limits if kind == name else LimitsConfig()
        # How large an answer may be is the page's to say, and no setting.
        assert told == build_limits(expected, told.max_body)


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


async def test_what_a_kind_passes_over_is_not_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A department without an operation for it, and the kind says so."""
    catalog = {"ps.person_core@1": "P", "ps.photo_compare@1": "P", "edu.degree@1": "E"}
    left_out = frozenset({"ps.photo_compare"})
    kind = KINDS["public_security"]
    partial = replace(kind, datasets=kind.datasets - left_out, unserved=left_out)
    monkeypatch.setattr(registry_module, "KINDS", {**KINDS, "public_security": partial})

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


@pytest.mark.parametrize(
    ("name", "content", "setting"),
    [
        ("commerce-secret", b"short", "secret_file"),
        ("commerce-authcode", b"", "authcode_file"),
        ("commerce-authcode", b"\xff", "authcode_file"),
    ],
)
def test_a_credential_commerce_would_not_have_registered_is_refused(
    name: str, content: bytes, setting: str
) -> None:
    """The setting is named; what the file holds is not."""
    with pytest.raises(AdapterMisconfigured, match=setting) as refused:
        build_registry(
            DepartmentsConfig(commerce=COMMERCE),
            means({"cm.positions@1": "C"}, {**SECRETS, name: content}),
        )

    assert refused.value.__cause__ is None


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


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("app_id", ""),
        ("app_id", "a b"),
        ("app_id", "部门"),
        ("app_id", "a" * 65),
        ("org_name", ""),
        ("org_name", "o" * 61),
    ],
)
def test_what_health_would_refuse_of_every_call_is_refused_at_start(
    setting: str, value: str
) -> None:
    """The department says of all of them the same, and never which."""
    section = HEALTH.model_copy(update={setting: value})

    with pytest.raises(AdapterMisconfigured, match=rf"^health\.{setting}: "):
        build_registry(DepartmentsConfig(health=section), means({"hc.death_certificate@1": "D"}))


def test_a_key_of_health_that_is_no_text_is_refused() -> None:
    """The setting is named; what the file holds is not."""
    with pytest.raises(AdapterMisconfigured, match=r"^health\.app_key_file: ") as refused:
        build_registry(
            DepartmentsConfig(health=HEALTH),
            means({"hc.death_certificate@1": "D"}, {"app-key": b"k\xff"}),
        )

    assert refused.value.__suppress_context__
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("change", "secrets", "what"),
    [
        ({"base_url": "http://127.0.0.1:1"}, {}, "sftp"),
        ({"base_url": "sftp://127.0.0.1"}, {}, "sftp"),
        ({"base_url": "sftp://u@127.0.0.1:1"}, {}, "sftp"),
        ({"base_url": "sftp://127.0.0.1:1/in"}, {}, "sftp"),
        ({"base_url": "sftp://127.0.0.1:99999"}, {}, "cannot be read"),
        ({"host_key": "ssh-ed25519 AAAA"}, {}, "host key"),
        ({"host_key": ""}, {}, "host key"),
        ({"client_no": "hrss"}, {}, "client_no"),
        ({"client_no": "HRSS/../370"}, {}, "client_no"),
        ({"supplier": ""}, {}, "supplier"),
        ({}, {"sign-key": b"too short"}, "sign_key_file"),
        ({}, {"login": b"someone's key"}, "login key"),
        ({}, {"password": b"another"}, "login key"),
    ],
)
def test_a_tax_section_that_cannot_work_is_refused(
    change: Mapping[str, str], secrets: Mapping[str, bytes], what: str
) -> None:
    """By the name of what is wrong; what a file holds is not told."""
    section = TAX.model_copy(update=dict(change))

    with pytest.raises(AdapterMisconfigured, match=what) as refused:
        build_registry(
            DepartmentsConfig(tax=section), means({"tx.taxpayer@1": "T"}, {**SECRETS, **secrets})
        )

    assert refused.value.__cause__ is None


def test_no_repr_shows_a_secret() -> None:
    """What may be logged by accident tells no key."""
    signer = FileSigner.of(generate_private_key(Suite.ES256))
    client = ClientIdentity(client_id="c", issuer="https://edu.invalid", signer=signer)
    health = HealthIdentity(app_id="a", app_key="k", org_code="o", org_name="n")
    shown = repr(IDENTITY) + repr(client) + repr(health) + repr(means({}))

    assert "app_key" not in shown
    assert "password" not in shown
    assert "signer" not in shown
    assert "secret" not in shown
