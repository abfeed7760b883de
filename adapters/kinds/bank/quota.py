"""How often each account was verified today: the banks allow four checks a day (section 4.2).

Counted in this process and forgotten with it: after a restart the bank's own count decides, and
its refusal is noted here.
INVARIANT: no account number stands here, only its digest under a key of this process.
"""

import hashlib
import secrets
from datetime import date
from typing import Final

from adapters.mapping.dates import day_of_ms

A_DAY: Final = 4
"""Checks of one account a day, in China's time (docs/adapters/bank.md 4.2, row 4)."""
_MAX_ACCOUNTS: Final = 1_000_000
"""Above it no account is counted any more today: the bank counts all the same."""


class AccountQuota:
    """Counts the checks of each account, for one day at a time."""

    def __init__(self, most: int = _MAX_ACCOUNTS) -> None:
        self._key = secrets.token_bytes(32)
        self._most = most
        self._today = date.min
        self._used: dict[bytes, int] = {}

    def charge(self, account: str, now_ms: int) -> bool:
        """Count one check; False where none is left today."""
        today = day_of_ms(now_ms)
        if today != self._today:
            self._today, self._used = today, {}
        token = self._token(account)
        used = self._used.get(token, 0)
        if used >= A_DAY:
            return False
        if used or len(self._used) < self._most:
            self._used[token] = used + 1
        return True

    def release(self, account: str) -> None:
        """Take one check back that the bank did not count."""
        token = self._token(account)
        used = self._used.get(token, 0)
        # Above the limit stands what the bank itself said; that is not ours to take back.
        if 1 < used <= A_DAY:
            self._used[token] = used - 1
        elif used == 1:
            del self._used[token]

    def exhaust(self, account: str) -> None:
        """Note that the bank counts the limit as reached, whatever was counted here."""
        token = self._token(account)
        if token in self._used or len(self._used) < self._most:
            self._used[token] = A_DAY + 1

    def _token(self, account: str) -> bytes:
        return hashlib.blake2b(account.encode("utf-8"), key=self._key, digest_size=16).digest()
