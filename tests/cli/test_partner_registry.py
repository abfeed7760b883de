"""`hutong partner publish`, `register` and `identity`: whom to believe, and who is refused."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from certs.certificate import Certificate
from certs.errors import CertificateReason, CertificateRefused
from certs.registry_file import KeyPurpose, OrganisationKind
from certs.trust_directory import load_trust_directory
from certs.trust_store import ReloadState, load_trust_store
from gateway.access_log.note import encode_verifier_key
from gateway.cli.ending import ExitCode
from gateway.cli.partner.registry import Entering, enter
from gateway.clock import SystemClock
from gateway.trust import moment
from hutong.client import load_identity
from tests.cli.partner_office import FUND, HRSS, NAMES, Office, opened

pytestmark = pytest.mark.slow

LOG_KEY = encode_verifier_key("gateway.hrss.example/log", bytes(32))


def _now() -> datetime:
    return moment(SystemClock().now_ms()).replace(microsecond=0)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A folder with an authority and an empty, published trust directory."""
    return opened(tmp_path)


def test_published_trust_is_taken_up_by_a_gateway(office: Office) -> None:
    """Each publishing raises the sequence and the CRL's number, so a running store reloads it."""
    store = load_trust_store(office.trust)
    before = store.snapshot

    code = office.run("publish", "@trust", "--authority", "@ca", "--days", "9")
    report = store.reload()

    assert code == ExitCode.YES
    assert report.state is ReloadState.LOADED
    assert store.snapshot.sequence == before.sequence + 1
    assert store.snapshot.expires_at > before.expires_at


def test_crls_are_numbered_over_restarts(office: Office) -> None:
    """The authority's file counts: no two CRLs of it carry one number."""
    numbers = [load_trust_directory(office.trust).crls[0].number]
    for _ in range(2):
        office.run("publish", "@trust", "--authority", "@ca")
        numbers.append(load_trust_directory(office.trust).crls[0].number)

    assert numbers == [1, 2, 3]


def test_trust_without_anchor_is_not_published(tmp_path: Path) -> None:
    """A trust directory that trusts nobody is refused, and nothing is written."""
    office = Office(tmp_path)

    code = office.run("publish", "@trust")

    assert code == ExitCode.NO
    assert not office.trust.exists()


def test_another_authority_stands_beside_the_first(office: Office) -> None:
    """A licensed CA's root and CRL are added by file; the own authority's stay."""
    office.run("authority", "@other", "--name", "Other authority")
    scratch = Office(office.root / "scratch")
    scratch.run("publish", "@trust", "--authority", str(office.root / "other"))
    (crl,) = (scratch.trust / "crls").iterdir()

    code = office.run("publish", "@trust", "--anchor", "@other/authority.crt", "--crl", str(crl))

    material = load_trust_directory(office.trust)
    assert code == ExitCode.YES
    assert len(material.anchors) == len(material.crls) == 2


def test_no_older_crl_takes_the_place_of_a_newer(office: Office) -> None:
    """A list published again would take back what was revoked since."""
    (first,) = (office.trust / "crls").iterdir()
    kept = office.root / "kept.crl"
    kept.write_bytes(first.read_bytes())
    office.run("publish", "@trust", "--authority", "@ca")
    before = load_trust_directory(office.trust)

    code = office.run("publish", "@trust", "--crl", str(kept))

    assert code == ExitCode.NO
    assert load_trust_directory(office.trust) == before


def test_keys_are_registered_where_they_belong(office: Office) -> None:
    """Officer keys are the organisation's, the others the system's."""
    keys = [
        f"{usage}={office.certified(usage, certified, FUND)}"
        for usage, certified in (
            ("tls", "tls-client"),
            ("envelope", "envelope"),
            ("officer", "officer"),
        )
    ]
    options = [part for key in keys for part in ("--key", key)]

    code = office.run(
        *("register", "@trust", "--org", FUND, *NAMES, "--kind", "public_institution"),
        *("--system", "fund", "--role", "requester", *options),
    )

    assert code == ExitCode.YES
    assert office.registered() == {FUND: ["officer"], f"{FUND}/fund": ["tls", "envelope"]}


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (("--system", "gateway", "--role", "gateway"), "--name-zh"),
        ((*NAMES, "--system", "gateway"), "--role"),
    ],
    ids=["names", "role"],
)
def test_what_is_new_has_to_be_named(
    office: Office, capsys: pytest.CaptureFixture[str], named: tuple[str, ...], told: str
) -> None:
    """A new organisation needs its names, a new system its role."""
    key = f"envelope={office.certified('envelope', 'envelope')}"

    code = office.run("register", "@trust", "--org", HRSS, *named, "--key", key)

    assert code == ExitCode.USAGE
    assert told in capsys.readouterr().err
    assert office.registered() == {}


def test_key_of_a_strange_authority_is_not_registered(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """A certificate that leads to no anchor would be refused at each call: it is refused here."""
    office.run("authority", "@other", "--name", "Other authority")
    office.run("key", "@x", "--org", HRSS, "--name", "x")
    office.run(
        *("certify", "@x.csr", "--authority", "@other", "--usage", "envelope"),
        *("--org", HRSS, "--name", "x"),
    )

    code = office.run(
        *("register", "@trust", "--org", HRSS, *NAMES, "--system", "gateway"),
        *("--role", "gateway", "--key", "envelope=@x.crt"),
    )

    assert code == ExitCode.NO
    assert "NO_CHAIN: key for envelope" in capsys.readouterr().err
    assert office.registered() == {}


def test_certificate_of_another_organisation_is_not_registered(office: Office) -> None:
    """A key certified for one organisation does not enter under another."""
    key = f"envelope={office.certified('envelope', 'envelope', FUND)}"

    code = office.run(
        *("register", "@trust", "--org", HRSS, *NAMES, "--system", "gateway"),
        *("--role", "gateway", "--key", key),
    )

    assert code == ExitCode.NO
    assert office.registered() == {}


def _entering(usage: KeyPurpose, certificate: Certificate, slug: str = "gateway") -> Entering:
    return Entering(
        uscc=HRSS,
        name_zh="示例机构",
        name_en="Example",
        kind=OrganisationKind.DEPARTMENT,
        slug=slug,
        role=None,
        keys={usage: certificate},
    )


@pytest.fixture
def gateway_office(office: Office) -> Office:
    """The office, with a gateway whose envelope key lives two days."""
    key = f"envelope={office.certified('envelope', 'envelope', HRSS, '--days', '2')}"
    office.run(
        *("register", "@trust", "--org", HRSS, *NAMES, "--system", "gateway"),
        *("--role", "gateway", "--key", key),
    )
    return office


def test_renewed_certificate_takes_the_old_ones_place(gateway_office: Office) -> None:
    """One public key stands once: certified again, it is registered with the new certificate."""
    gateway_office.run(
        *("certify", "@envelope.csr", "--authority", "@ca", "--usage", "envelope"),
        *("--org", HRSS, "--name", "envelope"),
    )

    code = gateway_office.run(
        *("register", "@trust", "--org", HRSS, "--system", "gateway"),
        *("--key", "envelope=@envelope.crt"),
    )

    (organisation,) = load_trust_directory(gateway_office.trust).registry.organisations
    (key,) = organisation.systems[0].keys
    assert code == ExitCode.YES
    assert key.certificate == gateway_office.certificate("envelope.crt")


def test_second_key_stands_beside_the_first_until_that_ends(gateway_office: Office) -> None:
    """A change of keys overlaps; a key that has ended leaves with the next registration."""
    gateway_office.certified("next", "envelope")
    certificate = gateway_office.certificate("next.crt")

    enter(gateway_office.trust, _entering(KeyPurpose.ENVELOPE, certificate), _now())
    overlapping = gateway_office.registered()
    later = _now() + timedelta(days=3)
    enter(gateway_office.trust, _entering(KeyPurpose.ENVELOPE, certificate), later)

    assert overlapping[f"{HRSS}/gateway"] == ["envelope", "envelope"]
    assert gateway_office.registered()[f"{HRSS}/gateway"] == ["envelope"]


def test_one_key_has_one_usage(gateway_office: Office) -> None:
    """The envelope key of the gateway is not registered for records as well."""
    certificate = gateway_office.certificate("envelope.crt")
    entering = _entering(KeyPurpose.OFFICER, certificate)

    with pytest.raises(CertificateRefused) as refused:
        enter(gateway_office.trust, entering, _now())

    assert refused.value.reason is CertificateReason.KEY_REUSED
    assert gateway_office.registered() == {HRSS: [], f"{HRSS}/gateway": ["envelope"]}


def _identity(office: Office, log_key: str = LOG_KEY) -> int:
    (office.root / "log-key").write_text(log_key + "\n", "utf-8")
    return office.run(
        *("identity", "@identity", "--keys", "@fund", "--trust", "@trust"),
        *("--system", f"{FUND}/fund", "--gateway", f"{HRSS}/gateway"),
        *("--address", "localhost:7443", "--log-key-file", "@log-key"),
    )


def test_identity_believes_what_the_registry_names(gateway_office: Office) -> None:
    """Whom to believe comes from the operator's public files, the keys are one's own."""
    gateway_office.certified("fund/tls", "tls-client", FUND)
    gateway_office.certified("fund/envelope", "envelope", FUND)

    code = _identity(gateway_office)

    identity = load_identity(gateway_office.root / "identity")
    keyid = gateway_office.certificate("envelope.crt").public_key.keyid
    own = gateway_office.certificate("fund/envelope.crt").public_key.keyid
    assert code == ExitCode.YES
    assert list(identity.gateway_keys) == [keyid]
    assert identity.signer.keyid == own
    assert identity.officer_signer is None
    assert identity.agreements == ()


def test_identity_in_an_empty_folder_can_be_loaded(gateway_office: Office) -> None:
    """A folder made beforehand, with the group's rights, is closed to others before it is used."""
    gateway_office.certified("fund/tls", "tls-client", FUND)
    gateway_office.certified("fund/envelope", "envelope", FUND)
    target = gateway_office.root / "identity"
    target.mkdir()
    target.chmod(0o775)

    code = _identity(gateway_office)

    assert code == ExitCode.YES
    assert load_identity(target).system_id == f"{FUND}/fund"


def test_identity_needs_a_registered_gateway(office: Office) -> None:
    """Without an envelope key of the gateway nobody could verify an answer: 1, nothing written."""
    office.certified("fund/tls", "tls-client", FUND)
    office.certified("fund/envelope", "envelope", FUND)

    code = _identity(office)

    assert code == ExitCode.NO
    assert not (office.root / "identity").exists()


def test_identity_with_half_a_log_key_is_not_written(gateway_office: Office) -> None:
    """A log key cut short ends with 1 here, and not at the first receipt."""
    gateway_office.certified("fund/tls", "tls-client", FUND)
    gateway_office.certified("fund/envelope", "envelope", FUND)

    code = _identity(gateway_office, LOG_KEY[:-4])

    assert code == ExitCode.NO
    assert not (gateway_office.root / "identity").exists()


def test_identity_is_not_written_over_another(gateway_office: Office) -> None:
    """A directory that holds an identity keeps it."""
    gateway_office.certified("fund/tls", "tls-client", FUND)
    gateway_office.certified("fund/envelope", "envelope", FUND)
    _identity(gateway_office)
    before = (gateway_office.root / "identity" / "identity.json").read_bytes()

    code = _identity(gateway_office)

    assert code == ExitCode.NO
    assert (gateway_office.root / "identity" / "identity.json").read_bytes() == before
    assert json.loads(before)["system_id"] == f"{FUND}/fund"
