"""A trust store as files.

    trust.json         {"format": "hutong-trust/1", "sequence": 7,
                        "issued_at": "2026-11-23T00:00:00Z", "expires_at": "2026-12-23T00:00:00Z",
                        "crl_grace_seconds": 3600}
    registry.json      organisations, systems, keys (see `registry_file`)
    anchors/           trust anchors, DER or PEM, one certificate or more in a file
    intermediates/     certificates between anchors and leaves
    crls/              CRLs, DER or PEM, one in a file
    ocsp/              OCSP responses, DER, one in a file

Folders but `anchors/` may be absent. Files whose names start with a dot are not read.
INVARIANT: what cannot be read refuses the whole directory, with the name of the file.
"""

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from certs.certificate import MAX_CERTIFICATE, PEM_LABEL, Certificate, parse_certificate
from certs.errors import CertificateReason, CertificateRefused
from certs.ocsp import MAX_RESPONSE
from certs.pem import encode_pem, is_pem, parse_pem
from certs.registry_file import MAX_REGISTRY, encode_registry, parse_registry
from certs.revocation import MAX_CRL, parse_crl
from certs.strict_json import (
    encode_json,
    encode_time,
    parse_json_object,
    require_names,
    take_integer,
    take_text,
    take_time,
)
from certs.trust_material import TrustMaterial

FORMAT: Final = "hutong-trust/1"
MANIFEST: Final = "trust.json"
REGISTRY: Final = "registry.json"

_FORMAT: Final = re.compile(re.escape(FORMAT))
_NAMES: Final = frozenset({"format", "sequence", "issued_at", "expires_at", "crl_grace_seconds"})
_MAX_MANIFEST: Final = 4096
_MAX_SEQUENCE: Final = 2**53 - 1
# A day late is an outage of the CA that operators have to see.
_MAX_GRACE: Final = 86_400
_MAX_FILES: Final = 1024
# PEM takes four characters for three bytes, and line ends.
_PEM_FACTOR: Final = 2

_T = TypeVar("_T")


def load_trust_directory(path: Path) -> TrustMaterial:
    """Read every file of a trust directory.

    Raises:
        CertificateRefused: a file is missing, unreadable or not accepted; the text names it.
    """
    manifest = _parse_file(
        path / MANIFEST, _MAX_MANIFEST, lambda content: parse_json_object(content, _MAX_MANIFEST)
    )
    require_names(manifest, _NAMES, MANIFEST)
    take_text(manifest, "format", _FORMAT)
    return TrustMaterial(
        sequence=take_integer(manifest, "sequence", _MAX_SEQUENCE),
        issued_at=take_time(manifest, "issued_at"),
        expires_at=take_time(manifest, "expires_at"),
        grace=timedelta(seconds=take_integer(manifest, "crl_grace_seconds", _MAX_GRACE)),
        anchors=_load_certificates(path / "anchors"),
        intermediates=_load_certificates(path / "intermediates"),
        crls=tuple(
            _parse_file(file, MAX_CRL * _PEM_FACTOR, parse_crl) for file in _files(path / "crls")
        ),
        ocsp_responses=tuple(
            _parse_file(file, MAX_RESPONSE, bytes) for file in _files(path / "ocsp")
        ),
        registry=_parse_file(path / REGISTRY, MAX_REGISTRY, parse_registry),
    )


def store_trust_directory(material: TrustMaterial, path: Path) -> None:
    """Write a trust directory that `load_trust_directory` reads back; old files are replaced.

    The manifest is written last, so that a reload in between still sees the old sequence number.
    """
    _store_all(
        path / "anchors", [encode_pem(item.der, PEM_LABEL) for item in material.anchors], "crt"
    )
    _store_all(
        path / "intermediates",
        [encode_pem(item.der, PEM_LABEL) for item in material.intermediates],
        "crt",
    )
    _store_all(path / "crls", [item.der for item in material.crls], "crl")
    _store_all(path / "ocsp", list(material.ocsp_responses), "der")
    _store(path / REGISTRY, encode_registry(material.registry))
    manifest = encode_json(
        {
            "format": FORMAT,
            "sequence": material.sequence,
            "issued_at": encode_time(material.issued_at),
            "expires_at": encode_time(material.expires_at),
            "crl_grace_seconds": int(material.grace.total_seconds()),
        }
    )
    _store(path / MANIFEST, manifest)


def _load_certificates(folder: Path) -> tuple[Certificate, ...]:
    found: list[Certificate] = []
    for file in _files(folder):
        found += _parse_file(file, MAX_CERTIFICATE * _PEM_FACTOR * 16, _parse_bundle)
    return tuple(found)


def _parse_bundle(content: bytes) -> tuple[Certificate, ...]:
    if not is_pem(content):
        return (parse_certificate(content),)
    blocks = parse_pem(content, frozenset({PEM_LABEL}))
    return tuple(parse_certificate(der) for _, der in blocks)


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    # Sorted, so that two loads of the same files compare equal and a reload is seen to be none.
    # Dotted names are halves still being written.
    names = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    if len(names) > _MAX_FILES:
        raise CertificateRefused(CertificateReason.MALFORMED, f"{folder.name}: too many files")
    yield from names


def _parse_file(file: Path, limit: int, parse: Callable[[bytes], _T]) -> _T:
    where = f"{file.parent.name}/{file.name}"
    try:
        with file.open("rb") as stream:
            # Read with a bound and then measured: a size asked for beforehand may be old.
            content = stream.read(limit + 1)
    except OSError as cause:
        raise CertificateRefused(CertificateReason.MALFORMED, f"{where}: unreadable") from cause
    if len(content) > limit:
        raise CertificateRefused(CertificateReason.MALFORMED, f"{where}: too long")
    try:
        return parse(content)
    except CertificateRefused as refusal:
        raise CertificateRefused(refusal.reason, f"{where}: {refusal.detail}") from refusal


def _store_all(folder: Path, contents: list[bytes], ending: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = {f"{number:03}.{ending}" for number in range(len(contents))}
    for old in _files(folder):
        # A certificate that is taken away must not live on as a file that the next load reads.
        if old.name not in names:
            old.unlink()
    for number, content in enumerate(contents):
        _store(folder / f"{number:03}.{ending}", content)


def _store(file: Path, content: bytes) -> None:
    # A reader sees the old file or the new one, never half of one.
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        # A power cut must not bring back a key that was said to be revoked.
        os.fsync(stream.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
