"""The education adapter against the simulator: every fault has its outcome."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.kinds.education import ClientIdentity, EducationAdapter
from adapters.kinds.education.reading import REVOCATIONS, STUDENT_STATES
from adapters.port import (
    DatasetShape,
    Effect,
    EffectKind,
    Finding,
    Indeterminate,
    NotFound,
    Outcome,
    Query,
    Record,
    Untold,
)
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits
from certs.algorithms import Suite, generate_private_key
from signing.encoding import b64url_encode
from signing.signer import FileSigner
from tests.adapters.asking import (
    CLEAR,
    COMPARE,
    IS_TRUE,
    disclosed,
    query_of,
    read_outcome,
    shape_of,
)
from tests.adapters.simulated import Person, Simulator, running

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CLIENT_KEY = generate_private_key(Suite.ES256)

DIPLOMA = shape_of(
    "edu.diploma@1",
    {
        "person_id": "cid18",
        "full_name": "str60",
        "certificate_no": r"re:\d{17,18}",
        "institution_code": r"re:\d{5}",
        "institution_name": "str100",
        "major_name": "str80",
        "education_level": "code:GB/T4658",
        "education_type": "code:1/5/6/7",
        "study_mode": "code",
        "enrol_date": "date",
        "graduation_date": "date",
        "conclusion": "code:毕业/结业/肄业",
        "photo": "b64",
        "verified": "pred",
    },
)
DEGREE = shape_of(
    "edu.degree@1",
    {
        "certificate_no": r"re:[CTZ]?\d{10}[0-9SEZ]\d{5}",
        "degree_level": "code:2博3硕4学",
        "discipline": "code",
        "granting_unit": "str100",
        "grant_date": "date",
        "revoked": "bool",
        "verified": "pred",
    },
)
ENROLMENT = shape_of(
    "edu.enrolment@1",
    {
        "school_name": "str100",
        "student_status": "code:在籍/休学/毕业",
        "expected_graduation": "date",
        "is_enrolled": "pred",
    },
    is_enrolled=Finding.NO,
)
YEAR = Effect(kind=EffectKind.GENERALISE, parameters=("year",))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    key = load_der_public_key(CLIENT_KEY.public_key.spki)
    assert isinstance(key, EllipticCurvePublicKey)
    point = key.public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "kid": CLIENT_KEY.public_key.keyid,
        "x": b64url_encode(point.x.to_bytes(32, "big")),
        "y": b64url_encode(point.y.to_bytes(32, "big")),
    }
    clients = tmp_path_factory.mktemp("education") / "clients.json"
    client = {"client_id": "hrss-gateway", "scope": "diploma degree enrolment"}
    clients.write_text(json.dumps({"clients": [{**client, "jwks": {"keys": [jwk]}}]}))
    with running("education", "--clients", str(clients)) as simulator:
        yield simulator


@pytest.fixture
async def adapter(simulator: Simulator, source: RecordSource) -> AsyncIterator[EducationAdapter]:
    """Give a fresh adapter, without a token."""
    adapter = EducationAdapter(
        source=source,
        datasets=frozenset({DIPLOMA.name, DEGREE.name, ENROLMENT.name}),
        transport=DepartmentTransport(
            department="education",
            base_url=simulator.base_url,
            limits=TransportLimits(backoff_s=0.01),
        ),
        identity=ClientIdentity(
            client_id="hrss-gateway",
            issuer="https://edu.sandbox.invalid",
            signer=FileSigner.of(CLIENT_KEY),
        ),
        now_ms=simulator.now_ms,
    )
    yield adapter
    simulator.reset()
    await adapter.close()


class Asking:
    """Asks the adapter about planted people."""

    def __init__(self, simulator: Simulator, adapter: EducationAdapter) -> None:
        """Keep whom to ask."""
        self.simulator = simulator
        self.adapter = adapter

    def query(
        self,
        shape: DatasetShape,
        person: Person,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
        seconds: float = 5.0,
    ) -> Query:
        """Return a query at the department's time."""
        query = query_of(shape, person.named, grants, claims, seconds)
        return replace(query, issued_at_ms=self.simulator.now_ms())

    async def fetch(
        self,
        shape: DatasetShape,
        person: Person,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, dict[str, str | list[str]]]:
        """Return the outcome and what was disclosed."""
        query = self.query(shape, person, grants, claims)
        outcome = await self.adapter.fetch(query)
        return outcome, {} if isinstance(outcome, Untold) else disclosed(query, outcome)


@pytest.fixture
def asking(simulator: Simulator, adapter: EducationAdapter) -> Asking:
    """Give a way to ask."""
    return Asking(simulator, adapter)


def claim(person: Person, dataset: str = "diploma") -> dict[str, str]:
    """Return the person's own certificate number as a claim."""
    return {"certificate_no": person.text("education", dataset, "certificate_no")}


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


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("token_expired", Indeterminate.PROVIDER_FAULT),
        ("client_key_expired", Indeterminate.PROVIDER_FAULT),
        ("client_key_rotated", Indeterminate.PROVIDER_FAULT),
        ("rate_limited", Indeterminate.PROVIDER_QUOTA),
        ("server_error", Indeterminate.PROVIDER_UNAVAILABLE),
        ("half_body", Indeterminate.PROVIDER_MALFORMED),
        ("html_page", Indeterminate.PROVIDER_MALFORMED),
        ("gbk_body", Indeterminate.PROVIDER_MALFORMED),
        ("empty_body", Indeterminate.PROVIDER_MALFORMED),
        ("oversized_body", Indeterminate.PROVIDER_MALFORMED),
        ("redirect", Indeterminate.PROVIDER_MALFORMED),
        ("other_person", Indeterminate.SUBJECT_MISMATCH),
    ],
)
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking, caplog: pytest.LogCaptureFixture, fault: str, reason: Indeterminate
) -> None:
    """Never an exception, never a value, never a person in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert outcome == Untold(reason=reason)
    assert person.full_name not in caplog.text
    assert person.identifier not in caplog.text


async def test_every_body_fault_after_the_token_is_untold_too(asking: Asking) -> None:
    """The data interface is read as strictly as the token endpoint."""
    person = asking.simulator.person("ordinary_graduate")
    grants = {"institution_name": CLEAR}
    await asking.fetch(DIPLOMA, person, grants)

    outcomes = {}
    faults = ("half_body", "html_page", "gbk_body", "empty_body", "oversized_body", "redirect")
    for fault in (*faults, "many_records"):
        asking.simulator.set_fault(fault)
        outcomes[fault], _ = await asking.fetch(DIPLOMA, person, grants)
        asking.simulator.reset()

    malformed = Untold(reason=Indeterminate.PROVIDER_MALFORMED)
    assert outcomes == dict.fromkeys(outcomes, malformed)


async def test_a_department_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    asking.simulator.set_fault("hang")
    query = asking.query(DIPLOMA, person, {"institution_name": CLEAR}, seconds=0.5)

    outcome = await asking.adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert time.monotonic() < query.deadline


async def test_a_job_that_never_ends_stays_pending(asking: Asking) -> None:
    """The asker is told when to come back."""
    person = asking.simulator.person("diploma_before_2002")
    asking.simulator.set_fault("slow_poll")
    query = asking.query(DIPLOMA, person, {"verified": IS_TRUE}, claim(person), seconds=1.5)

    outcome = await asking.adapter.fetch(query)

    assert isinstance(outcome, Untold)
    assert outcome.reason is Indeterminate.PENDING


async def test_a_rotated_signing_key_costs_one_new_token(asking: Asking) -> None:
    """The old token is refused once; the asker does not notice."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    asking.simulator.set_fault("jwks_rotated", 1)

    outcome, _ = await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert isinstance(outcome, Record)


async def test_one_passing_failure_is_not_noticed(asking: Asking) -> None:
    """A question that changes nothing is asked again."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    asking.simulator.set_fault("server_error", 1)

    outcome, _ = await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert isinstance(outcome, Record)


async def test_what_was_not_granted_never_stands_in_the_record(asking: Asking) -> None:
    """The department sends everything it has; one field leaves."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("every_field")
    query = asking.query(DIPLOMA, person, {"institution_name": CLEAR}, claim(person))

    outcome = await asking.adapter.fetch(query)

    record = read_outcome(query, outcome)
    assert [disclosure.name for disclosure in record.disclosures] == ["institution_name"]
    assert isinstance(outcome, Record)
    shown = repr(record.disclosures[0].value) + outcome.sd_jwt
    assert not [canary for canary in person.canaries if canary in shown]


async def test_a_revocation_is_seen_in_a_query_too(asking: Asking) -> None:
    """Without a number the state of the degree still stands in its record."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("degree_revoked")

    _, told = await asking.fetch(
        DEGREE, person, {"verified": IS_TRUE, "revoked": IS_TRUE}, claim(person, "degree")
    )

    assert told == {"verified": "NO", "revoked": "YES"}


async def test_one_token_serves_many_askers(asking: Asking) -> None:
    """Concurrent questions wait for one token instead of fetching one each."""
    person = asking.simulator.person("ordinary_graduate")
    before = asking.simulator.received()
    queries = [asking.query(DIPLOMA, person, {"institution_name": CLEAR}) for _ in range(8)]

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, queries))

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() == before + 9


async def test_health_is_the_token(asking: Asking) -> None:
    """Reachable and known there."""
    assert (await asking.adapter.examine_health()).reachable


async def test_health_tells_why_the_department_refuses_us(asking: Asking) -> None:
    """An expired key is a fault, by its code, whatever token is still kept."""
    await asking.adapter.examine_health()
    asking.simulator.set_fault("client_key_expired")

    health = await asking.adapter.examine_health()

    assert not health.reachable
    assert health.detail == "PROVIDER_FAULT"


async def test_without_a_name_the_department_is_not_asked(asking: Asking) -> None:
    """It would refuse the question."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, {"institution_name": CLEAR})
    before = asking.simulator.received()

    outcome = await asking.adapter.fetch(
        replace(query, subject=replace(query.subject, full_name=None))
    )

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert asking.simulator.received() == before
