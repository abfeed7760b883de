"""Writes the identity directory of a partner from his keys and the operator's trust directory.

The trust directory names every key that a partner has to believe: the anchors of TLS, the
envelope keys of the gateway and the record keys of the departments. The log's key comes as a file
of its own, because its origin is part of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from certs.certificate import Certificate
from certs.registry_file import KeyPurpose, RegistryDocument, SystemRecord
from certs.trust_directory import load_trust_directory
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.partner.keys import load_pair
from hutong.client import AgreementHint, IdentityMaterial, KeyPair, write_identity
from hutong.evidence import EvidenceError, parse_log_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Who joins, where his keys lie, and which gateway he joins."""

    system_id: str
    keys: Path
    """Folder with `tls.*`, `envelope.*` and, where there is one, `officer.*`."""
    trust: Path
    gateway_id: str
    address: str
    tls_server_name: str | None
    log_key: str
    agreements: tuple[AgreementHint, ...]


def join(target: Path, joining: Joining) -> None:
    """Write an identity directory.

    Raises:
        CertsError, SigningError, ConfigError, IdentityRefused, NotWritten, OSError: a file
            cannot be used.
        Ended: the trust directory names no such gateway, or the log's key is none.
    """
    material = load_trust_directory(joining.trust)
    gateway = _certificates(_system(material.registry, joining.gateway_id), KeyPurpose.ENVELOPE)
    if not gateway:
        raise Ended(ExitCode.NO, f"no envelope key of {joining.gateway_id} is registered")
    try:
        # Read before anything is written: a key cut short would be found by the first question.
        parse_log_key(joining.log_key)
    except EvidenceError as error:
        raise Ended(ExitCode.NO, f"the log's key is refused: {error}") from error
    write_identity(
        target,
        IdentityMaterial(
            system_id=joining.system_id,
            gateway_id=joining.gateway_id,
            address=joining.address,
            tls_server_name=joining.tls_server_name,
            tls=load_pair(joining.keys / "tls"),
            tls_authorities=material.anchors,
            envelope=load_pair(joining.keys / "envelope"),
            officer=_officer(joining.keys),
            gateway_certificates=gateway,
            log_key=joining.log_key,
            record_certificates=dict(_record_certificates(material.registry)),
            agreements=joining.agreements,
        ),
    )


def _officer(keys: Path) -> KeyPair | None:
    stem = keys / "officer"
    return load_pair(stem) if stem.with_name("officer.key").exists() else None


def _system(registry: RegistryDocument, system_id: str) -> SystemRecord | None:
    uscc, _, slug = system_id.partition("/")
    return next(
        (
            system
            for organisation in registry.organisations
            if organisation.uscc == uscc
            for system in organisation.systems
            if system.slug == slug
        ),
        None,
    )


def _record_certificates(
    registry: RegistryDocument,
) -> Iterator[tuple[str, tuple[Certificate, ...]]]:
    for organisation in registry.organisations:
        found: tuple[Certificate, ...] = ()
        for system in organisation.systems:
            found += _certificates(system, KeyPurpose.RECORD)
        if found:
            yield organisation.uscc, found


def _certificates(system: SystemRecord | None, usage: KeyPurpose) -> tuple[Certificate, ...]:
    keys = () if system is None else system.keys
    return tuple(key.certificate for key in keys if key.usage is usage)
