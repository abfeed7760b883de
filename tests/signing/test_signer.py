"""Key files: who may read them, what opens them."""

import os
import socket
from pathlib import Path

import pytest

from certs.algorithms import PrivateKey
from certs.certificate import Certificate
from signing.errors import KeyFileRefused
from signing.signer import FileSigner, Signer, write_key_file

PASSPHRASE = b"correct horse"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory, es256_key: PrivateKey) -> Path:
    """Give a key file as we write it."""
    path = tmp_path_factory.mktemp("keys") / "envelope.key"
    write_key_file(path, es256_key, PASSPHRASE)
    return path


@pytest.fixture
def copy(key_file: Path, tmp_path: Path) -> Path:
    """Give a copy that a test may spoil."""
    path = tmp_path / "copy.key"
    path.touch(mode=0o600)
    path.write_bytes(key_file.read_bytes())
    return path


def test_written_key_file_is_private_encrypted_and_opens(
    key_file: Path, es256_key: PrivateKey
) -> None:
    """Mode 0600, an encrypted PKCS#8 block, the same key."""
    signer: Signer = FileSigner.load(key_file, PASSPHRASE)

    assert key_file.stat().st_mode & 0o777 == 0o600
    assert key_file.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert signer.keyid == es256_key.public_key.keyid
    assert signer.suite is es256_key.suite
    assert signer.certificate_der == b""


def test_existing_file_is_never_overwritten(key_file: Path, es256_key: PrivateKey) -> None:
    """A second key at the same path is refused."""
    with pytest.raises(KeyFileRefused, match="cannot be made"):
        write_key_file(key_file, es256_key, PASSPHRASE)


def test_file_is_private_under_any_umask(tmp_path: Path, es256_key: PrivateKey) -> None:
    """The umask neither opens nor locks the file."""
    before = os.umask(0o777)
    try:
        write_key_file(tmp_path / "k", es256_key, PASSPHRASE)
    finally:
        os.umask(before)

    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


def test_empty_passphrase_is_refused(key_file: Path, es256_key: PrivateKey, tmp_path: Path) -> None:
    """Neither written nor read without one."""
    with pytest.raises(KeyFileRefused, match="passphrase"):
        write_key_file(tmp_path / "k", es256_key, b"")
    with pytest.raises(KeyFileRefused, match="passphrase"):
        FileSigner.load(key_file, b"")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o620])
def test_key_file_others_may_touch_is_refused(copy: Path, mode: int) -> None:
    """One bit for group or others is enough."""
    copy.chmod(mode)

    with pytest.raises(KeyFileRefused, match="0600"):
        FileSigner.load(copy, PASSPHRASE)


def test_key_file_of_another_user_is_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the file could have put it there."""
    monkeypatch.setattr("signing.signer.os.geteuid", lambda: 4_000_000)

    with pytest.raises(KeyFileRefused, match="another user"):
        FileSigner.load(copy, PASSPHRASE)


def test_wrong_passphrase_is_refused(copy: Path) -> None:
    """Without saying more than that."""
    with pytest.raises(KeyFileRefused, match="wrong passphrase") as refused:
        FileSigner.load(copy, b"wrong")

    assert refused.value.__cause__ is None


def test_key_in_clear_is_refused(tmp_path: Path, es256_key: PrivateKey) -> None:
    """An unencrypted key does not open, whatever the passphrase."""
    path = tmp_path / "clear.key"
    path.touch(mode=0o600)
    path.write_bytes(es256_key.encode_pkcs8(None))

    with pytest.raises(KeyFileRefused, match="no key of a suite"):
        FileSigner.load(path, PASSPHRASE)


def test_link_is_refused(copy: Path, tmp_path: Path) -> None:
    """A link could be turned elsewhere between look and use."""
    link = tmp_path / "link.key"
    link.symlink_to(copy)

    with pytest.raises(KeyFileRefused, match="cannot be opened"):
        FileSigner.load(link, PASSPHRASE)


def test_absent_file_pipe_folder_and_socket_are_refused(tmp_path: Path) -> None:
    """Only a regular file is a key file, and nothing is waited for."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))

        for name in ("absent", "pipe", ".", "socket"):
            with pytest.raises(KeyFileRefused):
                FileSigner.load(tmp_path / name, PASSPHRASE)


def test_oversized_file_is_refused(tmp_path: Path) -> None:
    """A wrong path does not fill memory."""
    path = tmp_path / "large.key"
    path.touch(mode=0o600)
    path.write_bytes(bytes(20_000))

    with pytest.raises(KeyFileRefused, match="too large"):
        FileSigner.load(path, PASSPHRASE)


def test_certificate_of_another_key_is_refused(
    es256_key: PrivateKey, certificate: Certificate
) -> None:
    """Key and certificate belong together."""
    with pytest.raises(KeyFileRefused, match="another key"):
        FileSigner.of(es256_key, certificate.der)


def test_certificate_of_the_key_is_kept(es256_key: PrivateKey) -> None:
    """A certificate carries the key's SubjectPublicKeyInfo verbatim."""
    stand_in = b"certificate with " + es256_key.public_key.spki

    assert FileSigner.of(es256_key, stand_in).certificate_der == stand_in


def test_repr_shows_no_key(es256_key: PrivateKey) -> None:
    """A signer in a traceback gives nothing away."""
    assert repr(FileSigner.of(es256_key)) == "FileSigner()"
