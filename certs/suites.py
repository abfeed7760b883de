"""The closed table of signature algorithms: what is accepted, from which size, until when.

Knows no key and no certificate.
INVARIANT: an algorithm that is not in the table is refused; nothing inside a message extends it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from certs.errors import CertificateReason, CertificateRefused


class Suite(StrEnum):
    """A signature suite an envelope may carry; each has fixed 64-byte signatures."""

    ES256 = "ES256"
    EDDSA = "EdDSA"
    SM2SM3 = "SM2SM3"


class AlgorithmName(StrEnum):
    """A kind of public key a certificate may hold."""

    P256 = "P-256"
    ED25519 = "Ed25519"
    SM2 = "SM2"
    RSA_PSS = "RSA-PSS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One row of the table.

    `suite` is absent where we verify and never sign; `accepted_until` is exclusive.
    """

    name: AlgorithmName
    suite: Suite | None
    min_bits: int
    max_bits: int
    accepted_until: datetime


# NIST IR 8547 section 4.1.1: quantum-vulnerable signatures are disallowed after 2035. No Chinese
# text states an end for SM2; the same mathematics falls on the same day.
_END: Final = datetime(2036, 1, 1, tzinfo=UTC)

ALGORITHMS: Final[Mapping[AlgorithmName, Algorithm]] = MappingProxyType(
    {
        row.name: row
        for row in (
            Algorithm(
                name=AlgorithmName.P256,
                suite=Suite.ES256,
                min_bits=256,
                max_bits=256,
                accepted_until=_END,
            ),
            Algorithm(
                name=AlgorithmName.ED25519,
                suite=Suite.EDDSA,
                min_bits=256,
                max_bits=256,
                accepted_until=_END,
            ),
            Algorithm(
                name=AlgorithmName.SM2,
                suite=Suite.SM2SM3,
                min_bits=256,
                max_bits=256,
                accepted_until=_END,
            ),
            # NIST SP 800-57 part 1, table 2: 3072 bits give 128 bits of strength. The upper bound
            # keeps one verification below a millisecond.
            Algorithm(
                name=AlgorithmName.RSA_PSS,
                suite=None,
                min_bits=3072,
                max_bits=8192,
                accepted_until=_END,
            ),
        )
    }
)


def suite_of_algorithm(name: AlgorithmName) -> Suite:
    """Return the envelope suite of a kind of key.

    Raises:
        CertificateRefused: WEAK_ALGORITHM when the kind is accepted in certificates only.
    """
    suite = ALGORITHMS[name].suite
    if suite is None:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, f"{name} signs no envelope")
    return suite
