"""Messages of the tax department: the manual's vectors octet for octet, and what is refused."""

import base64
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from lxml import etree

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.tax.coding import MAX_CONTENT, decode_content, encode_content
from adapters.kinds.tax.envelope import (
    NAMESPACE,
    Head,
    TaxIdentity,
    encode_request,
    parse_reply,
    require_bound,
    sign,
)
from adapters.kinds.tax.manifest import (
    digest_of,
    encode_manifest,
    require_counted,
    require_file,
)
from adapters.kinds.tax.members import NOTHING
from adapters.mapping.documents import parse_json_object
from adapters.port import Indeterminate
from tests.adapters.tax.replies import ACK, KEY, reply

CONTENT = (
    '{"ZJHM":"370203198806019000","XM":"赵晓岚","SSQQ":"202610","SSQZ":"202610","SXBM":"M3",'
    '"BJBH":"case-0001"}'
).encode()
CODED = (
    "eJyrVory8vBVslIyNjcwMjA2tLSwMDAzMLQ0MDBQ0lGKAMm82Lr12czJTzfNAgoEBwcGAoWMDIzMDA0g/CgUfoQTSIuv"
    "MZDt5OXkAWQnJxan6gKNM1SqBQBZHBy2"
)
HEAD = Head(
    session_id="4f9d1f6e0f6d4e0f9b1f0a2c3d4e5f60",
    service_id="SWZJ.HXZG.CX.GRSBFJF",
    client_no="HRSS370000",
    tran_seq="2026110100000001",
    repeat=False,
    requested_at="20261101093000",
)
ASKED = (HEAD.session_id, HEAD.service_id, HEAD.client_no, HEAD.tran_seq)
NAME = "HRSS370000_2026110100000001_01"
IDENTITY = TaxIdentity(client_no="HRSS370000", supplier="hrss", sign_key=KEY)
PATHS = [
    *("sessionId", "service/serviceId", "service/clientNo", "service/tranSeq"),
    *("service/repeatFlag", "service/tranReqDate", "identity/application/applicationId"),
    *("identity/application/supplier", "identity/application/version"),
    *("identity/application/authenticateType", "identity/application/password"),
    *("identity/application/cert", "signData/signType", "signData/signSource"),
    *("signData/signValue", "contentControl/control/id", "contentControl/control/type"),
    *("contentControl/control/impl", "contentControl/control/id", "contentControl/control/type"),
    *("contentControl/control/impl", "businessContent/subPackage/id"),
    "businessContent/subPackage/content",
]
"""Every text of a request, in the manual's order (section 4)."""


def test_the_manuals_signatures_are_ours() -> None:
    """Of the request and of its acknowledgement; the content has 109 octets."""
    assert len(CONTENT) == 109
    assert sign(KEY, (*ASKED, ""), [("1", CONTENT)]) == (
        "4e45c1b7a690105d0789bb63e76f552406ab76f03a5c590d079acc30cde3c48e"
    )
    assert sign(KEY, (*ASKED, "00000000"), []) == (
        "402420844aa9fb510b8313cda40919a84c80404647696abf9b2231972edb27bf"
    )


def test_the_manuals_coding_and_digest_are_ours() -> None:
    """Decoded octet for octet; another level of compression may code it otherwise."""
    assert decode_content(CODED) == CONTENT
    assert decode_content(encode_content(CONTENT)) == CONTENT
    assert digest_of(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_a_request_is_the_manuals_envelope() -> None:
    """Every text in its place, under the one namespace, signed as the vector is."""
    xml = encode_request(IDENTITY, HEAD, [("1", CONTENT)])

    root = etree.fromstring(xml)
    texts = [each for each in root.iter() if not len(each)]
    paths = [
        "/".join(
            etree.QName(step).localname for step in [*reversed([*each.iterancestors()]), each][1:]
        )
        for each in texts
    ]
    values = [each.text or "" for each in texts]
    assert xml.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n")
    assert {etree.QName(each).namespace for each in root.iter()} == {NAMESPACE}
    assert not [each for each in root.iter() if each.attrib]
    assert paths == PATHS
    assert values[:-1] == [
        *(HEAD.session_id, HEAD.service_id, "HRSS370000", "2026110100000001", "N"),
        *("20261101093000", "HRSS370000", "hrss", "1.0", "KEY", "", "", "HMAC-SHA256", "CONTENT"),
        "4e45c1b7a690105d0789bb63e76f552406ab76f03a5c590d079acc30cde3c48e",
        *("1", "zip", "Zlib", "2", "code", "Base64", "1"),
    ]
    assert decode_content(values[-1]) == CONTENT


def test_a_repetition_differs_in_its_flag_and_session_alone() -> None:
    """The signature does not cover the flag (section 4)."""
    first = encode_request(IDENTITY, HEAD, [("1", CONTENT)])
    again = first.replace(b"<repeatFlag>N<", b"<repeatFlag>Y<")
    repeated = Head(**{**{name: getattr(HEAD, name) for name in HEAD.__slots__}, "repeat": True})

    assert encode_request(IDENTITY, repeated, [("1", CONTENT)]) == again


def test_a_manifest_is_of_its_file() -> None:
    """Six members; each of them is compared when it comes back."""
    xml = encode_request(IDENTITY, HEAD, [("1", CONTENT)])
    manifest = encode_manifest(NAME, HEAD.tran_seq, 1, xml)

    assert parse_json_object(manifest) == {
        "file": f"{NAME}.xml",
        "tranSeq": HEAD.tran_seq,
        "records": 1,
        "sum": "0.00",
        "size": len(xml),
        "sm3": digest_of(xml),
    }
    assert require_file(manifest, NAME, HEAD.tran_seq, xml) == (1, "0.00")
    require_counted((1, "0.00"), 1, NOTHING)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b"_01.xml", b"_02.xml"),
        lambda text: text.replace(b'"2026110100000001"', b'"2026110100000002"'),
        lambda text: text.replace(b'"records":1', b'"records":"1"'),
        lambda text: text.replace(b'"records":1', b'"records":true'),
        lambda text: text.replace(b'"sum":"0.00"', b'"sum":0'),
        lambda text: text.replace(b'"size":', b'"size":1'),
        lambda text: text.replace(b'"sm3":"', b'"sm3":"0'),
        lambda text: text.replace(b'"size"', b'"SIZE"'),
        lambda text: text[:-1] + b',"more":1}',
        lambda text: text[:-1] + b',"records":1}',
        lambda _: b"[]",
        lambda _: b"",
        lambda text: text.decode().encode("utf-16"),
    ],
)
def test_a_manifest_of_anything_else_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    """One wrong member spoils the file."""
    xml = encode_request(IDENTITY, HEAD, [("1", CONTENT)])

    with pytest.raises(AnswerMalformed):
        require_file(spoil(encode_manifest(NAME, HEAD.tran_seq, 1, xml)), NAME, HEAD.tran_seq, xml)


@pytest.mark.parametrize("told", [(2, "0.00"), (1, "1.00"), (1, "0.0"), (1, "-0.00"), (1, "")])
def test_a_count_or_sum_that_differs_is_refused(told: tuple[int, str]) -> None:
    """In its one spelling."""
    with pytest.raises(AnswerMalformed):
        require_counted(told, 1, NOTHING)


@pytest.mark.parametrize(
    "coded",
    [
        "",
        "not base64!",
        CODED + "\n",
        CODED.replace("eJyr", " eJyr"),
        # The last bits of the last character say nothing: another spelling of the same octets.
        "eJwDAAAAAAF=",
        base64.b64encode(zlib.compress(CONTENT) + b"\0").decode(),
        base64.b64encode(zlib.compress(CONTENT)[:-1]).decode(),
        base64.b64encode(CONTENT).decode(),
        base64.urlsafe_b64encode(b"\xff" + zlib.compress(CONTENT)).decode(),
        base64.b64encode(zlib.compress(bytes(2**26))).decode(),
    ],
)
def test_content_coded_otherwise_is_refused(coded: str) -> None:
    """One alphabet, one stream, no more octets than allowed, and none behind."""
    with pytest.raises(AnswerMalformed):
        decode_content(coded)


def test_a_limit_is_met_and_not_passed() -> None:
    """Exactly as much as allowed is not too much."""
    assert decode_content(encode_content(bytes(100)), 100) == bytes(100)
    with pytest.raises(AnswerMalformed, match="larger"):
        decode_content(encode_content(bytes(101)), 100)


def test_a_bomb_is_met_and_never_grown() -> None:
    """64 MiB behind 64 KiB: what is decoded of them is what is allowed."""
    bomb = base64.b64encode(zlib.compress(bytes(2**26))).decode()
    tracemalloc.start()

    with pytest.raises(AnswerMalformed, match="larger"):
        decode_content(bomb)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MAX_CONTENT


def test_an_acknowledgement_is_read_and_bound() -> None:
    """The manual's own, with the signature of its vector."""
    read = parse_reply(reply(HEAD), KEY)

    require_bound(read, HEAD)
    assert (read.code, read.parts) == ("00000000", ())
    assert b"402420844aa9fb510b8313cda40919a84c80404647696abf9b2231972edb27bf" in reply(HEAD)


def test_cdata_is_text() -> None:
    """Section 4: the same as text."""
    xml = reply(HEAD).replace(b"<returnMessage>ok<", b"<returnMessage><![CDATA[ok]]><")

    assert parse_reply(xml, KEY).code == "00000000"


@pytest.mark.parametrize(
    "change",
    [
        {"session_id": "0" * 32},
        {"tran_seq": "2026110100000002"},
        {"service_id": "SWZJ.HXZG.CX.NSRXX"},
        {"client_no": "HRSS370001"},
        {"repeat": True},
        {"requested_at": "20261101093001"},
    ],
)
def test_an_answer_to_another_submission_is_unproven(change: dict[str, str | bool]) -> None:
    """Its signature is right, and it answers nothing of ours."""
    other = Head(**{**{name: getattr(HEAD, name) for name in HEAD.__slots__}, **change})

    with pytest.raises(DepartmentFailed) as failed:
        require_bound(parse_reply(reply(other), KEY), HEAD)

    assert failed.value.reason is Indeterminate.PROVIDER_UNPROVEN


def test_what_could_not_be_read_repeats_only_its_number() -> None:
    """Section 4; any other refusal repeats everything, and no refusal another's number."""
    bare = reply(HEAD, code="90000001", blank=True)

    require_bound(parse_reply(bare, KEY), HEAD)
    for code, tran_seq in (("90000003", HEAD.tran_seq), ("90000001", "2026110100000002")):
        other = Head(
            **{**{name: getattr(HEAD, name) for name in HEAD.__slots__}, "tran_seq": tran_seq}
        )
        with pytest.raises(DepartmentFailed):
            require_bound(parse_reply(reply(other, code=code, blank=True), KEY), HEAD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<returnCode>00000000<", b"<returnCode>00000001<"),
        (b"<tranSeq>2026110100000001<", b"<tranSeq>2026110100000002<"),
        (HEAD.session_id.encode(), b"0" * 32),
        (ACK.encode(), b"0" * 64),
    ],
)
def test_a_flipped_text_is_unproven(old: bytes, new: bytes) -> None:
    """Whatever the signature covers."""
    with pytest.raises(DepartmentFailed) as failed:
        parse_reply(reply(HEAD).replace(old, new), KEY)

    assert failed.value.reason is Indeterminate.PROVIDER_UNPROVEN


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<tiripPackage ", b"<!DOCTYPE a [<!ENTITY b 'c'>]><tiripPackage "),
        (b"<service>", b"<!-- --><service>"),
        (b"<service>", b"<?a b?><service>"),
        (b"<service>", b"text<service>"),
        (b"<service>", b"<service a='b'>"),
        (b"<sessionId>", b"<sessionId a='b'>"),
        (b"</sessionId>", b"<more/></sessionId>"),
        (b"<service>", b"<more/><service>"),
        (b"<businessContent/>", b""),
        (b"<businessContent/>", b"<businessContent/><businessContent/>"),
        (b"<businessContent/>", b"<businessContent><other/></businessContent>"),
        (
            b"<businessContent/>",
            b"<businessContent><subPackage><id>_</id><content/></subPackage></businessContent>",
        ),
        (b"<type>zip</type>", b"<type>crypt</type>"),
        (b"<id>1</id><type>zip", b"<id>3</id><type>zip"),
        (b"</contentControl>", b"<other/></contentControl>"),
        (b"HMAC-SHA256", b"HMAC-SM3"),
        (ACK.encode(), ACK.upper().encode()),
        (NAMESPACE.encode(), b"http://another.invalid/"),
        (b"UTF-8", b"GB18030"),
        (b"</tiripPackage>", b""),
    ],
)
def test_another_envelope_is_malformed(old: bytes, new: bytes) -> None:
    """Everything in its place, and nothing else."""
    spoiled = reply(HEAD).replace(old, new, 1)

    assert spoiled != reply(HEAD)
    with pytest.raises(AnswerMalformed):
        parse_reply(spoiled, KEY)


def test_no_repr_shows_a_key_or_a_question() -> None:
    """What may be logged by accident tells nothing."""
    shown = repr(IDENTITY) + repr(parse_reply(reply(HEAD, parts=[("1", CONTENT)]), KEY))

    assert "demo-sign-key" not in shown
    assert "ZJHM" not in shown
