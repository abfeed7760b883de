"""A claim is compared in the one spelling of its identifier, and one without form is an error."""

import dataclasses
from pathlib import Path

import pytest

from adapters.effects import FieldContext, apply_effect, apply_when_not_found
from adapters.mapping.identifiers import IdentifierKind, kind_of_field
from adapters.port import Effect, EffectKind, FieldName, Finding, Grant
from adapters.records import RecordSource, build_outcome
from signing.signer import FileSigner
from tests.adapters.asking import (
    COMPARE,
    ORGANISATION,
    RECORD_KEY,
    disclosed,
    query_of,
    shape_of,
)
from tests.adapters.test_effects_properties import TODAY

CATALOG = Path(__file__).parents[3] / "deploy" / "catalog" / "datasets.csv"
K = IdentifierKind
EQUAL = Grant(field=FieldName("f"), effect=Effect(kind=EffectKind.COMPARE))


def context_of(kind: IdentifierKind | None, catalog_type: str, claimed: str) -> FieldContext:
    """Return what an effect may look at."""
    shape = shape_of("x.y@1", {"f": catalog_type}).fields[0]
    return FieldContext(shape=shape, identifier=kind, claimed=claimed, today=TODAY)


@pytest.mark.parametrize(
    ("kind", "catalog_type", "claimed", "held", "expected"),
    [
        (K.USCC, "uscc18", "91370100ma3fake04q", "91370100MA3FAKE04Q", Finding.YES),
        (K.USCC, "uscc18", "91370100MA3FAKE041", "91370100MA3FAKE041", Finding.YES),
        (K.USCC, "uscc18", "92370102MA3GEKE74B", "91370100MA3FAKE04Q", Finding.NO),
        (K.USCC, "uscc18", "91370100MA3FAKE04", "91370100MA3FAKE04Q", Finding.ERROR),
        (K.USCC, "uscc18", "91370100MA3FAKE04Q", "unknown", Finding.INDETERMINATE),
        (None, "uscc18", "91370100MA3FAKE04", "91370100MA3FAKE04Q", Finding.ERROR),
        (K.DEGREE_NUMBER, "re:.+", "1042242004s00123", "1042242004S00123", Finding.YES),
        (K.DEGREE_NUMBER, "re:.+", "1042242004", "1042242004S00123", Finding.ERROR),
        (K.MARRIAGE_NUMBER, "re:.+", "J370102—2019—000123", "J370102-2019-000123", Finding.YES),
        (K.MARRIAGE_NUMBER, "re:.+", "历字第12号", "J370102-2019-000123", Finding.NO),
        (K.ACCOUNT_NUMBER, "re:.+", "6217 0000 0000 0000 012", "6217000000000000012", Finding.YES),
        (K.ACCOUNT_NUMBER, "re:.+", "6217000000000000013", "6217000000000000012", Finding.ERROR),
        (K.SOCIAL_CARD, "str9", "a12345678", "A12345678", Finding.YES),
        (K.SOCIAL_CARD, "str9", "A12345679", "A12345678", Finding.NO),
        (K.SOCIAL_CARD, "str9", "A1234567\ue000", "A12345678", Finding.ERROR),
        (K.TAX_ID, "str15-20", "37010219820315002500", "370102198203150024", Finding.ERROR),
        (K.RESIDENT_ID, "cid18", "370102820315002", "370102198203150024", Finding.YES),
        (K.RESIDENT_ID, "cid18", "370102198203150024", "3701**********0024", Finding.INDETERMINATE),
    ],
)
def test_a_claim_is_compared_by_the_rule_of_its_identifier(
    kind: IdentifierKind | None, catalog_type: str, claimed: str, held: str, expected: Finding
) -> None:
    """A slip of the asker's pen says nothing of the subject; a doubt refuses no comparison."""
    out = apply_effect(EQUAL, context_of(kind, catalog_type, claimed), held)

    assert out is not None
    assert out.finding is expected


@pytest.mark.parametrize("claimed", ["1042242004", "x"])
def test_a_claim_without_form_is_an_error_where_nothing_is_held(claimed: str) -> None:
    """Else it would tell whether a record exists."""
    context = context_of(K.DEGREE_NUMBER, "re:.+", claimed)

    out = apply_when_not_found(EQUAL, context)
    absent = apply_effect(EQUAL, context, None)

    assert out is not None
    assert absent is not None
    assert out.finding is absent.finding is Finding.ERROR


def test_the_fields_that_hold_identifiers_are_those_of_the_catalog() -> None:
    """By type or by name; each kind that a record can hold has a field, and examples fit."""
    found: dict[str, IdentifierKind] = {}
    for line in CATALOG.read_text("utf-8").splitlines()[1:]:
        name, field, _, catalog_type, *_ = line.split("|")
        if kind := kind_of_field(name, field, catalog_type):
            found[f"{name}.{field}"] = kind

    assert {key: kind for key, kind in found.items() if kind not in {K.RESIDENT_ID, K.USCC}} == {
        "edu.diploma.certificate_no": K.DIPLOMA_NUMBER,
        "edu.degree.certificate_no": K.DEGREE_NUMBER,
        "ca.marriage_record.certificate_no": K.MARRIAGE_NUMBER,
        "tx.taxpayer.taxpayer_id": K.TAX_ID,
        "tx.contribution.voucher_no": K.VOUCHER,
        "bk.sscard_account.bank_code": K.CNAPS,
        "bk.sscard_account.account_no": K.ACCOUNT_NUMBER,
        "hr.sscard.card_no": K.SOCIAL_CARD,
    }
    assert found["cm.enterprise.uscc"] is K.USCC
    assert found["edu.diploma.person_id"] is K.RESIDENT_ID
    # Skill certificates have 22 characters and no published rule.
    assert kind_of_field("hr.qualification", "certificate_no", "str22") is None


def test_the_kind_of_a_field_is_part_of_what_an_effect_sees() -> None:
    """Without it, two spellings of one number are two numbers."""
    context = context_of(K.ACCOUNT_NUMBER, "re:.+", "6217 0000 0000 0000 012")
    blind = dataclasses.replace(context, identifier=None)

    seen = apply_effect(EQUAL, context, "6217000000000000012")
    unseen = apply_effect(EQUAL, blind, "6217000000000000012")

    assert seen is not None
    assert unseen is not None
    assert (seen.finding, unseen.finding) == (Finding.YES, Finding.NO)


def test_a_record_is_compared_by_the_kinds_of_its_dataset() -> None:
    """From the raw record to what the department signs: a card number with blanks is the same."""
    dataset = shape_of("bk.sscard_account@1", {"account_no": "re:[0-9]{16,19}"})
    query = query_of(
        dataset,
        ("370102198203150024", None),
        {"account_no": COMPARE},
        {"account_no": "6217 0000 0000 0000 012"},
    )
    source = RecordSource(organisation=ORGANISATION, signer=FileSigner.of(RECORD_KEY))

    outcome = build_outcome(source, query, {FieldName("account_no"): "6217000000000000012"})

    assert disclosed(query, outcome) == {"account_no": Finding.YES}
