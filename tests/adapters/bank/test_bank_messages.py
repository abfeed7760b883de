"""Letters to the front are what its manual shows, octet for octet."""

import base64
import hashlib
import logging
from pathlib import Path

import pytest
from cryptography import x509
from lxml import etree

from adapters.errors import AdapterMisconfigured, DepartmentFailed
from adapters.kinds.bank.documents import Head
from adapters.kinds.bank.envelope import Envelopes, FrontIdentity
from adapters.kinds.bank.questions import OPERATIONS, Question
from adapters.kinds.bank.schemas import FILES, conforms
from adapters.kinds.bank.signature import DS, verify_letter
from adapters.port import Subject, SubjectType
from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.authority import Authority
from certs.naming import SubjectName
from certs.registry_file import KeyPurpose
from gateway.trust import moment
from signing.signer import FileSigner
from tests.adapters.asking import NOW_MS
from tests.adapters.bank.asking import FRONT, PARTY

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "simulators" / "vectors"
VECTOR = (VECTORS / "bank_request.xml").read_bytes()
MANUAL = (ROOT / "docs" / "adapters" / "bank.md").read_text("utf-8")
REGISTERED = x509.load_pem_x509_certificate((VECTORS / "bank_signer.pem").read_bytes())
CREATED = "2026-11-28T09:30:00+08:00"
SUBJECT = Subject(type=SubjectType.RESIDENT_ID, identifier="370102195603159016", full_name="王守仁")


def signer_of(suite: Suite = Suite.ES256, *, certified: bool = True) -> FileSigner:
    """Return a signer made for this test."""
    key: PrivateKey = generate_private_key(suite)
    if not certified:
        return FileSigner.of(key)
    authority = Authority.create(SubjectName(common_name="Root"), at=moment(NOW_MS), sandbox=True)
    certificate = authority.issue_signing(
        SubjectName(common_name="client", organisation=PARTY),
        key.public_key,
        KeyPurpose.ENVELOPE,
        at=moment(NOW_MS),
    )
    return FileSigner.of(key, certificate.der)


def envelopes(signer: FileSigner) -> Envelopes:
    """Return what seals in our name."""
    return Envelopes(FrontIdentity(party=PARTY, front=FRONT, signer=signer, registered=REGISTERED))


def question(dataset: str, account: str = "", batch: str | None = None) -> Question:
    """Return the question of the manual's sample."""
    return Question(
        operation=OPERATIONS[dataset],
        subject=SUBJECT,
        name="王守仁",
        account=account,
        bank_code="103451000025" if account else None,
        batch=batch,
    )


def head_of() -> Head:
    """Return the head of the manual's sample."""
    return Head(sender=PARTY, receiver=FRONT, message_id="M-0001", created=CREATED)


def unsigned(letter: bytes) -> bytes:
    """Return the canonical text a letter's digest is of."""
    root = etree.fromstring(letter)
    root.remove(root[-1])
    return etree.tostring(root, method="c14n", exclusive=True)


def test_a_verification_is_the_vector_octet_for_octet() -> None:
    """All that is signed; the signature itself has random numbers in it."""
    asked = question("bk.account_verify", "6217001000000000003")

    letter = envelopes(signer_of()).seal(asked.operation, "M-0001", CREATED, [asked])

    assert unsigned(letter) == unsigned(VECTOR)
    digest = base64.b64encode(hashlib.sha256(unsigned(letter)).digest()).decode()
    assert digest in MANUAL
    assert f"<ds:DigestValue>{digest}</ds:DigestValue>".encode() in letter


@pytest.mark.parametrize(
    ("dataset", "number", "batch"),
    [("bk.sscard_account", "M-0002", None), ("bk.payment_result", "M-0003", "P20261015001")],
)
def test_a_query_is_the_sample_of_the_manual(dataset: str, number: str, batch: str | None) -> None:
    """Sections 5.1 and 5.2, blanks between elements aside."""
    asked = question(dataset, batch=batch)
    start = MANUAL.index(f'<Document xmlns="{asked.operation.asks_in}"><{asked.operation.body}>')
    sample = MANUAL[start : MANUAL.index("</Document>", start) + len("</Document>")]
    wanted = etree.fromstring(
        sample, etree.XMLParser(remove_blank_text=True, resolve_entities=False)
    )

    letter = envelopes(signer_of()).seal(asked.operation, number, CREATED, [asked])

    document = etree.fromstring(letter)[1]
    assert etree.tostring(document, method="c14n", exclusive=True) == etree.tostring(
        wanted, method="c14n", exclusive=True
    )


def test_our_signature_is_of_the_one_form_we_take() -> None:
    """What we sign we would accept, under our own certificate, and not under another."""
    signer = signer_of()
    asked = question("bk.sscard_account")
    letter = etree.fromstring(envelopes(signer).seal(asked.operation, "M", CREATED, [asked]))
    own = x509.load_der_x509_certificate(signer.certificate_der)

    signed = verify_letter(letter, own)

    assert [etree.QName(child).localname for child in signed] == ["AppHdr", "Document"]
    with pytest.raises(DepartmentFailed, match="UNPROVEN"):
        verify_letter(letter, REGISTERED)


def test_the_vector_is_verified() -> None:
    """Somebody else's signature, made by the script beside it."""
    signed = verify_letter(etree.fromstring(VECTOR), REGISTERED)

    assert signed[0].findtext("{*}BizMsgIdr") == "M-0001"


SPOILT = {
    "text of the document": ("王守仁", "王守义"),
    "text of the header": ("M-0001</BizMsgIdr>", "M-0002</BizMsgIdr>"),
    "reference to a part": ('URI=""', 'URI="#a"'),
    "another canonical form": (
        'CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"',
        'CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"',
    ),
    "another digest": ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"),
    "another algorithm": ("xmldsig-more#ecdsa-sha256", "xmldsig-more#ecdsa-sha512"),
    "no transform": (
        '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>',
        "</ds:Transforms>",
    ),
    "an object": ("</ds:Signature>", "<ds:Object/></ds:Signature>"),
    "a key beside the certificate": ("</ds:X509Data>", "</ds:X509Data><ds:KeyName/>"),
    "an id on the signature": ("<ds:Signature ", '<ds:Signature Id="a" '),
    "a value that is none": ("<ds:SignatureValue>", "<ds:SignatureValue>!"),
    "a digest that is none": ("<ds:DigestValue>", "<ds:DigestValue>!"),
    "a certificate that is none": ("<ds:X509Certificate>", "<ds:X509Certificate>!"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_letter_of_another_form_is_unproven(what: str) -> None:
    """One form, whatever a library would accept."""
    before, after = SPOILT[what]
    spoilt = VECTOR.decode().replace(before, after)
    assert spoilt != VECTOR.decode()

    with pytest.raises(DepartmentFailed, match="UNPROVEN"):
        verify_letter(etree.fromstring(spoilt.encode()), REGISTERED)


def test_two_signatures_are_unproven() -> None:
    """Which of them counts would be the parser's choice."""
    letter = etree.fromstring(VECTOR)
    inner = etree.fromstring(VECTOR)[-1]
    letter[1].append(inner)

    with pytest.raises(DepartmentFailed, match="UNPROVEN"):
        verify_letter(letter, REGISTERED)


def test_no_signature_is_unproven() -> None:
    """Whoever judged the envelope before, this module believes nobody."""
    letter = etree.fromstring(VECTOR)
    letter.remove(letter[-1])

    with pytest.raises(DepartmentFailed, match="UNPROVEN"):
        verify_letter(letter, REGISTERED)


def test_what_is_signed_is_not_written_to_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """The library would write every canonical text where debugging is on."""
    caplog.set_level(logging.DEBUG)
    asked = question("bk.sscard_account")

    envelopes(signer_of()).seal(asked.operation, "M", CREATED, [asked])
    verify_letter(etree.fromstring(VECTOR), REGISTERED)

    assert SUBJECT.identifier not in caplog.text


@pytest.mark.parametrize("signer", [signer_of(Suite.EDDSA), signer_of(certified=False)])
def test_a_key_the_banks_do_not_take_is_refused(signer: FileSigner) -> None:
    """ES256, and a certificate to put beside the signature."""
    with pytest.raises(AdapterMisconfigured, match="ES256"):
        envelopes(signer)


def test_our_schemas_are_the_published_ones() -> None:
    """Two copies, because simulators share nothing with clients; neither may drift."""
    theirs = ROOT / "adapters" / "simulators" / "bank" / "schemas"
    ours = ROOT / "adapters" / "kinds" / "bank" / "schemas"

    assert {file.name for file in ours.glob("*.xsd")} == set(FILES.values())
    for name in FILES.values():
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
    assert (ours / "NOTICE").is_file()


def test_what_no_schema_takes_is_not_sent() -> None:
    """A mistake of ours ends here, and not with everybody else's question at the front."""
    asked = question("bk.payment_result", batch="none")

    with pytest.raises(DepartmentFailed, match="PROVIDER_FAULT"):
        envelopes(signer_of()).seal(asked.operation, "M", CREATED, [asked])


def test_a_signature_is_no_part_of_a_document() -> None:
    """The schemas judge the document alone."""
    letter = etree.fromstring(VECTOR)

    assert conforms(etree.QName(letter[1]).namespace or "", letter[1])
    assert not conforms(etree.QName(letter[1]).namespace or "", letter)
    assert letter[-1].tag == f"{{{DS}}}Signature"
