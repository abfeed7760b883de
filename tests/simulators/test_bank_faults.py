"""Every fault of the bank simulator shows as its manual says."""

import re
import time
from pathlib import Path

import httpx
import pytest
import xmlschema
from lxml import etree
from signxml.exceptions import InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from adapters.simulators.bank.faults import Fault
from adapters.simulators.population import Person, Population, Quirk, account_of, planted_index
from tests.simulators.bank_client import (
    ENVELOPE,
    REPORT,
    SSCARD,
    BankClient,
    Letter,
    check,
    judge,
    query,
    reason,
    rows,
    texts,
)
from tests.simulators.simulator_process import Running

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "bank.md"


@pytest.fixture
def trio(people: Population) -> list[Person]:
    """Three living people."""
    quirks = (Quirk.ORDINARY_PENSIONER, Quirk.ORDINARY_GRADUATE, Quirk.ORDINARY_EMPLOYEE)
    return [people.person(planted_index(quirk)) for quirk in quirks]


@pytest.fixture
def letter(banker: BankClient, trio: list[Person]) -> Letter:
    """A request about three accounts."""
    return banker.checks([check(one, account_of(one), id=f"n{one.index}") for one in trio])


@pytest.fixture
def cards(banker: BankClient, trio: list[Person]) -> Letter:
    """A request about the cards of three people."""
    return banker.queries("hts.sscard.req.01", [query(one, f"n{one.index}") for one in trio])


def _ids(report: etree._Element) -> list[str]:
    return [row[0].text or "" for row in rows(report)]


def test_the_manual_lists_exactly_the_faults_there_are(bank: Running) -> None:
    """Manual, admin port and enumeration name the same faults."""
    listed = re.findall(
        r"^\| `(\w+)` \| ",
        MANUAL.read_text("utf-8").split("故障名")[1].split("\n## ")[0],
        re.MULTILINE,
    )

    assert listed == [fault.value for fault in Fault]
    assert list(bank.admin.get("/faults").json()["faults"]) == listed


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("missing_report", ["n0", "n4"]),
        ("duplicate_report", ["n0", "n4", "n8", "n0"]),
        ("out_of_order", ["n8", "n4", "n0"]),
    ],
)
def test_rows_go_missing_double_and_astray(
    banker: BankClient, bank: Running, trio: list[Person], fault: str, expected: list[str]
) -> None:
    """In both kinds of report, signed and valid."""
    bank.fault(fault, 2)
    letter = banker.checks([check(one, account_of(one), id=f"n{one.index}") for one in trio])
    cards = banker.queries("hts.sscard.req.01", [query(one, f"n{one.index}") for one in trio])

    assert _ids(banker.ask(letter)) == expected
    assert _ids(banker.ask(cards)) == expected


def test_a_row_without_its_identifier_breaks_the_schema(
    banker: BankClient, bank: Running, letter: Letter
) -> None:
    """The signature is good, the message is not."""
    bank.fault("missing_orgnl_id")

    root = etree.fromstring(banker.send(letter).content)

    banker.verify(root)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        judge(etree.tostring(root))


def test_two_answers_carry_one_identifier(
    banker: BankClient, bank: Running, letter: Letter, cards: Letter
) -> None:
    """The second answer repeats the identifier of the first."""
    bank.fault("duplicate_msg_id", 2)

    ids = {judge(banker.send(one).content)[0][2].text for one in (letter, cards)}

    assert ids == {"R" + "0" * 32}


@pytest.mark.parametrize("fault", ["signature_wrong", "signature_other_key"])
def test_a_bad_signature_does_not_verify(
    banker: BankClient, bank: Running, letter: Letter, fault: str
) -> None:
    """The message is whole and valid, the signature is not the bank's."""
    bank.fault(fault)

    root = judge(banker.send(letter).content)

    with pytest.raises(InvalidSignature):
        banker.verify(root)


def test_a_signature_is_missing(banker: BankClient, bank: Running, letter: Letter) -> None:
    """Header and Document, nothing else."""
    bank.fault("signature_missing")

    root = etree.fromstring(banker.send(letter).content)

    assert len(root) == 2
    with pytest.raises(SignXMLException):
        banker.verify(root)


def test_a_wrapped_signature_verifies_and_says_nothing(
    banker: BankClient, bank: Running, trio: list[Person]
) -> None:
    """A careless verifier is content; what is signed is not what stands in the envelope."""
    bank.fault("signature_wrapped")
    row = check(trio[0], account_of(trio[0]), name="某人")

    root = judge(banker.send(banker.checks([row])).content)
    careless = XMLVerifier().verify(
        root, x509_cert=banker.bank, expect_config=SignatureConfiguration(location="./")
    )

    assert not isinstance(careless, list)
    assert careless.signed_xml is not None
    assert etree.QName(careless.signed_xml).localname == "Object"
    assert b"NAME_MISMATCH" in careless.signed_data
    assert reason(rows(root[1][0])[0]) == ""
    with pytest.raises(AssertionError):
        banker.verify(root)


@pytest.mark.parametrize(
    "case", [("account_closed", "AC04", "CLOSED"), ("account_blocked", "AC06", "FROZEN")]
)
def test_every_account_is_closed_or_blocked(
    banker: BankClient, bank: Running, letter: Letter, trio: list[Person], case: tuple[str, ...]
) -> None:
    """In a verification, behind a card, and in a payment."""
    fault, code, state = case
    bank.fault(fault, 3)
    cards = banker.queries("hts.sscard.req.01", [query(one, f"n{one.index}") for one in trio])
    payments = banker.queries("hts.payment.req.01", [query(trio[0])])

    assert {reason(row) for row in rows(banker.ask(letter))} == {code}
    assert {texts(row)["Sts"] for row in rows(banker.ask(cards))} == {state}
    told = texts(rows(banker.ask(payments))[0])
    assert (told["TxSts"], told["StsRsn"]) == ("RJCT", code)


def test_every_other_item_is_busy(
    banker: BankClient, bank: Running, letter: Letter, cards: Letter
) -> None:
    """The first and the third; nothing is told of them."""
    bank.fault("item_busy", 2)

    checked, found = rows(banker.ask(letter)), rows(banker.ask(cards))

    assert [reason(row) for row in checked] == ["BUSY", "", "BUSY"]
    assert checked[0].find(f"{{{REPORT}}}UpdtdPtyAndAcctId") is None
    assert [row.findtext(f"{{{SSCARD}}}Cd") for row in found] == ["BUSY", "FOUND", "BUSY"]


def test_every_item_is_beyond_the_quota(
    banker: BankClient, bank: Running, letter: Letter, cards: Letter
) -> None:
    """As if each account had been asked about all day."""
    bank.fault("item_quota", 2)

    assert {reason(row) for row in rows(banker.ask(letter))} == {"QUOTA"}
    assert {texts(row)["Cd"] for row in rows(banker.ask(cards))} == {"BUSY"}


@pytest.mark.parametrize(
    ("fault", "refusal"), [("busy", (503, "BSY01", "2")), ("quota", (429, "QTA01", "1"))]
)
def test_the_front_is_busy(
    banker: BankClient, bank: Running, letter: Letter, fault: str, refusal: tuple[int, str, str]
) -> None:
    """A signed refusal that says when to come back; the same message is good then."""
    status, code, seconds = refusal
    bank.fault(fault)

    answer = banker.send(letter)

    assert banker.code(answer) == (status, code)
    assert answer.headers["Retry-After"] == seconds
    assert rows(banker.ask(letter))


def test_an_answer_belongs_to_another_request(
    banker: BankClient, bank: Running, letter: Letter, cards: Letter
) -> None:
    """Header and report name the same, wrong request."""
    bank.fault("other_request", 2)
    wrong = "M" + "0" * 32

    checked = banker.open(banker.send(letter).content, wrong)
    found = banker.open(banker.send(cards).content, wrong)

    assert checked.findtext(f"{{{REPORT}}}OrgnlAssgnmt/{{{REPORT}}}MsgId") == wrong
    assert found.findtext(f"{{{SSCARD}}}OrgnlMsgId") == wrong


def test_an_answer_is_about_another_person(
    banker: BankClient, bank: Running, letter: Letter, cards: Letter, trio: list[Person]
) -> None:
    """The echo shows it: nothing else does."""
    bank.fault("other_person", 2)

    checked, found = rows(banker.ask(letter))[0], rows(banker.ask(cards))[0]

    assert checked[0].text == "n0"
    assert texts(checked)["Nm"] != trio[0].full_name
    assert trio[0].id_number not in etree.tostring(checked).decode()
    assert found.findtext(f"{{{SSCARD}}}IdNb") != trio[0].id_number


def test_a_reply_is_slow(banker: BankClient, bank: Running, letter: Letter) -> None:
    """202 for a small message, and the report two seconds later."""
    bank.fault("slow_reply")

    first = banker.send(letter)
    bank.advance(2_000)
    ready = banker.http.get(first.headers["Location"])

    assert first.status_code == 202
    assert rows(banker.open(ready.content, letter.id))


@pytest.mark.parametrize(("fault", "again"), [("late_accept", 200), ("late_answer", 409)])
def test_a_message_is_taken_though_its_sender_was_told_nothing(
    banker: BankClient, bank: Running, letter: Letter, fault: str, again: int
) -> None:
    """504 at once; the report lies there a little later, and the message is carried out once."""
    bank.fault(fault)

    lost, place = banker.send(letter), f"/bank/v1/messages/{letter.id}"
    nothing, repeated = banker.http.get(place), banker.send(letter)
    time.sleep(0.6)
    report = banker.http.get(place)

    assert (lost.status_code, lost.headers["Content-Type"][:10]) == (504, "text/plain")
    assert (nothing.status_code, repeated.status_code) == (404, again)
    assert rows(banker.open(report.content, letter.id))


@pytest.mark.parametrize("fault", ["entity_bomb", "external_entity"])
def test_a_hostile_answer_declares_entities(
    banker: BankClient, bank: Running, letter: Letter, fault: str
) -> None:
    """A document type, before anything else."""
    bank.fault(fault)

    answer = banker.send(letter)

    assert answer.status_code == 200
    assert answer.content.startswith(b"<!DOCTYPE FPEnvelope [<!ENTITY")
    assert ENVELOPE.encode() in answer.content


def test_transport_faults_break_what_carries_the_message(
    banker: BankClient, bank: Running, trio: list[Person]
) -> None:
    """Status, type and octets as the manual says."""

    def struck(fault: str) -> httpx.Response:
        bank.fault(fault)
        return banker.send(banker.checks([check(trio[0], account_of(trio[0]))]))

    page, empty, error = struck("html_page"), struck("empty_body"), struck("server_error")
    moved, gbk, large = struck("redirect"), struck("gbk_body"), struck("oversized_body")

    assert page.headers["Content-Type"].startswith("text/html")
    assert (empty.status_code, empty.content) == (200, b"")
    assert (error.status_code, error.headers["Content-Type"][:10]) == (503, "text/plain")
    assert moved.status_code == 302
    assert "王守仁".encode("gb18030") in gbk.content
    assert len(large.content) > 8 * 1024 * 1024


def test_half_an_answer_and_none(banker: BankClient, bank: Running, letter: Letter) -> None:
    """The connection ends early, or nothing comes."""
    bank.fault("half_body")
    with pytest.raises(httpx.RemoteProtocolError):
        banker.send(letter)
    again = banker.http.get(f"/bank/v1/messages/{letter.id}")
    bank.fault("hang")
    with pytest.raises(httpx.ReadTimeout):
        banker.http.get("/bank/v1/messages/x", timeout=0.3)

    assert rows(banker.open(again.content, letter.id))
