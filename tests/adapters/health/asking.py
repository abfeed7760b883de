"""How tests ask the health department."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from adapters.kind import Means, Parts
from adapters.kinds.health import KIND, HealthIdentity
from adapters.port import Effect, Finding, Outcome, ProviderAdapter, Query, Untold
from adapters.records import RecordSource
from adapters.settings import HealthConfig, KeyConfig
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, query_of, shape_of
from tests.adapters.simulated import Person, Simulator

IDENTITY = HealthIdentity(
    app_id="hc_demo_0001",
    app_key="demo-health-key-0001",
    org_code="11370000MB2DEM0105",
    org_name="省人力资源和社会保障部门",
)
NARROW = replace(IDENTITY, app_id="narrow", app_key="narrow-key")
"""Registered, and not for certificates of death."""
REGISTERED = [
    {
        "app_id": IDENTITY.app_id,
        "app_key": IDENTITY.app_key,
        "org_code": IDENTITY.org_code,
        "operations": ["getSwyxzmInfo"],
    },
    {
        "app_id": NARROW.app_id,
        "app_key": NARROW.app_key,
        "org_code": NARROW.org_code,
        "operations": ["getBirthInfo"],
    },
]

DEATH = shape_of(
    "hc.death_certificate@1",
    {"death_date": "date", "cause": "str", "has_record": "pred"},
    has_record=Finding.NO,
)
ALL = {"has_record": IS_TRUE, "death_date": CLEAR}
NOBODY = ("37010219900101001X", "查无此")
DEAD = "dead_pension_paid"
CORRECTED = "cremated_not_cancelled"
ALIVE = "ordinary_pensioner"


def build_adapter(
    base_url: str,
    now_ms: Callable[[], int],
    source: RecordSource,
    identity: HealthIdentity = IDENTITY,
) -> ProviderAdapter:
    """Return a fresh adapter, its breaker closed, as a gateway builds it."""
    section = HealthConfig(
        base_url=base_url,
        app_id=identity.app_id,
        app_key_file=Path("app-key"),
        org_code=identity.org_code,
        org_name=identity.org_name,
        record_key=KeyConfig(key=Path("key"), passphrase_file=Path("passphrase")),
    )
    means = Means(
        providers={},
        matters={},
        now_ms=now_ms,
        load_secret=lambda _: identity.app_key.encode(),
        load_signer=lambda _: source.signer,
    )
    datasets = frozenset({DEATH.name})
    return KIND.build(section, Parts(source=source, datasets=datasets, means=means))


class Asking:
    """Asks the adapter about people."""

    def __init__(self, simulator: Simulator, adapter: ProviderAdapter) -> None:
        """Keep whom to ask."""
        self.simulator = simulator
        self.adapter = adapter

    def query(
        self,
        subject: tuple[str, str | None],
        grants: Mapping[str, Effect] = ALL,
        seconds: float = 5.0,
    ) -> Query:
        """Return a query at the department's time."""
        query = query_of(DEATH, subject, grants, seconds=seconds)
        return replace(query, issued_at_ms=self.simulator.now_ms(), end_user=None)

    async def fetch(
        self, person: Person, grants: Mapping[str, Effect] = ALL
    ) -> tuple[Outcome, dict[str, str | list[str]]]:
        """Return the outcome and what was disclosed."""
        query = self.query(person.named, grants)
        outcome = await self.adapter.fetch(query)
        return outcome, {} if isinstance(outcome, Untold) else disclosed(query, outcome)
