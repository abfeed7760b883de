"""Puts the rows of the fault matrix to a running gateway, and notes what came of each."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from adapters.breaker import Breaker, Passage, Verdict
from adapters.port import DatasetName, ProviderAdapter
from adapters.port import Subject as PartySubject
from adapters.port import SubjectType as PartyType
from gateway.app import Gateway
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import Sandbox
from gateway.cli.sandbox.simulators import Simulator
from gateway.cli.sandbox.world import DIVISION
from gateway.policy.ports import CaseRecord, CaseState, Relation
from hutong.client import Answered, Client, ClientError, load_identity
from tests.gateway.asking import delivery_to, person
from tests.gateway.faults.questions import QUESTIONS, SLUGS, Asked
from tests.gateway.faults.table import PATIENCE_S, Row

UNDISTURBED = "UNDISTURBED"
"""Names the cases of questions that are put without a fault."""
REST_S = {"bank": 0.5}
"""Seconds before each row: the front of the banks takes 20 requests in one (docs/adapters/bank.md,
section 6), and a row that follows at once would be refused for those before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What came of one row."""

    state: str
    reason: str
    told: Mapping[str, object]
    plain: Mapping[str, object]
    """What the same question was told before, without a fault."""
    calls: int
    failures: int
    """In a row, as the breaker counts them when the answer is there."""
    verdicts: frozenset[Verdict]
    entry: Mapping[str, object]
    """The entry in the log that the answer's receipt proves."""
    later: str
    before: Mapping[str, object]
    """What the department's first question was told before any fault."""
    after: Mapping[str, object] | str
    """What it was told once this one was off, or why it was not."""

    def breaker_is(self, said: str) -> bool:
        """Tell whether the breaker counted what the table says."""
        if said == "answers":
            return self.failures == 0 and Verdict.ANSWERS in self.verdicts
        return said == f"fails {self.failures}"


@dataclass(slots=True, kw_only=True)
class Controls:
    """The admin port of one department."""

    http: httpx.AsyncClient

    async def switch(self, name: str, count: int | None) -> None:
        """Switch a fault on."""
        (await self.http.post("/faults", json={"name": name, "count": count})).raise_for_status()

    async def reset(self) -> None:
        """Switch every fault off."""
        (await self.http.delete("/faults")).raise_for_status()

    async def put_on(self, seconds: int) -> None:
        """Put the clock on by so many seconds; 0 sets it right again."""
        offset = {"offset_ms": seconds * 1000}
        (await self.http.post("/clock", json=offset)).raise_for_status()

    async def received(self) -> int:
        """Return the number of the last call."""
        return int((await self.http.get("/received?after=1000000")).json()["count"])

    async def calls_after(self, number: int) -> int:
        """Return how many calls came since: what the tax office decodes of one is none."""
        rows = (await self.http.get(f"/received?after={number}")).json()["received"]
        return sum(row["method"] != "DECODED" for row in rows)


def open_cases(sandbox: Sandbox, rows: Iterable[Row]) -> None:
    """Open a case for every question there will be: quotas are of a case, and none may run out."""
    with delivery_to(sandbox) as delivery:
        for department, asked in QUESTIONS.items():
            own = [row for row in rows if row.department == department]
            first = next(iter(asked))
            wanted = {(UNDISTURBED, name) for name in asked}
            wanted |= {(str(row.number), row.asked) for row in own}
            wanted |= {(f"{UNDISTURBED}-{row.number}", first) for row in own}
            for tag, name in wanted:
                each = asked[name]
                subject = each.subject()
                party = PartySubject(
                    type=PartyType(str(subject.type)), identifier=subject.identifier
                )
                record = CaseRecord(
                    state=CaseState.OPEN,
                    matter=each.matter,
                    organisation=HRSS,
                    division=DIVISION,
                    relation=Relation.APPLICANT,
                    in_investigation=False,
                    special_grade=True,
                )
                parties = ((party, Relation.APPLICANT),)
                delivery.add_case(_case(each, tag), record, parties)


def _case(asked: Asked, tag: str) -> str:
    return f"FM-{asked.agreement}-{person(asked.who).index}-{tag}"


@dataclass(slots=True, kw_only=True)
class Bench:
    """Runs the rows of one department, one after the other."""

    department: str
    controls: Controls
    breaker: Breaker
    clients: Mapping[str, Client]
    plain: dict[str, Mapping[str, object]] = field(default_factory=dict)

    async def run(self, rows: Iterable[Row]) -> Mapping[Row, Cell | ClientError]:
        """Return what comes of each row, or why its question was not even answered."""
        for name in QUESTIONS[self.department]:
            self.plain[name] = told_by(await self._ask(name, UNDISTURBED, PATIENCE_S))
        cells: dict[Row, Cell | ClientError] = {}
        for row in rows:
            if row.department == self.department:
                await asyncio.sleep(REST_S.get(self.department, 0))
                try:
                    cells[row] = await self._cell(row)
                except ClientError as error:
                    # One row's trouble; the others have their own tests.
                    cells[row] = error
        return cells

    async def _cell(self, row: Row) -> Cell:
        before = await self.controls.received()
        if row.set_up:
            name, _, count = row.set_up.partition(":")
            await self.controls.switch(name, int(count))
        await self.controls.switch(row.fault, row.count)
        try:
            with counting(self.breaker) as verdicts:
                answered = await self._ask(row.asked, str(row.number), row.patience_s)
                failures = self.breaker._failures
        finally:
            await self.controls.reset()
            self.breaker._failures, self.breaker._open_until = 0, None
        later = "" if row.later_s is None else await self._later(row, answered)
        calls = await self.controls.calls_after(before)
        return Cell(
            state=str(answered.state),
            reason=str(answered.indeterminate_reason or ""),
            told=told_by(answered),
            plain=self.plain[row.asked],
            calls=calls,
            failures=failures,
            verdicts=frozenset(verdicts),
            entry=json.loads(answered.receipt.form.entry),
            later=later,
            before=next(iter(self.plain.values())),
            after=await self._after(row),
        )

    async def _later(self, row: Row, first: Answered) -> str:
        """Come back for what was pending, when the department's clock says so."""
        assert row.later_s is not None
        await self.controls.put_on(row.later_s)
        asked, client = self._asked(row.asked)
        question = asked.question(client.identity, _case(asked, str(row.number)))
        try:
            again = await client.get_result(first.request_id, question, timeout_s=PATIENCE_S)
        finally:
            await self.controls.put_on(0)
        return str(again.state)

    async def _after(self, row: Row) -> Mapping[str, object] | str:
        try:
            name = next(iter(QUESTIONS[self.department]))
            answered = await self._ask(name, f"{UNDISTURBED}-{row.number}", PATIENCE_S)
        except ClientError as error:
            return type(error).__name__
        return told_by(answered) if answered.state == "ANSWERED" else str(answered.state)

    async def _ask(self, name: str, tag: str, patience_s: float) -> Answered:
        asked, client = self._asked(name)
        question = asked.question(client.identity, _case(asked, tag))
        return await client.exchange(question, timeout_s=patience_s)

    def _asked(self, name: str) -> tuple[Asked, Client]:
        asked = QUESTIONS[self.department][name]
        return asked, self.clients[asked.system]


def told_by(answered: Answered) -> Mapping[str, object]:
    """Return value or finding of each field, None for one that has neither."""
    return {
        each.name: each.value if each.finding is None else str(each.finding)
        for each in answered.fields
    }


@contextmanager
def counting(breaker: Breaker) -> Iterator[list[Verdict]]:
    """Note every end of a question that the breaker counts."""
    verdicts: list[Verdict] = []
    settle = breaker.settle

    def noting(passage: Passage, verdict: Verdict) -> None:
        verdicts.append(verdict)
        settle(passage, verdict)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(breaker, "settle", noting)
        yield verdicts


def breaker_of(adapter: ProviderAdapter) -> Breaker:
    """Return the breaker behind an adapter; civil affairs has one for its live face only."""
    transport = getattr(getattr(adapter, "_live", adapter), "_transport", None)
    breaker = getattr(transport, "breaker", None)
    assert isinstance(breaker, Breaker)
    return breaker


async def benches(sandbox: Sandbox, gateway: Gateway, stack: AsyncExitStack) -> list[Bench]:
    """Return one bench for each department; clients and admin ports close with the stack."""
    clients: dict[str, Client] = {}
    for system in SLUGS:
        identity = load_identity(sandbox.world.folders.partner(system))
        clients[system] = await stack.enter_async_context(Client.open(identity))
    made = []
    for department, questions in QUESTIONS.items():
        dataset = DatasetName(next(iter(questions.values())).dataset)
        simulator = sandbox.simulators[department]
        controls = Controls(http=await stack.enter_async_context(_admin(simulator)))
        adapter = gateway.exchange._parts.adapters[dataset]
        made.append(
            Bench(
                department=department,
                controls=controls,
                breaker=breaker_of(adapter),
                clients=clients,
            )
        )
    return made


def _admin(simulator: Simulator) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{simulator.admin_port}",
        headers={"Authorization": f"Bearer {simulator.admin_token}"},
        trust_env=False,
        timeout=20,
    )
