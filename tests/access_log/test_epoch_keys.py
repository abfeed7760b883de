"""Token keys: per quarter, in their own sealed file, never made twice, destroyable."""

import hashlib
import hmac
from pathlib import Path

import pytest

from gateway.access_log import epochs
from gateway.access_log.epochs import EpochKeys, epoch_at
from gateway.access_log.errors import EpochKeyError
from tests.access_log.drafts import NOW_MS, ORIGIN

QUARTER_MS = 92 * 86_400_000
SUBJECT = "11010119900307002X"


@pytest.fixture(autouse=True)
def _cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "SCRYPT_COST", 2**4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the keys are kept."""
    return tmp_path / "epoch-keys"


@pytest.fixture
def keys(path: Path) -> EpochKeys:
    """A new file of keys."""
    return EpochKeys.create(path, origin=ORIGIN, passphrase=b"correct")


def loaded(path: Path, passphrase: bytes = b"correct", origin: str = ORIGIN) -> EpochKeys:
    """The keys as read again."""
    return EpochKeys.load(path, origin=origin, passphrase=passphrase)


@pytest.mark.parametrize(
    ("now_ms", "epoch"),
    [(0, "1970Q1"), (1_790_812_799_999, "2026Q3"), (1_790_812_800_000, "2026Q4")],
)
def test_epoch_is_the_quarter_in_utc(now_ms: int, epoch: str) -> None:
    """Quarters turn at midnight UTC."""
    assert epoch_at(now_ms) == epoch


def test_token_is_the_stated_hmac(keys: EpochKeys) -> None:
    """A token is the first half of HMAC-SHA-256 over type, zero byte and identifier."""
    token = keys.token("RESIDENT_ID", SUBJECT, NOW_MS)

    key = keys._keys["2026Q4"]
    message = b"RESIDENT_ID\x00" + SUBJECT.encode()
    assert token == hmac.new(key, message, hashlib.sha256).digest()[:16]


def test_tokens_survive_reading_again(path: Path, keys: EpochKeys) -> None:
    """Search over all epochs finds the tokens of each, newest first, after a restart."""
    old = keys.token("RESIDENT_ID", SUBJECT, NOW_MS)
    new = keys.token("RESIDENT_ID", SUBJECT, NOW_MS + QUARTER_MS)

    again = loaded(path)

    assert again.epochs == ("2027Q1", "2026Q4")
    assert again.tokens("RESIDENT_ID", SUBJECT) == (new, old)
    assert again.token("RESIDENT_ID", SUBJECT, NOW_MS) == old


def test_kinds_do_not_share_tokens(keys: EpochKeys) -> None:
    """The same text as subject and as case has two tokens."""
    assert keys.token("case", "x", NOW_MS) != keys.token("officer", "x", NOW_MS)


def test_destroyed_epoch_is_forgotten_on_disk(path: Path, keys: EpochKeys) -> None:
    """After destroying an epoch nothing links its tokens any more."""
    keys.token("case", "x", NOW_MS)
    keys.token("case", "x", NOW_MS + QUARTER_MS)

    keys.destroy("2026Q4")

    assert loaded(path).epochs == ("2027Q1",)
    with pytest.raises(EpochKeyError):
        keys.destroy("2026Q4")


def test_file_is_sealed_and_closed_to_others(path: Path, keys: EpochKeys) -> None:
    """No key stands in the file, and only its owner reads it."""
    keys.token("case", "x", NOW_MS)

    content = path.read_bytes()

    key = keys._keys["2026Q4"]
    assert key not in content
    assert key.hex().encode() not in content
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_open_to_others_is_refused(path: Path, keys: EpochKeys) -> None:
    """Looser permissions are an operator's mistake that is not passed over."""
    assert keys.epochs == ()
    path.chmod(0o640)

    with pytest.raises(EpochKeyError, match="0600"):
        loaded(path)


def test_existing_file_is_never_overwritten(path: Path, keys: EpochKeys) -> None:
    """Making keys where some are would lose the only keys of a log."""
    assert keys.epochs == ()

    with pytest.raises(EpochKeyError, match="overwritten"):
        EpochKeys.create(path, origin=ORIGIN, passphrase=b"correct")


def test_missing_file_is_not_made_silently(path: Path) -> None:
    """A log whose keys are gone must not begin with new ones unnoticed."""
    with pytest.raises(EpochKeyError, match="cannot be read"):
        loaded(path)


@pytest.mark.parametrize(
    ("passphrase", "origin"), [(b"wrong", ORIGIN), (b"correct", "other.invalid/log")]
)
def test_wrong_passphrase_or_log_is_refused(
    path: Path, keys: EpochKeys, passphrase: bytes, origin: str
) -> None:
    """The file opens under its passphrase and for its log only."""
    assert keys.epochs == ()

    with pytest.raises(EpochKeyError, match="passphrase"):
        loaded(path, passphrase, origin)


@pytest.mark.parametrize("content", [b"", b"something else", b"hutong epoch keys v1\nshort"])
def test_foreign_file_is_refused(path: Path, content: bytes) -> None:
    """What is no file of token keys is not read as one."""
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(EpochKeyError, match="not a file"):
        loaded(path)
