"""The trust store: loaded from files, swapped whole, never swapped for something bad."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from certs.algorithms import Suite, generate_private_key
from certs.authority import Authority, RevocationReason
from certs.certificate import Certificate
from certs.chain import require_current
from certs.errors import CertificateReason, CertificateRefused, KeyUnreadable
from certs.naming import SubjectName
from certs.pem import encode_pem
from certs.registry_file import KeyPurpose, KeyRecord, RegistryDocument
from certs.revocation import parse_crl
from certs.trust_directory import load_trust_directory, store_trust_directory
from certs.trust_material import TrustMaterial
from certs.trust_store import ReloadState, TrustStore, build_snapshot, load_trust_store

Declare = Callable[..., KeyRecord]
Document = Callable[..., RegistryDocument]
Material = Callable[..., TrustMaterial]


@pytest.fixture
def made(
    material: Material, document: Document, declare: Declare, envelope_leaf: Certificate
) -> TrustMaterial:
    """Return good material with one envelope key."""
    return material(document(declare(KeyPurpose.ENVELOPE, envelope_leaf)))


@pytest.fixture
def folder(made: TrustMaterial, tmp_path: Path) -> Path:
    """Return a trust directory with that material."""
    store_trust_directory(made, tmp_path)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> TrustStore:
    """Return a store over that directory."""
    return load_trust_store(folder)


def test_written_directory_is_the_one_read(made: TrustMaterial, folder: Path) -> None:
    """Reading is the inverse of writing."""
    assert made == load_trust_directory(folder)


def test_store_answers_from_its_directory(
    store: TrustStore, envelope_leaf: Certificate, uscc: str, at: datetime
) -> None:
    """A registered key of a good directory is current."""
    system = store.snapshot.registry.system(f"{uscc}/gateway")
    assert system is not None
    key = system.envelope_key(envelope_leaf.public_key.keyid)
    assert key is not None

    assert key is require_current(key, at)


def test_reload_of_the_same_files_changes_nothing(store: TrustStore) -> None:
    """Without a change the snapshot in force is the very same."""
    before = store.snapshot

    report = store.reload()

    assert ReloadState.UNCHANGED is report.state
    assert before is store.snapshot


def test_reload_takes_new_material(store: TrustStore, made: TrustMaterial, folder: Path) -> None:
    """A new sequence number brings a new snapshot."""
    store_trust_directory(replace(made, sequence=2), folder)

    report = store.reload()

    assert (report.state, report.sequence) == (ReloadState.LOADED, 2)
    assert store.snapshot.sequence == 2


def test_new_crl_needs_no_new_sequence(
    store: TrustStore,
    made: TrustMaterial,
    folder: Path,
    authority: Authority,
    envelope_leaf: Certificate,
    at: datetime,
) -> None:
    """Revocation reaches the registry with the CRL alone."""
    authority.revoke(envelope_leaf.serial, at=at, reason=RevocationReason.KEY_COMPROMISE)
    crl = parse_crl(authority.crl(at=at))
    store_trust_directory(replace(made, crls=(crl,)), folder)

    report = store.reload()
    (key,) = store.snapshot.registry.all_keys()

    assert ReloadState.LOADED is report.state
    with pytest.raises(CertificateRefused) as caught:
        require_current(key, at)
    assert CertificateReason.REVOKED is caught.value.reason


def test_change_of_trust_without_a_new_sequence_is_refused(
    store: TrustStore, made: TrustMaterial, folder: Path
) -> None:
    """Whom we trust does not change silently."""
    later = replace(made, expires_at=made.expires_at + timedelta(days=1))
    store_trust_directory(later, folder)

    report = store.reload()

    assert ReloadState.KEPT is report.state
    assert made.expires_at == store.snapshot.expires_at


def test_older_sequence_is_refused(made: TrustMaterial) -> None:
    """An old directory does not come back."""
    offers = iter([replace(made, sequence=5), replace(made, sequence=4)])
    store = TrustStore(lambda: next(offers))

    report = store.reload()

    assert (report.state, report.sequence) == (ReloadState.KEPT, 5)
    assert "goes back" in report.detail


def test_older_crl_is_refused(made: TrustMaterial, authority: Authority, at: datetime) -> None:
    """An old CRL does not make a revoked certificate good again."""
    newer = parse_crl(authority.crl(at=at))
    offers = iter([replace(made, crls=(newer,)), replace(made, sequence=2)])
    store = TrustStore(lambda: next(offers))

    report = store.reload()

    assert ReloadState.KEPT is report.state
    assert newer.number == next(iter(store.snapshot.revocations.crls.values())).number


def test_lost_crl_is_taken_and_nothing_is_known_any_more(made: TrustMaterial, at: datetime) -> None:
    """A directory without its CRL loads, and its keys are refused."""
    offers = iter([made, replace(made, crls=())])
    store = TrustStore(lambda: next(offers))

    report = store.reload()
    (key,) = store.snapshot.registry.all_keys()

    assert ReloadState.LOADED is report.state
    with pytest.raises(CertificateRefused) as caught:
        require_current(key, at)
    assert CertificateReason.REVOCATION_UNKNOWN is caught.value.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trust.json", b"{"),
        ("trust.json", b'{"format": "hutong-trust/1"}'),
        ("trust.json", b" " * 5000),
        (
            "trust.json",
            (
                b'{"format": "hutong-trust/1", "sequence": -1, "issued_at": "2026-11-23T12:00:00Z",'
                b'"expires_at": "2026-12-23T12:00:00Z", "crl_grace_seconds": 0}'
            ),
        ),
        ("registry.json", b"{}"),
        ("anchors/000.crt", b"junk"),
        ("anchors/000.crt", b""),
        ("crls/000.crl", b"junk"),
        ("crls/more", b"junk"),
        ("ocsp/000.der", b"junk"),
        ("intermediates/000.crt", b"junk"),
    ],
)
def test_broken_directory_keeps_the_old_snapshot(
    name: str, content: bytes, store: TrustStore, folder: Path
) -> None:
    """One bad file refuses the whole directory, by name, and changes nothing."""
    before = store.snapshot
    (folder / name).write_bytes(content)

    report = store.reload()

    assert ReloadState.KEPT is report.state
    assert report.reason is not None
    assert before is store.snapshot


@pytest.mark.parametrize("name", ["trust.json", "registry.json"])
def test_missing_file_keeps_the_old_snapshot(name: str, store: TrustStore, folder: Path) -> None:
    """A directory without one of its files is refused and named."""
    (folder / name).unlink()

    report = store.reload()

    assert ReloadState.KEPT is report.state
    assert name in report.detail


def test_other_error_while_loading_keeps_the_old_snapshot(made: TrustMaterial) -> None:
    """Whatever of ours goes wrong in a reload, the store stays."""
    calls: list[int] = []

    def load() -> TrustMaterial:
        calls.append(1)
        if len(calls) > 1:
            raise KeyUnreadable("anything")
        return made

    store = TrustStore(load)

    report = store.reload()

    assert (report.state, report.reason) == (ReloadState.KEPT, CertificateReason.MALFORMED)


def test_no_store_without_a_good_start(tmp_path: Path) -> None:
    """An empty directory is no trust store."""
    with pytest.raises(CertificateRefused):
        load_trust_store(tmp_path)


def test_no_store_without_an_anchor(made: TrustMaterial) -> None:
    """Who trusts nobody cannot be told whom to trust."""
    with pytest.raises(CertificateRefused) as caught:
        build_snapshot(replace(made, anchors=()))

    assert CertificateReason.NO_CHAIN is caught.value.reason


def test_leaf_is_no_anchor(made: TrustMaterial, envelope_leaf: Certificate) -> None:
    """An anchor is an authority."""
    with pytest.raises(CertificateRefused) as caught:
        build_snapshot(replace(made, anchors=(envelope_leaf,)))

    assert CertificateReason.WRONG_USAGE is caught.value.reason


def test_weak_anchor_refuses_the_store(made: TrustMaterial, authority: Authority) -> None:
    """An anchor with a key that is not accepted is an operator's mistake."""
    weak = replace(authority.certificate, accepted_key=None)

    with pytest.raises(CertificateRefused) as caught:
        build_snapshot(replace(made, anchors=(weak,)))

    assert CertificateReason.WEAK_ALGORITHM is caught.value.reason


def test_keys_of_an_expired_snapshot_are_refused(store: TrustStore, made: TrustMaterial) -> None:
    """After the end of a store none of its keys is current."""
    late = made.expires_at + timedelta(seconds=1)
    (key,) = store.snapshot.registry.all_keys()

    with pytest.raises(CertificateRefused) as refused:
        require_current(key, late)

    assert CertificateReason.TRUST_STORE_EXPIRED is refused.value.reason


def test_bundles_and_other_files_are_read(made: TrustMaterial, folder: Path, at: datetime) -> None:
    """A file may hold several anchors; files that start with a dot are left alone."""
    more = [
        Authority.create(SubjectName(common_name=name), at=at).certificate for name in ("a", "b")
    ]
    bundle = b"".join(encode_pem(item.der, "CERTIFICATE") for item in more)
    (folder / "anchors" / "more.pem").write_bytes(bundle)
    (folder / "anchors" / ".hidden").write_bytes(b"junk")
    (folder / "anchors" / "one.der").write_bytes(made.anchors[0].der)

    found = load_trust_directory(folder)

    assert (*made.anchors, *more, *made.anchors) == found.anchors


def test_folders_may_be_absent(made: TrustMaterial, folder: Path) -> None:
    """Without intermediates and OCSP responses there need be no folders for them."""
    (folder / "intermediates").rmdir()
    (folder / "ocsp").rmdir()

    assert made == load_trust_directory(folder)


def test_too_many_files_are_refused(folder: Path) -> None:
    """A folder that was filled by mistake is not read."""
    for number in range(1100):
        (folder / "ocsp" / f"{number}").touch()

    with pytest.raises(CertificateRefused, match="too many"):
        load_trust_directory(folder)


def test_writing_removes_what_is_gone(made: TrustMaterial, folder: Path) -> None:
    """A CRL that left the material leaves the directory."""
    store_trust_directory(replace(made, crls=()), folder)

    assert list((folder / "crls").iterdir()) == []


def test_roots_for_tls_leave_out_sm2(made: TrustMaterial, at: datetime) -> None:
    """The TLS library gets the anchors it can read."""
    sm2 = Authority.create(SubjectName(common_name="s"), at=at, suite=Suite.SM2SM3).certificate

    snapshot = build_snapshot(replace(made, anchors=(*made.anchors, sm2)))

    assert encode_pem(made.anchors[0].der, "CERTIFICATE") == snapshot.tls_roots_pem
    assert not snapshot.has_sandbox_anchor


def test_sandbox_anchor_is_seen(made: TrustMaterial, at: datetime) -> None:
    """Production can tell a sandbox store from its own."""
    sandbox = Authority.create(SubjectName(common_name="s"), at=at, sandbox=True).certificate

    assert build_snapshot(replace(made, anchors=(*made.anchors, sandbox))).has_sandbox_anchor


def test_time_stamping_key_needs_its_purpose(
    declare: Declare,
    document: Document,
    material: Material,
    authority: Authority,
    subject: SubjectName,
    at: datetime,
) -> None:
    """A registered TSA key is judged by the rule of time stamping."""
    key = generate_private_key(Suite.ES256).public_key
    stamper = authority.issue_signing(subject, key, KeyPurpose.TSA, at=at)

    found = material(document(own=(declare(KeyPurpose.TSA, stamper),)))
    (registered,) = build_snapshot(found).registry.all_keys()

    assert registered is require_current(registered, at)
