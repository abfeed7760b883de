"""What the population register answers, asked through zeep from its own WSDL."""

import base64
import hashlib

import pytest
import zeep.exceptions

from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    photo_of,
    planted_index,
    public_security_record,
)
from tests.simulators.police_client import PoliceClient, Reply, about
from tests.simulators.simulator_process import Running

VERIFY = "GK_GXFW_SFHC"
CORE = "GK_JZCX_RKJCXXCX"
HOUSEHOLD = "GK_JZCX_HJCXXCX"
CANCELLATION = "GK_JZCX_SWZXCX"
PHOTO = "GK_GXFW_RXBD"


@pytest.fixture
def client(police: PoliceClient) -> PoliceClient:
    """A client with a secret."""
    police.refresh()
    return police


@pytest.fixture
def pensioner(people: Population) -> Person:
    """The ordinary pensioner."""
    return people.person(planted_index(Quirk.ORDINARY_PENSIONER))


def _ask(client: PoliceClient, operation: str, *records: dict[str, str], **head: str) -> Reply:
    return client.ask(operation, client.package(records, **head))


def test_the_wsdl_names_five_operations(client: PoliceClient) -> None:
    """A foreign SOAP library finds them all."""
    wsdl = client.http.get(f"{client.url}/ws/population?wsdl").text

    assert all(f'name="{op}"' in wsdl for op in (VERIFY, CORE, HOUSEHOLD, CANCELLATION, PHOTO))
    assert client.url in wsdl


def test_a_living_person_matches(client: PoliceClient, pensioner: Person) -> None:
    """Both codes 1, the mark of death 0, the request id echoed."""
    package = client.package([about(pensioner)], FWQQBH="7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e11")

    reply = client.ask(VERIFY, package)

    assert reply.head["FHDM"] == "10"
    assert reply.head["FWQQBH"] == "7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e11"
    assert reply.rows[0].members == {
        "GMSFHM": pensioner.id_number,
        "GMSFHM_PPDDM": "1",
        "XM_PPDDM": "1",
        "SWBS": "0",
    }


def test_a_wrong_name_hides_the_mark_of_death(client: PoliceClient, pensioner: Person) -> None:
    """Nothing is told about somebody whose name one does not know."""
    row = _ask(client, VERIFY, about(pensioner, XM="路人甲")).rows[0]

    assert (row.code, row.members["XM_PPDDM"], row.members["SWBS"]) == ("10", "0", "")


@pytest.mark.parametrize(
    ("quirk", "mark"),
    [
        (Quirk.DEAD_IN_PS_ALIVE_IN_CA, "1"),
        (Quirk.DEAD_PENSION_PAID, "1"),
        (Quirk.DEAD_IN_CA_ALIVE_IN_PS, "0"),
        (Quirk.CREMATED_NOT_CANCELLED, "0"),
        (Quirk.EMIGRANT, "0"),
    ],
)
def test_the_mark_of_death_is_the_registers_own(
    client: PoliceClient, people: Population, quirk: Quirk, mark: str
) -> None:
    """What civil affairs know does not show here."""
    person = people.person(planted_index(quirk))

    assert _ask(client, VERIFY, about(person)).rows[0].members["SWBS"] == mark


def test_an_unknown_number_is_not_found(client: PoliceClient) -> None:
    """Code 11 and nothing but the number."""
    row = _ask(client, VERIFY, {"GMSFHM": "37010219560315002X", "XM": "无此人"}).rows[0]

    assert (row.code, row.members) == ("11", {"GMSFHM": "37010219560315002X", "GMSFHM_PPDDM": "0"})


def test_a_number_of_two_people_needs_a_clerk(client: PoliceClient, people: Population) -> None:
    """Code 14, whichever of the two names is asked."""
    person = people.person(planted_index(Quirk.TWO_PEOPLE_ONE_ID))

    assert _ask(client, VERIFY, about(person)).rows[0].code == "14"


def test_each_record_of_a_batch_has_its_own_code(client: PoliceClient, pensioner: Person) -> None:
    """Success, not found, wrong check character in one package."""
    reply = _ask(
        client,
        VERIFY,
        about(pensioner),
        {"GMSFHM": "37010219560315002X", "XM": "无此人"},
        {"GMSFHM": "370102195603150020", "XM": "错号"},
    )

    assert [(row.no, row.code) for row in reply.rows] == [("1", "10"), ("2", "11"), ("3", "12")]
    assert reply.head["JLS"] == "3"


def test_a_full_package_is_answered_and_a_larger_one_is_not(
    client: PoliceClient, people: Population
) -> None:
    """500 records, not 501."""
    records = [about(people.person(index)) for index in range(240, 741)]

    full = _ask(client, VERIFY, *records[:500])
    larger = _ask(client, VERIFY, *records)

    assert len(full.rows) == 500
    assert {row.members["GMSFHM_PPDDM"] for row in full.rows} == {"1"}
    assert (larger.head["FHDM"], larger.rows) == ("21", [])


def test_the_base_query_returns_more_than_anyone_needs(
    client: PoliceClient, pensioner: Person
) -> None:
    """Photo, ethnicity, birthplace and head of household come along."""
    members = _ask(client, CORE, about(pensioner)).rows[0].members

    core = public_security_record(pensioner).person_core
    assert members["CSRQ"] == "19560315"
    assert members["HJDZ"] == core.registered_address
    assert members["RYZT"] == "0"
    assert base64.b64decode(members["XP"]) == core.photo
    assert {"MZ", "CSDSSXQ", "HZXM", "CYM"} <= members.keys()


@pytest.mark.parametrize(
    ("quirk", "state"),
    [(Quirk.EMIGRANT, "3"), (Quirk.MOVED_OUT, "2"), (Quirk.DEAD_PENSION_PAID, "1")],
)
def test_states_of_people(
    client: PoliceClient, people: Population, quirk: Quirk, state: str
) -> None:
    """Dead, moved and emigrated are three states."""
    person = people.person(planted_index(quirk))

    assert _ask(client, CORE, about(person)).rows[0].members["RYZT"] == state


def test_a_query_under_a_wrong_name_tells_nothing(client: PoliceClient, pensioner: Person) -> None:
    """Code 13 and only the number asked."""
    row = _ask(client, CORE, about(pensioner, XM="路人甲")).rows[0]

    assert (row.code, row.members) == ("13", {"GMSFHM": pensioner.id_number})


def test_names_are_compared_code_point_by_code_point(
    client: PoliceClient, people: Population
) -> None:
    """The register knows the dot U+00B7 only; rare characters match as they are."""
    dotted = people.person(planted_index(Quirk.NAME_DOT_2022))
    rare = people.person(planted_index(Quirk.NAME_PRIVATE_USE))
    beyond = people.person(planted_index(Quirk.NAME_EXTENSION_B))
    other_dot = about(dotted, XM=dotted.full_name.replace("\u00b7", "\u2022"))

    rows = _ask(client, VERIFY, about(dotted), other_dot, about(rare), about(beyond)).rows

    assert [row.members["XM_PPDDM"] for row in rows] == ["1", "0", "1", "1"]


def test_a_household_and_a_spouse(client: PoliceClient, people: Population) -> None:
    """Same household and kinship, for the ordinary and for the split couple."""
    found = []
    for quirk in (Quirk.ORDINARY_PENSIONER, Quirk.HOUSEHOLD_SPLIT):
        person = people.person(planted_index(quirk))
        spouse = people.person(person.index + 1)
        asked = about(person, GXRGMSFHM=spouse.id_number, GXRXM=spouse.full_name)
        members = _ask(client, HOUSEHOLD, asked).rows[0].members
        found.append((members["TH"], members["QSGX"], members["YHZGX"]))

    assert found == [("1", "1", "02"), ("0", "1", "02")]


def test_a_stranger_is_no_relative_and_an_unknown_one_cannot_be_told(
    client: PoliceClient, people: Population, pensioner: Person
) -> None:
    """0 is not 9."""
    stranger = people.person(planted_index(Quirk.MOVED_OUT))
    asked = about(pensioner, GXRGMSFHM=stranger.id_number, GXRXM=stranger.full_name)

    rows = _ask(client, HOUSEHOLD, asked, {**asked, "GXRXM": "路人甲"}, about(pensioner)).rows

    marks = [(row.members["TH"], row.members["QSGX"]) for row in rows]
    assert marks == [("0", "0"), ("9", "9"), ("", "")]


def test_cancellation_for_death_and_for_emigration(
    client: PoliceClient, people: Population, pensioner: Person
) -> None:
    """The dead have a day of death, the emigrant none, the living nothing."""
    dead = people.person(planted_index(Quirk.DEAD_PENSION_PAID))
    gone = people.person(planted_index(Quirk.EMIGRANT))

    rows = _ask(client, CANCELLATION, about(dead), about(gone), about(pensioner)).rows

    assert [row.members["ZXBS"] for row in rows] == ["1", "1", "0"]
    assert [row.members["ZXYY"] for row in rows] == ["1", "2", ""]
    assert [bool(row.members["SWRQ"]) for row in rows] == [True, False, False]


def portrait(person: Person, shown: Person, **members: str) -> dict[str, str]:
    """Ask whether the portrait of one is that of another."""
    digest = hashlib.sha256(photo_of(shown)).hexdigest()
    asked = {"XPZY": digest, "MBBB": "RX-2024-1", "SQBH": "SB-M8-000001", **members}
    return about(person, **asked)


def test_portraits_are_compared(
    client: PoliceClient, people: Population, pensioner: Person
) -> None:
    """His own portrait and that of his spouse; no portrait leaves."""
    spouse = people.person(pensioner.index + 1)

    rows = _ask(client, PHOTO, portrait(pensioner, pensioner), portrait(pensioner, spouse)).rows

    assert [row.members["BDJG"] for row in rows] == ["1", "0"]
    assert float(rows[0].members["XSD"]) >= 80
    assert float(rows[1].members["XSD"]) < 60
    assert all("XP" not in row.members for row in rows)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"SQBH": ""}, "16"),
        ({"SQBH": "没有"}, "16"),
        ({"MBBB": "RX-2020-1"}, "18"),
        ({"XPZY": "0" * 64}, "19"),
        ({"XPZY": "none"}, "19"),
    ],
)
def test_a_comparison_is_refused_under_its_own_code(
    client: PoliceClient, pensioner: Person, members: dict[str, str], code: str
) -> None:
    """Consent, version and portrait are each looked at."""
    asked = portrait(pensioner, pensioner, **members)

    assert _ask(client, PHOTO, asked).rows[0].code == code


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"FWQQBH": "1"}, "20"),
        ({"QQRDWDM": ""}, "20"),
        ({"QQRXM": ""}, "20"),
        ({"JLS": "2"}, "21"),
        ({"JLS": "01"}, "21"),
        ({"QQRGMSFHM": "370102195603150020"}, "22"),
        ({"CXSY": "测试"}, "22"),
        ({"CXSY": "接口测试数据"}, "22"),
        ({"CXSY": "111111"}, "22"),
        ({"CXSY": "认证"}, "22"),
        ({"FSSJ": "20200101000000"}, "24"),
        ({"FSSJ": "20261323093000"}, "24"),
    ],
)
def test_who_asks_and_why_must_be_said(
    client: PoliceClient, pensioner: Person, head: dict[str, str], code: str
) -> None:
    """A head without person, unit, reason or time refuses the whole package."""
    reply = _ask(client, VERIFY, about(pensioner), **head)

    assert (reply.head["FHDM"], reply.rows) == (code, [])


def test_a_record_with_other_members_refuses_the_package(
    client: PoliceClient, pensioner: Person
) -> None:
    """Code 25."""
    assert _ask(client, VERIFY, about(pensioner, XB="1")).head["FHDM"] == "25"
    assert _ask(client, HOUSEHOLD, about(pensioner, GXRXM="x")).head["FHDM"] == "25"


def test_a_wrong_password_is_told_in_the_head(client: PoliceClient, pensioner: Person) -> None:
    """Code 23."""
    body = client.envelope(VERIFY, client.package([about(pensioner)]), "http://webservice.com")

    answer = client.post(body.replace("demo-password", "other"))

    assert "&lt;FHDM&gt;23&lt;/FHDM&gt;" in answer.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"gjgxjhpt_sign": "AAAA"}, "E-101"),
        ({"gjgxjhpt_rtime": "1767225600000"}, "E-102"),
        ({"gjgxjhpt_rid": ""}, "E-105"),
        ({"gjgxjhpt_sid": "s_unknown"}, "E-106"),
    ],
)
def test_a_wrong_header_is_a_soap_fault(
    client: PoliceClient, pensioner: Person, changed: dict[str, str], code: str
) -> None:
    """The platform refuses before the register sees the question."""
    with pytest.raises(zeep.exceptions.Fault, match=code):
        client.ask(VERIFY, client.package([about(pensioner)]), **changed)


def test_a_secret_ends(client: PoliceClient, public_security: Running, pensioner: Person) -> None:
    """After 30 minutes E-104; a new secret helps."""
    public_security.advance(1_801_000)
    package = client.package([about(pensioner)])

    with pytest.raises(zeep.exceptions.Fault, match="E-104"):
        client.ask(VERIFY, package)
    client.refresh()

    assert client.ask(VERIFY, package).rows[0].code == "10"


def test_the_older_secret_stays_good_until_its_end(client: PoliceClient, pensioner: Person) -> None:
    """Calls in parallel do not break when one of them refreshes."""
    older = client.key
    client.refresh()
    client.key = older

    assert _ask(client, VERIFY, about(pensioner)).rows[0].code == "10"


@pytest.mark.parametrize("namespace", ["http://webservice.com/", "http://webservice.tongtech.com/"])
def test_other_namespaces_need_the_lax_mode(
    client: PoliceClient, public_security: Running, pensioner: Person, namespace: str
) -> None:
    """Strict refuses what lax takes."""
    package = client.package([about(pensioner)])

    strict = client.post(client.envelope(VERIFY, package, namespace))
    public_security.admin.post("/mode", json={"lax": True})
    lax = client.post(client.envelope(VERIFY, package, namespace))
    bare = client.post(client.envelope(VERIFY, package, namespace, prefix=""))

    assert (strict.status_code, "E-105" in strict.text) == (500, True)
    assert (lax.status_code, bare.status_code) == (200, 200)


def test_a_document_type_in_a_question_is_refused(client: PoliceClient, pensioner: Person) -> None:
    """Neither envelope nor package may declare entities."""
    package = client.package([about(pensioner)])
    body = client.envelope(VERIFY, package, "http://webservice.com")

    envelope = client.post('<!DOCTYPE x [<!ENTITY e "1">]>' + body)
    inner = client.ask(VERIFY, f'<!DOCTYPE PACKAGE [<!ENTITY e "1">]>{package}')

    assert "E-105" in envelope.text
    assert inner.head["FHDM"] == "20"
