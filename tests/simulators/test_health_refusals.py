"""Each refusal of the health simulator has the code its manual names."""

import json
import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx
import pytest
import zeep.exceptions

from adapters.simulators.health import app
from adapters.simulators.health.quota import Quota
from adapters.simulators.population import Population, Quirk, planted_index
from tests.simulators.health_client import (
    BIRTH,
    DEATH,
    REGISTERED,
    HealthClient,
    about,
    encoded,
    signature,
)
from tests.simulators.simulator_process import Running, running

ARABIC_INDIC = "".join(chr(0x660 + int(digit)) for digit in "1767225600000")
"""Digits for `str.isdigit` and `int`, not for the manual."""
MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "health.md"


def _fault(answer: httpx.Response) -> tuple[str, str]:
    """Read a SOAP fault: its side and its code."""
    assert answer.status_code == 500
    root = fromstring(answer.content)  # noqa: S314 - a loopback simulator wrote it
    (side,), (code,) = root.iter("faultcode"), root.iter("code")
    return str(side.text), str(code.text)


def test_the_manual_lists_exactly_the_platform_codes() -> None:
    """No code is sent that the manual does not explain."""
    section = MANUAL.read_text().split("\n## 2")[1].split("\n## ")[0]

    assert set(re.findall(r"^\| `(HC-\d+)` \|", section, re.MULTILINE)) == set(app._MESSAGES)


def test_a_wrong_signature_and_an_unknown_requester_look_alike(hospital: HealthClient) -> None:
    """Both are HC-4011, letter by letter the same answer."""
    request = hospital.question()
    stranger = hospital.post(hospital.envelope(request, appId="hc_nobody"))
    forged = hospital.post(hospital.envelope(request, sign="A" * 43 + "="))

    assert _fault(stranger) == ("soap:Client", "HC-4011")
    assert stranger.content == forged.content


def test_a_signature_binds_the_question(hospital: HealthClient) -> None:
    """The header of one question does not carry another."""
    header = hospital.credentials(DEATH, hospital.question())

    answer = hospital.post(hospital.envelope(hospital.question(XM="别人"), **header))

    assert _fault(answer)[1] == "HC-4011"


def test_a_signature_binds_the_operation(hospital: HealthClient) -> None:
    """What was signed as one operation is not answered as the other."""
    request = hospital.question()

    with pytest.raises(zeep.exceptions.Fault, match="HC-4011"):
        hospital.ask(BIRTH, request, **hospital.credentials(DEATH, request))


@pytest.mark.parametrize(
    ("late_ms", "code"), [(290_000, None), (-290_000, None), (310_000, "4012"), (-310_000, "4012")]
)
def test_the_window_is_five_minutes_either_way(
    hospital: HealthClient, late_ms: int, code: str | None
) -> None:
    """Inside it is answered, outside refused, whoever's clock is wrong."""
    request = hospital.question()
    stamp, nonce = str(hospital.now_ms() - late_ms), f"nonce{late_ms}"
    sign = signature(hospital.app_key, (hospital.app_id, stamp, nonce, DEATH, request))

    answer = hospital.post(hospital.envelope(request, timestamp=stamp, nonce=nonce, sign=sign))

    assert (None if answer.status_code == 200 else _fault(answer)[1]) == (code and f"HC-{code}")


def test_a_nonce_is_spent_by_a_good_call_alone(hospital: HealthClient) -> None:
    """A forged call leaves it; the second good one is HC-4013."""
    request = hospital.question()
    header = hospital.credentials(DEATH, request)
    forged = hospital.envelope(request, **{**header, "sign": "A" * 43 + "="})
    right = hospital.envelope(request, **header)

    codes = [hospital.post(body) for body in (forged, right, right)]

    assert _fault(codes[0])[1] == "HC-4011"
    assert codes[1].status_code == 200
    assert _fault(codes[2])[1] == "HC-4013"


def test_an_operation_not_granted_is_refused(health: Running) -> None:
    """The narrow requester may ask about births alone."""
    client = HealthClient(
        url=health.url, now_ms=health.now_ms, app_id="narrow", app_key="narrow-key"
    )

    with pytest.raises(zeep.exceptions.Fault, match="HC-4030"):
        client.ask(DEATH, client.question())
    reply = client.ask(BIRTH, client.question())
    client.close()

    assert reply.success == "0"


@pytest.mark.parametrize(
    "changed",
    [
        {"appId": ""},
        {"appId": "a" * 65},
        {"nonce": "with space"},
        {"nonce": "随机"},
        {"timestamp": "176722560000"},
        {"timestamp": ARABIC_INDIC},
        {"sign": ""},
        {"extra": "1"},
    ],
    ids="-".join,
)
def test_a_header_of_another_form_is_refused(
    hospital: HealthClient, changed: dict[str, str]
) -> None:
    """Empty, too long, invisible, other digits, one element more."""
    answer = hospital.post(hospital.envelope(hospital.question(), **changed))

    assert _fault(answer) == ("soap:Client", "HC-4010")


@pytest.mark.parametrize("header", ["", "<s:Header/>", "<s:Header><!--x--></s:Header>"])
def test_a_call_without_header_is_refused(hospital: HealthClient, header: str) -> None:
    """No Header element, an empty one, a remark: no caller."""
    body = re.sub("<s:Header>.*</s:Header>", header, hospital.envelope(hospital.question()))

    assert _fault(hospital.post(body))[1] == "HC-4010"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("getSwyxzmInfo", "getEverything"),
        ("http://webservice.health.invalid", "http://webservice.health.invalid/"),
        ("<s:Body>", "<s:Body/><s:Body>"),
        ("<h:requestXml>", "<h:requestXml><h:deep/>"),
        ("h:requestXml>", "h:requestxml>"),
        ("<s:Envelope", "<!DOCTYPE s []><s:Envelope"),
        ("</s:Envelope>", ""),
        ("<h:requestXml>", "<!--x--><h:requestXml>"),
    ],
)
def test_an_envelope_of_another_form_is_refused(hospital: HealthClient, old: str, new: str) -> None:
    """Another operation, namespace, shape; a DTD; half a document."""
    answer = hospital.post(hospital.envelope(hospital.question()).replace(old, new))

    assert _fault(answer) == ("soap:Client", "HC-4001")


def test_a_dtd_in_another_encoding_is_refused(hospital: HealthClient) -> None:
    """Two octets per letter hide no document type."""
    text = "<!DOCTYPE s []>" + hospital.envelope(hospital.question())

    assert _fault(hospital.post(text.encode("utf-16")))[1] == "HC-4001"


def test_media_type_and_action_are_demanded(hospital: HealthClient) -> None:
    """JSON is refused, so is a call without SOAPAction."""
    body = hospital.envelope(hospital.question())

    other = hospital.post(body, **{"Content-Type": "application/json"})
    bare = hospital.http.post(
        str(other.url), content=body.encode(), headers={"Content-Type": "text/xml"}
    )

    assert [_fault(answer)[1] for answer in (other, bare)] == ["HC-4001", "HC-4001"]


def test_a_large_request_is_refused(hospital: HealthClient) -> None:
    """More than 64 KiB are not read."""
    assert hospital.post("x" * (64 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"requestOrgCode": "11370000MB2DEM0292"}, "2"),
        ({"requestOrgName": ""}, "2"),
        ({"requestOrgName": "长" * 61}, "2"),
        ({"requestDate": "20200101000000"}, "3"),
        ({"requestDate": "2026010108000"}, "3"),
        ({"requestDate": ARABIC_INDIC + "0"}, "3"),
        ({"GMSFZH": "370102195603159015"}, "4"),
        ({"GMSFZH": "370102560315901"}, "4"),
        ({"GMSFZH": "37040219680303901x"}, "4"),
        ({"XM": ""}, "5"),
        ({"XM": "长" * 61}, "5"),
    ],
)
def test_a_value_that_breaks_a_rule_has_its_code(
    hospital: HealthClient, changed: dict[str, str], code: str
) -> None:
    """The result says which rule; there is no body."""
    reply = hospital.ask(DEATH, hospital.question(**changed))

    assert (reply.success, reply.rows) == (code, None)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("20260101080000", "0"),
        ("20260101080450", "0"),
        ("20260101080510", "3"),
        ("20260101075510", "0"),
        ("20260101075450", "3"),
        ("2026010180000", "3"),
        ("20260101000000", "3"),
    ],
)
def test_the_day_of_a_question_is_judged_by_the_departments_clock(
    health: Running, hospital: HealthClient, sent: str, code: str
) -> None:
    """Beijing time, five minutes either way, fourteen digits even where thirteen could be read."""
    hospital.zeep()  # reading the description takes part of a second
    health.admin.post("/clock", json={"now_ms": 1_767_225_600_000})

    assert hospital.ask(DEATH, hospital.question(requestDate=sent)).success == code


def test_another_name_on_a_certificate_is_told_apart(
    hospital: HealthClient, people: Population
) -> None:
    """Code 6 where a certificate exists, no row where none does."""
    dead = people.person(planted_index(Quirk.DEAD_PENSION_PAID))
    alive = people.person(planted_index(Quirk.ORDINARY_PENSIONER))

    replies = [
        hospital.ask(DEATH, hospital.question(**{**about(person), "XM": "另一人"}))
        for person in (dead, alive)
    ]

    assert [(reply.success, reply.rows) for reply in replies] == [("6", None), ("0", [])]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<XM>", "<XM><b/>"),
        ("</data>", "</data><data/>"),
        ("<data>", "<data><GMSFHM>1</GMSFHM>"),
        ("GMSFZH", "GMSFHM"),
        ("<MDEML>", '<MDEML v="1">'),
        ("<MDEML>", '<MDEML xmlns="urn:x">'),
        ("<MDEML>", "<!DOCTYPE MDEML []><MDEML>"),
        ("<body>", "<!--x--><body>"),
        ("</MDEML>", ""),
    ],
)
def test_a_message_of_another_form_is_refused(hospital: HealthClient, old: str, new: str) -> None:
    """Anything but exactly the documented elements is code 1."""
    changed = hospital.message().replace(old, new)

    assert hospital.ask(DEATH, encoded(changed)).success == "1"


@pytest.mark.parametrize("spoilt", ["{0}\n", " {0}", "{0}=", "{0}*", ""])
def test_base64_has_one_spelling(hospital: HealthClient, spoilt: str) -> None:
    """Spaces, line ends, foreign characters and wrong padding are code 1."""
    request = spoilt.format(hospital.question())

    assert hospital.ask(DEATH, request).success == "1"


def test_spaces_between_elements_are_taken(hospital: HealthClient) -> None:
    """A message that is indented is the same message."""
    indented = hospital.message().replace("><", ">\n  <")

    assert hospital.ask(DEATH, encoded(indented)).success == "0"


def test_calls_beyond_the_quota_are_told_so(tmp_path: Path, people: Population) -> None:
    """One in a second is answered; of the next ones, some fall into the same second."""
    apps = tmp_path / "apps.json"
    apps.write_text(json.dumps({"apps": REGISTERED}))
    with running("health", "--apps", str(apps), "--calls-per-second", "1") as narrow:
        client = HealthClient(url=narrow.url, now_ms=narrow.now_ms)
        replies = [client.look_up(people.person(0)) for _ in range(8)]
        client.close()

    assert (replies[0].success, replies[0].rows) == ("0", [])
    assert ("7", None) in [(reply.success, reply.rows) for reply in replies]


def test_the_quota_is_each_requesters_own_and_ends_with_the_second() -> None:
    """Two of one and two of another in one second; the next second begins anew; 0 is any."""
    quota, free = Quota(per_second=2), Quota(per_second=0)

    taken = [quota.take("a", 1_000), quota.take("a", 1_400), quota.take("a", 1_999)]

    assert taken == [True, True, False]
    assert quota.take("b", 1_999)
    assert quota.take("a", 2_000)
    assert all(free.take("a", 1_000) for _ in range(1_000))
