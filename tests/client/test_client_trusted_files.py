"""Files that decide whom a system believes: readable by everybody, writable by nobody else."""

import json
import os
from pathlib import Path

import pytest

from hutong.client import IdentityRefused, load_identity
from hutong.client.trusted_files import others_may_write
from tests.client.synthetic_world import PARTNER


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o664, 0o666])
@pytest.mark.parametrize("kind", ["identity.json", "authority.pem", "gateway-*", "record-*"])
def test_a_file_of_trust_others_may_write_is_refused(kind: str, mode: int, directory: Path) -> None:
    """Who can write it decides where questions go and whose signature is believed."""
    file = next(directory.glob(kind))
    file.chmod(mode)

    with pytest.raises(IdentityRefused, match="IDENTITY_FILE_WRITABLE") as told:
        load_identity(directory)

    assert told.value.detail == str(file)


def test_files_of_trust_others_may_read_are_loaded(directory: Path) -> None:
    """They are public: only the right to write them is refused."""
    for file in (*directory.glob("*.json"), *directory.glob("*.pem")):
        file.chmod(0o644)
    directory.chmod(0o755)

    assert load_identity(directory).system_id == PARTNER


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_others_may_write_is_refused(mode: int, directory: Path) -> None:
    """Who can write the folder puts another file in the place of any."""
    directory.chmod(mode)

    with pytest.raises(IdentityRefused, match="IDENTITY_FILE_WRITABLE"):
        load_identity(directory)


def test_a_file_of_trust_behind_a_link_is_refused(directory: Path, tmp_path: Path) -> None:
    """A link may lead through folders nobody looked at, even into one that is safe."""
    (tmp_path / "safe").mkdir(mode=0o700)
    (directory / "authority.pem").rename(tmp_path / "safe" / "authority.pem")
    (directory / "authority.pem").symlink_to(tmp_path / "safe" / "authority.pem")

    with pytest.raises(IdentityRefused, match=r"IDENTITY_FILE_UNREADABLE.*: a link"):
        load_identity(directory)


def _moved_below(directory: Path, folder: str) -> Path:
    """Put authority.pem into a folder of the identity and return the uppermost part of it."""
    (directory / folder).mkdir(parents=True)
    (directory / "authority.pem").rename(directory / folder / "authority.pem")
    written = directory / "identity.json"
    members = json.loads(written.read_text("utf-8"))
    members["tls_authority"] = f"{folder}/authority.pem"
    written.write_text(json.dumps(members), "utf-8")
    return directory / folder.partition("/")[0]


def test_files_of_trust_may_lie_in_folders_of_the_identity(directory: Path) -> None:
    """Every folder on the way is looked at, and this one is ours."""
    _moved_below(directory, "a/b")

    assert load_identity(directory).system_id == PARTNER


def test_a_folder_on_the_way_others_may_write_is_refused(directory: Path) -> None:
    """Who can write an upper folder puts another lower one in its place."""
    upper = _moved_below(directory, "a/b")
    upper.chmod(0o777)

    with pytest.raises(IdentityRefused, match="IDENTITY_FILE_WRITABLE") as told:
        load_identity(directory)

    assert told.value.detail == str(upper)


def test_a_linked_folder_on_the_way_is_refused(directory: Path, tmp_path: Path) -> None:
    """Where a link leads is outside of what is looked at."""
    upper = _moved_below(directory, "a/b")
    upper.rename(tmp_path / "elsewhere")
    upper.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(IdentityRefused, match="IDENTITY_FILE_WRITABLE"):
        load_identity(directory)


@pytest.mark.parametrize(("owner", "others"), [(1, True), (0, False)])
def test_a_file_of_trust_belongs_to_this_user_or_the_superuser(
    owner: int, monkeypatch: pytest.MonkeyPatch, *, others: bool
) -> None:
    """Its owner can write it whatever its mode says."""
    monkeypatch.setattr(os, "geteuid", lambda: 2)

    assert others_may_write(os.stat_result((0o100644, 0, 0, 1, owner, 0, 0, 0, 0, 0))) is others


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(directory: Path) -> None:
    """Nobody would ever write into it."""
    (directory / "authority.pem").unlink()
    os.mkfifo(directory / "authority.pem")

    with pytest.raises(IdentityRefused, match="no regular file"):
        load_identity(directory)


def test_an_authority_that_is_no_certificate_is_refused(directory: Path) -> None:
    """Well-formed PEM around other bytes: grpc would only fail every handshake."""
    text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (directory / "authority.pem").write_text(text)

    with pytest.raises(IdentityRefused, match=r"authority\.pem: no certificates"):
        load_identity(directory)


def test_a_public_file_that_is_too_large_is_refused(directory: Path) -> None:
    """What is read is bounded, whatever the file."""
    with (directory / "authority.pem").open("ab") as file:
        file.write(b"\n" * 2_000_000)

    with pytest.raises(IdentityRefused, match=r"authority\.pem: too large"):
        load_identity(directory)
