"""Every dataset of the catalog can be a record."""

from pathlib import Path

import yaml

from certs.algorithms import PrivateKey
from signing.record import issue_record, verify_record
from signing.signer import FileSigner
from tests.signing.forged_record import CLAIMS, EXPECTED

CATALOG = Path(__file__).parents[2] / "gateway" / "bundle" / "catalog.yaml"


def test_every_field_of_the_catalog_can_be_disclosed(es256_key: PrivateKey) -> None:
    """No field is called like a plain claim, and no dataset has more fields than slots."""
    datasets = yaml.safe_load(CATALOG.read_text("utf-8"))["datasets"]

    for dataset in datasets.values():
        disclosed = {name: {"effect": "CLEAR", "value": "x"} for name in dataset["fields"]}
        compact = issue_record(FileSigner.of(es256_key), CLAIMS, tuple(disclosed), disclosed)
        proven = verify_record(compact, es256_key.public_key, EXPECTED)

        assert {each.name for each in proven.disclosures} == disclosed.keys()
