"""What the front of the banks refuses: each code of the manual, section 6, and in which order."""

import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import SignatureConstructionMethod
from signxml.signer import XMLSigner

from adapters.simulators.bank.pki import make_pki
from adapters.simulators.bank.refusals import STATUSES, Refused
from adapters.simulators.bank.signature import require_signature
from adapters.simulators.population import Person, Population, Quirk, account_of, planted_index
from adapters.simulators.virtual_clock import VirtualClock
from tests.simulators.bank_client import (
    DSIG,
    EC,
    ENVELOPE,
    EXCLUSIVE,
    FRONT,
    PATH,
    REPORT,
    REQUEST,
    US,
    BankClient,
    Letter,
    bank_client,
    check,
    query,
    rows,
    tls,
)
from tests.simulators.simulator_process import Running, running

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "bank.md"


@pytest.fixture
def pensioner(people: Population) -> Person:
    """An ordinary pensioner."""
    return people.person(planted_index(Quirk.ORDINARY_PENSIONER))


@pytest.fixture
def letter(banker: BankClient, pensioner: Person) -> Letter:
    """A good request about one account."""
    return banker.checks([check(pensioner, account_of(pensioner))])


def test_the_manual_lists_exactly_the_codes_there_are() -> None:
    """Code by code with its status, in the order in which they are judged."""
    section = MANUAL.read_text().split("## 6")[1].split("## 7")[0]

    listed = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", section, re.MULTILINE)

    assert {code: int(status) for status, code in listed} == {
        code: status for code, (status, _) in STATUSES.items()
    }


def test_nobody_gets_in_without_a_certificate(bank: Running, bank_pki: Path) -> None:
    """The TLS handshake fails, or what follows it does."""
    context = tls(bank_pki, certificate=False)
    with (
        httpx.Client(verify=context, trust_env=False) as stranger,
        pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)),
    ):
        stranger.post(bank.url + PATH, content=b"<x/>")


def test_a_certificate_of_another_authority_is_refused(
    bank: Running, bank_pki: Path, tmp_path: Path
) -> None:
    """Made the same way, by somebody else."""
    make_pki(tmp_path / "pki", VirtualClock().local())
    context = tls(bank_pki, certificate=False)
    context.load_cert_chain(tmp_path / "pki" / "client.pem", tmp_path / "pki" / "client.key")
    with (
        httpx.Client(verify=context, trust_env=False) as stranger,
        pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)),
    ):
        stranger.post(bank.url + PATH, content=b"<x/>")


def test_a_certificate_nobody_registered_is_told_so(
    banker: BankClient, bank: Running, bank_pki: Path
) -> None:
    """The authority issued it, the registration file does not name it."""
    context = tls(bank_pki, certificate=False)
    context.load_cert_chain(bank_pki / "client_sign.pem", bank_pki / "client_sign.key")
    with httpx.Client(verify=context, trust_env=False) as stranger:
        answer = stranger.post(bank.url + PATH, content=b"<x/>")

    assert banker.code(answer) == (403, "PTY01")
    assert etree.fromstring(answer.content)[0][1].text == "0" * 18


def test_another_sender_is_refused(banker: BankClient, letter: Letter) -> None:
    """Fr names somebody the TLS certificate does not."""
    answer = banker.send(replace(letter, sender="91370000MA3DEM0000"))

    assert banker.code(answer) == (403, "PTY01")
    assert etree.fromstring(answer.content)[0].findtext(f"{{{ENVELOPE}}}Rltd") == letter.id


@pytest.mark.parametrize("kind", ["text/xml", "application/json", "application/xml; charset=GBK"])
def test_another_media_type_is_refused(banker: BankClient, letter: Letter, kind: str) -> None:
    """One media type, one charset."""
    answer = banker.post(banker.seal(letter.text()), kind)

    assert banker.code(answer) == (415, "MED01")


@pytest.mark.parametrize("path", ["/", "/bank/v1/messages/unknown", "/bank/v2/messages"])
def test_an_unknown_place_is_a_signed_404(banker: BankClient, path: str) -> None:
    """Unknown path or message."""
    assert banker.code(banker.http.get(path)) == (404, "MSG01")
    assert banker.code(banker.http.put(PATH)) == (404, "MSG01")


def test_a_body_too_large_is_refused(banker: BankClient) -> None:
    """More than 4 MiB."""
    assert banker.code(banker.post(b" " * (4 * 1024 * 1024 + 1))) == (413, "LIM02")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<",
        b"\xff\xfe<\x00x\x00/\x00>\x00",
        b"\xef\xbb\xbf<x/>",
        b'<?xml version="1.0" encoding="GBK"?><x/>',
        b'<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>',
        b"<x>a<!-- b -->c</x>",
        b"<x><?y z?></x>",
        b"<a>" * 5_000,
    ],
)
def test_what_is_no_plain_xml_is_refused(banker: BankClient, body: bytes) -> None:
    """Empty, cut, another encoding, a document type, a comment, a depth."""
    answer = banker.post(body)

    assert banker.code(answer) == (400, "XML01")
    assert etree.fromstring(answer.content)[0].find(f"{{{ENVELOPE}}}Rltd") is None


def _code(banker: BankClient, text: str) -> str:
    return banker.code(banker.post(banker.seal(text)))[1]


def test_what_does_not_fit_a_schema_is_refused(banker: BankClient, letter: Letter) -> None:
    """Another root, a wrong header, a wrong Document, an attribute no message has."""
    text = letter.text()
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"'

    assert _code(banker, "<x/>") == "XSD01"
    assert _code(banker, text[text.index("<Document") : text.index("</FPE")]) == "XSD01"
    assert _code(banker, text.replace("+08:00</CreDt>", "Z</CreDt>")) == "XSD01"
    assert _code(banker, text.replace("<Vrfctn><Id>1</Id>", "<Vrfctn>")) == "XSD01"
    assert _code(banker, text.replace("<IdVrfctnReq>", f"<IdVrfctnReq {xsi}>")) == "XSD01"
    assert _code(banker, text.replace("<AppHdr>", f"<AppHdr {xsi}>")) == "XSD01"


def test_a_header_that_does_not_fit_is_refused(banker: BankClient, letter: Letter) -> None:
    """Receiver, kind, identifier, time, relation, parties."""
    text, other = letter.text(), "91370000MA3DEM0000"
    changed = [
        text.replace(f"<To>{FRONT}", f"<To>{other}"),
        text.replace("<MsgDefIdr>acmt.023.001.04", "<MsgDefIdr>acmt.024.001.04"),
        text.replace("<MsgDefIdr>acmt.023.001.04", "<MsgDefIdr>hts.sscard.req.01"),
        text.replace("<BizMsgIdr>M", "<BizMsgIdr>N"),
        text.replace("</CreDt>", "</CreDt><Rltd>M-1</Rltd>"),
        text.replace(f"<CreDt>{letter.created}", f"<CreDt>{banker.created(-9)}"),
        text.replace(f"<Id>{US}", f"<Id>{other}"),
        text.replace(f"<Id>{FRONT}", f"<Id>{other}"),
    ]

    assert {_code(banker, one) for one in changed} == {"HDR01"}


@pytest.mark.parametrize("seconds", [-310, 310])
def test_a_wrong_clock_is_refused(banker: BankClient, letter: Letter, seconds: int) -> None:
    """More than 300 seconds early or late."""
    text = letter.text().replace(letter.created, banker.created(seconds))

    assert _code(banker, text) == "TIM01"


def test_what_the_profile_does_not_know_is_refused(
    banker: BankClient, pensioner: Person, letter: Letter
) -> None:
    """Valid by the official schema, and outside of what the banks agreed on."""
    text, account = letter.text(), account_of(pensioner)
    second = "<Othr><Id>1</Id></Othr></PrvtId>"
    extra = '<SplmtryData><Envlp><y xmlns="urn:y"/></Envlp></SplmtryData></IdVrfctnReq>'
    changed = [
        text.replace("<Cd>NIDN</Cd>", "<Cd>CCPT</Cd>"),
        text.replace("<SchmeNm><Cd>NIDN</Cd></SchmeNm>", ""),
        text.replace(f"<Nm>{pensioner.full_name}</Nm>", ""),
        text.replace(f"<Acct><Id><Othr><Id>{account.account_no}</Id></Othr></Id></Acct>", ""),
        text.replace("<Cd>CNAPS</Cd>", "<Cd>CNABC</Cd>"),
        text.replace("<MmbId>", "<MmbId>9"),
        text.replace("<ClrSysId><Cd>CNAPS</Cd></ClrSysId>", ""),
        text.replace("</PrvtId>", second),
        text.replace("</IdVrfctnReq>", extra),
        text.replace("<Assgnr><Pty>", "<Assgnr><Pty><Nm>x</Nm>"),
    ]

    assert {_code(banker, one) for one in changed} == {"PRF01"}


def test_too_many_items_or_one_identifier_twice_is_refused(
    banker: BankClient, pensioner: Person
) -> None:
    """501 checks, or two with the same Id, in each kind of message."""
    account = account_of(pensioner)
    many = [check(pensioner, account, id=str(number)) for number in range(501)]
    twice = [query(pensioner), query(pensioner)]

    assert banker.code(banker.send(banker.checks(many))) == (400, "LIM01")
    assert banker.code(banker.send(banker.checks([many[0], many[0]]))) == (400, "LIM01")
    for kind in ("hts.sscard.req.01", "hts.payment.req.01"):
        assert banker.code(banker.send(banker.queries(kind, twice))) == (400, "LIM01")
    assert banker.send(banker.checks(many[:500])).status_code == 202


def test_a_refused_identifier_is_not_used_up(banker: BankClient, letter: Letter) -> None:
    """Only a message that was taken uses its identifier; a day later it is new again."""
    wrong = letter.text().replace("<Cd>NIDN</Cd>", "<Cd>CCPT</Cd>")

    assert _code(banker, wrong) == "PRF01"
    assert rows(banker.ask(letter))
    assert banker.code(banker.send(letter)) == (409, "DUP01")


def test_more_than_twenty_requests_in_a_second_are_refused(
    banker: BankClient, bank: Running
) -> None:
    """The one too many says when to come back; a second later all is well."""
    answers = [banker.http.get(f"{PATH}/x") for _ in range(40)]
    bank.advance(1_000)
    later = banker.http.get(f"{PATH}/x")

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert len(answers) - len(refused) >= 20
    assert refused[0].headers["Retry-After"] == "1"
    assert banker.code(refused[0]) == (429, "QTA01")
    assert later.status_code == 404


def _sealed(banker: BankClient, letter: Letter) -> etree._Element:
    return etree.fromstring(banker.seal(letter.text()))


def _refused(banker: BankClient, root: etree._Element) -> bool:
    return banker.code(banker.post(etree.tostring(root))) == (401, "SIG01")


def test_a_changed_message_is_refused(banker: BankClient, letter: Letter) -> None:
    """One character of the header, of the Document, of the value, of the certificate."""
    body = banker.seal(letter.text()).decode()
    value = re.search(r"SignatureValue>([^<]+)<", body)
    digest = re.search(r"DigestValue>([^<]+)<", body)
    assert value is not None
    assert digest is not None
    changed = [
        body.replace(letter.id, letter.id[:-1] + ("0" if letter.id[-1] != "0" else "1")),
        body.replace("<Vrfctn><Id>1", "<Vrfctn><Id>2"),
        body.replace(value[1], value[1][::-1].lstrip("=") + "=="),
        body.replace(value[1], "AAAA"),
        body.replace(value[1], "not base64 at all"),
        body.replace(digest[1], "A" * 43 + "="),
    ]

    for one in changed:
        assert banker.code(banker.post(one.encode())) == (401, "SIG01")


def test_another_key_is_refused(banker: BankClient, letter: Letter) -> None:
    """The registered certificate beside a signature of somebody else, and his own."""
    good = banker.seal(letter.text()).decode()
    banker.key = ec.generate_private_key(ec.SECP256R1())
    with_ours = banker.seal(letter.text())
    banker.certificate = banker.bank
    with_theirs = banker.seal(letter.text())

    assert banker.code(banker.post(with_ours)) == (401, "SIG01")
    assert banker.code(banker.post(with_theirs)) == (401, "SIG01")
    assert banker.post(good.encode()).status_code == 200


def _signed(
    banker: BankClient, letter: Letter, signer: XMLSigner, *, key_value: bool = False
) -> etree._Element:
    return signer.sign(
        etree.fromstring(letter.text()),
        key=banker.key,
        cert=[banker.certificate],
        always_add_key_value=key_value,
    )


def test_another_form_of_signature_is_refused(banker: BankClient, letter: Letter) -> None:
    """Other canonical form, other digest, a key value, two signatures, one deeper."""
    inclusive = XMLSigner(signature_algorithm=EC)
    larger = XMLSigner(signature_algorithm=EC, c14n_algorithm=EXCLUSIVE, digest_algorithm="sha512")
    valued = XMLSigner(signature_algorithm=EC, c14n_algorithm=EXCLUSIVE)
    twice = _sealed(banker, letter)
    twice.append(etree.fromstring(etree.tostring(twice[2])))

    assert _refused(banker, _signed(banker, letter, inclusive))
    assert _refused(banker, _signed(banker, letter, larger))
    assert _refused(banker, _signed(banker, letter, valued, key_value=True))
    assert banker.code(banker.post(etree.tostring(twice)))[1] == "XSD01"


def test_a_signature_over_something_carried_along_is_refused(
    banker: BankClient, letter: Letter, pensioner: Person
) -> None:
    """The wrapping attack: a good signature in the message, over another element."""
    other = etree.fromstring(letter.text().replace(pensioner.full_name, "某人"))
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloping,
        signature_algorithm=EC,
        c14n_algorithm=EXCLUSIVE,
    )
    original = etree.fromstring(letter.text())[1]
    other.append(signer.sign(original, key=banker.key, cert=[banker.certificate]))

    assert _refused(banker, other)


def test_a_signature_over_a_part_is_refused(banker: BankClient, letter: Letter) -> None:
    """Good, of the right key, over the Document alone: the header is nobody's word."""
    source = etree.fromstring(letter.text().replace("<Document ", '<Document Id="d" '))
    signer = XMLSigner(signature_algorithm=EC, c14n_algorithm=EXCLUSIVE)
    signed = signer.sign(
        source, key=banker.key, cert=[banker.certificate], reference_uri="#d", id_attribute="Id"
    )

    with pytest.raises(Refused):
        require_signature(signed, banker.certificate)


def test_a_message_without_a_signature_does_not_fit(banker: BankClient, letter: Letter) -> None:
    """The envelope's schema wants one."""
    answer = banker.post(letter.text().encode())

    assert banker.code(answer) == (400, "XSD01")
    assert DSIG not in letter.text()


def test_the_keys_of_a_sandbox_are_for_their_owner_alone(bank: Running, bank_pki: Path) -> None:
    """The folder 0700, every file 0600, and no key of the authority."""
    files = {path.name: path.stat().st_mode & 0o777 for path in bank_pki.iterdir()}

    assert bank.pid > 0
    assert bank_pki.stat().st_mode & 0o777 == 0o700
    assert set(files.values()) == {0o600}
    assert "ca.key" not in files
    assert {"ca.pem", "server.key", "bank_sign.pem", "client.key", "callers.json"} <= set(files)


def test_keys_can_be_handed_over(bank: Running, bank_pki: Path, people: Population) -> None:
    """The same files by their options, as an operator would give them."""
    assert bank.pid > 0
    named = {
        "--tls-cert": "server.pem",
        "--tls-key": "server.key",
        "--tls-client-ca": "ca.pem",
        "--sign-cert": "bank_sign.pem",
        "--sign-key": "bank_sign.key",
        "--callers": "callers.json",
    }
    options = [part for name, file in named.items() for part in (name, str(bank_pki / file))]
    person = people.person(planted_index(Quirk.ORDINARY_PENSIONER))
    with running("bank", *options) as handed:
        client = bank_client(handed.url, bank_pki, handed.now_ms)
        with client.http:
            report = client.ask(client.checks([check(person, account_of(person))]))

    assert rows(report)[0].findtext(f"{{{REPORT}}}Vrfctn") == "true"
    assert REQUEST != REPORT
