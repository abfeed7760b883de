"""What a trust store is made from, between the files and the snapshot.

INVARIANT: nothing here is trusted: it was read, and not yet verified against itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from certs.certificate import Certificate
from certs.registry_file import RegistryDocument
from certs.revocation import DEFAULT_GRACE, Crl


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustMaterial:
    """Anchors, intermediates, revocation and registry as somebody delivered them."""

    sequence: int
    issued_at: datetime
    expires_at: datetime
    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...] = ()
    crls: tuple[Crl, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    registry: RegistryDocument
    grace: timedelta = DEFAULT_GRACE
