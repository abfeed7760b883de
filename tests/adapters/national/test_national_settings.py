"""Sections of the configuration that cannot work are refused before anything is opened."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.errors import AdapterMisconfigured
from adapters.kind import Means
from adapters.national import NationalTransport, open_transport
from adapters.settings import EducationConfig, PublicSecurityConfig
from adapters.transport import DepartmentTransport
from signing.encoding import JsonValue
from signing.signer import Signer
from tests.adapters.national.riding import KEY

THROUGH: dict[str, JsonValue] = {
    "generation": 1,
    "base_url": "https://platform.example",
    "app_key_file": "app-key",
    "services": [{"path": "/api/", "sid": "s_1137000000000_0001"}],
}
SECTION: dict[str, JsonValue] = {
    "record_key": dict(KEY),
    "client_key": dict(KEY),
    "issuer": "https://edu.example",
    "client_id": "hrss",
}


def _means(secret: bytes) -> Means:
    def load_signer(_: object) -> Signer:
        raise AssertionError

    def load_secret(_: Path) -> bytes:
        return secret

    return Means(
        providers={},
        matters={},
        now_ms=lambda: 0,
        load_secret=load_secret,
        load_signer=load_signer,
    )


def test_a_department_is_reached_in_one_way() -> None:
    """At its address or through the platform."""
    at = EducationConfig.model_validate({**SECTION, "base_url": "https://edu.example"})
    through = EducationConfig.model_validate({**SECTION, "through": THROUGH})

    assert type(open_transport("education", at, _means(b"key"))) is DepartmentTransport
    assert type(open_transport("education", through, _means(b"key"))) is NationalTransport


@pytest.mark.parametrize(
    "ways", [{}, {"base_url": "https://edu.example", "through": THROUGH}], ids=["neither", "both"]
)
def test_neither_or_both_ways_are_refused(ways: dict[str, JsonValue]) -> None:
    """An address that is never called would be taken for the way in use."""
    with pytest.raises(ValidationError, match="either base_url or through"):
        EducationConfig.model_validate({**SECTION, **ways})


@pytest.mark.parametrize(
    "changed",
    [
        {"generation": 3},
        {"generation": 2},
        {"access_key_file": "access-key"},
        {"mac": "md5"},
        {"services": []},
        {"services": [{"path": "api/", "sid": "s"}]},
        {"services": [{"path": "/api", "sid": "s"}]},
        {"services": [{"path": "/a/", "sid": "has space"}]},
        {"services": [{"path": "/a/", "sid": "s" * 65}]},
        {"services": [{"path": "/a/", "sid": "s"}, {"path": "/a/", "sid": "t"}]},
        {"app_key": "in clear"},
    ],
    ids=str,
)
def test_a_section_that_cannot_work_is_refused(changed: dict[str, JsonValue]) -> None:
    """Each breaks one rule of the page."""
    EducationConfig.model_validate({**SECTION, "through": THROUGH})

    with pytest.raises(ValidationError):
        EducationConfig.model_validate({**SECTION, "through": {**THROUGH, **changed}})


@pytest.mark.parametrize("secret", [b"", b"two words", "密钥".encode(), b"key\x00"])
def test_a_key_of_another_form_is_refused(secret: bytes) -> None:
    """Every signature with it would be wrong, and only the platform would say so."""
    config = EducationConfig.model_validate({**SECTION, "through": THROUGH})

    with pytest.raises(AdapterMisconfigured, match="visible ASCII"):
        open_transport("education", config, _means(secret))


def test_a_platform_off_the_loopback_needs_tls() -> None:
    """The dialect proves no body: the channel has to."""
    plain = {**THROUGH, "base_url": "http://192.0.2.1"}
    config = EducationConfig.model_validate({**SECTION, "through": plain})

    with pytest.raises(AdapterMisconfigured, match="https"):
        open_transport("education", config, _means(b"key"))


def test_a_department_that_cannot_take_it_says_so() -> None:
    """A setting is never ignored in silence."""
    assert "through" not in PublicSecurityConfig.model_fields
    assert PublicSecurityConfig.model_config["extra"] == "forbid"
