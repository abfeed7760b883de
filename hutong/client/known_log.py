"""What this system has seen of the access log, so that nobody can show it another history.

Two checkpoints of one size with different roots are a fork; whatever answers a request is logged
behind the newest checkpoint seen when the request was made. Between two sizes only a consistency
proof can tell, which `Client.get_checkpoint` fetches.
INVARIANT: only checkpoints whose signature held are taken in.
"""

from collections import OrderedDict
from typing import Final

from hutong.client.errors import Unproven
from hutong.client.reasons import ClientReason
from hutong.evidence import ProvenCheckpoint, TreeHead

REMEMBERED: Final = 4_096
"""Tree heads kept for comparison; the newest is always among them."""


class KnownLog:
    """Tree heads seen, and the bytes of the newest checkpoint."""

    __slots__ = ("_heads", "_newest", "_raw")

    def __init__(self) -> None:
        self._heads: OrderedDict[int, bytes] = OrderedDict()
        self._newest: TreeHead | None = None
        self._raw = b""

    @property
    def newest(self) -> TreeHead | None:
        """Size and root of the newest tree seen."""
        return self._newest

    @property
    def newest_checkpoint(self) -> bytes:
        """The newest checkpoint as signed note; keep it over restarts. Empty when none was seen."""
        return self._raw

    @property
    def size(self) -> int:
        """Size of the newest tree seen; 0 when none was."""
        return 0 if self._newest is None else self._newest.size

    def take(self, checkpoint: ProvenCheckpoint, raw: bytes) -> None:
        """Compare a proven checkpoint with those seen, and remember it.

        Raises:
            Unproven: CHECKPOINT_FORKED when this size was seen with another root.
        """
        head, newest = checkpoint.head, self._newest
        known = self._heads.get(head.size, head.root_hash)
        if newest is not None and newest.size == head.size:
            known = newest.root_hash
        if known != head.root_hash:
            raise Unproven(ClientReason.CHECKPOINT_FORKED)
        self._heads[head.size] = head.root_hash
        # Parallel calls may bring an older head later; that is no rollback, and no progress either.
        if head.size >= self.size:
            self._newest, self._raw = head, raw
        if len(self._heads) > REMEMBERED:
            self._heads.popitem(last=False)
