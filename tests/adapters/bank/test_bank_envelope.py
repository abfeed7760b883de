"""Answers the front signed and that are still not believed, one rule broken at a time."""

import re
from collections.abc import Callable, Mapping

import pytest
from cryptography import x509
from lxml import etree

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kinds.bank.documents import MAX_ITEMS
from adapters.kinds.bank.envelope import Envelopes, FrontIdentity, Rejected
from adapters.kinds.bank.questions import OPERATIONS
from adapters.kinds.bank.schemas import ACMT_024, ENVELOPE, REJECT, SSCARD
from adapters.kinds.bank.signature import require_es256, sign_letter
from tests.adapters.bank.asking import FRONT, PARTY
from tests.adapters.bank.test_bank_messages import CREATED, signer_of

XSI = "http://www.w3.org/2001/XMLSchema-instance"
FRONTS_KEY = signer_of()
CARD = OPERATIONS["bk.sscard_account"]
ROW = "<Rslt><OrgnlId>1</OrgnlId><Cd>NONE</Cd><IdNb>370102195603159016</IdNb></Rslt>"
ANSWER = (
    f'<FPEnvelope xmlns="{ENVELOPE}"><AppHdr><Fr>{FRONT}</Fr><To>{PARTY}</To>'
    f"<BizMsgIdr>R-1</BizMsgIdr><MsgDefIdr>hts.sscard.rpt.01</MsgDefIdr><CreDt>{CREATED}</CreDt>"
    f'<Rltd>M-1</Rltd></AppHdr><Document xmlns="{SSCARD}"><SsCardAcctRpt><MsgId>R-1</MsgId>'
    f"<CreDtTm>{CREATED}</CreDtTm><OrgnlMsgId>M-1</OrgnlMsgId>{ROW}"
    "</SsCardAcctRpt></Document></FPEnvelope>"
)
REJECTION = (
    f'<FPEnvelope xmlns="{ENVELOPE}"><AppHdr><Fr>{FRONT}</Fr><To>{PARTY}</To>'
    f"<BizMsgIdr>R-1</BizMsgIdr><MsgDefIdr>hts.reject.01</MsgDefIdr><CreDt>{CREATED}</CreDt>"
    f'<Rltd>M-1</Rltd></AppHdr><Document xmlns="{REJECT}"><Rjct><MsgId>R-1</MsgId>'
    f"<CreDtTm>{CREATED}</CreDtTm><OrgnlMsgId>M-1</OrgnlMsgId><Cd>TIM01</Cd><Inf>时间</Inf>"
    "</Rjct></Document></FPEnvelope>"
)


def envelopes(clock: Callable[[], float] = lambda: 0.0) -> Envelopes:
    """Return what opens answers of the front of these tests."""
    registered = x509.load_der_x509_certificate(FRONTS_KEY.certificate_der)
    identity = FrontIdentity(party=PARTY, front=FRONT, signer=FRONTS_KEY, registered=registered)
    return Envelopes(identity, clock)


def signed(text: str) -> bytes:
    """Return an answer as the front would sign it."""
    certificate = require_es256(FRONTS_KEY)
    return sign_letter(etree.fromstring(text.encode()), FRONTS_KEY, certificate)


def test_an_answer_as_agreed_is_opened() -> None:
    """Otherwise the refusals below would prove nothing."""
    rows = envelopes().open(signed(ANSWER), CARD, "M-1", 1)

    assert {number: row.findtext("{*}Cd") for number, row in rows.items()} == {1: "NONE"}


SPOILT: Mapping[str, tuple[str, str, type[AdapterError]]] = {
    "from somebody else": (f"<Fr>{FRONT}", f"<Fr>{PARTY}", DepartmentFailed),
    "to somebody else": (f"<To>{PARTY}", "<To>11370000MB2DEM0287", DepartmentFailed),
    "to a stranger": (f"<To>{PARTY}", f"<To>{'0' * 18}", AnswerMalformed),
    "to another request, outside": ("<Rltd>M-1", "<Rltd>M-2", DepartmentFailed),
    "to another request, inside": ("<OrgnlMsgId>M-1", "<OrgnlMsgId>M-2", DepartmentFailed),
    "to no request": ("<Rltd>M-1</Rltd>", "", DepartmentFailed),
    "two ids": ("<MsgId>R-1", "<MsgId>R-2", AnswerMalformed),
    "two times": (f"<CreDtTm>{CREATED}", "<CreDtTm>2026-11-28T09:30:01+08:00", AnswerMalformed),
    "another operation": ("hts.sscard.rpt.01", "hts.payment.rpt.01", AnswerMalformed),
    "a request": ("hts.sscard.rpt.01", "hts.sscard.req.01", AnswerMalformed),
    "an attribute": ("<SsCardAcctRpt>", '<SsCardAcctRpt a="1">', AnswerMalformed),
    "a nil": (
        "<SsCardAcctRpt>",
        '<SsCardAcctRpt xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="false">',
        AnswerMalformed,
    ),
    "an attribute every schema lets pass": (
        "<SsCardAcctRpt>",
        f'<SsCardAcctRpt xmlns:x="{XSI}" x:schemaLocation="a b">',
        AnswerMalformed,
    ),
    "an element of no schema": ("<Cd>NONE</Cd>", "<Cd>NONE</Cd><Extra/>", AnswerMalformed),
    "a code of no schema": ("<Cd>NONE", "<Cd>MAYBE", AnswerMalformed),
    "no id of a row": ("<OrgnlId>1</OrgnlId>", "", AnswerMalformed),
    "a row nobody asked for": ("<OrgnlId>1<", "<OrgnlId>2<", AnswerMalformed),
    "a row spelled otherwise": ("<OrgnlId>1<", "<OrgnlId>01<", AnswerMalformed),
    "many rows for one question": (
        ROW,
        "".join(ROW.replace(">1<", f">{number}<") for number in range(1, MAX_ITEMS + 1)),
        AnswerMalformed,
    ),
    "ten thousand rows": (ROW, ROW * 10_000, AnswerMalformed),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_signed_answer_that_breaks_a_rule_is_refused(what: str) -> None:
    """A good signature says who wrote it, and not that it is an answer to this question."""
    before, after, error = SPOILT[what]
    spoilt = ANSWER.replace(before, after)
    assert spoilt != ANSWER

    with pytest.raises(error) as refused:
        envelopes().open(signed(spoilt), CARD, "M-1", 1)

    if isinstance(refused.value, DepartmentFailed):
        assert refused.value.reason == "PROVIDER_UNPROVEN"


VERIFICATION = OPERATIONS["bk.account_verify"]
VERIFIED = (
    f'<FPEnvelope xmlns="{ENVELOPE}"><AppHdr><Fr>{FRONT}</Fr><To>{PARTY}</To>'
    f"<BizMsgIdr>R-1</BizMsgIdr><MsgDefIdr>acmt.024.001.04</MsgDefIdr><CreDt>{CREATED}</CreDt>"
    f'<Rltd>M-1</Rltd></AppHdr><Document xmlns="{ACMT_024}"><IdVrfctnRpt><Assgnmt>'
    f"<MsgId>R-1</MsgId><CreDtTm>{CREATED}</CreDtTm>"
    f"<Assgnr><Agt><FinInstnId><Othr><Id>{FRONT}</Id></Othr></FinInstnId></Agt></Assgnr>"
    f"<Assgne><Pty><Id><OrgId><Othr><Id>{PARTY}</Id></Othr></OrgId></Id></Pty></Assgne>"
    f"</Assgnmt><OrgnlAssgnmt><MsgId>M-1</MsgId><CreDtTm>{CREATED}</CreDtTm></OrgnlAssgnmt>"
    "<Rpt><OrgnlId>1</OrgnlId><Vrfctn>true</Vrfctn></Rpt></IdVrfctnRpt></Document></FPEnvelope>"
)


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        (f"<Othr><Id>{FRONT}", "<Othr><Id>91370000MA3DEM094M", AnswerMalformed),
        (f"<Othr><Id>{PARTY}", "<Othr><Id>11370000MB2DEM0287", AnswerMalformed),
        ("<OrgnlAssgnmt><MsgId>M-1", "<OrgnlAssgnmt><MsgId>M-2", DepartmentFailed),
        ("<Assgnmt><MsgId>R-1", "<Assgnmt><MsgId>R-2", AnswerMalformed),
    ],
)
def test_a_verification_names_its_parties_and_its_question(
    before: str, after: str, error: type[AdapterError]
) -> None:
    """Inside the document as well as outside of it."""
    spoilt = VERIFIED.replace(before, after)
    assert spoilt != VERIFIED

    assert set(envelopes().open(signed(VERIFIED), VERIFICATION, "M-1", 1)) == {1}
    with pytest.raises(error):
        envelopes().open(signed(spoilt), VERIFICATION, "M-1", 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"NONE", b"NO<!-- -->NE"),
        (b"NONE", b"NO<?a b?>NE"),
        (b"<FPEnvelope", b"<?a b?><FPEnvelope"),
        (b"<FPEnvelope", b"<!DOCTYPE a><FPEnvelope"),
        (b"UTF-8", b"GBK"),
    ],
)
def test_a_letter_holds_elements_and_nothing_else(before: bytes, after: bytes) -> None:
    """What two readers could read in two ways is not read."""
    letter = signed(ANSWER).replace(before, after, 1)

    with pytest.raises(AnswerMalformed):
        envelopes().open(letter, CARD, "M-1", 1)


def test_a_row_that_stands_twice_answers_nobody() -> None:
    """The question it is about has no row; others would keep theirs."""
    other = ROW.replace(">1<", ">2<")
    letter = signed(ANSWER.replace(ROW, ROW + other + ROW))

    assert set(envelopes().open(letter, CARD, "M-1", 2)) == {2}


def test_an_id_is_seen_for_a_day() -> None:
    """The same answer a second time is no answer; after a day the id may return."""
    now = [0.0]
    opening = envelopes(lambda: now[0])
    opening.open(signed(ANSWER), CARD, "M-1", 1)

    now[0] = 24 * 3600.0
    with pytest.raises(DepartmentFailed, match="UNPROVEN"):
        opening.open(signed(ANSWER), CARD, "M-1", 1)
    now[0] += 1.0
    assert opening.open(signed(ANSWER), CARD, "M-1", 1)


def test_a_rejection_is_told_by_its_code() -> None:
    """With and without the id of the message, which a front may not have read."""
    for text in (REJECTION, re.sub(r"<(Rltd|OrgnlMsgId)>M-1</\1>", "", REJECTION)):
        with pytest.raises(Rejected) as rejected:
            envelopes().open(signed(text), CARD, "M-1", 1)
        assert rejected.value.code == "TIM01"


def test_a_stranger_is_told_that_he_is_one() -> None:
    """PTY01 alone is addressed to nobody."""
    stranger = REJECTION.replace(f"<To>{PARTY}", f"<To>{'0' * 18}")

    with pytest.raises(Rejected) as rejected:
        envelopes().open(signed(stranger.replace("TIM01", "PTY01")), CARD, "M-1", 1)
    assert rejected.value.code == "PTY01"
    with pytest.raises(DepartmentFailed, match="UNPROVEN"):
        envelopes().open(signed(stranger), CARD, "M-1", 1)


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ("<Rltd>M-1</Rltd>", "", AnswerMalformed),
        ("<OrgnlMsgId>M-1</OrgnlMsgId>", "", AnswerMalformed),
        ("M-1", "M-2", DepartmentFailed),
        ("<MsgId>R-1", "<MsgId>R-2", AnswerMalformed),
        ("<Cd>TIM01", "<Cd>tim01", AnswerMalformed),
    ],
)
def test_a_rejection_of_something_else_is_none_of_ours(
    before: str, after: str, error: type[AdapterError]
) -> None:
    """A rejection could stop us as well as an answer could mislead."""
    with pytest.raises(error):
        envelopes().open(signed(REJECTION.replace(before, after)), CARD, "M-1", 1)


def test_where_no_report_is_due_none_is_taken() -> None:
    """Health asks for a message that was never sent."""
    with pytest.raises(AnswerMalformed):
        envelopes().open(signed(ANSWER), None, "M-1", 0)
