"""What education answers: match, mismatch, not found, pending, not modified."""

from datetime import timedelta

import pytest

from adapters.simulators.population import (
    AS_OF,
    Person,
    Population,
    Quirk,
    education_record,
    planted_index,
)
from adapters.simulators.population.education import education_name
from tests.simulators.education_client import EducationClient, about, degree_of, diploma_of
from tests.simulators.simulator_process import Running

VERIFY = "/api/v1/diplomas/verify"
QUERY = "/api/v1/diplomas/query"


@pytest.fixture
def client(education_client: EducationClient) -> EducationClient:
    """A client with a token."""
    assert education_client.fetch_token().status_code == 200
    return education_client


@pytest.fixture
def graduate(people: Population) -> Person:
    """The ordinary graduate."""
    return people.person(planted_index(Quirk.ORDINARY_GRADUATE))


def test_a_true_diploma_matches_and_comes_with_more_than_asked(
    client: EducationClient, graduate: Person
) -> None:
    """The record holds photo and enrolment date although nobody asked."""
    answer = client.post(VERIFY, diploma_of(graduate))

    body = answer.json()
    assert (answer.status_code, body["result"]) == (200, "MATCH")
    assert body["record"]["byrq"] == "20040701"
    assert {"zp", "rxrq", "xb", "csrq", "yzm"} <= body["record"].keys()


def test_a_number_nobody_has_is_not_found(client: EducationClient, graduate: Person) -> None:
    """404 with its own code: no such certificate."""
    answer = client.post(VERIFY, about(graduate, zsbh="990191200405999999"))

    assert (answer.status_code, answer.json()["code"]) == (404, "EDU-4040")


def test_somebody_elses_certificate_is_a_mismatch(
    client: EducationClient, people: Population, graduate: Person
) -> None:
    """200 without a record: the certificate exists and is not his."""
    other = people.person(planted_index(Quirk.DEGREE_REVOKED))

    answer = client.post(VERIFY, {**diploma_of(other), "zjhm": graduate.id_number})

    assert answer.status_code == 200
    assert answer.json() == {"result": "MISMATCH", "byzx": ["zjhm"]}


def test_a_wrong_name_is_a_mismatch_on_query_too(client: EducationClient, graduate: Person) -> None:
    """The members that differ are named, nothing else is told."""
    answer = client.post(QUERY, {**about(graduate), "xm": "路人甲"})

    assert answer.json() == {"result": "MISMATCH", "byzx": ["xm"]}


def test_a_query_finds_the_records_of_a_person(client: EducationClient, graduate: Person) -> None:
    """The certificate number need not be known."""
    body = client.post(QUERY, about(graduate)).json()

    diploma = education_record(graduate).diploma
    assert diploma is not None
    assert [record["zsbh"] for record in body["records"]] == [diploma.certificate_no]


def test_a_person_without_education_is_not_found(
    client: EducationClient, people: Population
) -> None:
    """All three registers say 404."""
    person = people.person(planted_index(Quirk.NO_EDUCATION))

    for register in ("diplomas", "degrees", "enrolments"):
        answer = client.post(f"/api/v1/{register}/query", about(person))
        assert (answer.status_code, answer.json()["code"]) == (404, "EDU-4040")


@pytest.mark.parametrize(
    "quirk", [Quirk.NAME_DOT_2022, Quirk.NAME_DOT_2027, Quirk.NAME_DOT_30FB, Quirk.NAME_DOT_00B7]
)
def test_any_dot_matches_and_the_stored_one_comes_back(
    client: EducationClient, people: Population, quirk: Quirk
) -> None:
    """The question has U+00B7, the answer the register's own code point."""
    person = people.person(planted_index(quirk))

    body = client.post(VERIFY, diploma_of(person)).json()

    assert body["result"] == "MATCH"
    assert body["record"]["xm"] == education_name(person)


@pytest.mark.parametrize("quirk", [Quirk.NAME_PRIVATE_USE, Quirk.NAME_EXTENSION_B])
def test_rare_characters_come_back_unchanged(
    client: EducationClient, people: Population, quirk: Quirk
) -> None:
    """Private-use and four-octet characters survive both ways."""
    person = people.person(planted_index(quirk))

    assert client.post(VERIFY, diploma_of(person)).json()["record"]["xm"] == person.full_name


@pytest.mark.parametrize(
    ("quirk", "length"), [(Quirk.DIPLOMA_17_DIGITS, 17), (Quirk.DIPLOMA_SELF_TAUGHT, 17)]
)
def test_numbers_of_seventeen_digits_are_verified_at_once(
    client: EducationClient, people: Population, quirk: Quirk, length: int
) -> None:
    """A diploma of 2002 or of the self-taught examination is in the electronic register."""
    person = people.person(planted_index(quirk))

    answer = client.post(VERIFY, diploma_of(person))

    assert answer.status_code == 200
    assert len(answer.json()["record"]["zsbh"]) == length


@pytest.mark.parametrize("quirk", [Quirk.DEGREE_LETTER, Quirk.DEGREE_PREFIX])
def test_degree_numbers_with_letters_match(
    client: EducationClient, people: Population, quirk: Quirk
) -> None:
    """Letters inside and before the number are part of it."""
    person = people.person(planted_index(quirk))

    body = client.post("/api/v1/degrees/verify", degree_of(person)).json()

    assert (body["result"], body["record"]["cxbz"]) == ("MATCH", "0")


def test_a_revoked_degree_matches_and_says_so(client: EducationClient, people: Population) -> None:
    """The certificate is true, the degree is gone."""
    person = people.person(planted_index(Quirk.DEGREE_REVOKED))

    body = client.post("/api/v1/degrees/verify", degree_of(person)).json()

    assert body["result"] == "MATCH"
    assert (body["record"]["cxbz"], body["record"]["zt"]) == ("1", "注销")


@pytest.mark.parametrize(
    ("quirk", "state"), [(Quirk.STUDENT_ENROLLED, "在籍"), (Quirk.STUDENT_SUSPENDED, "休学")]
)
def test_a_student_is_found_with_his_state(
    client: EducationClient, people: Population, quirk: Quirk, state: str
) -> None:
    """Suspended is a state of its own."""
    person = people.person(planted_index(quirk))

    body = client.post("/api/v1/enrolments/query", about(person)).json()

    assert [record["xjzt"] for record in body["records"]] == [state]


def test_an_old_diploma_takes_a_clerk(
    client: EducationClient, education: Running, people: Population
) -> None:
    """202, a place to poll, a time to wait; then the answer of the synchronous case."""
    person = people.person(planted_index(Quirk.DIPLOMA_BEFORE_2002))

    begun = client.post(VERIFY, diploma_of(person))
    assert (begun.status_code, begun.json()) == (202, {"result": "PENDING"})
    assert begun.headers["Retry-After"] == "5"
    place = begun.headers["Location"]
    assert place.startswith("/api/v1/jobs/")
    assert client.get(place).status_code == 202
    education.advance(5_000)
    done = client.get(place)

    assert (done.status_code, done.json()["result"]) == (200, "MATCH")
    assert done.json()["record"]["byrq"] < "20020101"


def test_an_old_diploma_keeps_the_old_number(
    client: EducationClient, education: Running, people: Population
) -> None:
    """The record of a man of 95 has fifteen digits."""
    person = people.person(planted_index(Quirk.FIFTEEN_DIGIT_ID))
    begun = client.post(QUERY, about(person))

    education.advance(5_000)
    body = client.get(begun.headers["Location"]).json()

    assert (body["result"], len(body["records"][0]["zjhm"])) == ("FOUND", 15)


def test_a_job_is_for_who_began_it_and_for_a_day(
    client: EducationClient, education: Running, people: Population
) -> None:
    """Another client finds no job; after a day nobody does."""
    person = people.person(planted_index(Quirk.DIPLOMA_BEFORE_2002))
    place = client.post(VERIFY, diploma_of(person)).headers["Location"]

    client.client_id = "narrow"
    client.fetch_token()
    stranger = client.get(place)
    education.advance(25 * 3600 * 1000)
    client.client_id = "hrss-gateway"
    client.fetch_token()
    late = client.get(place)

    assert (stranger.status_code, stranger.json()["code"]) == (404, "EDU-4041")
    assert (late.status_code, late.json()["code"]) == (410, "EDU-4100")


def test_a_code_finds_its_record_and_is_cached(client: EducationClient, graduate: Person) -> None:
    """The second fetch with the entity tag has no body."""
    diploma = education_record(graduate).diploma
    assert diploma is not None
    path = f"/api/v1/diplomas/by-code/{diploma.code}"

    first = client.get(path)
    second = client.get(path, If_None_Match=first.headers["ETag"])

    assert first.json()["records"][0]["zsbh"] == diploma.certificate_no
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (second.status_code, second.content) == (304, b"")
    assert client.get(path, If_None_Match='"other"').status_code == 200


def test_an_ended_code_is_gone_and_an_invented_one_unknown(
    client: EducationClient, people: Population
) -> None:
    """410 is not 404."""
    diploma = education_record(people.person(planted_index(Quirk.DIPLOMA_CODE_EXPIRED))).diploma
    assert diploma is not None
    assert diploma.code_until < AS_OF + timedelta(days=1)

    assert client.get(f"/api/v1/diplomas/by-code/{diploma.code}").status_code == 410
    assert client.get("/api/v1/diplomas/by-code/XABCDEFGHJKL").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"zjhm": "370102198203159011"},
        {"zjhm": "370102820315901"},
        {"xm": ""},
        {"sxbm": ""},
        {"extra": "1"},
        {"zsbh": "9" * 21},
    ],
)
def test_a_malformed_question_is_refused(
    client: EducationClient, graduate: Person, change: dict[str, str]
) -> None:
    """Only the documented members, only real numbers."""
    answer = client.post(VERIFY, {**diploma_of(graduate), **change})

    assert (answer.status_code, answer.json()["code"]) == (400, "EDU-4000")


def test_two_people_with_one_number_are_told_apart_by_name(
    client: EducationClient, people: Population
) -> None:
    """Each name finds its own diploma under the shared number."""
    first = people.person(planted_index(Quirk.TWO_PEOPLE_ONE_ID))
    second = people.person(first.index + 4)

    numbers = {
        client.post(QUERY, about(person)).json()["records"][0]["zsbh"] for person in (first, second)
    }

    assert first.id_number == second.id_number
    assert len(numbers) == 2


def test_a_large_question_is_refused(client: EducationClient, graduate: Person) -> None:
    """More than 16 KiB is not read."""
    answer = client.post(VERIFY, {**diploma_of(graduate), "xm": "长" * 9_000})

    assert (answer.status_code, answer.json()["code"]) == (413, "EDU-4130")


def test_the_request_id_comes_back(client: EducationClient, graduate: Person) -> None:
    """The answer names the request it belongs to."""
    answer = client.post(VERIFY, diploma_of(graduate))

    assert answer.headers["X-Request-Id"] == answer.request.headers["X-Request-Id"]


def test_an_unknown_path_is_not_a_missing_record(client: EducationClient) -> None:
    """A wrong path has its own code."""
    assert client.get("/api/v1/nothing").json()["code"] == "EDU-4041"
