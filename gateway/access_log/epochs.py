"""Keys per quarter under which subjects, cases and officers become tokens, in a file of their own.

Knows nothing of entries. The file is never inside the log's database: whoever holds both can link
tokens to persons, whoever holds the database alone cannot. A bare hash of an identity number is no
pseudonym (a county's numbers are tried in seconds), a keyed one is while the key is secret.

The file: `hutong epoch keys v1`, newline, 16 bytes of scrypt salt, 12 bytes of nonce, and
AES-256-GCM (the origin of the log as associated data) over canonical JSON `{"2026Q4": "<hex>"}`.
INVARIANT: a key is in the file, synced, before the first token under it exists.
"""

import hashlib
import hmac
import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.access_log.errors import EpochKeyError
from signing.encoding import JsonLimits, JsonValue, encode_canonical_json, parse_json_strict

TOKEN_LENGTH = 16
"""Bytes of a token: no two of 2^40 persons collide by chance."""
KEY_LENGTH = 32
"""Bytes of a key: that of the HMAC's hash (RFC 2104 section 3)."""
SCRYPT_COST = 2**15
"""Work factor N with r=8, p=1 (RFC 7914): 32 MiB and about 0.1 s."""

_MAGIC = b"hutong epoch keys v1\n"
_SALT_LENGTH = 16
_NONCE_LENGTH = 12
_LIMITS = JsonLimits(max_bytes=1 << 20)
_DAY_MS = 86_400_000


class EpochKeys:
    """Makes tokens; draws the key of a new quarter when it is first needed."""

    __slots__ = ("_keys", "_origin", "_path", "_seal_key", "_seal_salt")

    def __init__(self, path: Path, origin: str, passphrase: bytes, salt: bytes) -> None:
        self._path = path
        self._origin = origin
        self._seal_salt = salt
        self._seal_key = hashlib.scrypt(
            passphrase, salt=salt, n=SCRYPT_COST, r=8, p=1, maxmem=64 << 20, dklen=KEY_LENGTH
        )
        self._keys: dict[str, bytes] = {}

    @classmethod
    def create(cls, path: Path, *, origin: str, passphrase: bytes) -> "EpochKeys":
        """Make a file without keys; only for a new log.

        Raises:
            EpochKeyError: there is a file: it may hold the only keys of a log.
        """
        if path.exists():
            raise EpochKeyError("a file of token keys exists and is not overwritten")
        keys = cls(path, origin, passphrase, os.urandom(_SALT_LENGTH))
        keys._save({})
        return keys

    @classmethod
    def load(cls, path: Path, *, origin: str, passphrase: bytes) -> "EpochKeys":
        """Read the keys of a log.

        Raises:
            EpochKeyError: no file, open to others, another log's, or not under this passphrase.
        """
        try:
            sealed = path.read_bytes()
            mode = path.stat().st_mode
        except OSError as cause:
            raise EpochKeyError("the file of token keys cannot be read") from cause
        if mode & 0o077:
            raise EpochKeyError("the file of token keys is open to others: chmod 0600")
        body = sealed.removeprefix(_MAGIC)
        if body == sealed or len(body) < _SALT_LENGTH + _NONCE_LENGTH:
            raise EpochKeyError("this is not a file of token keys")
        keys = cls(path, origin, passphrase, body[:_SALT_LENGTH])
        keys._keys = keys._unseal(body[_SALT_LENGTH:])
        return keys

    @property
    def epochs(self) -> tuple[str, ...]:
        """The epochs that have a key, newest first, e.g. `2026Q4`."""
        return tuple(sorted(self._keys, reverse=True))

    def token(self, kind: str, normalised: str, now_ms: int) -> bytes:
        """Return the token of a thing in the epoch of `now_ms`.

        HMAC-SHA-256 under the epoch's key over kind, a zero byte and the normalised identifier,
        first 16 bytes.

        Raises:
            OSError: the key of a new epoch could not be stored.
        """
        epoch = epoch_at(now_ms)
        if epoch not in self._keys:
            self._save(self._keys | {epoch: os.urandom(KEY_LENGTH)})
        return _token(self._keys[epoch], kind, normalised)

    def tokens(self, kind: str, normalised: str) -> tuple[bytes, ...]:
        """Return the tokens of a thing in every epoch that has a key, newest first: for search."""
        return tuple(_token(self._keys[epoch], kind, normalised) for epoch in self.epochs)

    def destroy(self, epoch: str) -> None:
        """Forget the key of an epoch: its tokens can no longer be linked to anybody.

        Raises:
            EpochKeyError: there is no such key.
            OSError: the file could not be stored.
        """
        if epoch not in self._keys:
            raise EpochKeyError("there is no key of this epoch")
        self._save({name: key for name, key in self._keys.items() if name != epoch})

    def _unseal(self, body: bytes) -> dict[str, bytes]:
        nonce, sealed = body[:_NONCE_LENGTH], body[_NONCE_LENGTH:]
        try:
            text = AESGCM(self._seal_key).decrypt(nonce, sealed, self._origin.encode())
        except InvalidTag:
            # from None: the cause says nothing.
            raise EpochKeyError("another log's keys, another passphrase, or damaged") from None
        stored = parse_json_strict(text, _LIMITS)
        named = stored.items() if isinstance(stored, dict) else ()
        return {name: bytes.fromhex(key) for name, key in named if isinstance(key, str)}

    def _save(self, keys: dict[str, bytes]) -> None:
        named: dict[str, JsonValue] = {name: key.hex() for name, key in keys.items()}
        nonce = os.urandom(_NONCE_LENGTH)
        text = encode_canonical_json(named)
        sealed = AESGCM(self._seal_key).encrypt(nonce, text, self._origin.encode())
        replace_file(self._path, _MAGIC + self._seal_salt + nonce + sealed)
        self._keys = keys


def epoch_at(now_ms: int) -> str:
    """Return the quarter of a time in UTC, e.g. `2026Q4`."""
    return _epoch_of_day(now_ms // _DAY_MS)


@lru_cache(maxsize=8)
def _epoch_of_day(day: int) -> str:
    at = datetime.fromtimestamp(day * _DAY_MS / 1000, tz=UTC)
    return f"{at.year}Q{(at.month + 2) // 3}"


def replace_file(path: Path, content: bytes) -> None:
    """Store a file whole or not at all, readable by its owner only."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)
    directory = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _token(key: bytes, kind: str, normalised: str) -> bytes:
    message = kind.encode() + b"\x00" + normalised.encode()
    return hmac.digest(key, message, "sha256")[:TOKEN_LENGTH]
