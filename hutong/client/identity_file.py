"""The file `identity.json`: who a partner's system is and whom it believes.

Written by enrolment, read by the SDK and by clients in other languages (docs/clients/identity.md
has a whole sample). File names are relative to the directory that holds `identity.json`.
INVARIANT: `parse_identity(encode_identity(value)) == value`, and unknown names are refused.
"""

import re
from dataclasses import dataclass
from typing import Final

from hutong.client.errors import IdentityRefused
from hutong.client.reasons import ClientReason
from signing.encoding import JsonLimits, JsonValue, encode_json, parse_json_strict
from signing.errors import Malformed

_R: Final = ClientReason

FORMAT: Final = "hutong-identity/1"
FILE_NAME: Final = "identity.json"
MAX_IDENTITY: Final = 1_048_576
"""Bytes; some hundred agreements of 500 bytes, and room."""
MAX_LISTED: Final = 4_096
DESCRIPTOR_PREFIX: Final = "fd:"

_SYSTEM: Final = re.compile(r"[0-9A-Z]{18}/[a-z0-9-]{1,63}", re.ASCII)
_USCC: Final = re.compile(r"[0-9A-Z]{18}", re.ASCII)
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-f:]{2,45}\]):[0-9]{1,5}", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}", re.ASCII)
_KEYID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
# No absolute path, no `..`, no hidden file: every part starts with a letter or digit.
_FILE: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,99}(?:/[A-Za-z0-9][\w.-]{0,99}){0,3}", re.ASCII)
_PASSPHRASE: Final = re.compile(rf"{DESCRIPTOR_PREFIX}[0-9]{{1,4}}|{_FILE.pattern}", re.ASCII)
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f]{1,512}")
_LOG_KEY: Final = re.compile(r"[^\x00-\x20\x7f]{1,512}")

JsonObject = dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiles:
    """A certificate (chain), its encrypted PKCS#8 key, and where the passphrase comes from."""

    certificate: str
    key: str
    passphrase: str
    """A file (0600) of the directory, or `fd:<number>`: an open descriptor to read it from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedCertificate:
    """A certificate file and the id of the key in it."""

    keyid: str
    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEntry:
    """The gateway: where it is, and the keys it signs answers and checkpoints with."""

    system_id: str
    address: str
    """`host:port`."""
    tls_server_name: str | None
    """The name demanded of its TLS certificate where it differs from the host; loopback only."""
    envelope_keys: tuple[PinnedCertificate, ...]
    log_key: str
    """C2SP verifier key: `<origin>+<8 hex digits>+<base64>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSigner:
    """A provider and the keys its records may be signed with."""

    provider: str
    keys: tuple[PinnedCertificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementHint:
    """An agreement a partner may name, as a convenience: the gateway alone decides."""

    number: str
    dataset: str
    matters: tuple[str, ...]
    legal_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityFile:
    """What `identity.json` says."""

    system_id: str
    gateway: GatewayEntry
    tls: KeyFiles
    tls_authority: str
    """Certificates the gateway's TLS certificate must chain to."""
    envelope: KeyFiles
    officer: KeyFiles | None
    record_signers: tuple[RecordSigner, ...]
    agreements: tuple[AgreementHint, ...]


def parse_identity(content: bytes) -> IdentityFile:
    """Read `identity.json`.

    Raises:
        IdentityRefused: not JSON of one meaning, or a member is missing, unknown or malformed.
    """
    try:
        parsed = parse_json_strict(content, JsonLimits(max_bytes=MAX_IDENTITY))
    except Malformed as cause:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: {cause.what}") from cause
    whole = _members(parsed, "identity", _NAMES)
    if whole["format"] != FORMAT:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: format")
    officer = whole["officer"]
    return IdentityFile(
        system_id=_text(whole, "system_id", _SYSTEM),
        gateway=_gateway(whole["gateway"]),
        tls=_key_files(whole["tls"], "tls"),
        tls_authority=_text(whole, "tls_authority", _FILE),
        envelope=_key_files(whole["envelope"], "envelope"),
        officer=None if officer is None else _key_files(officer, "officer"),
        record_signers=tuple(_record_signer(each) for each in _list(whole, "record_signers")),
        agreements=tuple(_agreement(each) for each in _list(whole, "agreements")),
    )


def encode_identity(identity: IdentityFile) -> bytes:
    """Write `identity.json`, the inverse of `parse_identity`.

    Raises:
        IdentityRefused: it would not be read again.
    """
    gateway = identity.gateway
    whole: JsonObject = {
        "format": FORMAT,
        "system_id": identity.system_id,
        "gateway": {
            "system_id": gateway.system_id,
            "address": gateway.address,
            "tls_server_name": gateway.tls_server_name,
            "envelope_keys": _spell_pins(gateway.envelope_keys),
            "log_key": gateway.log_key,
        },
        "tls": _spell_key_files(identity.tls),
        "tls_authority": identity.tls_authority,
        "envelope": _spell_key_files(identity.envelope),
        "officer": None if identity.officer is None else _spell_key_files(identity.officer),
        "record_signers": [
            {"provider": each.provider, "keys": _spell_pins(each.keys)}
            for each in identity.record_signers
        ],
        "agreements": [
            {
                "number": each.number,
                "dataset": each.dataset,
                "matters": list(each.matters),
                "legal_basis": each.legal_basis,
            }
            for each in identity.agreements
        ],
    }
    # Read back before anything is written: enrolment finds its own mistake, not the partner.
    written = encode_json(whole) + b"\n"
    if parse_identity(written) != identity:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: cannot be written")
    return written


_NAMES: Final = frozenset(
    {
        "format",
        "system_id",
        "gateway",
        "tls",
        "tls_authority",
        "envelope",
        "officer",
        "record_signers",
        "agreements",
    }
)
_GATEWAY_NAMES: Final = frozenset(
    {"system_id", "address", "tls_server_name", "envelope_keys", "log_key"}
)
_KEY_NAMES: Final = frozenset({"certificate", "key", "passphrase"})
_PIN_NAMES: Final = frozenset({"keyid", "certificate"})
_SIGNER_NAMES: Final = frozenset({"provider", "keys"})
_AGREEMENT_NAMES: Final = frozenset({"number", "dataset", "matters", "legal_basis"})


def _gateway(value: JsonValue) -> GatewayEntry:
    members = _members(value, "gateway", _GATEWAY_NAMES)
    unnamed = members["tls_server_name"] is None
    return GatewayEntry(
        system_id=_text(members, "system_id", _SYSTEM),
        address=_text(members, "address", _ADDRESS),
        tls_server_name=None if unnamed else _text(members, "tls_server_name", _HOST),
        envelope_keys=_pins(members, "envelope_keys"),
        log_key=_text(members, "log_key", _LOG_KEY),
    )


def _key_files(value: JsonValue, what: str) -> KeyFiles:
    members = _members(value, what, _KEY_NAMES)
    return KeyFiles(
        certificate=_text(members, "certificate", _FILE),
        key=_text(members, "key", _FILE),
        passphrase=_text(members, "passphrase", _PASSPHRASE),
    )


def _record_signer(value: JsonValue) -> RecordSigner:
    members = _members(value, "record signer", _SIGNER_NAMES)
    return RecordSigner(provider=_text(members, "provider", _USCC), keys=_pins(members, "keys"))


def _agreement(value: JsonValue) -> AgreementHint:
    members = _members(value, "agreement", _AGREEMENT_NAMES)
    matters = [each for each in _list(members, "matters") if isinstance(each, str)]
    return AgreementHint(
        number=_text(members, "number", _TEXT),
        dataset=_text(members, "dataset", _TEXT),
        matters=tuple(matters),
        legal_basis=_text(members, "legal_basis", _TEXT),
    )


def _pins(members: JsonObject, name: str) -> tuple[PinnedCertificate, ...]:
    pins = []
    for each in _list(members, name):
        pin = _members(each, name, _PIN_NAMES)
        pins.append(
            PinnedCertificate(
                keyid=_text(pin, "keyid", _KEYID), certificate=_text(pin, "certificate", _FILE)
            )
        )
    # An empty list would believe nobody, and every answer would fail with a reason that misleads.
    if not pins:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: {name} is empty")
    return tuple(pins)


def _spell_pins(pins: tuple[PinnedCertificate, ...]) -> list[JsonValue]:
    return [{"keyid": each.keyid, "certificate": each.certificate} for each in pins]


def _spell_key_files(files: KeyFiles) -> JsonObject:
    return {"certificate": files.certificate, "key": files.key, "passphrase": files.passphrase}


def _members(value: JsonValue, what: str, names: frozenset[str]) -> JsonObject:
    if not isinstance(value, dict) or value.keys() != names:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: members of {what}")
    return value


def _list(members: JsonObject, name: str) -> list[JsonValue]:
    listed = members[name]
    if not isinstance(listed, list) or len(listed) > MAX_LISTED:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: {name} is no list, or too long")
    return listed


def _text(members: JsonObject, name: str, pattern: re.Pattern[str]) -> str:
    text = members[name]
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: {name}")
    return text
