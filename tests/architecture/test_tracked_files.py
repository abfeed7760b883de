"""No tracked file carries a registry's address, a machine's path or a private key."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_BYTES = 4_000_000  # a larger file is a data set, and belongs elsewhere
# Written with character classes, so that this file does not find itself.
UNWANTED = {
    "address of a package registry": re.compile(
        r"pypi[.]org|python[h]osted|npm[j]s[.]|proxy[.]golan[g]|crates[.]i[o]\b"
        r"|--(?:extra-)?index-url[ =]http|mirror[s]?[.][a-z]+[.](?:cn|com|edu)",
    ),
    "path of one machine": re.compile(
        r"(?<![\w./-])/(?:wor[k]|roo[t]|hom[e]/\w+|User[s]|tm[p]/hutong|op[t]/(?:wheels|pypi))/"
    ),
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KE[Y]-----\s+[A-Za-z0-9+/]"),
}


def _tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def _texts() -> dict[str, str]:
    contents = {path: path.read_bytes() for path in _tracked()}
    return {
        str(path.relative_to(ROOT)): content.decode("utf-8", "replace")
        for path, content in contents.items()
        if b"\0" not in content
    }


@pytest.mark.parametrize("what", UNWANTED)
def test_no_tracked_file_carries(what: str) -> None:
    """What belongs to one machine or one person stays out of the repository."""
    found = [
        f"{name}: {match[0][:40]}"
        for name, text in _texts().items()
        for match in UNWANTED[what].finditer(text)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("address of a package registry", "see https://py" + "pi.org/simple"),
        ("path of one machine", "open('/ro" + "ot/x')"),
        ("private key", "-----BEGIN EC PRIVATE K" + "EY-----\nMHcCAQ"),
    ],
)
def test_what_must_not_be_carried_is_recognised(what: str, text: str) -> None:
    """The patterns find what they are meant to find."""
    assert UNWANTED[what].search(text)


def test_tracked_files_stay_small() -> None:
    """A clone stays quick, and nobody commits a database."""
    large = [str(path) for path in _tracked() if path.stat().st_size > MAX_BYTES]

    assert large == []
