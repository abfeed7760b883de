"""Names of packages and their files (docs/adapters/tax.md, section 2)."""

import re
from dataclasses import dataclass
from typing import Final

TRAN_SEQ: Final = r"[0-9A-Za-z]{8,32}"
UPLOADING: Final = ".part"
"""What a file is called until it is whole."""

_FILE: Final = re.compile(
    rf"([A-Z0-9]{{4,20}})_({TRAN_SEQ})_(0[1-9]|[1-8][0-9]|9[0-8])(\.xml|\.mf\.json)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageName:
    """The name of a package: client, sequence number, attempt."""

    client_no: str
    tran_seq: str
    attempt: str

    @property
    def xml(self) -> str:
        """Name the envelope's file."""
        return f"{self.client_no}_{self.tran_seq}_{self.attempt}.xml"

    @property
    def manifest(self) -> str:
        """Name the manifest's file."""
        return f"{self.client_no}_{self.tran_seq}_{self.attempt}.mf.json"


def parse_name(file_name: str) -> PackageName | None:
    """Read the name of a finished file of a client, None when it is no such name."""
    match = _FILE.fullmatch(file_name)
    if match is None:
        return None
    return PackageName(client_no=match[1], tran_seq=match[2], attempt=match[3])
