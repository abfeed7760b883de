"""A sandbox that was stopped is taken up again: real processes, same keys, log and partners."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from certs.certificate import PEM_LABEL, parse_certificate
from certs.errors import CertificateReason, CertificateRefused
from certs.identity import require_tls_system
from certs.pem import parse_single
from certs.trust_directory import load_trust_directory, store_trust_directory
from certs.trust_store import build_snapshot
from gateway.cli.ending import ExitCode
from gateway.cli.root import run
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.provinces import ProvinceName
from gateway.cli.sandbox.renewal import certify_anew, renew
from gateway.cli.sandbox.restart import Kept, load_kept, locked, store_kept
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.policy.bundle import load_bundle
from gateway.trust import moment
from signing.encoding import JsonValue

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]

HUTONG = Path(sys.executable).with_name("hutong")
KEPT = Kept(seed=1, population=240, port=0)


@contextmanager
def _running(folder: Path, *options: str) -> Iterator[dict[str, JsonValue]]:
    """Run `hutong sandbox` as a process of its own, and end it with SIGTERM."""
    process = subprocess.Popen(
        [HUTONG, "sandbox", "--dir", folder, "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield _printed(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def _printed(process: "subprocess.Popen[str]") -> dict[str, JsonValue]:
    """Return the object a sandbox prints once everything answers."""
    text = ""
    assert process.stdout is not None
    for line in process.stdout:
        text += line
        if line == "}\n":
            break
    printed: dict[str, JsonValue] = json.loads(text or "{}")
    return printed


def _ended(folder: Path, *options: str) -> tuple[int, dict[str, str]]:
    """Run `hutong sandbox` where it cannot start; return the exit code and what it told."""
    command = [str(HUTONG), "sandbox", "--dir", str(folder), "--json", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in ended.stderr
    told: dict[str, str] = json.loads(ended.stdout)
    return ended.returncode, told


def _enrolled(
    folder: Path, slug: str, capsys: pytest.CaptureFixture[str], *options: str
) -> dict[str, str]:
    capsys.readouterr()
    code = run(["sandbox", "enrol", slug, "--dir", str(folder), "--json", *options])
    enrolled: dict[str, str] = json.loads(capsys.readouterr().out)
    assert code == ExitCode.YES
    return enrolled


def _asked(enrolled: dict[str, str]) -> int:
    """Ask as a newcomer; the gateway takes its registry up within two seconds of an enrolment."""
    arguments = [
        *("--identity", enrolled["identity"], "--agreement", enrolled["agreements"][0]),
        *("--matter", "M2", "--case", enrolled["case"], "--timeout", "5"),
        *("--subject-id", enrolled["subject_id"], "--subject-name", enrolled["subject_name"]),
        *("--field", "full_name"),
    ]
    codes: list[int] = []
    while len(codes) < 8 and ExitCode.YES not in codes:
        ended = subprocess.run(
            [HUTONG, "ask", *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        codes.append(ended.returncode)
    return codes[-1]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sandbox that ran once and was stopped."""
    folder = tmp_path_factory.mktemp("restarts") / "sandbox"
    with _running(folder, "--population", "240") as first:
        (folder / "first").write_text(json.dumps(first), "utf-8")
    return folder


def _first(folder: Path) -> dict[str, JsonValue]:
    first: dict[str, JsonValue] = json.loads((folder / "first").read_text("utf-8"))
    return first


def test_restarted_sandbox_is_the_same(stopped: Path) -> None:
    """Address, log key and partners of a second start are those of the first."""
    with _running(stopped) as again:
        pass

    first = _first(stopped)
    assert [again[name] for name in ("address", "log_key", "partners")] == [
        first[name] for name in ("address", "log_key", "partners")
    ]


def test_newcomer_asks_after_the_restart(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Enrolled in one run, asked and answered in the next; the log goes on over all of it."""
    with _running(stopped):
        enrolled = _enrolled(stopped, "newcomer-1", capsys)
        before = _asked(enrolled)
    with _running(stopped):
        after = _asked(enrolled)

    log = ["log", "verify", str(stopped / "log" / "access.db"), "--json"]
    capsys.readouterr()
    code = run([*log, "--log-key-file", str(stopped / "log-key")])
    assert (before, after) == (ExitCode.YES, ExitCode.YES)
    assert code == ExitCode.YES


def test_expired_certificates_are_renewed_for_the_same_keys(
    stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a week every certificate has run out: the restart certifies the same keys anew.

    Also those of a newcomer whose identity lies elsewhere.
    """
    with _running(stopped):
        enrolled = _enrolled(stopped, "newcomer-2", capsys, "--identity", str(tmp_path / "mine"))
    folders = Folders(root=stopped)
    keyids = _keyids(folders)
    _age(folders, _now() - timedelta(days=9))
    before = _standing(folders)

    with _running(stopped):
        code = _asked(enrolled)

    assert before is CertificateReason.EXPIRED
    assert code == ExitCode.YES
    assert _standing(folders) is None
    assert _keyids(folders) == keyids


def _now() -> datetime:
    return moment(SystemClock().now_ms()).replace(microsecond=0)


def _age(folders: Folders, at: datetime) -> None:
    """Leave a sandbox as it would be found a while after that time."""
    material = certify_anew(folders, load_trust_directory(folders.trust), at)
    store_trust_directory(replace(material, sequence=material.sequence + 1), folders.trust)


def _standing(folders: Folders) -> CertificateReason | None:
    """Return why the gateway's TLS certificate is refused now; None where it is not."""
    snapshot = build_snapshot(load_trust_directory(folders.trust))
    certificate = parse_certificate(
        parse_single((folders.gateway / "tls.crt").read_bytes(), PEM_LABEL)
    )
    try:
        require_tls_system(snapshot.registry, certificate.thumbprint_sha256, _now())
    except CertificateRefused as refused:
        return refused.reason
    return None


def _keyids(folders: Folders) -> list[str]:
    registry = load_trust_directory(folders.trust).registry
    systems = [system for each in registry.organisations for system in each.systems]
    return sorted(key.certificate.public_key.keyid for each in systems for key in each.keys)


def test_certificates_in_their_prime_are_kept(stopped: Path) -> None:
    """A restart on the same afternoon changes no certificate, only what says that trust is new."""
    folders = Folders(root=stopped)
    material = load_trust_directory(folders.trust)

    renew(folders, _now())

    again = load_trust_directory(folders.trust)
    assert again.registry == material.registry
    assert again.sequence == material.sequence + 1
    assert again.crls[0].number > material.crls[0].number
    assert again.expires_at >= material.expires_at


def test_renewal_cut_short_is_done_again(stopped: Path, tmp_path: Path) -> None:
    """Files renewed and the registry not yet: the next start brings both to one certificate."""
    folders = Folders(root=tmp_path / "copy")
    shutil.copytree(stopped, folders.root)
    _age(folders, _now() - timedelta(days=9))
    certify_anew(folders, load_trust_directory(folders.trust), _now())
    half_done = _standing(folders)

    renew(folders, _now())

    assert half_done is CertificateReason.NOT_REGISTERED
    assert _standing(folders) is None


def test_other_port_is_told_to_every_identity(
    stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With another port the identities are told, wherever they lie, and keep working."""
    with _running(stopped):
        enrolled = _enrolled(stopped, "newcomer-3", capsys, "--identity", str(tmp_path / "mine"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with _running(stopped, "--port", str(port)) as moved:
        code = _asked(enrolled)

    assert moved["address"] == f"127.0.0.1:{port}"
    assert code == ExitCode.YES


def test_taken_port_is_named(stopped: Path) -> None:
    """Where something else listens on the sandbox's port, the restart names it and ends."""
    kept = load_kept(Folders(root=stopped))
    assert kept is not None
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", kept.port))
        taken.listen()

        code, told = _ended(stopped)

    assert code == ExitCode.NO
    assert told["reason"] == "PORT_TAKEN"
    assert told["detail"] == str(kept.port)


def test_running_sandbox_is_not_started_twice(stopped: Path) -> None:
    """A second process in one folder ends with 1 before it writes anything."""
    with locked(Folders(root=stopped)):
        code, told = _ended(stopped)

    assert code == ExitCode.NO
    assert told["reason"] == "SANDBOX_RUNS_ALREADY"


@pytest.mark.parametrize("option", ["--port", "--health-port"])
def test_a_first_start_at_a_taken_port_leaves_nothing(option: str, tmp_path: Path) -> None:
    """Found before anything is made, so the same folder serves the next try."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        code, told = _ended(tmp_path, option, str(taken.getsockname()[1]))

    assert code == ExitCode.NO
    assert told["reason"] == "PORT_TAKEN"
    assert load_kept(Folders(root=tmp_path)) is None


def test_a_file_is_no_folder_for_a_sandbox(tmp_path: Path) -> None:
    """A path that is no directory is told, not traced back."""
    path = tmp_path / "log-key"
    path.write_text("x")

    code, told = _ended(path)

    assert code == ExitCode.UNREADABLE
    assert told["reason"] == "SANDBOX_FOLDER_UNUSABLE"


def test_below_a_file_there_is_no_folder_for_a_sandbox(tmp_path: Path) -> None:
    """A folder that cannot be made is told as well."""
    path = tmp_path / "log-key"
    path.write_text("x")

    code, told = _ended(path / "sandbox")

    assert code == ExitCode.UNREADABLE
    assert told["reason"] == "SANDBOX_FOLDER_UNUSABLE"


@pytest.mark.parametrize("changed", [("--seed", "2"), ("--population", "300")], ids=" ".join)
def test_people_of_a_sandbox_do_not_change(stopped: Path, changed: tuple[str, str]) -> None:
    """Other people than those of the first start would not be those of its log and cases."""
    code, told = _ended(stopped, *changed)

    assert code == ExitCode.USAGE
    assert told["reason"] == "SANDBOX_PEOPLE_FIXED"


@pytest.mark.parametrize("kept", ProvinceName)
@pytest.mark.parametrize("asked", ProvinceName)
def test_the_province_of_a_sandbox_does_not_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: ProvinceName, asked: ProvinceName
) -> None:
    """Neither way; nothing is begun. Its own may be named, and the port is looked at next."""
    folders = Folders(root=tmp_path / "sandbox")
    folders.make()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        store_kept(folders, replace(KEPT, port=taken.getsockname()[1], province=kept))

        code = run(["sandbox", "--dir", str(folders.root), "--province", asked, "--json"])

    told = json.loads(capsys.readouterr().out)
    if asked is kept:
        assert (code, told["reason"]) == (ExitCode.NO, CommandReason.PORT_TAKEN)
    else:
        assert (code, told["reason"]) == (ExitCode.USAGE, CommandReason.SANDBOX_PROVINCE_FIXED)


def test_sandbox_past_its_agreements_says_so(stopped: Path, tmp_path: Path) -> None:
    """Root and agreements last a year from the first start; then a new sandbox is due."""
    text = (stopped / "gateway" / "config.yaml").read_text("utf-8")
    folders = Folders(root=tmp_path / "old")
    shutil.copytree(stopped, folders.root)
    day = yaml.safe_load(text)["policy_start_date"]
    first = date.fromisoformat(day) - timedelta(days=400)
    digest = load_bundle(folders.policy, first).digest.hex()
    config = yaml.safe_load(text.replace(str(stopped), str(folders.root)))
    config |= {"policy_start_date": first.isoformat(), "policy_digest": digest}
    folders.config.write_text(yaml.safe_dump(config), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        store_kept(folders, replace(KEPT, port=free.getsockname()[1]))

    code, told = _ended(folders.root)

    assert code == ExitCode.NO
    assert told["reason"] == "SANDBOX_ENDED"


EARLIER = '{"format": "hutong-sandbox/1", "seed": 1, "population": 240, "port": 7443}'
"""A sandbox with fewer departments, whose folder has no keys for the others."""
PROVINCELESS = '{"format": "hutong-sandbox/2", "seed": 1, "population": 240, "port": 7443}'
"""A sandbox that does not say which province it is of."""
STRANGE = PROVINCELESS.replace("/2", "/3").replace("}", ', "province": "third"}')


@pytest.mark.parametrize(
    "kept", ["", "{}", '{"format": "hutong-sandbox/9"}', "[]", EARLIER, PROVINCELESS, STRANGE]
)
def test_folder_without_a_whole_sandbox_is_left_alone(tmp_path: Path, kept: str) -> None:
    """A first start that never ended, or another program's folder, is nothing to take up."""
    folders = Folders(root=tmp_path)
    folders.kept.write_text(kept, "utf-8")

    with pytest.raises(Told) as ended:
        load_kept(folders)

    assert ended.value.reason is CommandReason.SANDBOX_FOLDER_FOREIGN


def test_kept_facts_are_read_back(tmp_path: Path) -> None:
    """What a start notes is what a later start reads; an empty folder has nothing."""
    folders = Folders(root=tmp_path)
    with locked(folders):
        nothing = load_kept(folders)
    store_kept(folders, KEPT)
    home = load_kept(folders)
    store_kept(folders, replace(KEPT, province=ProvinceName.OTHER))

    assert nothing is None
    assert home == KEPT
    assert load_kept(folders) == replace(KEPT, province=ProvinceName.OTHER)
