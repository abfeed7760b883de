"""`hutong partner revoke`: keys out of use for good, and commands that wait for each other."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from certs.chain import require_current
from certs.errors import CertificateReason, CertificateRefused
from certs.trust_directory import load_trust_directory
from certs.trust_store import ReloadState, load_trust_store
from gateway.cli.ending import ExitCode
from gateway.cli.partner.directory import changing
from gateway.clock import SystemClock
from gateway.trust import moment
from tests.cli.partner_office import FUND, HRSS, NAMES, Office, opened

pytestmark = pytest.mark.slow

LONG_ENOUGH_S = 3.0
"""A command takes about one second; on a loaded machine this only shows less than it could."""
KEYS = (("tls", "tls-client"), ("envelope", "envelope"), ("officer", "officer"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office at which a fund's system and its officers are registered, and a gateway."""
    made = opened(tmp_path)
    keys = [f"{usage}={made.certified(usage, certified, FUND)}" for usage, certified in KEYS]
    made.run(
        *("register", "@trust", "--org", FUND, *NAMES, "--system", "fund"),
        *("--role", "requester", *(part for key in keys for part in ("--key", key))),
    )
    made.run(
        *("register", "@trust", "--org", HRSS, *NAMES, "--system", "gateway", "--role", "gateway"),
        *("--key", f"envelope={made.certified('gateway', 'envelope')}"),
    )
    return made


def _states(office: Office) -> dict[str, str]:
    """Return the state of each key by its usage, of the gateway's by its owner."""
    fund, gateway = sorted(
        load_trust_directory(office.trust).registry.organisations,
        key=lambda each: each.uscc != FUND,
    )
    of_fund = {key.usage.value: key.state.value for key in (*fund.keys, *fund.systems[0].keys)}
    return of_fund | {"gateway": gateway.systems[0].keys[0].state.value}


ACTIVE = dict.fromkeys(("tls", "envelope", "officer", "gateway"), "active")
HUTONG = "from gateway.cli.root import main; main()"


def _keyid(office: Office, stem: str) -> str:
    return office.certificate(f"{stem}.crt").public_key.keyid


def _thumbprint(office: Office, stem: str) -> str:
    return office.certificate(f"{stem}.crt").thumbprint_sha256.hex()


def _revoke(office: Office, *more: str, org: str = FUND) -> int:
    return office.run("revoke", "@trust", "--org", org, *more)


def test_a_signing_key_is_revoked_and_taken_up(office: Office) -> None:
    """A store that is in use takes it up, and judges that key alone as revoked."""
    store = load_trust_store(office.trust)

    code = _revoke(office, "--system", "fund", "--key", _keyid(office, "envelope"))
    report = store.reload()

    now = moment(SystemClock().now_ms())
    system = store.snapshot.registry.systems[f"{FUND}/fund"]
    revoked = system.envelope_key(_keyid(office, "envelope"))
    assert revoked is not None
    with pytest.raises(CertificateRefused) as refused:
        require_current(revoked, now)
    assert code == ExitCode.YES
    assert report.state is ReloadState.LOADED
    assert refused.value.reason is CertificateReason.REVOKED
    assert _states(office) == ACTIVE | {"envelope": "revoked"}


def test_a_thumbprint_is_taken_as_openssl_prints_it(office: Office) -> None:
    """Capitals and colons are those of `openssl x509 -fingerprint`."""
    plain = _thumbprint(office, "tls").upper()
    printed = ":".join(plain[at : at + 2] for at in range(0, len(plain), 2))

    code = _revoke(office, "--system", "fund", "--thumbprint", printed)

    assert code == ExitCode.YES
    assert _states(office) == ACTIVE | {"tls": "revoked"}


def test_a_whole_system_keeps_its_organisation(office: Office) -> None:
    """Its keys are revoked; those of officers, who may use another system, are not."""
    code = _revoke(office, "--system", "fund", "--whole")

    assert code == ExitCode.YES
    assert _states(office) == ACTIVE | {"tls": "revoked", "envelope": "revoked"}


def test_an_organisation_that_leaves_keeps_no_key(office: Office) -> None:
    """Without a system all its keys are meant, and no other organisation's."""
    code = _revoke(office, "--whole")

    gone = {"tls": "revoked", "envelope": "revoked", "officer": "revoked"}
    assert code == ExitCode.YES
    assert _states(office) == ACTIVE | gone


def test_what_was_revoked_is_told_as_data(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` names owner, usage, key id and thumbprint, and the sequence that gateways load."""
    capsys.readouterr()

    code = _revoke(office, "--key", _keyid(office, "officer"), "--json")

    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.YES
    assert told == {
        "sequence": load_trust_directory(office.trust).sequence,
        "revoked": [
            {
                "owner": FUND,
                "usage": "officer",
                "keyid": _keyid(office, "officer"),
                "thumbprint": _thumbprint(office, "officer"),
            }
        ],
    }


def test_revoking_again_writes_nothing(office: Office) -> None:
    """A key that is revoked stays so: 0, and the trust directory is as it was."""
    _revoke(office, "--key", _keyid(office, "tls"))
    before = load_trust_directory(office.trust)

    code = _revoke(office, "--key", _keyid(office, "tls"))

    assert code == ExitCode.YES
    assert load_trust_directory(office.trust) == before


@pytest.mark.parametrize(
    ("org", "named"),
    [
        (HRSS, ("--key", "tls")),
        (FUND, ("--key", "gateway")),
        (FUND, ("--system", "other", "--whole")),
        ("11370000MB2DEM045P", ("--whole",)),
    ],
    ids=["another's key", "the gateway's key", "unknown system", "unknown organisation"],
)
def test_what_is_not_registered_there_revokes_nothing(
    office: Office, capsys: pytest.CaptureFixture[str], org: str, named: tuple[str, ...]
) -> None:
    """1 and a sentence: a typing error must not look like a key that is out of use."""
    before = load_trust_directory(office.trust)
    option, *value = named
    words = [_keyid(office, each) if option == "--key" else each for each in value]

    code = _revoke(office, option, *words, org=org)

    assert code == ExitCode.NO
    assert "registered for" in capsys.readouterr().err
    assert load_trust_directory(office.trust) == before


def test_one_unknown_key_keeps_the_others_in_use(office: Office) -> None:
    """Half a revocation could be taken for a whole one."""
    code = _revoke(office, "--key", _keyid(office, "tls"), "--key", "0" * 32)

    assert code == ExitCode.NO
    assert _states(office) == ACTIVE


@pytest.mark.parametrize(
    "wrong",
    [(), ("--whole", "--key", "0" * 32), ("--key", "0" * 31), ("--thumbprint", "z" * 64)],
    ids=["nothing", "whole and a key", "too short", "no digits"],
)
def test_a_wrong_command_line_is_usage(office: Office, wrong: tuple[str, ...]) -> None:
    """Which keys are meant has to be said, and said in one way."""
    assert _revoke(office, *wrong) == ExitCode.USAGE
    assert _states(office) == ACTIVE


def test_without_a_trust_directory_nothing_is_revoked(tmp_path: Path) -> None:
    """A path that is none is refused, and not made."""
    office = Office(tmp_path)

    assert _revoke(office, "--whole") == ExitCode.NO
    assert not office.trust.exists()


def test_a_revoked_key_is_never_registered_again(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new certificate for the same key brings it back no more than the old one."""
    _revoke(office, "--key", _keyid(office, "envelope"))
    office.run(
        *("certify", "@envelope.csr", "--authority", "@ca", "--usage", "envelope"),
        *("--org", FUND, "--name", "envelope"),
    )

    code = office.run(
        *("register", "@trust", "--org", FUND, "--system", "fund"),
        *("--key", "envelope=@envelope.crt"),
    )

    assert code == ExitCode.NO
    assert "REVOKED: key for envelope" in capsys.readouterr().err
    assert _states(office) == ACTIVE | {"envelope": "revoked"}


def test_publishing_brings_no_revoked_key_back(office: Office) -> None:
    """The daily publishing renews evidence and leaves the registry alone."""
    _revoke(office, "--system", "fund", "--whole")

    code = office.run("publish", "@trust", "--authority", "@ca")

    assert code == ExitCode.YES
    assert _states(office) == ACTIVE | {"tls": "revoked", "envelope": "revoked"}


@pytest.mark.parametrize(
    "command",
    [
        ("publish", "@trust", "--authority", "@ca"),
        ("revoke", "@trust", "--org", FUND, "--whole"),
        ("register", "@trust", "--org", FUND, "--system", "fund", "--key", "envelope=@new.crt"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_waits_for_another_that_changes_the_directory(
    office: Office, command: tuple[str, ...]
) -> None:
    """What reads before another has written would take its change back."""
    office.certified("new", "envelope", FUND)
    before = load_trust_directory(office.trust)
    lock = os.open(office.root, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    words = [each.replace("@", f"{office.root}/") for each in command]
    waiting = subprocess.Popen([sys.executable, "-c", HUTONG, "partner", *words])

    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(LONG_ENOUGH_S)
    meanwhile = load_trust_directory(office.trust)
    os.close(lock)

    assert waiting.wait(60) == ExitCode.YES
    assert meanwhile == before
    assert load_trust_directory(office.trust).sequence == before.sequence + 1


def test_two_names_of_one_directory_share_one_lock(tmp_path: Path) -> None:
    """A command that reaches the directory through a link waits like any other."""
    (tmp_path / "real").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "trust").symlink_to(tmp_path / "real" / "trust")
    above = os.open(tmp_path / "real", os.O_RDONLY)

    with changing(tmp_path / "elsewhere" / "trust"), pytest.raises(BlockingIOError):
        fcntl.flock(above, fcntl.LOCK_EX | fcntl.LOCK_NB)

    os.close(above)
