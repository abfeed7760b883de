"""The public security adapter against the simulator: every fault has its outcome."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace

import pytest

from adapters.kinds.public_security import PublicSecurityAdapter, ServiceIdentity
from adapters.port import (
    DatasetShape,
    Effect,
    EffectKind,
    EndUser,
    Finding,
    Indeterminate,
    NotFound,
    Outcome,
    Query,
    Record,
    Untold,
)
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, query_of, read_outcome, shape_of
from tests.adapters.simulated import Person, Simulator, running

pytestmark = [pytest.mark.integration, pytest.mark.slow]

OFFICER = EndUser(
    name="赵经办",
    identifier="37010219560315002X",
    unit="示例市人社局",
    unit_code="11370100MB2DEM0011",
    call_reason="退休待遇申领核对户籍信息",
)
IDENTITY = ServiceIdentity(
    sid="s_1137000000000_0001",
    app_key="demo-app-key-0001",
    user="hrss",
    password="demo-password",
    ministry=("37HRSS", "示例省人社厅"),
    origin_system=("HUTONG01", "数据交换网关"),
    business_system=("RETIRE01", "退休审批系统"),
    matter_names={"M2": "退休申请"},
    system_user=OFFICER,
)

VERIFY = shape_of(
    "ps.person_verify@1", {"id_match": "pred", "name_match": "pred", "deceased": "pred"}
)
CORE = shape_of(
    "ps.person_core@1",
    {
        "full_name": "str60",
        "former_name": "str60",
        "sex": "code:GB/T2261.1",
        "ethnicity": "code:GB/T3304",
        "birth_date": "date",
        "registered_address": "str200",
        "registered_division": "code:GB/T2260",
        "person_state": "code:正常/注销/迁出",
        "photo": "b64",
    },
)
HOUSEHOLD = shape_of(
    "ps.household@1",
    {
        "household_no": "str20",
        "head_name": "str60",
        "relation_to_head": "code:GB/T4761",
        "member_count": "int",
        "same_household": "pred",
        "kinship_ok": "pred",
    },
)
DEATH = shape_of(
    "ps.death_cancel@1",
    {
        "cancel_date": "date",
        "cancel_reason": "code:死亡/出国定居/其他",
        "death_date": "date",
        "is_cancelled": "pred",
    },
    is_cancelled=Finding.NO,
)
ALL_VERIFY = {"id_match": IS_TRUE, "name_match": IS_TRUE, "deceased": IS_TRUE}
COUNTY = Effect(kind=EffectKind.GENERALISE, parameters=("county",))
NOBODY = ("37010219900101001X", "查无此")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulator for all tests here."""
    apps = tmp_path_factory.mktemp("public_security") / "apps.json"
    app = {
        "sid": IDENTITY.sid,
        "app_key": IDENTITY.app_key,
        "user": IDENTITY.user,
        "password": IDENTITY.password,
    }
    apps.write_text(json.dumps({"apps": [app]}))
    with running("public_security", "--apps", str(apps)) as simulator:
        yield simulator


def build_adapter(
    simulator: Simulator, source: RecordSource, identity: ServiceIdentity = IDENTITY
) -> PublicSecurityAdapter:
    """Return a fresh adapter, without a secret."""
    return PublicSecurityAdapter(
        source=source,
        datasets=frozenset({VERIFY.name, CORE.name, HOUSEHOLD.name, DEATH.name}),
        transport=DepartmentTransport(department="public_security", base_url=simulator.base_url),
        identity=identity,
        now_ms=simulator.now_ms,
    )


class Asking:
    """Asks the adapter about people."""

    def __init__(self, simulator: Simulator, adapter: PublicSecurityAdapter) -> None:
        """Keep whom to ask."""
        self.simulator = simulator
        self.adapter = adapter

    def query(
        self,
        shape: DatasetShape,
        subject: tuple[str, str],
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
        seconds: float = 5.0,
    ) -> Query:
        """Return a query of the officer at the department's time."""
        query = query_of(shape, subject, grants, claims, seconds)
        return replace(query, issued_at_ms=self.simulator.now_ms(), end_user=OFFICER)

    async def fetch(
        self,
        shape: DatasetShape,
        person: Person,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, dict[str, str | list[str]]]:
        """Return the outcome and what was disclosed."""
        query = self.query(shape, person.named, grants, claims)
        outcome = await self.adapter.fetch(query)
        return outcome, {} if isinstance(outcome, Untold) else disclosed(query, outcome)

    async def fetch_many(self, count: int) -> list[Outcome]:
        """Ask for the sex of some people at once."""
        people = [self.simulator.person_at(200 + index) for index in range(count)]
        queries = [self.query(CORE, person.named, {"sex": CLEAR}) for person in people]
        return list(await asyncio.gather(*map(self.adapter.fetch, queries)))


@pytest.fixture
async def asking(simulator: Simulator, source: RecordSource) -> AsyncIterator[Asking]:
    """Give a way to ask; faults are off afterwards."""
    adapter = build_adapter(simulator, source)
    yield Asking(simulator, adapter)
    simulator.reset()
    await adapter.close()


async def test_a_person_is_verified(asking: Asking) -> None:
    """Number and name match, and he lives."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(VERIFY, person, ALL_VERIFY)

    assert told == {"id_match": "YES", "name_match": "YES", "deceased": "NO"}


async def test_the_dead_are_dead(asking: Asking) -> None:
    """SWBS 1 is YES."""
    person = asking.simulator.person("dead_in_ps_alive_in_ca")

    _, told = await asking.fetch(VERIFY, person, {"deceased": IS_TRUE})

    assert told == {"deceased": "YES"}


async def test_another_name_tells_nothing_of_life_and_death(asking: Asking) -> None:
    """The register leaves the mark empty; that is not NO."""
    person = replace(asking.simulator.person("ordinary_graduate"), full_name="王小二")

    _, told = await asking.fetch(VERIFY, person, ALL_VERIFY)

    assert told == {"id_match": "YES", "name_match": "NO", "deceased": "INDETERMINATE"}


async def test_a_person_is_told_field_by_field(asking: Asking) -> None:
    """Only granted fields leave, each with its effect."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(
        CORE,
        person,
        {
            "sex": CLEAR,
            "birth_date": Effect(kind=EffectKind.GENERALISE, parameters=("year",)),
            "registered_address": COUNTY,
            "person_state": Effect(kind=EffectKind.PREDICATE, parameters=("alive",)),
        },
    )

    address = person.text("public_security", "person_core", "registered_address")
    county = told["registered_address"]
    assert isinstance(county, str)
    assert address.startswith(county)
    assert county != address
    assert told["sex"] == person.text("public_security", "person_core", "sex")
    assert told["birth_date"] == person.identifier[6:10]
    assert told["person_state"] == "YES"


async def test_nobody_is_not_found(asking: Asking) -> None:
    """Code 11 is not found, whatever the operation."""
    query = asking.query(DEATH, NOBODY, {"is_cancelled": IS_TRUE, "death_date": CLEAR})

    outcome = await asking.adapter.fetch(query)

    assert isinstance(outcome, NotFound)
    assert disclosed(query, outcome) == {"is_cancelled": "NO"}


async def test_a_query_with_another_name_tells_only_that(asking: Asking) -> None:
    """Code 13: the register gives nothing away, and nor do we."""
    person = replace(asking.simulator.person("ordinary_graduate"), full_name="王小二")
    compare = Effect(kind=EffectKind.COMPARE)

    _, told = await asking.fetch(CORE, person, {"full_name": compare, "sex": CLEAR})

    assert told == {"full_name": "NO"}


@pytest.mark.parametrize(
    "quirk", ["name_dot_00b7", "name_dot_2022", "name_private_use", "name_extension_b"]
)
async def test_odd_names_are_found(asking: Asking, quirk: str) -> None:
    """Separators are rewritten for the register; rare characters are kept."""
    person = asking.simulator.person(quirk)
    asked = replace(person, full_name=person.full_name.replace("·", "•"))

    _, told = await asking.fetch(VERIFY, asked, {"name_match": IS_TRUE})

    assert told == {"name_match": "YES"}


async def test_a_household_without_a_relative_has_nothing_to_relate(asking: Asking) -> None:
    """Nobody was named, so kinship does not apply."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(
        HOUSEHOLD, person, {"kinship_ok": IS_TRUE, "head_name": CLEAR, "member_count": CLEAR}
    )

    assert told["kinship_ok"] == "NOT_APPLICABLE"
    assert told["head_name"] == person.text("public_security", "household", "head_name")


async def test_kinship_is_told_of_a_named_relative(asking: Asking) -> None:
    """The first family: pensioner and spouse share a household."""
    person = asking.simulator.person_at(0)
    relative = asking.simulator.person_at(1)
    claims = {"relative_id": relative.identifier, "relative_name": relative.full_name}
    grants = {"kinship_ok": IS_TRUE, "same_household": IS_TRUE}

    _, told = await asking.fetch(HOUSEHOLD, person, grants, claims)

    assert told == {"kinship_ok": "YES", "same_household": "YES"}


@pytest.mark.parametrize(
    "claims",
    [
        {"relative_id": "370102198203150025", "relative_name": "王芳"},
        {"relative_id": "370102198203150024"},
        {"relative_id": "370102198203150024", "relative_name": "\x07"},
    ],
)
async def test_a_relative_that_can_be_none_is_the_askers_error(
    asking: Asking, claims: dict[str, str]
) -> None:
    """It is not sent: the register would refuse the whole package."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(
        HOUSEHOLD, person, {"kinship_ok": IS_TRUE, "member_count": CLEAR}, claims
    )

    assert told["kinship_ok"] == "ERROR"
    assert "member_count" in told


@pytest.mark.parametrize(
    ("quirk", "expected"),
    [
        ("dead_in_ps_alive_in_ca", {"is_cancelled": "YES", "cancel_reason": "死亡"}),
        ("emigrant", {"is_cancelled": "YES", "cancel_reason": "出国定居"}),
        ("ordinary_graduate", {"is_cancelled": "NO"}),
    ],
)
async def test_a_cancelled_registration_is_not_always_a_death(
    asking: Asking, quirk: str, expected: dict[str, str]
) -> None:
    """Who settled abroad is cancelled and alive."""
    person = asking.simulator.person(quirk)

    _, told = await asking.fetch(DEATH, person, {"is_cancelled": IS_TRUE, "cancel_reason": CLEAR})

    assert told == expected


async def test_two_people_under_one_number_cannot_be_told(asking: Asking) -> None:
    """Code 14 asks for a person to look."""
    person = asking.simulator.person("two_people_one_id")

    outcome, told = await asking.fetch(VERIFY, person, {"deceased": IS_TRUE})

    assert isinstance(outcome, Record)
    assert told == {"deceased": "INDETERMINATE"}


async def test_questions_asked_at_once_travel_in_one_package(asking: Asking) -> None:
    """One secret and one package for many people of one officer."""
    before = asking.simulator.received()

    outcomes = await asking.fetch_many(20)

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() == before + 2


async def test_two_officers_never_share_a_package(asking: Asking) -> None:
    """Each call is one officer's, traceable to him."""
    person = asking.simulator.person("ordinary_graduate")
    queries = [asking.query(CORE, person.named, {"sex": CLEAR}) for _ in range(2)]
    queries[1] = replace(queries[1], end_user=replace(OFFICER, name="钱经办"))
    before = asking.simulator.received()

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, queries))

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() == before + 3


async def test_records_out_of_order_reach_their_own_askers(asking: Asking) -> None:
    """Numbers decide, not places."""
    asking.simulator.set_fault("out_of_order")

    outcomes = await asking.fetch_many(10)

    assert all(isinstance(outcome, Record) for outcome in outcomes)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("partial_records", Indeterminate.PROVIDER_TIMEOUT),
        ("missing_record", Indeterminate.PROVIDER_MALFORMED),
        ("duplicate_record", Indeterminate.PROVIDER_MALFORMED),
    ],
)
async def test_a_package_that_fails_in_part_fails_for_those_only(
    asking: Asking, fault: str, reason: Indeterminate
) -> None:
    """The others get their records."""
    asking.simulator.set_fault(fault)

    outcomes = await asking.fetch_many(10)

    untold = [outcome for outcome in outcomes if isinstance(outcome, Untold)]
    assert 1 <= len(untold) <= 5
    assert {outcome.reason for outcome in untold} == {reason}
    assert len(outcomes) - len(untold) >= 5


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("soap_fault", Indeterminate.PROVIDER_FAULT),
        ("head_not_ok", Indeterminate.PROVIDER_UNAVAILABLE),
        ("clock_skew", Indeterminate.PROVIDER_FAULT),
        ("entity_bomb", Indeterminate.PROVIDER_MALFORMED),
        ("entity_bomb_inner", Indeterminate.PROVIDER_MALFORMED),
        ("external_entity", Indeterminate.PROVIDER_MALFORMED),
        ("external_entity_inner", Indeterminate.PROVIDER_MALFORMED),
        ("other_person", Indeterminate.SUBJECT_MISMATCH),
        ("other_request", Indeterminate.PROVIDER_UNPROVEN),
        ("gbk_body", Indeterminate.PROVIDER_MALFORMED),
        ("html_page", Indeterminate.PROVIDER_MALFORMED),
        ("half_body", Indeterminate.PROVIDER_MALFORMED),
        ("empty_body", Indeterminate.PROVIDER_MALFORMED),
        ("oversized_body", Indeterminate.PROVIDER_MALFORMED),
        ("server_error", Indeterminate.PROVIDER_UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("with_secret", [True, False])
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    reason: Indeterminate,
    *,
    with_secret: bool,
) -> None:
    """Never an exception, never a value, never a person or officer in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    person = asking.simulator.person("ordinary_graduate")
    if with_secret:
        await asking.fetch(CORE, person, {"sex": CLEAR})
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(CORE, person, {"registered_address": CLEAR})

    assert outcome == Untold(reason=reason)
    for canary in (*person.named, OFFICER.identifier, OFFICER.name, IDENTITY.app_key):
        assert canary not in caplog.text


async def test_a_department_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("hang")
    query = asking.query(CORE, person.named, {"sex": CLEAR}, seconds=0.5)

    outcome = await asking.adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert time.monotonic() < query.deadline


async def test_an_expired_secret_is_renewed_once(asking: Asking) -> None:
    """The asker does not notice."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(CORE, person, {"sex": CLEAR})
    asking.simulator.set_fault("secret_expired", 1)

    outcome, _ = await asking.fetch(CORE, person, {"sex": CLEAR})

    assert isinstance(outcome, Record)


async def test_a_secret_that_ends_between_packages_is_renewed(asking: Asking) -> None:
    """Whoever asks next does not notice either."""
    await asking.fetch_many(3)
    asking.simulator.set_fault("secret_expired", 1, after=1)

    outcomes = await asking.fetch_many(3) + await asking.fetch_many(3)

    assert all(isinstance(outcome, Record) for outcome in outcomes)


@pytest.mark.parametrize("fault", ["soap_fault", "head_not_ok", "server_error"])
async def test_one_passing_failure_is_not_noticed(asking: Asking, fault: str) -> None:
    """The question is put again with a new id."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(CORE, person, {"sex": CLEAR})
    asking.simulator.set_fault(fault, 1)

    outcome, _ = await asking.fetch(CORE, person, {"sex": CLEAR})

    assert isinstance(outcome, Record)


async def test_a_name_with_private_use_characters_is_still_his(asking: Asking) -> None:
    """The register spells a rare character in its own way; that is no other person."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("private_use_name")

    outcome, _ = await asking.fetch(CORE, person, {"sex": CLEAR})

    assert isinstance(outcome, Record)


@pytest.mark.parametrize("shape", [VERIFY, CORE, HOUSEHOLD, DEATH], ids=lambda shape: shape.name)
async def test_what_was_not_granted_never_stands_in_the_record(
    asking: Asking, shape: DatasetShape
) -> None:
    """The register sends everything it has; one field leaves."""
    granted = {"ps.household@1": "kinship_ok", "ps.death_cancel@1": "is_cancelled"}
    name = granted.get(shape.name, "deceased" if shape is VERIFY else "person_state")
    effect = CLEAR if shape is CORE else IS_TRUE
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("every_field")
    query = asking.query(shape, person.named, {name: effect})

    outcome = await asking.adapter.fetch(query)

    record = read_outcome(query, outcome)
    assert [disclosure.name for disclosure in record.disclosures] == [name]


async def test_a_wrong_key_is_a_fault(simulator: Simulator, source: RecordSource) -> None:
    """The platform does not know us; health says so too."""
    adapter = build_adapter(simulator, source, replace(IDENTITY, app_key="wrong"))
    person = simulator.person("ordinary_graduate")
    query = Asking(simulator, adapter).query(CORE, person.named, {"sex": CLEAR})

    outcome = await adapter.fetch(query)
    health = await adapter.examine_health()
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert health.detail == "PROVIDER_FAULT"


async def test_a_system_job_needs_somebody_to_answer_for_it(
    simulator: Simulator, source: RecordSource
) -> None:
    """With a configured person it is asked, without one it is not."""
    person = simulator.person("ordinary_graduate")
    outcomes = []
    for identity in (IDENTITY, replace(IDENTITY, system_user=None)):
        adapter = build_adapter(simulator, source, identity)
        query = Asking(simulator, adapter).query(VERIFY, person.named, {"deceased": IS_TRUE})
        outcomes.append(await adapter.fetch(replace(query, end_user=None)))
        await adapter.close()

    assert isinstance(outcomes[0], Record)
    assert outcomes[1] == Untold(reason=Indeterminate.PROVIDER_FAULT)


async def test_health_is_the_secret(asking: Asking) -> None:
    """Reachable and known there, or why not, whatever secret is still kept."""
    good = await asking.adapter.examine_health()
    asking.simulator.set_fault("clock_skew")

    bad = await asking.adapter.examine_health()

    assert good.reachable
    assert (bad.reachable, bad.detail) == (False, "PROVIDER_FAULT")
