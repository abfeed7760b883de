"""How tests ask civil affairs, live and from the copied front-end database."""

from collections.abc import Mapping
from dataclasses import replace

from adapters.kinds.civil_affairs.adapter import CivilAffairsAdapter
from adapters.kinds.civil_affairs.front_end import FrontEnd, FrontEndAddress
from adapters.kinds.civil_affairs.live import MAX_BODY, LiveCheck
from adapters.kinds.civil_affairs.platform import PlatformIdentity
from adapters.kinds.civil_affairs.poller import Poller
from adapters.limits import TransportLimits
from adapters.port import DatasetShape, Effect, EffectKind, Finding, Outcome, Query, Untold
from adapters.records import RecordSource
from adapters.simulators.population import Person, Population, civil_affairs_record
from adapters.simulators.population.civil_affairs import CivilAffairsRecord
from adapters.transport import DepartmentTransport
from signing.encoding import JsonValue
from tests.adapters.asking import CLEAR, COMPARE, IS_TRUE, disclosed, query_of, shape_of
from tests.adapters.simulated import Simulator

IDENTITY = PlatformIdentity(
    sid="s_1137000000000_0001", access_key="hrss-access-0001", app_key="demo-app-key-0001"
)
USER, PASSWORD = "hrss_reader", "demo-password"

VERIFY = shape_of(
    "ca.marriage_verify@1",
    {"registration_found": "pred", "is_couple": "pred", "current_status": "code:GB/T2261.2"},
    registration_found=Finding.NO,
)
RECORD = shape_of(
    "ca.marriage_record@1",
    {
        "certificate_no": r"re:B?[JL]\d{6}-\d{4}-\d{6}",
        "op_type": "code:结婚/离婚/补领/撤销",
        "op_date": "date",
        "spouse_name": "str60",
        "spouse_id": "cid18",
        "office_code": "str20",
        "ethnicity_pair": "code",
    },
)
CREMATION = shape_of(
    "ca.cremation@1",
    {
        "death_time": "ts",
        "cremation_time": "ts",
        "facility": "str80",
        "home_address": "str200",
        "is_cremated": "pred",
    },
    is_cremated=Finding.NO,
)
ASSISTANCE = shape_of(
    "ca.assistance@1",
    {
        "category": "code:低保/特困/低边",
        "valid_from": "date",
        "valid_to": "date",
        "monthly_amount": "dec10.2",
        "is_recipient": "pred",
    },
    is_recipient=Finding.NO,
)
CHILD = shape_of(
    "ca.adoption_child@1",
    {
        "child_status": "code:收养/孤儿/事实无人抚养",
        "adoption_no": "str30",
        "is_dependent_child": "pred",
    },
)
SHAPES = (VERIFY, RECORD, CREMATION, ASSISTANCE, CHILD)
YEAR = Effect(kind=EffectKind.GENERALISE, parameters=("year",))

GRANTS: Mapping[str, Mapping[str, Effect]] = {
    VERIFY.name: {
        "registration_found": IS_TRUE,
        "is_couple": IS_TRUE,
        "current_status": CLEAR,
    },
    RECORD.name: {
        "certificate_no": CLEAR,
        "op_type": CLEAR,
        "op_date": CLEAR,
        "spouse_name": CLEAR,
        "spouse_id": CLEAR,
        "office_code": CLEAR,
    },
    CREMATION.name: {
        "death_time": YEAR,
        "cremation_time": YEAR,
        "facility": CLEAR,
        "is_cremated": IS_TRUE,
    },
    ASSISTANCE.name: {
        "category": CLEAR,
        "valid_from": CLEAR,
        "valid_to": CLEAR,
        "is_recipient": IS_TRUE,
    },
    CHILD.name: {"child_status": COMPARE, "is_dependent_child": IS_TRUE},
}
"""Everything that may be granted of each dataset, as clear as tests need it."""

POPULATION = 6_000
"""Of fewer people nobody would receive assistance in each of its states."""
PEOPLE = Population(seed=1, size=POPULATION)
NOBODY = ("37010219900101001X", "查无此")
Told = dict[str, str | list[str]]


def held_by(index: int) -> CivilAffairsRecord:
    """Return what civil affairs hold of a person."""
    return civil_affairs_record(PEOPLE.person(index))


def named(person: Person) -> tuple[str, str]:
    """Return number and name as civil affairs hold them."""
    held = civil_affairs_record(person)
    return held.person_id, held.full_name


def front_end_of(simulator: Simulator) -> FrontEndAddress:
    """Return where the front-end database of a simulator lies."""
    return FrontEndAddress(
        host="127.0.0.1",
        port=int(simulator.ready["front_end_port"]),
        database="qzk",
        user=USER,
        password=PASSWORD,
    )


def build_poller(
    simulator: Simulator,
    *views: str,
    address: FrontEndAddress | None = None,
    interval_s: float = 300.0,
) -> Poller:
    """Return a poller that a test lets poll: it would do so by itself every five minutes."""
    return Poller(
        FrontEnd(address or front_end_of(simulator)),
        views or ("v_cremation", "v_assistance"),
        now_ms=simulator.now_ms,
        interval_s=interval_s,
    )


def build_adapter(
    simulator: Simulator,
    source: RecordSource,
    *,
    poller: Poller | None = None,
    identity: PlatformIdentity = IDENTITY,
) -> CivilAffairsAdapter:
    """Return a fresh adapter; without a poller everything is asked live."""
    transport = DepartmentTransport(
        department="civil_affairs",
        base_url=simulator.base_url,
        limits=TransportLimits(max_body=MAX_BODY),
    )
    return CivilAffairsAdapter(
        source=source,
        datasets=frozenset(shape.name for shape in SHAPES),
        live=LiveCheck(transport, identity, simulator.now_ms),
        poller=poller,
    )


class Asking:
    """Asks the adapter about people."""

    def __init__(
        self, simulator: Simulator, adapter: CivilAffairsAdapter, poller: Poller | None = None
    ) -> None:
        """Keep whom to ask."""
        self.simulator = simulator
        self.adapter = adapter
        self.poller = poller

    def query(
        self,
        shape: DatasetShape,
        subject: tuple[str, str],
        claims: Mapping[str, str] | None = None,
        grants: Mapping[str, Effect] | None = None,
        seconds: float = 5.0,
    ) -> Query:
        """Return an officer's query for all that may be granted, at the department's time."""
        granted = GRANTS[shape.name] if grants is None else grants
        query = query_of(shape, subject, granted, claims, seconds)
        return replace(query, issued_at_ms=self.simulator.now_ms(), by_officer=True)

    async def fetch(
        self,
        shape: DatasetShape,
        subject: tuple[str, str],
        claims: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, Told]:
        """Ask as an officer; return the outcome and what was disclosed."""
        return await self._ask(self.query(shape, subject, claims))

    async def sweep(self, shape: DatasetShape, subject: tuple[str, str]) -> tuple[Outcome, Told]:
        """Ask as a system job."""
        query = replace(self.query(shape, subject), by_officer=False, end_user=None)
        return await self._ask(query)

    async def _ask(self, query: Query) -> tuple[Outcome, Told]:
        outcome = await self.adapter.fetch(query)
        return outcome, {} if isinstance(outcome, Untold) else disclosed(query, outcome)

    def front_end(self, action: str, **parameters: JsonValue) -> None:
        """Change the state of the front-end database."""
        done = self.simulator.admin("POST", "/front_end", {"action": action, **parameters})
        assert done == {"done": action}
