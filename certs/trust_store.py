"""The trust store: one immutable snapshot in force, swapped whole.

A snapshot holds anchors, intermediates, revocation and the registry that was judged against them.
Knows no wall clock; who reloads, and when, is decided above.
INVARIANT: a reload that fails in any part leaves the snapshot in force and says why.
INVARIANT: no reload goes back: not in the sequence number, not in any CRL.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from certs.certificate import Certificate
from certs.chain import (
    SIGNING,
    TIME_STAMPING,
    TLS_PEER,
    KeyUsagePolicy,
    Standing,
    build_path,
    judge_path,
    narrow_standing,
    refused_standing,
)
from certs.errors import CertificateReason, CertificateRefused, CertsError
from certs.identity import (
    RegisteredKey,
    RegisteredOrganisation,
    RegisteredSystem,
    Registry,
    SystemId,
    build_registry,
)
from certs.ocsp import index_answers
from certs.pem import encode_pem
from certs.registry_file import (
    KeyPurpose,
    KeyRecord,
    KeyState,
    require_consistent,
)
from certs.revocation import RevocationStore, build_revocation_store
from certs.suites import AlgorithmName
from certs.trust_directory import load_trust_directory
from certs.trust_material import TrustMaterial

_POLICIES: Final = {KeyPurpose.TLS: TLS_PEER, KeyPurpose.TSA: TIME_STAMPING}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSnapshot:
    """Everything that is trusted at one moment; never changed."""

    sequence: int
    issued_at: datetime
    expires_at: datetime
    anchors: tuple[Certificate, ...] = field(repr=False)
    intermediates: tuple[Certificate, ...] = field(repr=False)
    revocations: RevocationStore = field(repr=False)
    registry: Registry = field(repr=False)

    @property
    def tls_roots_pem(self) -> bytes:
        """Return the anchors as PEM for a TLS library, without those it cannot read."""
        return b"".join(
            encode_pem(anchor.der, "CERTIFICATE")
            for anchor in self.anchors
            if anchor.public_key.algorithm is not AlgorithmName.SM2
        )

    @property
    def has_sandbox_anchor(self) -> bool:
        """Return whether any anchor is of a sandbox; production refuses such a store."""
        return any(anchor.is_sandbox for anchor in self.anchors)


class ReloadState(StrEnum):
    """What a reload did."""

    LOADED = "loaded"
    UNCHANGED = "unchanged"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadReport:
    """What a reload did, which sequence is in force, and why a new one was refused."""

    state: ReloadState
    sequence: int
    reason: CertificateReason | None = None
    detail: str = ""


class TrustStore:
    """Holds the snapshot in force; assignment of one name makes the swap atomic."""

    __slots__ = ("_load", "_material", "_snapshot")

    def __init__(self, load: Callable[[], TrustMaterial]) -> None:
        """Load the first snapshot; without a good one there is no store.

        Raises:
            CertificateRefused: the first material is not good.
        """
        self._load = load
        self._material = load()
        self._snapshot = build_snapshot(self._material)

    @property
    def snapshot(self) -> TrustSnapshot:
        """Return the snapshot in force; once it has expired no key in it is current."""
        return self._snapshot

    def reload(self) -> ReloadReport:
        """Put new material in force if all of it is good; never raises for bad material."""
        held = self._material
        try:
            material = self._load()
            if material == held:
                return ReloadReport(state=ReloadState.UNCHANGED, sequence=held.sequence)
            snapshot = build_snapshot(material)
            # Last, and before the swap: only a whole, good snapshot may be compared with the old
            # one.
            _require_forward(held, material, self._snapshot, snapshot)
        except CertificateRefused as refusal:
            return ReloadReport(
                state=ReloadState.KEPT,
                sequence=held.sequence,
                reason=refusal.reason,
                detail=refusal.detail,
            )
        except CertsError as error:
            return ReloadReport(
                state=ReloadState.KEPT,
                sequence=held.sequence,
                reason=CertificateReason.MALFORMED,
                detail=str(error),
            )
        # INVARIANT: readers take one reference and see one whole snapshot, the old or the new.
        self._material, self._snapshot = material, snapshot
        return ReloadReport(state=ReloadState.LOADED, sequence=snapshot.sequence)


def build_snapshot(material: TrustMaterial) -> TrustSnapshot:
    """Verify material against itself and judge every registered key.

    A single key whose certificate does not hold is refused when it is used; contradictions
    refuse the whole.

    Raises:
        CertificateRefused: NO_CHAIN, MALFORMED, WEAK_ALGORITHM, KEY_REUSED, WRONG_ORGANISATION.
    """
    if not material.anchors:
        raise CertificateRefused(CertificateReason.NO_CHAIN, "no trust anchor")
    # Asked again although the file's reader asks it: material may come from elsewhere.
    require_consistent(material.registry)
    issuers = (*material.anchors, *material.intermediates)
    for issuer in issuers:
        _require_issuer(issuer)
    revocations = build_revocation_store(
        material.crls,
        issuers,
        index_answers(material.ocsp_responses, issuers),
        material.grace,
    )
    return TrustSnapshot(
        sequence=material.sequence,
        issued_at=material.issued_at,
        expires_at=material.expires_at,
        anchors=material.anchors,
        intermediates=material.intermediates,
        revocations=revocations,
        registry=_register(material, revocations),
    )


def load_trust_store(path: Path) -> TrustStore:
    """Load the trust store of a directory; `reload` reads the same directory again.

    Raises:
        CertificateRefused: the directory is not good.
    """
    return TrustStore(lambda: load_trust_directory(path))


def _require_issuer(issuer: Certificate) -> None:
    if issuer.accepted_key is None:
        raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, issuer.thumbprint_sha256.hex())
    if not issuer.is_authority:
        raise CertificateRefused(CertificateReason.WRONG_USAGE, issuer.thumbprint_sha256.hex())


def _require_forward(
    held: TrustMaterial, new: TrustMaterial, before: TrustSnapshot, after: TrustSnapshot
) -> None:
    if new.sequence < held.sequence:
        raise CertificateRefused(CertificateReason.MALFORMED, "sequence number goes back")
    # Evidence is renewed daily under one sequence number; whom we trust is not.
    evidence_only = replace(held, crls=new.crls, ocsp_responses=new.ocsp_responses)
    if new.sequence == held.sequence and new != evidence_only:
        raise CertificateRefused(CertificateReason.MALFORMED, "changed without a new sequence")
    # RFC 5280 5.2.3: numbers of one issuer only rise; a lower one is a replay of an old list.
    for issuer, crl in before.revocations.crls.items():
        later = after.revocations.crls.get(issuer)
        # A list that is gone needs no rule: without evidence its certificates are refused.
        if later is not None and later.number < crl.number:
            raise CertificateRefused(CertificateReason.MALFORMED, "CRL number goes back")


def _register(material: TrustMaterial, revocations: RevocationStore) -> Registry:
    organisations: list[RegisteredOrganisation] = []
    systems: list[RegisteredSystem] = []
    for record in material.registry.organisations:
        organisation = RegisteredOrganisation(
            uscc=record.uscc,
            name_zh=record.name_zh,
            name_en=record.name_en,
            kind=record.kind,
            keys=tuple(
                _register_key(material, revocations, key, (record.uscc, record.uscc))
                for key in record.keys
            ),
        )
        organisations.append(organisation)
        for system in record.systems:
            system_id = SystemId(f"{record.uscc}/{system.slug}")
            systems.append(
                RegisteredSystem(
                    system_id=system_id,
                    organisation=organisation,
                    system_class=system.system_class,
                    roles=system.roles,
                    keys=tuple(
                        _register_key(material, revocations, key, (system_id, record.uscc))
                        for key in system.keys
                    ),
                )
            )
    return build_registry(tuple(organisations), tuple(systems))


def _register_key(
    material: TrustMaterial,
    revocations: RevocationStore,
    record: KeyRecord,
    owner: tuple[str, str],
) -> RegisteredKey:
    public_key = record.certificate.public_key
    standing = _judge(material, revocations, record)
    return RegisteredKey(
        owner=owner[0],
        organisation=owner[1],
        usage=record.usage,
        suite=public_key.suite,
        keyid=public_key.keyid,
        certificate=record.certificate,
        public_key=public_key,
        # The registry may shorten what a certificate allows, never lengthen it.
        standing=narrow_standing(standing, record.not_before, record.not_after),
    )


def _judge(material: TrustMaterial, revocations: RevocationStore, record: KeyRecord) -> Standing:
    # A suspended key is refused like a revoked one: the requester learns no difference.
    if record.state is not KeyState.ACTIVE:
        return refused_standing(CertificateReason.REVOKED, material.expires_at)
    policy: KeyUsagePolicy = _POLICIES.get(record.usage, SIGNING)
    try:
        path = build_path(record.certificate, material.intermediates, material.anchors, policy)
    except CertificateRefused as refusal:
        return refused_standing(refusal.reason, material.expires_at)
    return judge_path(path, revocations, material.expires_at)
