"""The education adapter against the simulator: records, odd people, slow jobs."""

from dataclasses import replace

import pytest

from adapters.kinds.education.codes import REVOCATIONS, STUDENT_STATES
from adapters.port import (
    DatasetShape,
    Effect,
    EffectKind,
    Finding,
    Indeterminate,
    NotFound,
    Record,
    Untold,
)
from tests.adapters.asking import (
    CLEAR,
    COMPARE,
    IS_TRUE,
    disclosed,
    read_outcome,
)
from tests.adapters.education.asking import DEGREE, DIPLOMA, ENROLMENT, YEAR, Asking, claim

GRADUATED_THIS_YEAR = 26
STUDIES_AGAIN = 166
"""People of seed 1, by index."""

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_a_diploma_is_told_field_by_field(asking: Asking) -> None:
    """Only granted fields leave, each with its effect."""
    person = asking.simulator.person("ordinary_graduate")
    grants = {
        "full_name": Effect(kind=EffectKind.MASK, parameters=("1", "0")),
        "graduation_date": YEAR,
        "institution_name": CLEAR,
        "certificate_no": COMPARE,
        "verified": IS_TRUE,
    }

    _, told = await asking.fetch(DIPLOMA, person, grants, claim(person))

    assert told == {
        "full_name": "李**",
        "graduation_date": "2004",
        "institution_name": person.text("education", "diploma", "institution_name"),
        "certificate_no": "YES",
        "verified": "YES",
    }


async def test_without_a_number_the_persons_diploma_is_found(asking: Asking) -> None:
    """There is then nothing to verify."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(DIPLOMA, person, {"graduation_date": CLEAR, "verified": IS_TRUE})

    assert told == {"graduation_date": "2004-07-01", "verified": "NOT_APPLICABLE"}


async def test_a_number_that_can_be_none_is_the_askers_error(asking: Asking) -> None:
    """It is not sent, and the finding says whose fault it is."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(DIPLOMA, person, {"verified": IS_TRUE}, {"certificate_no": "abc"})

    assert told == {"verified": "ERROR"}


async def test_a_certificate_of_somebody_else_is_no_and_nothing_of_its_holder(
    asking: Asking,
) -> None:
    """A mismatch tells only that it is one."""
    person = asking.simulator.person("ordinary_graduate")
    other = asking.simulator.person("ordinary_employee")

    outcome, told = await asking.fetch(
        DIPLOMA, person, {"verified": IS_TRUE, "institution_name": CLEAR}, claim(other)
    )

    assert isinstance(outcome, Record)
    assert told == {"verified": "NO"}


async def test_a_number_nobody_has_is_not_found(asking: Asking) -> None:
    """Not found is not a mismatch."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, {"verified": IS_TRUE}, {"certificate_no": "9" * 18})

    outcome = await asking.adapter.fetch(query)

    assert isinstance(outcome, NotFound)
    assert read_outcome(query, outcome).claims.state == "NOT_FOUND"
    assert disclosed(query, outcome) == {"verified": "INDETERMINATE"}


async def test_another_name_under_the_number_tells_only_that(asking: Asking) -> None:
    """The name disagrees; everything else could not be told."""
    person = replace(asking.simulator.person("ordinary_graduate"), full_name="王小二")

    _, told = await asking.fetch(
        DIPLOMA, person, {"full_name": COMPARE, "graduation_date": CLEAR, "verified": IS_TRUE}
    )

    assert told == {"full_name": "NO", "verified": "INDETERMINATE"}


@pytest.mark.parametrize(
    "quirk",
    [
        "name_dot_00b7",
        "name_dot_2022",
        "name_dot_2027",
        "name_dot_30fb",
        "name_private_use",
        "name_extension_b",
        "diploma_17_digits",
        "diploma_self_taught",
        "diploma_incomplete",
    ],
)
async def test_odd_names_and_numbers_are_verified(asking: Asking, quirk: str) -> None:
    """Separators, rare characters and old layouts are this person's all the same."""
    person = asking.simulator.person(quirk)

    _, told = await asking.fetch(DIPLOMA, person, {"verified": IS_TRUE}, claim(person))

    assert told == {"verified": "YES"}


@pytest.mark.parametrize("quirk", ["degree_letter", "degree_prefix", "ordinary_graduate"])
async def test_degrees_of_every_layout_are_verified(asking: Asking, quirk: str) -> None:
    """Letters and prefixes belong to the number."""
    person = asking.simulator.person(quirk)

    _, told = await asking.fetch(
        DEGREE,
        person,
        {"verified": IS_TRUE, "revoked": CLEAR, "certificate_no": CLEAR},
        claim(person, "degree"),
    )

    assert told == {"verified": "YES", "revoked": "false", **claim(person, "degree")}


async def test_a_revoked_degree_matches_and_does_not_verify(asking: Asking) -> None:
    """The department answers MATCH; the degree is none any more."""
    person = asking.simulator.person("degree_revoked")

    _, told = await asking.fetch(
        DEGREE, person, {"verified": IS_TRUE, "revoked": IS_TRUE}, claim(person, "degree")
    )

    assert told == {"verified": "NO", "revoked": "YES"}
    assert REVOCATIONS["1"] is Finding.NO


@pytest.mark.parametrize(
    ("quirk", "status"), [("student_enrolled", "在籍"), ("student_suspended", "休学")]
)
async def test_each_student_state_has_its_finding(asking: Asking, quirk: str, status: str) -> None:
    """Who is suspended is not enrolled."""
    person = asking.simulator.person(quirk)

    _, told = await asking.fetch(
        ENROLMENT, person, {"is_enrolled": IS_TRUE, "student_status": CLEAR}
    )

    assert told == {"is_enrolled": STUDENT_STATES[status].value, "student_status": status}


async def test_who_has_graduated_is_no_student_and_says_when(asking: Asking) -> None:
    """The roll keeps him for two years; the school, the state and the day are told."""
    person = asking.simulator.person_at(GRADUATED_THIS_YEAR)
    fields = ("school_name", "student_status", "expected_graduation")

    outcome, told = await asking.fetch(
        ENROLMENT, person, {"is_enrolled": IS_TRUE, **dict.fromkeys(fields, CLEAR)}
    )

    assert isinstance(outcome, Record)
    assert told == {
        "is_enrolled": "NO",
        "student_status": "毕业",
        "school_name": person.text("education", "enrolment", "school_name"),
        "expected_graduation": "2026-07-01",
    }


async def test_who_studies_again_is_a_student(asking: Asking) -> None:
    """Of two records the one that goes on is meant, though it is not the first."""
    person = asking.simulator.person_at(STUDIES_AGAIN)

    _, told = await asking.fetch(
        ENROLMENT, person, {"is_enrolled": IS_TRUE, "expected_graduation": CLEAR}
    )

    assert told == {
        "is_enrolled": "YES",
        "expected_graduation": person.text("education", "enrolment", "expected_graduation"),
    }
    assert person.text("education", "enrolment", "student_status") == "在籍"


async def test_a_student_is_told_field_by_field(asking: Asking) -> None:
    """School, state and expected graduation, as the roll has them."""
    person = asking.simulator.person("student_enrolled")
    fields = ("school_name", "student_status", "expected_graduation")

    _, told = await asking.fetch(ENROLMENT, person, dict.fromkeys(fields, CLEAR))

    assert told == {name: person.text("education", "enrolment", name) for name in fields}


async def test_a_degree_is_told_field_by_field(asking: Asking) -> None:
    """Each field the catalog releases."""
    person = asking.simulator.person("degree_prefix")
    fields = ("certificate_no", "degree_level", "discipline", "granting_unit", "grant_date")

    _, told = await asking.fetch(
        DEGREE, person, dict.fromkeys(fields, CLEAR), claim(person, "degree")
    )

    assert told == {name: person.text("education", "degree", name) for name in fields}


@pytest.mark.parametrize("shape", [DIPLOMA, DEGREE], ids=lambda shape: shape.name)
async def test_an_empty_certificate_number_is_malformed_and_no_mismatch(
    asking: Asking, shape: DatasetShape
) -> None:
    """The planted one's diploma; her degree has its number."""
    person = asking.simulator.person("mandatory_field_empty")

    outcome, _ = await asking.fetch(shape, person, {"verified": IS_TRUE})

    malformed = Untold(reason=Indeterminate.PROVIDER_MALFORMED)
    assert (outcome == malformed) is (shape is DIPLOMA)


async def test_no_enrolment_is_not_enrolled_because_the_catalog_says_so(asking: Asking) -> None:
    """No record has the catalog's finding."""
    person = asking.simulator.person("no_education")

    outcome, told = await asking.fetch(ENROLMENT, person, {"is_enrolled": IS_TRUE})

    assert isinstance(outcome, NotFound)
    assert told == {"is_enrolled": "NO"}


async def test_a_number_of_15_digits_is_the_same_person(asking: Asking) -> None:
    """Old records carry the first generation of the number."""
    person = asking.simulator.person("fifteen_digit_id")

    outcome, _ = await asking.fetch(DEGREE, person, {"verified": IS_TRUE}, claim(person, "degree"))

    assert isinstance(outcome, Record)


async def test_a_slow_verification_is_pending_and_resumed(asking: Asking) -> None:
    """The second question asks for the job of the first, not anew."""
    person = asking.simulator.person("diploma_before_2002")
    query = asking.query(DIPLOMA, person, {"verified": IS_TRUE}, claim(person), seconds=1.0)
    pending = await asking.adapter.fetch(query)
    offset = asking.simulator.admin("GET", "/clock")["offset_ms"]
    assert isinstance(offset, int)
    asking.simulator.admin("POST", "/clock", {"offset_ms": offset + 10_000})
    again = replace(
        asking.query(DIPLOMA, person, {"verified": IS_TRUE}, claim(person)),
        request_id=bytes(16),
        pending_request_id=query.request_id,
    )
    received = asking.simulator.received()

    outcome = await asking.adapter.fetch(again)

    assert isinstance(pending, Untold)
    assert pending.reason is Indeterminate.PENDING
    assert pending.retry_after_s is not None
    assert pending.retry_after_s >= 1
    assert disclosed(again, outcome) == {"verified": "YES"}
    assert asking.simulator.received() == received + 1


async def test_a_job_is_not_resumed_for_another_person(asking: Asking) -> None:
    """The id of a pending request opens nobody else's answer."""
    person = asking.simulator.person("diploma_before_2002")
    other = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, {"verified": IS_TRUE}, claim(person), seconds=1.0)
    await asking.adapter.fetch(query)
    stolen = replace(
        asking.query(DIPLOMA, other, {"institution_code": CLEAR}),
        pending_request_id=query.request_id,
    )

    outcome = await asking.adapter.fetch(stolen)

    assert disclosed(stolen, outcome) == {
        "institution_code": other.text("education", "diploma", "institution_code")
    }
