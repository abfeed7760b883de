"""The pages for partners say what the code does."""

import ast
import json
import re
from pathlib import Path

import pytest

import hutong.client
from hutong.client import ClientReason
from hutong.client.identity_file import parse_identity
from hutong.client.refusals import BEFORE_HEADER, WITHOUT_RECEIPT
from hutong.client.texts import REASON_TEXTS
from hutong.client.unproven_texts import UNPROVEN_TEXTS
from signing.record_verify import CLAIM_NAMES

PAGES = Path(__file__).parents[2] / "docs" / "clients"


def _block(page: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_docs_list_every_reason_as_the_code_does() -> None:
    """Code, side and both texts of every reason, in the order of the enumeration."""
    text = (PAGES / "reasons.md").read_text("utf-8")
    meanings = {reason: UNPROVEN_TEXTS.get(reason, REASON_TEXTS[reason]) for reason in ClientReason}

    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)

    assert rows == [(str(each), told.side, told.zh, told.en) for each, told in meanings.items()]


def test_docs_list_the_soft_refusals() -> None:
    """Both closed lists stand on the page."""
    text = (PAGES / "reasons.md").read_text("utf-8")

    assert set(re.findall(r"^- `([A-Z_]+)`$", text, re.MULTILINE)) == BEFORE_HEADER


def test_the_node_client_knows_the_same_soft_refusals() -> None:
    """Both clients believe the same refusals without receipt."""
    source = (PAGES / "node" / "client.mjs").read_text("utf-8")

    listed = re.search(r"WITHOUT_RECEIPT = new Set\(\[(.*?)\]\)", source, re.DOTALL)
    assert listed is not None
    assert set(re.findall(r'"([A-Z_]+)"', listed[1])) == WITHOUT_RECEIPT


def test_the_sample_identity_is_one() -> None:
    """Whoever copies the sample has a readable file."""
    written = parse_identity(_block("identity.md", "json").encode())

    assert written.envelope.passphrase == "fd:3"
    assert written.officer is None


def test_the_sample_program_uses_what_exists() -> None:
    """Every name of the first program is offered by the package, and its methods exist."""
    tree = ast.parse(_block("python.md", "python"))

    imported = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "hutong.client"
        for name in node.names
    }
    assert imported <= set(hutong.client.__all__)


@pytest.mark.parametrize(
    "page", ["../../README.md", "../../README.zh-CN.md", "python.md"], ids=["en", "zh", "sdk"]
)
def test_the_sample_program_keeps_each_receipt(page: str) -> None:
    """The file bears the answer's own id: a second run finds its place free."""
    tree = ast.parse(_block(page, "python"))

    kept = [
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "answer.receipt.write"
    ]
    assert len(kept) == 1
    assert "{answer.request_id.hex()}" in kept[0]


def test_the_table_of_calls_is_complete() -> None:
    """Each call named in the page is a method, and each method but the first is named."""
    text = (PAGES / "python.md").read_text("utf-8")
    named = set(re.findall(r"`(?:client\.)?([a-z_]+)\(", text))
    methods = {
        name
        for name in dir(hutong.client.Client)
        if not name.startswith("_") and callable(getattr(hutong.client.Client, name))
    }

    assert methods - {"open", "close", "exchange"} <= named


def test_the_node_client_names_exact_versions() -> None:
    """No range and no lock file: what is tried is what runs."""
    package = json.loads((PAGES / "node" / "package.json").read_text("utf-8"))

    versions = package["dependencies"].values()
    assert all(re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", each) for each in versions)
    assert not list((PAGES / "node").glob("*lock*"))


def test_the_node_client_reads_claims_that_records_have() -> None:
    """A claim of another name is `undefined` there: a rule about it never holds, or always."""
    text = (PAGES / "node" / "client.mjs").read_text("utf-8")
    read = set(re.findall(r"\bclaims\.([a-z_]+)", text))

    assert "answer_state" in read
    assert read <= CLAIM_NAMES


def test_the_node_client_stays_readable() -> None:
    """An example of more than 300 lines is a library."""
    lines = (PAGES / "node" / "client.mjs").read_text("utf-8").splitlines()

    assert len(lines) <= 300
