"""Identity directories: one spelling for who writes and who reads, and nothing taken loosely."""

import dataclasses
import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hutong.client import (
    Identity,
    IdentityRefused,
    NotWritten,
    Staff,
    load_identity,
    write_identity,
)
from hutong.client.identity import is_loopback
from hutong.client.identity_file import encode_identity, parse_identity
from hutong.client.private_files import write_private
from tests.client.synthetic_world import GATEWAY, PARTNER, PROVIDER, World

Members = dict[str, object]


def test_what_is_written_is_loaded(identity: Identity, world: World) -> None:
    """Ids, keys and hints survive the way through the files."""
    assert (identity.system_id, identity.gateway_id) == (PARTNER, GATEWAY)
    assert identity.signer.keyid == world.envelope.private_key.public_key.keyid
    assert set(identity.gateway_keys) == {world.gateway.keyid}
    assert set(identity.record_keys[PROVIDER]) == {world.record.keyid}
    assert identity.tls.thumbprint == world.tls.certificate.thumbprint_sha256
    assert identity.agreements[0].matters == ("M2",)


def test_the_file_has_one_spelling(written: Path) -> None:
    """Reading and writing are inverses."""
    content = (written / "identity.json").read_bytes()

    assert encode_identity(parse_identity(content)) == content


def test_every_file_is_private(written: Path) -> None:
    """Nobody else reads the directory or a file in it."""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in written.iterdir()}

    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(written.stat().st_mode) == 0o700


def test_nothing_is_overwritten(world: World, directory: Path) -> None:
    """A second enrolment into the same directory is refused before a key is lost."""
    with pytest.raises(NotWritten, match="FILE_NOT_WRITTEN"):
        write_identity(directory, world.material())


def test_a_pair_that_does_not_match_is_not_written(world: World, tmp_path: Path) -> None:
    """A certificate of another key is noticed where it is written."""
    wrong = dataclasses.replace(world.tls, certificate=world.envelope.certificate)

    with pytest.raises(IdentityRefused, match="another key"):
        write_identity(tmp_path / "x", dataclasses.replace(world.material(), tls=wrong))


def test_half_a_directory_does_not_stay(world: World, tmp_path: Path) -> None:
    """What was written before a part is refused is taken back; what lay there before is not."""
    wrong = dataclasses.replace(world.envelope, certificate=world.tls.certificate)
    (tmp_path / "notes.txt").touch()

    with pytest.raises(IdentityRefused, match="another key"):
        write_identity(tmp_path, dataclasses.replace(world.material(), envelope=wrong))

    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_others_may_write_is_closed_to_them(world: World, tmp_path: Path) -> None:
    """Else loading would refuse what was just written."""
    tmp_path.chmod(0o775)

    write_identity(tmp_path, world.material())

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    load_identity(tmp_path)


def test_a_folder_in_use_that_others_may_write_takes_no_identity(
    world: World, tmp_path: Path
) -> None:
    """Whose else it is cannot be known: its mode stays, and nothing is written that fails later."""
    (tmp_path / "notes.txt").touch()
    tmp_path.chmod(0o775)

    with pytest.raises(IdentityRefused, match="IDENTITY_FILE_WRITABLE"):
        write_identity(tmp_path, world.material())

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o775
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def _set(*path: str, value: object) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        inner: object = members
        for name in path[:-1]:
            assert isinstance(inner, dict)
            inner = inner[name]
        assert isinstance(inner, dict)
        inner[path[-1]] = value

    return change


def _drop(name: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        del members[name]

    return change


SPOILT: dict[str, Callable[[Members], None]] = {
    "a member missing": _drop("officer"),
    "a member too many": _set("comment", value=""),
    "another format": _set("format", value="hutong-identity/2"),
    "no system id": _set("system_id", value="retirement"),
    "no address": _set("gateway", "address", value="127.0.0.1"),
    "no gateway key": _set("gateway", "envelope_keys", value=[]),
    "gateway keys as text": _set("gateway", "envelope_keys", value="x"),
    "a log key that is none": _set("gateway", "log_key", value="x+y+z"),
    "a file outside the directory": _set("tls", "key", value="../tls.key"),
    "an absolute path": _set("tls", "key", value="/etc/tls.key"),
    "a hidden file": _set("envelope", "certificate", value=".envelope.pem"),
    "a file that is not there": _set("envelope", "certificate", value="gone.pem"),
    "a key that is not there": _set("envelope", "key", value="gone.key"),
    "a certificate of another key": _set("envelope", "certificate", value="tls.pem"),
    "a TLS certificate of another key": _set("tls", "certificate", value="envelope.pem"),
    "a key that is no certificate": _set("envelope", "certificate", value="envelope.key"),
    "another key's passphrase": _set("envelope", "passphrase", value="tls.passphrase"),
    "a passphrase that is a certificate": _set("envelope", "passphrase", value="tls.pem"),
    "a closed descriptor": _set("envelope", "passphrase", value="fd:987"),
    "an authority that is no certificate": _set("tls_authority", value="tls.passphrase"),
    "a number for a text": _set("tls_authority", value=7),
    "a server name beyond loopback": _set("gateway", "address", value="gateway.example:443"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_spoilt_identity_is_refused(what: str, directory: Path) -> None:
    """Every member has its form, and every file is what it is named for."""
    file = directory / "identity.json"
    members = json.loads(file.read_bytes())
    SPOILT[what](members)
    file.write_text(json.dumps(members))

    with pytest.raises(IdentityRefused):
        load_identity(directory)


def test_a_key_id_of_another_certificate_is_refused(directory: Path) -> None:
    """The pins name key ids, so that a swapped file is noticed."""
    file = directory / "identity.json"
    members = json.loads(file.read_bytes())
    members["gateway"]["envelope_keys"][0]["keyid"] = "00" * 16
    file.write_text(json.dumps(members))

    with pytest.raises(IdentityRefused, match="another key id"):
        load_identity(directory)


@pytest.mark.parametrize("name", ["tls.key", "envelope.passphrase"])
def test_a_secret_others_may_read_is_refused(name: str, directory: Path) -> None:
    """A secret with mode 0640 is a secret no longer."""
    (directory / name).chmod(0o640)

    with pytest.raises(IdentityRefused, match="IDENTITY_FILE_EXPOSED"):
        load_identity(directory)


def test_half_a_file_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves nothing that would be in the way of the next try."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "receipt.json"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(NotWritten, match="FILE_NOT_WRITTEN"):
            write_private(path, b"receipt")

    write_private(path, b"receipt")

    assert path.read_bytes() == b"receipt"


def test_a_secret_behind_a_link_is_refused(directory: Path) -> None:
    """Links may be turned between a look and the reading."""
    (directory / "tls.key").rename(directory / "moved.key")
    (directory / "tls.key").symlink_to(directory / "moved.key")

    with pytest.raises(IdentityRefused, match=r"tls\.key"):
        load_identity(directory)


def test_a_secret_that_is_too_large_is_refused(directory: Path) -> None:
    """A wrong path may lead to a database."""
    (directory / "tls.key").write_bytes(bytes(20_000))

    with pytest.raises(IdentityRefused, match="too large"):
        load_identity(directory)


def test_an_empty_passphrase_is_refused(directory: Path) -> None:
    """An empty file is a mistake somebody should hear of."""
    (directory / "tls.passphrase").write_bytes(b"\n")

    with pytest.raises(IdentityRefused, match="passphrase"):
        load_identity(directory)


def test_a_file_that_is_too_large_is_refused(directory: Path) -> None:
    """What is read is bounded before it is parsed."""
    (directory / "identity.json").write_bytes(bytes(2_000_000))

    with pytest.raises(IdentityRefused, match="too large"):
        load_identity(directory)


def test_what_is_no_json_is_refused(directory: Path) -> None:
    """A name that stands twice has two meanings."""
    (directory / "identity.json").write_text('{"format": 1, "format": 2}')

    with pytest.raises(IdentityRefused, match="twice"):
        load_identity(directory)


def test_a_passphrase_comes_from_a_descriptor(directory: Path) -> None:
    """One descriptor may open several keys: it is read once."""
    file = directory / "identity.json"
    members = json.loads(file.read_bytes())
    reader, writer = os.pipe()
    os.write(writer, (directory / "tls.passphrase").read_bytes())
    os.close(writer)
    members["tls"]["passphrase"] = f"fd:{reader}"
    file.write_text(json.dumps(members))

    loaded = load_identity(directory)

    os.close(reader)
    assert loaded.system_id == PARTNER


def test_an_officer_needs_an_officer_key(directory: Path) -> None:
    """In service the identity holds none."""
    file = directory / "identity.json"
    members = json.loads(file.read_bytes())
    members["officer"] = None
    file.write_text(json.dumps(members))
    staff = Staff(token="t", role="r", unit="u", unit_code="1", level="county", division="370000")

    with pytest.raises(IdentityRefused, match="OFFICER_KEY_ABSENT"):
        load_identity(directory).officer(staff)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("10.0.0.1:1", False),
        ("localhost.example:1", False),
    ],
)
def test_loopback_is_recognised(address: str, *, loopback: bool) -> None:
    """A name decides nothing, except the one every machine has for itself."""
    assert is_loopback(address) is loopback
