"""One change of a trust directory at a time, each good as a whole before any of it is written.

INVARIANT: what is written was built into a snapshot first, so that a gateway takes it up.
INVARIANT: of two commands at once the second reads what the first wrote: the daily publishing must
not bring back a key that is being revoked.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from certs.trust_directory import store_trust_directory
from certs.trust_material import TrustMaterial
from certs.trust_store import build_snapshot


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Let no other command change a trust directory until the block ends.

    Raises:
        OSError: the folder above it cannot be read.
    """
    # A folder above, because that is there before the first publishing, and takes no further file.
    above = next(each for each in folder.resolve().parents if each.is_dir())
    lock = os.open(above, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def store(folder: Path, material: TrustMaterial, at: datetime) -> TrustMaterial:
    """Write what a serving gateway takes up, under the next sequence number.

    Raises:
        CertificateRefused: it is not good; nothing was written.
    """
    grown = replace(material, sequence=material.sequence + 1, issued_at=at)
    build_snapshot(grown)
    store_trust_directory(grown, folder)
    return grown
