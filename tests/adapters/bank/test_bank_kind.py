"""The banks' adapter is built from its section, or the section is refused with its name."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from adapters.errors import AdapterMisconfigured
from adapters.kind import KeyFiles, Means
from adapters.kinds.bank import BankAdapter
from adapters.port import DatasetName
from adapters.registry import build_registry
from adapters.settings import BankConfig, DepartmentsConfig, KeyConfig
from signing.signer import FileSigner
from tests.adapters.asking import NOW_MS, RECORD_KEY
from tests.adapters.bank.asking import FRONT, PARTY, load_signer
from tests.adapters.simulated import Simulator

CATALOG = ("bk.account_verify@1", "bk.sscard_account@1", "bk.payment_result@1")
PASSPHRASE = b"passphrase of a test"


@pytest.fixture
def folder(simulator: Simulator, pki: Path, tmp_path: Path) -> Path:
    """Return keys as an operator has them: encrypted; the simulator made them."""
    del simulator
    for name in ("client", "client_sign"):
        key = serialization.load_pem_private_key((pki / f"{name}.key").read_bytes(), None)
        encrypted = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE),
        )
        (tmp_path / f"{name}.key").write_bytes(encrypted)
        (tmp_path / f"{name}.pem").write_bytes((pki / f"{name}.pem").read_bytes())
    for name in ("ca", "bank_sign"):
        (tmp_path / f"{name}.pem").write_bytes((pki / f"{name}.pem").read_bytes())
    return tmp_path


def key_config(folder: Path, name: str) -> KeyConfig:
    """Return a key as the configuration names it."""
    return KeyConfig(
        key=folder / f"{name}.key",
        passphrase_file=folder / f"{name}.pass",
        certificate=folder / f"{name}.pem",
    )


def section(folder: Path, **changed: object) -> BankConfig:
    """Return a section that works, but for what is changed."""
    members = {
        "base_url": "https://127.0.0.1:1",
        "party": PARTY,
        "front": FRONT,
        "tls_key": key_config(folder, "client"),
        "tls_trust": folder / "ca.pem",
        "signing_key": key_config(folder, "client_sign"),
        "bank_certificate": folder / "bank_sign.pem",
        "record_key": key_config(folder, "record"),
        **changed,
    }
    return BankConfig.model_validate(members)


def means(pki: Path) -> Means:
    """Return what adapters share, keys by the name of their file."""

    def signer_of(key: KeyFiles) -> FileSigner:
        if key.key.stem == "record":
            return FileSigner.of(RECORD_KEY)
        return load_signer(pki, key.key.stem)

    return Means(
        providers={DatasetName(name): "91370000MA3DEM094M" for name in CATALOG},
        matters={},
        now_ms=lambda: NOW_MS,
        load_secret=lambda _: PASSPHRASE,
        load_signer=signer_of,
    )


async def test_the_kind_is_built_from_its_section(pki: Path, folder: Path) -> None:
    """It serves every dataset of the banks the catalog has."""
    registry = build_registry(DepartmentsConfig(bank=section(folder)), means(pki))

    served = {name: type(adapter) for name, adapter in registry.by_dataset.items()}
    await registry.close()
    assert served == dict.fromkeys(CATALOG, BankAdapter)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("base_url", "http://127.0.0.1:1", "https"),
        ("card_prefixes", [""], "card_prefixes"),
        ("party", PARTY[:-1], "bank.party"),
        ("party", PARTY.lower(), "bank.party"),
        ("front", "", "bank.front"),
        ("front", f"{FRONT}0", "bank.front"),
        ("tls_trust", "absent.pem", "tls_trust"),
        ("tls_trust", "client.key", "tls_trust"),
        ("bank_certificate", "absent.pem", "bank_certificate"),
        ("bank_certificate", "client.key", "bank_certificate"),
    ],
)
def test_a_section_that_cannot_work_is_refused(
    pki: Path, folder: Path, setting: str, value: str | list[str], told: str
) -> None:
    """Its setting is named; what a file holds is not."""
    is_file = setting in {"tls_trust", "bank_certificate"}
    config = section(folder, **{setting: folder / str(value) if is_file else value})

    with pytest.raises(AdapterMisconfigured, match=told) as refused:
        build_registry(DepartmentsConfig(bank=config), means(pki))

    assert refused.value.__cause__ is None


def test_a_tls_key_needs_its_certificate_and_is_no_signing_key(pki: Path, folder: Path) -> None:
    """One key, one usage."""
    bare = KeyConfig(key=folder / "client.key", passphrase_file=folder / "client.pass")
    same = key_config(folder, "client_sign")

    with pytest.raises(AdapterMisconfigured, match="certificate"):
        build_registry(DepartmentsConfig(bank=section(folder, tls_key=bare)), means(pki))
    with pytest.raises(AdapterMisconfigured, match="one key"):
        build_registry(DepartmentsConfig(bank=section(folder, tls_key=same)), means(pki))


def test_a_tls_key_of_another_passphrase_is_refused(pki: Path, folder: Path) -> None:
    """Nothing read from a key file reaches a traceback."""
    (folder / "client.key").write_bytes((folder / "client_sign.key").read_bytes())

    with pytest.raises(AdapterMisconfigured, match="tls_key") as refused:
        build_registry(DepartmentsConfig(bank=section(folder)), means(pki))

    assert refused.value.__suppress_context__
