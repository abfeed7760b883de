"""Subject names and extensions of the certificates we issue (RFC 5280 4.1.2.6 and 4.2).

Knows no key and no serial number.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final

from asn1crypto import core, x509

from certs.certificate import ORGANISATION_PREFIX, SANDBOX_MARK, KeyUsage

CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectName:
    """Whom a certificate names: a display name, and the USCC of the organisation if there is one.

    The identity of a system follows from the registry, never from this name.
    """

    common_name: str
    organisation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Which extensions a certificate gets."""

    usage: frozenset[KeyUsage]
    purposes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    path_length: int | None = None


def build_name(subject: SubjectName, *, sandbox: bool) -> x509.Name:
    """Return the distinguished name of a subject."""
    parts: list[tuple[str, str]] = [("country_name", "CN")]
    if sandbox:
        parts.append(("organizational_unit_name", SANDBOX_MARK))
    if subject.organisation is not None:
        parts.append(("organization_identifier", ORGANISATION_PREFIX + subject.organisation))
    parts.append(("common_name", subject.common_name))
    return x509.Name.build(dict(parts))


def build_extensions(profile: Profile, own_key: bytes, issuer_key: bytes) -> x509.Extensions:
    """Return the extensions of a profile, critical where RFC 5280 asks for it.

    `own_key` and `issuer_key` are key identifiers (RFC 5280 4.2.1.2).
    """
    is_authority = profile.path_length is not None
    constraints = x509.BasicConstraints({"ca": is_authority})
    if is_authority:
        constraints["path_len_constraint"] = profile.path_length
    extensions = [
        _extension("basic_constraints", constraints, critical=True),
        _extension("key_usage", x509.KeyUsage({str(bit) for bit in profile.usage}), critical=True),
        _extension("key_identifier", core.OctetString(own_key), critical=False),
        _extension(
            "authority_key_identifier",
            x509.AuthorityKeyIdentifier({"key_identifier": issuer_key}),
            critical=False,
        ),
    ]
    if profile.purposes:
        purposes = x509.ExtKeyUsageSyntax(list(profile.purposes))
        # RFC 3161 2.3 asks for critical; CA/Browser Forum BR 7.1.2.7.6 forbids it in TLS.
        critical = TIME_STAMPING in profile.purposes
        extensions.append(_extension("extended_key_usage", purposes, critical=critical))
    if profile.hosts:
        names = x509.GeneralNames([_general_name(host) for host in profile.hosts])
        # RFC 5280 4.2.1.6: critical only where the subject is empty, and ours never is.
        extensions.append(_extension("subject_alt_name", names, critical=False))
    return x509.Extensions(extensions)


def _extension(name: str, value: core.Asn1Value, *, critical: bool) -> x509.Extension:
    members = {"extn_id": name, "extn_value": core.ParsableOctetString(value.dump())}
    # X.690 11.5: DER leaves a default out, and FALSE is the default.
    if critical:
        members["critical"] = True
    return x509.Extension(members)


def _general_name(host: str) -> x509.GeneralName:
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return x509.GeneralName(name="dns_name", value=host)
    return x509.GeneralName(name="ip_address", value=address)
