"""`hutong partner key`, `authority` and `certify`: what is made, and what is never made."""

from pathlib import Path

import pytest

from certs.pem import parse_single
from gateway.cli.ending import ExitCode
from tests.cli.partner_office import FUND, HRSS, NAMES, Office, opened

pytestmark = pytest.mark.slow


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A folder with an authority and an empty, published trust directory."""
    return opened(tmp_path)


def test_keys_and_passphrases_are_for_this_user_alone(office: Office) -> None:
    """`key` writes an encrypted key, its passphrase and a request, all of mode 0600."""
    office.run("key", "@fund/tls", "--org", FUND, "--name", "fund")

    made = {path.name: path.stat().st_mode & 0o777 for path in (office.root / "fund").iterdir()}
    assert made == {"tls.key": 0o600, "tls.pass": 0o600, "tls.csr": 0o600}
    assert b"ENCRYPTED PRIVATE KEY" in (office.root / "fund" / "tls.key").read_bytes()


@pytest.mark.parametrize("left", ["tls.key", "tls.pass", "tls.csr"])
def test_no_key_is_made_over_another(office: Office, left: str) -> None:
    """Whatever of a key is there already stays as it is, and the command ends with 1."""
    (office.root / left).write_text("mine", "utf-8")

    code = office.run("key", "@tls", "--org", FUND, "--name", "fund")

    assert code == ExitCode.NO
    assert (office.root / left).read_text("utf-8") == "mine"


def test_no_authority_is_made_over_another(office: Office) -> None:
    """The key behind every certificate of an installation is never replaced by accident."""
    before = (office.root / "ca" / "authority.key").read_bytes()

    code = office.run("authority", "@ca", "--name", "Another")

    assert code == ExitCode.NO
    assert (office.root / "ca" / "authority.key").read_bytes() == before


def test_nothing_made_here_is_a_sandbox_key(office: Office) -> None:
    """Certificates name the organisation and carry no mark of a sandbox."""
    office.certified("officer", "officer", FUND)

    issued = office.certificate("officer.crt")
    assert issued.subject_organisation == FUND
    assert not issued.is_sandbox
    assert not office.certificate("ca/authority.crt").is_sandbox


def test_what_is_certified_is_for_one_usage(office: Office) -> None:
    """A key certified for envelopes may not be registered as one of TLS."""
    certificate = office.certified("envelope", "envelope")

    code = office.run(
        *("register", "@trust", "--org", HRSS, *NAMES, "--system", "gateway", "--role", "gateway"),
        *("--key", f"tls={certificate}"),
    )

    assert code == ExitCode.NO
    assert office.registered() == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "@x", "--org", "11370000", "--name", "x"),
        ("certify", "@x.csr", "--authority", "@ca", "--usage", "envelope", "--org", "x"),
        ("register", "@trust", "--org", HRSS, *NAMES, "--key", "envelope"),
        ("register", "@trust", "--org", HRSS, *NAMES, "--key", "nonsense=@x.crt"),
        ("register", "@trust", "--org", "i" * 18, *NAMES, "--key", "officer=@x.crt"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_wrong_usage_ends_with_64(office: Office, arguments: tuple[str, ...]) -> None:
    """A code that is none, a usage that is none, or a missing option is the caller's mistake."""
    assert office.run(*arguments) == ExitCode.USAGE


@pytest.mark.parametrize(
    ("usage", "more"), [("tls-server", ()), ("envelope", ("--host", "localhost"))]
)
def test_hosts_belong_to_servers(office: Office, usage: str, more: tuple[str, ...]) -> None:
    """A server's certificate names where it is reached; no other one does."""
    office.run("key", "@x", "--org", HRSS, "--name", "x")

    code = office.run(
        *("certify", "@x.csr", "--authority", "@ca", "--usage", usage),
        *("--org", HRSS, "--name", "x", *more),
    )

    assert code == ExitCode.USAGE
    assert not (office.root / "x.crt").exists()


@pytest.mark.parametrize("spoilt", ["", "nonsense", "flipped"])
def test_request_without_proof_is_not_certified(office: Office, spoilt: str) -> None:
    """Only who holds a key gets it certified: a request whose signature fails ends with 1."""
    office.run("key", "@x", "--org", HRSS, "--name", "x")
    request = office.root / "x.csr"
    whole = bytearray(parse_single(request.read_bytes(), "CERTIFICATE REQUEST"))
    whole[-1] ^= 1
    request.write_bytes(bytes(whole) if spoilt == "flipped" else spoilt.encode())

    code = office.run(
        *("certify", "@x.csr", "--authority", "@ca", "--usage", "envelope"),
        *("--org", HRSS, "--name", "x"),
    )

    assert code == ExitCode.NO
    assert not (office.root / "x.crt").exists()


def test_certificate_does_not_outlive_its_authority(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A certificate that would end after the root is refused, with the day the root ends."""
    office = Office(tmp_path)
    office.run("authority", "@ca", "--name", "Short", "--days", "30")
    office.run("key", "@x", "--org", HRSS, "--name", "x")

    code = office.run(
        *("certify", "@x.csr", "--authority", "@ca", "--usage", "envelope"),
        *("--org", HRSS, "--name", "x", "--days", "31"),
    )

    assert code == ExitCode.NO
    assert "the authority ends on" in capsys.readouterr().err


def test_missing_authority_is_unreadable(office: Office) -> None:
    """A folder without an authority ends with 3."""
    office.run("key", "@x", "--org", HRSS, "--name", "x")

    code = office.run(
        *("certify", "@x.csr", "--authority", "@elsewhere", "--usage", "envelope"),
        *("--org", HRSS, "--name", "x"),
    )

    assert code == ExitCode.UNREADABLE
