"""What the banks answer, judged by software that is not ours."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    account_of,
    bank_record,
    hrss_record,
    old_account_of,
    planted_index,
)
from adapters.simulators.population.bank import Account, AccountState
from adapters.simulators.population.identity import card_number
from tests.simulators.bank_client import (
    DSIG,
    PAYMENT,
    REPORT,
    SSCARD,
    BankClient,
    check,
    judge,
    query,
    reason,
    rows,
    texts,
)
from tests.simulators.simulator_process import Running


@pytest.fixture
def pensioner(people: Population) -> Person:
    """An ordinary pensioner."""
    return people.person(planted_index(Quirk.ORDINARY_PENSIONER))


def _with_state(people: Population, state: AccountState) -> tuple[Person, Account]:
    for index in range(240, people.size):
        person = people.person(index)
        account = account_of(person)
        if account.state is state and account.holder_name == person.full_name:
            return person, account
    raise AssertionError(state)


def _verify(client: BankClient, row: str) -> etree._Element:
    return rows(client.ask(client.checks([row])))[0]


def test_the_right_holder_of_a_good_account_is_verified(
    banker: BankClient, pensioner: Person
) -> None:
    """True without a reason, the question echoed, and more than was asked."""
    account = account_of(pensioner)

    row = _verify(banker, check(pensioner, account))

    assert reason(row) == ""
    asked = row.find(f"{{{REPORT}}}OrgnlPtyAndAcctId")
    told = row.find(f"{{{REPORT}}}UpdtdPtyAndAcctId")
    assert asked is not None
    assert told is not None
    assert texts(asked)["Nm"] == pensioner.full_name
    assert texts(asked)["MmbId"] == account.bank_code
    assert told.findtext(f"{{{REPORT}}}Pty/{{{REPORT}}}Nm") == pensioner.full_name


def test_the_true_holder_is_told_whatever_was_asked(banker: BankClient, pensioner: Person) -> None:
    """A wrong name gets the right one back: the leak the client has to stop."""
    row = _verify(banker, check(pensioner, account_of(pensioner), name="某人"))

    told = row.find(f"{{{REPORT}}}UpdtdPtyAndAcctId")
    assert told is not None
    assert reason(row) == "NAME_MISMATCH"
    assert told.findtext(f"{{{REPORT}}}Pty/{{{REPORT}}}Nm") == pensioner.full_name


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"number": "370102195603159017"}, "ID_FORMAT"),
        ({"number": "37010219560315901x"}, "ID_FORMAT"),
        ({"number": "370102560315901"}, "ID_FORMAT"),
        ({"account": "6217001000000000001"}, "CARD_FORMAT"),
        ({"account": "621700"}, "CARD_FORMAT"),
        ({"account": card_number("6228480000000000"), "bank": ""}, "AC01"),
        ({"bank": "999999999999"}, "BANK_UNKNOWN"),
        ({"name": "某人"}, "NAME_MISMATCH"),
        ({"number": "370102198203159010"}, "ID_MISMATCH"),
        ({"number": "370102198203159010", "name": "李明哲"}, "HOLDER_MISMATCH"),
        ({"bank": ""}, ""),
    ],
)
def test_each_difference_has_its_reason(
    banker: BankClient, pensioner: Person, changed: dict[str, str], expected: str
) -> None:
    """The table of the manual, section 4.2, from the top."""
    row = _verify(banker, check(pensioner, account_of(pensioner), **changed))

    assert reason(row) == expected


def test_an_account_of_another_bank_is_not_here(banker: BankClient, pensioner: Person) -> None:
    """AC01, and nothing is told of the account."""
    account = account_of(pensioner)
    other = "102451000017" if account.bank_code != "102451000017" else "103451000025"

    row = _verify(banker, check(pensioner, account, bank=other))

    assert reason(row) == "AC01"
    assert row.find(f"{{{REPORT}}}UpdtdPtyAndAcctId") is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (AccountState.CLOSED, "AC04"),
        (AccountState.FROZEN, "AC06"),
        (AccountState.LOST, "LOST"),
        (AccountState.DORMANT, "DORMANT"),
    ],
)
def test_an_account_that_cannot_be_used_says_why(
    banker: BankClient, people: Population, state: AccountState, expected: str
) -> None:
    """The right holder of an account in each state."""
    person, account = _with_state(people, state)

    assert reason(_verify(banker, check(person, account))) == expected


def test_planted_accounts_answer_as_the_manual_says(banker: BankClient, people: Population) -> None:
    """Reused: somebody else's; replaced: closed; the dead who are paid: in use."""
    reused = people.person(planted_index(Quirk.ACCOUNT_REUSED))
    replaced = people.person(planted_index(Quirk.CARD_REPLACED))
    paid_on = people.person(planted_index(Quirk.DEAD_PENSION_PAID))
    before, after = old_account_of(reused), old_account_of(replaced)
    assert before is not None
    assert after is not None
    asked = [
        check(reused, before, id="1"),
        check(reused, account_of(reused), id="2"),
        check(replaced, after, id="3"),
        check(replaced, account_of(replaced), id="4"),
        check(paid_on, account_of(paid_on), id="5"),
    ]

    found = [reason(row) for row in rows(banker.ask(banker.checks(asked)))]

    assert found == ["HOLDER_MISMATCH", "", "AC04", "", ""]


def test_the_fifth_check_of_a_day_is_refused(
    banker: BankClient, bank: Running, pensioner: Person
) -> None:
    """Four checks, then the quota; the next day again. A quota says nothing of the account."""
    account = account_of(pensioner)
    asked = [check(pensioner, account, id=str(number)) for number in range(5)]

    found = rows(banker.ask(banker.checks(asked)))
    bank.advance(86_400_000)
    tomorrow = _verify(banker, check(pensioner, account))

    assert [reason(row) for row in found] == ["", "", "", "", "QUOTA"]
    assert found[4].find(f"{{{REPORT}}}UpdtdPtyAndAcctId") is None
    assert reason(tomorrow) == ""


def test_the_account_behind_a_card_is_found(
    banker: BankClient, people: Population, pensioner: Person
) -> None:
    """Every field of the dataset, and what nobody asked for; as HRSS knows the bank."""
    student = people.person(planted_index(Quirk.NO_EDUCATION))
    twins = people.person(planted_index(Quirk.TWO_PEOPLE_ONE_ID))
    letter = banker.queries(
        "hts.sscard.req.01",
        [
            query(pensioner, "a"),
            query(pensioner, "b", name="某人"),
            query(student, "c"),
            query(twins, "d"),
        ],
    )

    found = rows(banker.ask(letter))

    told, account = texts(found[0]), account_of(pensioner)
    assert [row.findtext(f"{{{SSCARD}}}Cd") for row in found] == [
        "FOUND",
        "MISMATCH",
        "FOUND",
        "FOUND",
    ]
    assert (told["MmbId"], told["AcctNb"]) == (account.bank_code, account.account_no)
    assert told["BkNm"] == hrss_record(pensioner).sscard[0].bank_name
    assert told["Actvtd"] == "true"
    assert (told["HldrNm"], told["Bal"]) == (account.holder_name, account.balance)
    assert texts(found[3])["AcctNb"] == account_of(twins).account_no


def test_queries_that_cannot_be_answered_say_why(banker: BankClient, pensioner: Person) -> None:
    """A wrong check character, and a number nobody bears."""
    wrong = query(pensioner, "a").replace("370102195603159016", "370102195603159017")
    nobody = query(pensioner, "b").replace("370102195603159016", "110101199001011237")

    found = rows(banker.ask(banker.queries("hts.sscard.req.01", [wrong, nobody])))

    assert [texts(row)["Cd"] for row in found] == ["BAD_INPUT", "NONE"]


def test_a_payment_tells_what_became_of_it(
    banker: BankClient, people: Population, pensioner: Person
) -> None:
    """The latest batch, a batch by number, a batch in which he was not, a returned payment."""
    returned = next(
        person
        for person in map(people.person, range(240, people.size))
        if [found.return_reason for found in bank_record(person).payment_result[:1]] == ["AC06"]
    )
    letter = banker.queries(
        "hts.payment.req.01",
        [
            query(pensioner, "a"),
            query(pensioner, "b", batch="P20260515001"),
            query(pensioner, "c", batch="P20260515002"),
            query(returned, "d"),
        ],
    )

    told = [texts(row) for row in rows(banker.ask(letter))]

    assert [row["Cd"] for row in told] == ["FOUND", "FOUND", "NONE", "FOUND"]
    assert [row.get("BtchNo") for row in told[:2]] == ["P20261015001", "P20260515001"]
    assert told[0]["TxSts"] == "ACSC"
    assert (told[3]["TxSts"], told[3]["StsRsn"]) == ("RJCT", "AC06")
    assert PAYMENT in letter.text()


def test_a_large_message_is_answered_later(
    banker: BankClient, bank: Running, people: Population
) -> None:
    """202 and a place to look, the same until it is ready, then the report, then nothing."""
    asked = [
        check(person, account_of(person), id=str(person.index))
        for person in map(people.person, range(240, 261))
    ]
    letter = banker.checks(asked)

    first = banker.send(letter)
    place = first.headers["Location"]
    early = banker.http.get(place)
    bank.advance(2_000)
    ready = banker.http.get(place)
    bank.advance(3_700_000)
    late = banker.http.get(place)

    assert (first.status_code, early.status_code, ready.status_code) == (202, 202, 200)
    assert first.content == early.content == b""
    assert first.headers["Retry-After"] == "2"
    assert len(rows(banker.open(ready.content, letter.id))) == 21
    assert banker.code(late) == (404, "MSG01")


def test_a_lost_answer_can_be_fetched_again(banker: BankClient, pensioner: Person) -> None:
    """The same octets, for sending again is refused."""
    letter = banker.checks([check(pensioner, account_of(pensioner))])
    answer = banker.send(letter)

    again = banker.http.get(f"/bank/v1/messages/{letter.id}")

    assert again.content == answer.content
    assert banker.code(banker.send(letter)) == (409, "DUP01")


def test_openssl_verifies_the_signature_value(
    banker: BankClient, pensioner: Person, tmp_path: Path
) -> None:
    """The raw value over the canonical SignedInfo, by a program that knows no XML."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command")
    root = judge(banker.send(banker.checks([check(pensioner, account_of(pensioner))])).content)
    signed = root.find(f".//{{{DSIG}}}SignedInfo")
    value = base64.b64decode(root.findtext(f".//{{{DSIG}}}SignatureValue") or "")
    assert signed is not None
    halves = (int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    (tmp_path / "info").write_bytes(etree.tostring(signed, method="c14n", exclusive=True))
    (tmp_path / "value").write_bytes(encode_dss_signature(*halves))
    public = banker.bank.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key").write_bytes(public)

    command = [openssl, "dgst", "-sha256", "-verify", "key", "-signature", "value", "info"]
    verdict = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert verdict.stdout.strip() == b"Verified OK"
    digest = root.findtext(f".//{{{DSIG}}}DigestValue")
    root.remove(root[2])
    canonical = etree.tostring(root, method="c14n", exclusive=True)
    assert base64.b64encode(hashlib.sha256(canonical).digest()).decode() == digest
