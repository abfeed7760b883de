"""What each code means, against the tables of docs/adapters/bank.md; every code has its line."""

import re
from pathlib import Path

import pytest
from lxml import etree

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.bank import codes
from adapters.kinds.bank.codes import Verdict
from adapters.kinds.bank.documents import build_document
from adapters.kinds.bank.questions import OPERATIONS, Question
from adapters.kinds.bank.reading import read_query, read_verdict, record_of
from adapters.kinds.bank.schemas import ACMT_023, ACMT_024, PAYMENT, SSCARD, conforms
from adapters.port import Finding, Indeterminate, Subject, SubjectType
from tests.adapters.bank.test_bank_messages import head_of, question

MANUAL = (Path(__file__).resolve().parents[3] / "docs" / "adapters" / "bank.md").read_text("utf-8")
VERDICTS = {
    ("Prtry", "ID_FORMAT"): ("ERROR", "ERROR", "ERROR", None),
    ("Prtry", "CARD_FORMAT"): ("ERROR", "ERROR", "ERROR", None),
    ("Prtry", "BANK_UNKNOWN"): ("ERROR", "ERROR", "ERROR", None),
    ("Cd", "AC01"): ("NOT_APPLICABLE", "NOT_APPLICABLE", "NO", "not_found"),
    ("Prtry", "HOLDER_MISMATCH"): ("NO", "NO", "INDETERMINATE", None),
    ("Prtry", "NAME_MISMATCH"): ("NO", "YES", "INDETERMINATE", None),
    ("Prtry", "ID_MISMATCH"): ("YES", "NO", "INDETERMINATE", None),
    ("Cd", "AC04"): ("YES", "YES", "NO", "closed"),
    ("Cd", "AC06"): ("YES", "YES", "NO", "frozen"),
    ("Prtry", "LOST"): ("YES", "YES", "NO", "lost"),
    ("Prtry", "DORMANT"): ("YES", "YES", "NO", "dormant"),
    ("Prtry", "TOMORROWS_CODE"): ("INDETERMINATE",) * 3 + (None,),
    # A known code in the other form is another code.
    ("Prtry", "AC04"): ("INDETERMINATE",) * 3 + (None,),
    ("Cd", "LOST"): ("INDETERMINATE",) * 3 + (None,),
}
UNTOLD = {
    ("Prtry", "QUOTA"): Indeterminate.PROVIDER_QUOTA,
    ("Prtry", "BUSY"): Indeterminate.PROVIDER_TIMEOUT,
}
VERIFY = question("bk.account_verify", "6217001000000000003")
CARD = question("bk.sscard_account")
PAID = question("bk.payment_result")


def verdict_row(held: str, reason: tuple[str, str] | None) -> etree._Element:
    """Return a row of a report that repeats the question of these tests."""
    document = build_document(VERIFY.operation, head_of(), [VERIFY])
    asked = document[0].find(f"{{{ACMT_023}}}Vrfctn/{{{ACMT_023}}}PtyAndAcctId")
    assert asked is not None
    echo = "".join(etree.tostring(child, encoding="unicode") for child in asked)
    echo = echo.replace(ACMT_023, ACMT_024)
    told = "" if reason is None else f"<Rsn><{reason[0]}>{reason[1]}</{reason[0]}></Rsn>"
    text = (
        f'<Rpt xmlns="{ACMT_024}"><OrgnlId>1</OrgnlId><Vrfctn>{held}</Vrfctn>{told}'
        f"<OrgnlPtyAndAcctId>{echo}</OrgnlPtyAndAcctId></Rpt>"
    )
    return etree.fromstring(text)


def query_row(namespace: str, code: str, content: str = "") -> etree._Element:
    """Return a row of one of the other two reports."""
    identifier = CARD.subject.identifier
    return etree.fromstring(
        f'<Rslt xmlns="{namespace}"><OrgnlId>1</OrgnlId><Cd>{code}</Cd>'
        f"<IdNb>{identifier}</IdNb>{content}</Rslt>"
    )


def account(activated: str) -> str:
    """Return an account with everything a bank sends."""
    return (
        "<Acct><MmbId>103451000025</MmbId><BkNm>示例银行</BkNm>"
        f"<AcctNb>6217001000000000003</AcctNb><Actvtd>{activated}</Actvtd><Sts>NORMAL</Sts>"
        "<HldrNm>真实户名</HldrNm><OpngDt>2012-01-01</OpngDt><Bal>4321.00</Bal>"
        "<UpdDt>2026-11-01</UpdDt></Acct>"
    )


def payment(status: str, reason: str = "", batch: str = "P20261015001") -> str:
    """Return a payment with everything a bank sends."""
    told = f"<StsRsn>{reason}</StsRsn>" if reason else ""
    return (
        f"<Pmt><BtchNo>{batch}</BtchNo><TxSts>{status}</TxSts>{told}<Amt>4321.00</Amt>"
        "<AcctNb>6217001000000000003</AcctNb><HldrNm>真实户名</HldrNm>"
        "<PmtDt>2026-10-15</PmtDt></Pmt>"
    )


def manual_codes(start: str, end: str) -> set[str]:
    """Return the codes in the first columns of a table of the manual."""
    part = MANUAL[MANUAL.index(start) : MANUAL.index(end)]
    return set(
        re.findall(
            r"^\|(?: [0-9]+ \|)? (?:[0-9]+ \| )?(?:`(?:Prtry|Cd)` )?`([A-Z_0-9]+)`",
            part,
            re.MULTILINE,
        )
    )


def test_every_code_of_the_manual_has_its_line() -> None:
    """And no other."""
    assert manual_codes("| 次序 | `Rsn`", "3 不计入第") == {code for _, code in codes.REASONS}
    assert set(codes.REASONS) == {*VERDICTS, *UNTOLD} - {
        ("Prtry", "TOMORROWS_CODE"),
        ("Prtry", "AC04"),
        ("Cd", "LOST"),
    }
    own = {codes.FOUND, codes.NOT_FOUND, codes.BAD_INPUT}
    assert manual_codes("| `Cd` | 含义 | 归类", "### 5.1") == own | set(codes.QUERY_FAILURES)
    assert manual_codes("| HTTP | `Cd`", "`Fr` 在 `XSD01`") == set(codes.REJECTIONS)


@pytest.mark.parametrize("reason", VERDICTS, ids=str)
def test_each_reason_is_its_verdict(reason: tuple[str, str]) -> None:
    """False is not NO: the reason alone decides."""
    name, number, usable, why = VERDICTS[reason]

    verdict = read_verdict(VERIFY, verdict_row("false", reason))

    assert verdict == Verdict(
        name_match=Finding(name),
        id_match=Finding(number),
        account_usable=Finding(usable),
        reason=why,
        counted=name != "ERROR",
    )
    assert ("reason" in record_of(verdict)) is (why is not None)


@pytest.mark.parametrize("held", ["true", "1"])
def test_a_verification_without_reason_is_yes(held: str) -> None:
    """Both spellings XML Schema has for truth."""
    assert record_of(read_verdict(VERIFY, verdict_row(held, None))) == {
        "name_match": Finding.YES,
        "id_match": Finding.YES,
        "account_usable": Finding.YES,
    }


@pytest.mark.parametrize("reason", UNTOLD, ids=str)
def test_a_reason_that_tells_nothing_is_untold(reason: tuple[str, str]) -> None:
    """Quota and time are the bank's, not the account's."""
    with pytest.raises(DepartmentFailed) as failed:
        read_verdict(VERIFY, verdict_row("false", reason))

    assert failed.value.reason is UNTOLD[reason]


@pytest.mark.parametrize(
    ("held", "reason"),
    [("false", None), ("true", ("Cd", "AC04")), ("0", None), ("yes", None), ("", None)],
)
def test_a_result_that_contradicts_itself_is_malformed(
    held: str, reason: tuple[str, str] | None
) -> None:
    """Neither half is believed."""
    with pytest.raises(AnswerMalformed):
        read_verdict(VERIFY, verdict_row(held, reason))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("王守仁", "王守义"),
        ("370102195603159016", "370102198203150024"),
        ("6217001000000000003", "6217001000000000011"),
        ("103451000025", "102451000017"),
        ("<SchmeNm><Cd>NIDN</Cd></SchmeNm>", ""),
        ("OrgnlPtyAndAcctId", "UpdtdPtyAndAcctId"),
    ],
)
def test_a_row_of_another_question_is_a_mismatch(before: str, after: str) -> None:
    """Whatever it says is not about the account that was asked."""
    text = etree.tostring(verdict_row("true", None), encoding="unicode")
    assert before in text

    with pytest.raises(DepartmentFailed, match="SUBJECT_MISMATCH"):
        read_verdict(VERIFY, etree.fromstring(text.replace(before, after)))


@pytest.mark.parametrize(("activated", "finding"), [("true", "YES"), ("false", "NO")])
def test_an_account_is_read_without_what_nobody_may_see(activated: str, finding: str) -> None:
    """Holder and balance stand in the row, and in no value."""
    row = query_row(SSCARD, "FOUND", account(activated))

    raw = read_query(CARD, row)

    assert raw == {
        "bank_code": "103451000025",
        "account_no": "6217001000000000003",
        "activated": Finding(finding),
    }


@pytest.mark.parametrize("activated", ["1", "0", " true "])
def test_another_spelling_of_activated_is_indeterminate(activated: str) -> None:
    """The manual names two; a third is nothing to guess at."""
    raw = read_query(CARD, query_row(SSCARD, "FOUND", account(activated)))

    assert raw is not None
    assert raw["activated"] is Finding.INDETERMINATE  # type: ignore[index]  # field names are texts here


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        ("ACSC", "", {"result_code": "成功"}),
        ("PDNG", "", {"result_code": "处理中"}),
        *[
            ("RJCT", code, {"result_code": "退票", "return_reason": code})
            for code in ("AC01", "AC04", "AC06", "BE01")
        ],
        ("RJCT", "AC99", {"result_code": "退票"}),
        ("XXXX", "", {}),
    ],
)
def test_each_payment_status_has_its_word(status: str, reason: str, told: dict[str, str]) -> None:
    """An unlisted one is no value; amount, account and holder are none ever."""
    raw = read_query(PAID, query_row(PAYMENT, "FOUND", payment(status, reason)))

    assert raw == {"batch_no": "P20261015001", **told}


@pytest.mark.parametrize(
    "content", [payment("RJCT"), payment("ACSC", "AC04"), payment("PDNG", "BE01")]
)
def test_a_payment_that_contradicts_itself_is_malformed(content: str) -> None:
    """A reason belongs to a returned payment, and to every one."""
    with pytest.raises(AnswerMalformed):
        read_query(PAID, query_row(PAYMENT, "FOUND", content))


def test_a_payment_of_another_batch_is_malformed() -> None:
    """One batch was asked for."""
    asked = question("bk.payment_result", batch="P20260915001")

    with pytest.raises(AnswerMalformed):
        read_query(asked, query_row(PAYMENT, "FOUND", payment("ACSC")))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("MISMATCH", Indeterminate.SUBJECT_UNRESOLVED),
        ("AMBIGUOUS", Indeterminate.SUBJECT_UNRESOLVED),
        ("BUSY", Indeterminate.PROVIDER_TIMEOUT),
        ("TOMORROWS_CODE", Indeterminate.PROVIDER_FAULT),
    ],
)
@pytest.mark.parametrize("asked", [CARD, PAID], ids=["card", "payment"])
def test_a_query_that_tells_nothing_is_untold(
    asked: Question, code: str, reason: Indeterminate
) -> None:
    """None of these is "not found", and none is NO."""
    with pytest.raises(DepartmentFailed) as failed:
        read_query(asked, query_row(asked.operation.answers_in, code))

    assert failed.value.reason is reason


def test_none_is_not_found_and_bad_input_the_askers() -> None:
    """A payment has no finding that could say ERROR."""
    assert read_query(CARD, query_row(SSCARD, "NONE")) is None
    assert read_query(PAID, query_row(PAYMENT, "NONE")) is None
    assert read_query(CARD, query_row(SSCARD, "BAD_INPUT")) == {"activated": Finding.ERROR}
    with pytest.raises(DepartmentFailed, match="QUESTION_REJECTED"):
        read_query(PAID, query_row(PAYMENT, "BAD_INPUT"))


@pytest.mark.parametrize(
    ("code", "content"), [("FOUND", ""), ("NONE", account("true")), ("BUSY", account("true"))]
)
def test_a_result_goes_with_its_code(code: str, content: str) -> None:
    """A result beside "none" is neither."""
    with pytest.raises(AnswerMalformed):
        read_query(CARD, query_row(SSCARD, code, content))


def test_even_not_found_is_about_the_one_who_was_asked() -> None:
    """The number is compared before the code is looked at."""
    other = Question(
        operation=OPERATIONS["bk.sscard_account"],
        subject=Subject(type=SubjectType.RESIDENT_ID, identifier="370102198203150024"),
        name="李明",
    )

    with pytest.raises(DepartmentFailed, match="SUBJECT_MISMATCH"):
        read_query(other, query_row(SSCARD, "NONE"))


def test_the_rows_of_these_tests_are_what_the_schemas_say() -> None:
    """Otherwise they would prove nothing of real messages."""
    row = etree.tostring(query_row(SSCARD, "FOUND", account("true")), encoding="unicode")
    report = (
        f'<Document xmlns="{SSCARD}"><SsCardAcctRpt><MsgId>M</MsgId>'
        "<CreDtTm>2026-11-28T09:30:00+08:00</CreDtTm><OrgnlMsgId>N</OrgnlMsgId>"
        f"{row}</SsCardAcctRpt></Document>"
    )

    assert conforms(SSCARD, etree.fromstring(report))
