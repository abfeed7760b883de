"""Who may ask: registered TLS certificates and signing certificates."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One registered caller; `tls_sha256` is lowercase hex of his certificate's DER."""

    id: str
    tls_sha256: str
    signing_certificate: x509.Certificate


def load_callers(path: Path) -> Mapping[str, Caller]:
    """Read the registration file; callers by the digest of their TLS certificate."""
    callers = [
        Caller(
            id=row["id"],
            tls_sha256=row["tls_sha256"],
            signing_certificate=x509.load_pem_x509_certificate(row["signing_certificate"].encode()),
        )
        for row in json.loads(path.read_text(encoding="utf-8"))["callers"]
    ]
    return {caller.tls_sha256: caller for caller in callers}
