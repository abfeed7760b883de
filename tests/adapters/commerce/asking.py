"""How tests ask the commerce register, and what records look like."""

from collections.abc import Mapping
from dataclasses import replace

from adapters.kinds.commerce import ApiKey, CommerceAdapter
from adapters.kinds.commerce.adapter import MAX_BODY
from adapters.mapping.decimals import DecimalJson
from adapters.port import (
    DatasetShape,
    Effect,
    EffectKind,
    Finding,
    Outcome,
    Query,
    Subject,
    SubjectType,
    Untold,
)
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, query_of, shape_of
from tests.adapters.simulated import Person, Simulator

KEY = ApiKey(key_id="hrss-gateway", secret=b"demo-commerce-secret-0001", authcode="HRSS-DEMO")
CATEGORY = Effect(kind=EffectKind.PREDICATE, parameters=("category",))

ENTERPRISE = shape_of(
    "cm.enterprise@1",
    {
        "uscc": "uscc18",
        "name": "str120",
        "entity_type": "code",
        "legal_representative": "str60",
        "legal_rep_id": "cid18",
        "reg_state": "code:在营/歇业/吊销/注销/迁出",
        "establish_date": "date",
        "valid_to": "date",
        "registered_capital": "dec16.4",
        "address": "str200",
        "business_scope": "text",
        "reg_authority": "str80",
        "shareholders": "list",
    },
)
VERIFY = shape_of(
    "cm.enterprise_verify@1",
    {"all_match": "pred", "mismatched_keys": "list(str)", "true_values": "map"},
)
POSITIONS = shape_of(
    "cm.positions@1",
    {"has_active_entity": "pred", "entity_list": "list"},
    has_active_entity=Finding.NO,
)

ALL_ENTERPRISE: Mapping[str, Effect] = {str(field.name): CLEAR for field in ENTERPRISE.fields}
"""Everything at once: what is never read stays absent even if it were granted."""
ALL_VERIFY = {"all_match": IS_TRUE, "mismatched_keys": CATEGORY}
ACTIVE = {"has_active_entity": IS_TRUE}
ALL_POSITIONS = {**ACTIVE, "entity_list": CLEAR}

Told = dict[str, str | list[str]]


def build_adapter(simulator: Simulator, source: RecordSource, key: ApiKey = KEY) -> CommerceAdapter:
    """Return a fresh adapter."""
    return CommerceAdapter(
        source=source,
        datasets=frozenset({ENTERPRISE.name, VERIFY.name, POSITIONS.name}),
        transport=DepartmentTransport(
            department="commerce",
            base_url=simulator.base_url,
            limits=TransportLimits(max_body=MAX_BODY, backoff_s=0.01),
        ),
        key=key,
        now_ms=simulator.now_ms,
    )


def company(person: Person) -> Subject:
    """Return the enterprise a person works for, as a query names it."""
    uscc = person.text("commerce", "enterprise", "uscc")
    return Subject(type=SubjectType.USCC, identifier=uscc)


def truth(person: Person) -> dict[str, str]:
    """Return what is claimed of a person's employer by whoever knows it."""
    names = ("name", "legal_representative", "address")
    return {name: person.text("commerce", "enterprise", name) for name in names}


class Asking:
    """Asks the adapter about people and their enterprises."""

    def __init__(self, simulator: Simulator, adapter: CommerceAdapter) -> None:
        """Keep whom to ask."""
        self.simulator = simulator
        self.adapter = adapter

    def query(
        self,
        shape: DatasetShape,
        subject: Subject,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
        seconds: float = 5.0,
    ) -> Query:
        """Return a query at the department's time."""
        query = query_of(shape, (subject.identifier, subject.full_name), grants, claims, seconds)
        return replace(query, subject=subject, issued_at_ms=self.simulator.now_ms())

    async def fetch(
        self,
        shape: DatasetShape,
        subject: Subject,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, Told]:
        """Return the outcome and what was disclosed."""
        query = self.query(shape, subject, grants, claims)
        outcome = await self.adapter.fetch(query)
        return outcome, {} if isinstance(outcome, Untold) else disclosed(query, outcome)

    async def verify(self, person: Person, claims: Mapping[str, str]) -> tuple[Outcome, Told]:
        """Verify claims about a person's employer."""
        return await self.fetch(VERIFY, company(person), ALL_VERIFY, claims)

    async def positions(self, person: Person) -> tuple[Outcome, Told]:
        """Ask for a person's positions."""
        return await self.fetch(POSITIONS, natural(person), ALL_POSITIONS)


def natural(person: Person) -> Subject:
    """Return a person as a query names him."""
    return Subject(
        type=SubjectType.RESIDENT_ID, identifier=person.identifier, full_name=person.full_name
    )


CODE = "91370100MA3FAKE04Q"
TRADER = "92370100MA3FAKE04Q"
COMPANY = Subject(type=SubjectType.USCC, identifier=CODE)
HOLDER = Subject(type=SubjectType.RESIDENT_ID, identifier="370102198203159010", full_name="赵明")
RECORD: dict[str, DecimalJson] = {
    "uniscid": CODE,
    "regno": "370100200000001",
    "entname": "济南演示科技有限公司",
    "enttypeCn": "有限责任公司(自然人独资)",
    "dom": "山东省济南市历下区示例路1号",
    "name": "赵明",
    "cerno": "370102198203159010",
    "tel": "19900000001",
    "opfrom": 1614528000000,
    "opto": None,
    "estdate": 1614528000000,
    "apprdate": 20260302093000,
    "opscope": "软件开发",
    "regcap": 100,
    "regcapcurCn": "人民币",
    "regorgcn": "济南市历下区市场监督管理局",
    "regstateCn": "吊销.未注销",
    "shareholders": [
        {
            "inv": "赵明",
            "certype": "10",
            "cerno": "370102198203159010",
            "subconam": 100,
            "conprop": 100,
        }
    ],
}
"""The example of docs/adapters/commerce.md 4."""
TRADER_RECORD: dict[str, DecimalJson] = {
    "epbno": TRADER,
    "traname": "济南市历下区演示小吃店",
    **{name: RECORD[name] for name in ("name", "cerno", "tel", "dom", "opscope", "regorgcn")},
    **{name: RECORD[name] for name in ("regstateCn", "estdate", "apprdate")},
}
POSITION: dict[str, DecimalJson] = {
    "cerno": "370102198203159010",
    "pname": "赵明",
    "position": "股东",
    "uniscid": CODE,
    "entname": "济南演示科技有限公司",
    "enttypeCn": "有限责任公司(自然人独资)",
    "regstateCn": "存续（在营、开业、在册）",
    "estdate": 1614528000000,
    "subconam": 100,
    "conprop": 100,
    "tel": "19900000001",
}


def verification(*differences: Mapping[str, str], verdict: str = "") -> dict[str, DecimalJson]:
    """Return a record of section 5 with some differences."""
    return {
        "ent_idx": {"uniscid": CODE, "regno": "370100200000001", "entname": "济南演示科技有限公司"},
        "regstateCn": "吊销.未注销",
        "entchk_checkrcs_msg": verdict or ("不一致" if differences else "一致"),
        "diff_list": [dict(each) for each in differences],
    }


def difference(key: str, claimed: str) -> dict[str, str]:
    """Return one difference, with the true value the register leaks."""
    return {"chk_key": key, "in_val": claimed, "out_val": "真实值"}
