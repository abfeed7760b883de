"""An enrolment that fails leaves the seat free and no identity; the same seat can then be taken."""

import re
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from certs.trust_directory import load_trust_directory, store_trust_directory
from certs.trust_material import TrustMaterial
from gateway.cli.sandbox import enrolment
from gateway.cli.sandbox.enrolment import Enrolled, enrol
from gateway.cli.sandbox.folders import Folders, store_address
from gateway.cli.sandbox.partners import identities_of
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import SandboxOptions, prepared
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.trust import moment
from hutong.client import load_identity

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEAT = "newcomer-1"
RECORD = "departments/education/record.crt"
REGISTERS = "gateway/registers.db"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folders(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Folders]:
    """Make a sandbox whose gateway does not run: enrolling reads and writes its folder only."""
    root = tmp_path_factory.mktemp("sandbox")
    options = SandboxOptions(root=root, population=240, systems=frozenset({f"{HRSS}/retirement"}))
    async with prepared(options) as sandbox:
        store_address(sandbox.world.folders, "127.0.0.1:1")
        yield sandbox.world.folders


@pytest.fixture(autouse=True)
def _as_before(folders: Folders) -> Iterator[None]:
    """Put back what a test changes in the folders that enrolling touches."""
    touched = [folders.root / RECORD, folders.root / REGISTERS, folders.root / "running.json"]
    touched.append(folders.config)
    touched += [each for each in folders.trust.iterdir() if each.is_file()]
    kept = {path: path.read_bytes() for path in touched}
    yield
    for path, content in kept.items():
        path.write_bytes(content)


def _enrol(folders: Folders, identity: Path) -> Enrolled:
    return enrol(SEAT, folders, identity, moment(SystemClock().now_ms()).replace(microsecond=0))


def _refused(folders: Folders, identity: Path) -> Told:
    """Enrol where something is wrong; nothing of the enrolment stays."""
    before = load_trust_directory(folders.trust)
    with pytest.raises(Told) as refused:
        _enrol(folders, identity)
    after = load_trust_directory(folders.trust)
    assert (after.sequence, after.registry) == (before.sequence, before.registry)
    return refused.value


def _enrolled(folders: Folders, identity: Path) -> None:
    """Enrol in the same seat, into the same folder."""
    enrolled = _enrol(folders, identity)
    assert load_identity(identity).system_id == enrolled.system_id


def test_a_missing_certificate_leaves_the_seat_free(folders: Folders, tmp_path: Path) -> None:
    """What the identity is made of is read before the seat is taken."""
    missing = folders.root / RECORD
    content = missing.read_bytes()
    missing.unlink()

    told = _refused(folders, tmp_path / "own")

    assert told.reason is CommandReason.SANDBOX_UNREADABLE
    assert told.detail == f"{missing} (FileNotFoundError)"
    missing.write_bytes(content)
    _enrolled(folders, tmp_path / "own")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: re.sub(rb"policy_start_date: .*", b"policy_start_date: '2026-13-45'", text),
        lambda text: text + b"# \xff",
    ],
    ids=["day that is none", "no UTF-8"],
)
def test_a_configuration_that_cannot_be_read_is_told(
    spoil: Callable[[bytes], bytes], folders: Folders, tmp_path: Path
) -> None:
    """It is the sandbox's file, and no fault of ours."""
    folders.config.write_bytes(spoil(folders.config.read_bytes()))

    told = _refused(folders, tmp_path / "identity")

    assert told.reason is CommandReason.SANDBOX_UNREADABLE


def test_a_spoilt_register_leaves_seat_and_folder_free(folders: Folders, tmp_path: Path) -> None:
    """SQLite's own error is told with the file; the identity written before it is taken back."""
    registers = folders.root / REGISTERS
    content = registers.read_bytes()
    registers.write_bytes(b"no database" * 100)

    told = _refused(folders, tmp_path)

    assert told.reason is CommandReason.SANDBOX_UNREADABLE
    assert told.detail == f"{registers} (DatabaseError)"
    assert list(tmp_path.iterdir()) == []
    registers.write_bytes(content)
    _enrolled(folders, tmp_path)


@pytest.mark.parametrize("halfway", [False, True], ids=["at once", "after the registry"])
def test_a_registry_that_takes_nothing_leaves_the_folder_free(
    folders: Folders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    halfway: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The registry is as before, half written too, and the keys nobody knows are taken back."""
    failing = [OSError(28, "No space left on device", str(folders.trust / "trust.json"))]

    def stored(material: TrustMaterial, path: Path) -> None:
        manifest = (path / "trust.json").read_bytes()
        fault = failing.pop() if failing else None
        if fault is None or halfway:
            store_trust_directory(material, path)
        if fault is not None:
            (path / "trust.json").write_bytes(manifest)
            raise fault

    monkeypatch.setattr(enrolment, "store_trust_directory", stored)

    told = _refused(folders, tmp_path)

    assert told.reason is CommandReason.SANDBOX_UNREADABLE
    assert told.detail == f"{folders.trust / 'trust.json'} (OSError)"
    assert list(tmp_path.iterdir()) == []
    _enrolled(folders, tmp_path)
    assert list(identities_of(folders)).count(tmp_path) == 1


def test_an_address_that_cannot_be_spelled_names_the_identity(
    folders: Folders, tmp_path: Path
) -> None:
    """What the identity refuses is told with its folder, in which nothing stays."""
    store_address(folders, "no address")

    told = _refused(folders, tmp_path)

    assert told.reason is CommandReason.SANDBOX_UNREADABLE
    assert told.detail == f"{tmp_path} (IdentityRefused)"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_came_in_between_is_kept(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by writing and not by looking: told with the folder; the file is not ours to remove."""
    monkeypatch.setattr(enrolment, "_require_room", lambda _identity: None)
    (tmp_path / "officer.key").write_text("another's")

    told = _refused(folders, tmp_path)

    assert (told.reason, told.detail) == (CommandReason.IDENTITY_FOLDER_IN_USE, str(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == ["officer.key"]


def test_a_folder_that_cannot_be_taken_over_is_told(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's folder cannot be made ours, whatever it lets us write."""

    def denied(_path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", denied)

    told = _refused(folders, tmp_path)

    assert (told.reason, told.detail) == (CommandReason.IDENTITY_FOLDER_IN_USE, str(tmp_path))


def test_an_empty_folder_others_may_write_becomes_the_newcomers(
    folders: Folders, tmp_path: Path
) -> None:
    """It is closed to others before a key lies in it, so that loading takes it."""
    tmp_path.chmod(0o775)

    _enrolled(folders, tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("fault", [ValueError, TypeError, KeyError])
def test_a_fault_of_ours_is_no_unreadable_sandbox(
    folders: Folders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: type[Exception],
) -> None:
    """An error that no file causes is shown as what it is."""

    def broken(*_: object) -> None:
        raise fault

    for name in ("load_config", "load_policy", "_registered"):
        with monkeypatch.context() as patched:
            patched.setattr(enrolment, name, broken)
            with pytest.raises(fault):
                _enrol(folders, tmp_path)
        assert list(tmp_path.iterdir()) == []
