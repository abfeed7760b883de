"""Services that no agreement covers, or that would tell more than a predicate, are not served."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.kind import KeyFiles
from adapters.national.signature import Mac
from adapters.port import Effect, EffectKind, FieldName
from certs.algorithms import Suite, generate_private_key
from certs.identity import SystemId
from gateway.config import LegacyConfig
from gateway.credentials import ConfigError
from gateway.errors import Reason, Refusal
from gateway.legacy.proof import (
    PERIOD_MS,
    Proof,
    give_secret,
    parse_proof,
    request_id_of,
    require_secret_signed,
)
from gateway.legacy.services import Legacy, LegacySystem, load_legacy
from gateway.legacy.told import CODES
from gateway.policy.bundle import Bundle, load_bundle
from gateway.policy.model import SYSTEM_ROLE
from signing.signer import FileSigner, Signer
from tests.legacy.legacy_client import APP_KEY, LEGACY, ORDINARY, SID, decrypt, sign

NOW_MS = 1_795_420_800_000
SERVICE: Mapping[str, object] = {
    "name": "deceased",
    "sid": SID,
    "agreement": "XY-2026-101",
    "dataset": "ps.person_verify@1",
    "fields": ["deceased"],
    "matter": "M1",
    "legal_basis": "社会保险经办条例第二十六条",
}


def _signer(_: KeyFiles) -> Signer:
    return FileSigner.of(generate_private_key(Suite.ES256))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The policy that a sandbox ships with."""
    folder = Path(__file__).parents[2] / "gateway" / "bundle"
    return load_bundle(folder, date(2026, 11, 23))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The credential of the system."""
    path = tmp_path / "legacy-key"
    path.write_text(APP_KEY)
    path.chmod(0o600)
    return path


def _config(
    key_file: Path, system_id: str = LEGACY, again: str = "", **changed: object
) -> LegacyConfig:
    key = {"key": "k", "passphrase_file": "p"}
    system = {
        "sid": SID,
        "system_id": system_id,
        "app_key_file": str(key_file),
        "envelope_signer": key,
    }
    return LegacyConfig.model_validate(
        {
            "listen": "127.0.0.1:0",
            "systems": [system, system] if again == "system" else [system],
            "services": [{**SERVICE, **changed}] * (2 if again == "service" else 1),
        }
    )


def _load(config: LegacyConfig, bundle: Bundle) -> Legacy:
    return load_legacy(config, bundle, _signer)


def test_a_service_of_a_system_job_is_served(bundle: Bundle, key_file: Path) -> None:
    """It is found by its system's id and its name."""
    legacy = _load(_config(key_file), bundle)

    assert set(legacy.services) == {(SID, "deceased")}
    assert legacy.systems[SID].system_id == LEGACY


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"agreement": "XY-0000-000"}, "unknown agreement"),
        ({"sid": "another"}, "unknown sid"),
        ({"system_id": ORDINARY}, "another system's"),
        ({"dataset": "ps.death_cancel@1"}, "another dataset"),
        ({"matter": "M2"}, "another dataset or matter"),
        ({"legal_basis": "社会保险法"}, "another legal basis"),
        ({"fields": ["deceased", "deceased"]}, "stands twice"),
        ({"fields": ["full_name"]}, "grants nothing of full_name"),
        ({"again": "system"}, "two have one sid"),
        ({"again": "service"}, "one name"),
        (
            {
                "system_id": ORDINARY,
                "agreement": "XY-2026-201",
                "dataset": "ps.person_core@1",
                "fields": ["sex"],
                "matter": "M2",
            },
            "not one of system jobs",
        ),
    ],
    ids=str,
)
def test_a_service_that_no_agreement_covers_is_refused(
    bundle: Bundle, key_file: Path, changed: dict[str, str], problem: str
) -> None:
    """At load, and the text says which service and why."""
    with pytest.raises(ConfigError, match=problem):
        _load(_config(key_file, **changed), bundle)


@pytest.mark.parametrize("kind", sorted(set(EffectKind) - {EffectKind.PREDICATE}))
def test_a_field_granted_above_a_predicate_is_refused(
    bundle: Bundle, key_file: Path, kind: EffectKind
) -> None:
    """Also on a lower rung, and though a signed exception let the agreement have it."""
    row = bundle.rows["XY-2026-101"]
    name = FieldName("deceased")
    cell = row.agreement.cells[name]
    clearer = replace(cell.steps[0], effect=Effect(kind=kind))
    cells = {name: replace(cell, steps=(cell.steps[0], clearer))}
    agreement = replace(row.agreement, cells=cells)
    assert agreement.roles == {SYSTEM_ROLE}
    rows = {**bundle.rows, "XY-2026-101": replace(row, agreement=agreement)}
    excepted = replace(bundle, rows=rows)

    if kind is EffectKind.WITHHOLD:
        assert _load(_config(key_file), excepted).services
    else:
        with pytest.raises(ConfigError, match="above a predicate"):
            _load(_config(key_file), excepted)


@pytest.mark.parametrize("content", [b"two words", "密钥".encode(), b"\x00key"])
def test_a_key_of_another_form_is_refused(bundle: Bundle, key_file: Path, content: bytes) -> None:
    """No caller could have it."""
    key_file.write_bytes(content)

    with pytest.raises(ConfigError, match="visible ASCII"):
        _load(_config(key_file), bundle)


@pytest.mark.parametrize(
    "changed",
    [{"fields": []}, {"name": "has space"}, {"subject": "PASSPORT"}, {"effect": "CLEAR"}],
    ids=str,
)
def test_a_service_of_another_form_is_refused(key_file: Path, changed: dict[str, str]) -> None:
    """Before any agreement is looked at."""
    with pytest.raises(ValidationError):
        _config(key_file, **changed)


@pytest.fixture
def system(bundle: Bundle, key_file: Path) -> LegacySystem:
    """The system as loaded."""
    return _load(_config(key_file), bundle).systems[SID]


def _proof(key: str, rid: str = "r") -> Proof:
    return Proof(rid=rid, sid=SID, rtime=str(NOW_MS), sign=sign(key, f"{SID}{rid}{NOW_MS}"))


def test_a_secret_lives_for_half_an_hour_at_least(system: LegacySystem) -> None:
    """Until the end it was given out with, and not a millisecond longer."""
    wrapped, ends_ms = give_secret(system, NOW_MS)
    key = decrypt(wrapped)

    assert PERIOD_MS < ends_ms - NOW_MS <= 2 * PERIOD_MS
    require_secret_signed(system, _proof(key), ends_ms - 1)
    with pytest.raises(Refusal) as refused:
        require_secret_signed(system, _proof(key), ends_ms)
    assert refused.value.reason is Reason.SIGNER_NOT_CURRENT


def test_the_keyed_hash_is_the_registered_one(system: LegacySystem) -> None:
    """A signature with the other hash is wrong, however good the key."""
    key = decrypt(give_secret(system, NOW_MS)[0])
    national = replace(system, mac=Mac.SM3)
    proof = replace(_proof(key), sign=sign(key, f"{SID}r{NOW_MS}", "sm3"))

    require_secret_signed(national, proof, NOW_MS)
    for registered, shown in ((system, proof), (national, _proof(key))):
        with pytest.raises(Refusal) as refused:
            require_secret_signed(registered, shown, NOW_MS)
        assert refused.value.reason is Reason.SIGNATURE_INVALID


def test_a_secret_of_another_system_or_time_is_none(system: LegacySystem) -> None:
    """Neither the next one nor one under another id or key."""
    later, _ = give_secret(system, NOW_MS + PERIOD_MS)
    other, _ = give_secret(replace(system, sid="another"), NOW_MS)

    for key in (decrypt(later), decrypt(other), APP_KEY):
        with pytest.raises(Refusal) as refused:
            require_secret_signed(system, _proof(key), NOW_MS)
        assert refused.value.reason is Reason.SIGNATURE_INVALID


def test_an_id_stands_for_one_request_of_one_system(system: LegacySystem) -> None:
    """The same again is the same; another system's is another."""
    other = replace(system, system_id=SystemId(ORDINARY))

    assert request_id_of(system, "r") == request_id_of(system, "r")
    assert (
        len({request_id_of(system, "r"), request_id_of(other, "r"), request_id_of(system, "s")})
        == 3
    )


@pytest.mark.parametrize(
    "changed",
    [{"rid": ""}, {"rid": "x" * 65}, {"rid": "编号"}, {"rtime": "1795420800"}, {"sign": "a b"}],
    ids=str,
)
def test_values_of_another_form_are_malformed(changed: dict[str, str]) -> None:
    """Each of the four is bounded before it is used."""
    values = {"rid": "r", "sid": SID, "rtime": str(NOW_MS), "sign": "AAAA"}
    named = {f"gjgxjhpt_{name}": text for name, text in values.items()}
    parse_proof(named)

    with pytest.raises(Refusal) as refused:
        parse_proof({**named, **{f"gjgxjhpt_{name}": text for name, text in changed.items()}})
    assert refused.value.reason is Reason.ENVELOPE_MALFORMED


def test_the_page_lists_every_code_as_the_code_does() -> None:
    """What is not listed is a failed call."""
    page = (Path(__file__).parents[2] / "docs" / "adapters" / "national.md").read_text("utf-8")
    section = page.split("\n### 10.4 ")[1]
    listed = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `E-"):
            for reason in cells[1].split("、"):
                listed[Reason(reason.strip("`"))] = cells[0].strip("`")

    assert listed == dict(CODES)
