"""The operators' page speaks of what the code does."""

import re
from pathlib import Path

from certs.errors import CertificateReason
from certs.registry_file import KeyPurpose, KeyState, OrganisationKind, SystemClass, SystemRole
from certs.suites import Suite

PAGE = (Path(__file__).parents[2] / "docs" / "trust.md").read_text(encoding="utf-8")


def test_page_explains_each_reason_once() -> None:
    """The table of refusals is the closed list of reasons, in its order."""
    rows = re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)

    assert [reason.value for reason in CertificateReason] == rows


def test_page_names_every_word_of_the_files() -> None:
    """Each closed word of the registry file stands on the page."""
    for words in (KeyPurpose, KeyState, OrganisationKind, SystemClass, SystemRole, Suite):
        for word in words:
            assert word.value in PAGE
