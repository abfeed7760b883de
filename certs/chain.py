"""From a certificate to a trust anchor, and whether that holds at a given time.

A path is built once, when a trust store is loaded (RFC 5280 6.1, narrowed: no policies to enforce,
no name constraints). What depends on time is folded into a `Standing`, so that each call costs two
comparisons.
Knows no wall clock and fetches nothing.
INVARIANT: whatever is not understood refuses: a critical extension, a kind of key, an algorithm.
INVARIANT: anchors come from the trust store only, never from a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Protocol, TypeVar

from certs.certificate import Certificate, KeyUsage
from certs.der import verify_signed
from certs.errors import (
    AlgorithmUnavailable,
    CertificateReason,
    CertificateRefused,
    SignatureInvalid,
)
from certs.revocation import RevocationStore
from certs.suites import ALGORITHMS

# A leaf, at most three intermediates, an anchor.
MAX_PATH: Final = 5
# Certificates with one name and many keys must not cost unbounded signature checks.
MAX_ATTEMPTS: Final = 32

_INSTANT: Final = timedelta(microseconds=1)
_TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
_SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
_CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
_OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUsagePolicy:
    """What a leaf must be allowed to do (RFC 5280 4.2.1.3 and 4.2.1.12).

    One bit of `any_of` must be set; where `purposes` is not empty, one of them must be named.
    `only` demands that no other purpose is named.
    """

    name: str
    any_of: frozenset[KeyUsage]
    purposes: frozenset[str] = frozenset()
    only: bool = False


_SIGN: Final = frozenset({KeyUsage.DIGITAL_SIGNATURE})
_SIGN_OR_COMMIT: Final = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION})

TLS_PEER: Final = KeyUsagePolicy(
    name="tls", any_of=_SIGN, purposes=frozenset({_CLIENT_AUTH, _SERVER_AUTH})
)
TLS_CLIENT: Final = KeyUsagePolicy(
    name="tls client", any_of=_SIGN, purposes=frozenset({_CLIENT_AUTH})
)
TLS_SERVER: Final = KeyUsagePolicy(
    name="tls server", any_of=_SIGN, purposes=frozenset({_SERVER_AUTH})
)
SIGNING: Final = KeyUsagePolicy(name="signing", any_of=_SIGN_OR_COMMIT)
# RFC 3161 2.3: the purpose stands alone.
TIME_STAMPING: Final = KeyUsagePolicy(
    name="time stamping",
    any_of=_SIGN_OR_COMMIT,
    purposes=frozenset({_TIME_STAMPING}),
    only=True,
)
# RFC 6960 4.2.2.2: a responder that the issuer named.
OCSP_SIGNING: Final = KeyUsagePolicy(
    name="ocsp signing", any_of=_SIGN_OR_COMMIT, purposes=frozenset({_OCSP_SIGNING})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """From when until when something may be relied on, and what ends it.

    All times are inclusive. `refusal` is set where nothing but a new load can help.
    `good_from` and `good_until` are the window in which no reason applies.
    """

    not_before: datetime
    not_after: datetime
    algorithm_until: datetime
    known_until: datetime | None
    revoked_at: datetime | None
    store_until: datetime
    refusal: CertificateReason | None = None
    good_from: datetime = field(init=False, repr=False)
    good_until: datetime = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fold all reasons into one window."""
        # The earliest end wins; which reason it was is worked out only when somebody is refused.
        ends = [self.not_after, self.algorithm_until, self.store_until]
        if self.revoked_at is not None:
            ends.append(self.revoked_at - _INSTANT)
        # An empty window, and not a flag: the hot path has no third comparison to forget.
        never = self.refusal is not None or self.known_until is None
        if self.known_until is not None:
            ends.append(self.known_until)
        start = self.not_before
        object.__setattr__(self, "good_from", start)
        object.__setattr__(self, "good_until", start - _INSTANT if never else min(ends))


class Judged(Protocol):
    """Anything whose standing was judged when it was loaded."""

    @property
    def standing(self) -> Standing:
        """Return the standing."""
        ...


_J = TypeVar("_J", bound=Judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCertificate:
    """A certificate with a path to an anchor; made only by `verify_chain`."""

    certificate: Certificate
    path: tuple[Certificate, ...]
    standing: Standing


class TrustSource(Protocol):
    """What a chain is verified against; `TrustSnapshot` is one."""

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        """Return the trust anchors."""
        ...

    @property
    def intermediates(self) -> tuple[Certificate, ...]:
        """Return the known certificates between anchors and leaves."""
        ...

    @property
    def revocations(self) -> RevocationStore:
        """Return what is known about revocation."""
        ...

    @property
    def expires_at(self) -> datetime:
        """Return until when the source may be used."""
        ...


def require_current(entry: _J, at: datetime) -> _J:
    """Return the entry if it may be relied on at the given time.

    Raises:
        CertificateRefused: TRUST_STORE_EXPIRED, NOT_YET_VALID, EXPIRED, REVOKED,
            REVOCATION_UNKNOWN, WEAK_ALGORITHM, or what was found when it was loaded.
    """
    standing = entry.standing
    if standing.good_from <= at <= standing.good_until:
        return entry
    raise CertificateRefused(_reason_at(standing, at))


def verify_chain(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    source: TrustSource,
    at: datetime,
    usage: KeyUsagePolicy,
) -> VerifiedCertificate:
    """Verify a certificate up to an anchor, at a given time, for a usage.

    Intermediates that came with a message only help to find a path; they anchor nothing.

    Raises:
        CertificateRefused: any reason but those of the registry.
    """
    path = build_path(leaf, (*source.intermediates, *intermediates), source.anchors, usage)
    # The anchors decide, the message only suggests: its certificates never enter `anchors`.
    standing = judge_path(path, source.revocations, source.expires_at)
    return require_current(VerifiedCertificate(certificate=leaf, path=path, standing=standing), at)


def build_path(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    anchors: Sequence[Certificate],
    usage: KeyUsagePolicy,
) -> tuple[Certificate, ...]:
    """Return leaf, intermediates and anchor, each signed by the next.

    Raises:
        CertificateRefused: WRONG_USAGE, WEAK_ALGORITHM, NO_CHAIN.
    """
    _require_usage(leaf, usage)
    _require_readable(leaf)
    search = _Search(anchors=tuple(anchors), intermediates=tuple(intermediates))
    path = search.extend((leaf,))
    if path is None:
        raise CertificateRefused(search.reason, "no path to an anchor")
    return path


def judge_path(
    path: tuple[Certificate, ...], revocations: RevocationStore, store_until: datetime
) -> Standing:
    """Return when a path holds: every member valid, none revoked, revocation known."""
    # Each member but the anchor is answered for by the next; nobody answers for the anchor.
    evidence = [revocations.evidence(subject, issuer) for subject, issuer in pairwise(path)]
    known = [item.known_until for item in evidence if item.known_until is not None]
    revoked = [item.revoked_at for item in evidence if item.revoked_at is not None]
    return Standing(
        # The anchor's own dates count too, which RFC 5280 6.1.1 (d) leaves open.
        not_before=max(member.not_before for member in path),
        not_after=min(member.not_after for member in path),
        # The table's end is exclusive, a standing's is inclusive.
        algorithm_until=min(
            ALGORITHMS[member.public_key.algorithm].accepted_until - _INSTANT for member in path
        ),
        # One member without evidence makes the whole path unknown.
        known_until=min(known) if len(known) == len(evidence) else None,
        revoked_at=min(revoked, default=None),
        store_until=store_until,
    )


def refused_standing(reason: CertificateReason, store_until: datetime) -> Standing:
    """Return the standing of something that never holds."""
    return Standing(
        not_before=store_until,
        not_after=store_until,
        algorithm_until=store_until,
        known_until=None,
        revoked_at=None,
        store_until=store_until,
        refusal=reason,
    )


def narrow_standing(standing: Standing, not_before: datetime, not_after: datetime) -> Standing:
    """Return a standing that holds at most between two times."""
    return replace(
        standing,
        not_before=max(standing.not_before, not_before),
        not_after=min(standing.not_after, not_after),
    )


@dataclass(slots=True)
class _Search:
    """A depth-first search that stops at bounds and remembers the most telling reason."""

    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...]
    attempts: int = 0
    reason: CertificateReason = CertificateReason.NO_CHAIN

    def extend(self, path: tuple[Certificate, ...]) -> tuple[Certificate, ...] | None:
        """Return the path continued to an anchor, or nothing."""
        # Anchors first: the shortest path wins, and no message can make us take a longer one.
        for anchor in self.anchors:
            if self._issued(anchor, path):
                return (*path, anchor)
        if len(path) >= MAX_PATH - 1:
            return None
        for candidate in self.intermediates:
            # Authorities that certify each other would be walked in circles.
            if candidate not in path and self._issued(candidate, path):
                found = self.extend((*path, candidate))
                if found is not None:
                    return found
        return None

    def _issued(self, issuer: Certificate, path: tuple[Certificate, ...]) -> bool:
        subject = path[-1]
        # As bytes, stricter than RFC 5280 7.1: issuers copy the name, and folding differs by
        # reader.
        if issuer.subject_name != subject.issuer_name or not _key_ids_agree(issuer, subject):
            return False
        try:
            _require_authority(issuer, below=len(path) - 1)
            # Counted after the cheap questions: only signature checks are worth bounding.
            self.attempts += 1
            if self.attempts > MAX_ATTEMPTS:
                return False
            verify_signed(subject.signed, issuer.public_key)
        except CertificateRefused as refusal:
            self.reason = refusal.reason
            return False
        except AlgorithmUnavailable:
            self.reason = CertificateReason.WEAK_ALGORITHM
            return False
        except SignatureInvalid:
            return False
        return True


def _key_ids_agree(issuer: Certificate, subject: Certificate) -> bool:
    # RFC 5280 4.2.1.1: a hint to find the issuer; absent on one side it says nothing.
    named, own = subject.authority_key_id, issuer.subject_key_id
    return named is None or own is None or named == own


def _require_authority(issuer: Certificate, below: int) -> None:
    # RFC 5280 6.1.4 (k) to (n).
    _require_readable(issuer)
    # Old roots have no key usage; 6.1.4 (n) looks at the bit only where the extension is present.
    usage = issuer.key_usage
    if not issuer.is_authority or (usage is not None and KeyUsage.KEY_CERT_SIGN not in usage):
        raise CertificateRefused(CertificateReason.WRONG_USAGE, "issuer is no authority")
    if issuer.path_length is not None and below > issuer.path_length:
        raise CertificateRefused(CertificateReason.NO_CHAIN, "path longer than allowed")


def _require_usage(leaf: Certificate, policy: KeyUsagePolicy) -> None:
    # RFC 5280 4.2.1.3 reads a missing extension as "any use"; a key that says nothing of its use
    # signs nothing here, and neither does one that may certify others.
    if leaf.is_authority or leaf.key_usage is None or not leaf.key_usage & policy.any_of:
        raise CertificateRefused(CertificateReason.WRONG_USAGE, policy.name)
    # RFC 5280 4.2.1.12 lets an application refuse anyExtendedKeyUsage for a purpose: we do.
    purposes = leaf.eku or frozenset()
    if policy.purposes and not purposes & policy.purposes:
        raise CertificateRefused(CertificateReason.WRONG_USAGE, policy.name)
    if policy.only and purposes != policy.purposes:
        raise CertificateRefused(CertificateReason.WRONG_USAGE, policy.name)


def _require_readable(certificate: Certificate) -> None:
    # RFC 5280 4.2: a critical extension that is not understood refuses.
    if certificate.unknown_critical:
        raise CertificateRefused(CertificateReason.MALFORMED, "unknown critical extension")
    if certificate.accepted_key is None:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "key of a certificate")


def _reason_at(standing: Standing, at: datetime) -> CertificateReason:
    if standing.refusal is not None:
        return standing.refusal
    revoked = standing.revoked_at is not None and at >= standing.revoked_at
    # From the widest to the narrowest: under an expired store no finer reason can be relied on.
    ordered = (
        (at > standing.store_until, CertificateReason.TRUST_STORE_EXPIRED),
        (at < standing.not_before, CertificateReason.NOT_YET_VALID),
        (at > standing.not_after, CertificateReason.EXPIRED),
        (revoked, CertificateReason.REVOKED),
        (at > standing.algorithm_until, CertificateReason.WEAK_ALGORITHM),
    )
    # Outside the window with none of these, only the evidence is missing or stale.
    unknown = CertificateReason.REVOCATION_UNKNOWN
    return next((reason for applies, reason in ordered if applies), unknown)
