"""How tests ask the population register."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from adapters.kinds.public_security import PublicSecurityAdapter, ServiceIdentity
from adapters.port import (
    DatasetShape,
    Effect,
    EffectKind,
    EndUser,
    Finding,
    Outcome,
    Query,
    Untold,
)
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, query_of, shape_of
from tests.adapters.simulated import Person, Simulator

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
PHOTO = shape_of("ps.photo_compare@1", {"same_person": "pred", "score_band": "code:high/mid/low"})
ALL_VERIFY = {"id_match": IS_TRUE, "name_match": IS_TRUE, "deceased": IS_TRUE}
COUNTY = Effect(kind=EffectKind.GENERALISE, parameters=("county",))
NOBODY = ("37010219900101001X", "查无此")


def build_adapter(
    simulator: Simulator,
    source: RecordSource,
    identity: ServiceIdentity = IDENTITY,
    limits: TransportLimits | None = None,
) -> PublicSecurityAdapter:
    """Return a fresh adapter, without a secret."""
    return PublicSecurityAdapter(
        source=source,
        datasets=frozenset({VERIFY.name, CORE.name, HOUSEHOLD.name, DEATH.name, PHOTO.name}),
        transport=DepartmentTransport(
            department="public_security", base_url=simulator.base_url, limits=limits
        ),
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
