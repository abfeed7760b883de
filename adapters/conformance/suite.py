"""The suite: the same cases for every kind, over the wire, through the adapter a gateway uses.

1. health: its cheapest operation
2. each planted person of the sample, alone
3. what the sample has nobody for
4. the same question again
5. all of them at once
6. members that were sent unasked
7. each credential, wrong: last, because a department may lock out who tries wrong ones
"""

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Final

from adapters.causes import Cause
from adapters.conformance.asking import Asker, Patience, Told
from adapters.conformance.deviations import Deviation, Found, Weight
from adapters.conformance.endpoint import Credential, Endpoint
from adapters.conformance.explained import EXPLAINED
from adapters.conformance.judging import explain_untold, judge
from adapters.conformance.report import Case, Report, Tried
from adapters.conformance.sample import Planted, Role, Sample
from adapters.port import (
    Indeterminate,
    KeepsCopy,
    NotFound,
    ProviderAdapter,
    Record,
    SubjectType,
    Untold,
)
from adapters.surplus import Surplus, noting_surplus

_SILENT: Final = frozenset(
    {Indeterminate.PROVIDER_UNAVAILABLE.value, Indeterminate.PROVIDER_TIMEOUT.value}
)
_LEAST_AT_ONCE, _MOST_AT_ONCE = 2, 32
_SLOW_SHARE: Final = 0.5
_COPY_PAUSE_S: Final = 0.2
_REFUSING: Final = frozenset({Indeterminate.PROVIDER_FAULT, Indeterminate.PROVIDER_UNPROVEN})
"""What a refusal of an identity may look like: its own proof may be missing as well."""
_AWAY: Final = frozenset(
    {
        Cause.ANSWER_LATE,
        Cause.BREAKER_OPEN,
        Cause.CONNECTION_FAILED,
        Cause.STATUS_UNAVAILABLE,
    }
)
_ENOUGH_AWAY: Final = 3
"""Answers in a row that did not come, after which nobody else is asked about."""


async def examine(
    kind: str, endpoint: Endpoint, sample: Sample, patience: Patience | None = None
) -> Report:
    """Try every case against one end.

    Raises:
        AdapterMisconfigured: Its section cannot work; besides, what `Means` raises for a file.
    """
    examination = _Examination(endpoint, sample, patience or Patience())
    await examination.run()
    return Report(kind=kind, tried=tuple(examination.tried))


class _Examination:
    """One run, case after case."""

    def __init__(self, endpoint: Endpoint, sample: Sample, patience: Patience) -> None:
        self._endpoint = endpoint
        self._sample = sample
        self._asker = Asker(endpoint, sample, patience)
        self._alone: dict[int, Told] = {}
        self._sound: dict[int, Planted] = {}
        """Whom nothing was found about, so that a second answer can be compared with the first."""
        self.tried: list[Tried] = []

    async def run(self) -> None:
        adapter = self._endpoint.open()
        if isinstance(adapter, KeepsCopy):
            adapter.begin()
        try:
            with noting_surplus() as surplus:
                healthy = await self._try_health(adapter)
                reached = await self._try_people(adapter, healthy=healthy)
            self.tried.extend(_missing(self._sample))
            if reached:
                await self._try_again(adapter)
                await self._try_together(adapter)
                self._add_surplus(surplus)
        finally:
            await adapter.close()
        if reached:
            for credential in self._endpoint.find_credentials():
                await self._try_spoilt(credential)

    async def _try_health(self, adapter: ProviderAdapter) -> bool:
        began = time.monotonic()
        health = await adapter.examine_health()
        give_up_at = began + self._asker.patience.answer_s
        # A first copy takes its time, and is told as away until it is whole.
        while not health.reachable and isinstance(adapter, KeepsCopy):
            if time.monotonic() + _COPY_PAUSE_S >= give_up_at:
                break
            await asyncio.sleep(_COPY_PAUSE_S)
            health = await adapter.examine_health()
        code = Deviation.HEALTH_SILENT if health.detail in _SILENT else Deviation.HEALTH_REFUSED
        found = () if health.reachable else (Found(code=code, detail=health.detail),)
        self.tried.append(Tried(case=Case.HEALTH, found=found, took_ms=_ms(began)))
        return health.reachable

    async def _try_people(self, adapter: ProviderAdapter, *, healthy: bool) -> bool:
        """Ask about each, until it is plain that the end is away."""
        reached, away = True, 0
        for index, person in enumerate(self._sample.people):
            about, case = _about(index, person), Case(person.role.value)
            if not reached:
                self.tried.append(Tried(case=case, about=about, skipped=True))
                continue
            told = self._alone[index] = await self._asker.ask(adapter, person)
            found = judge(person, self._asker.offered(person), told)
            if not found:
                self._sound[index] = person
            if told.took_s > self._asker.patience.answer_s * _SLOW_SHARE:
                found.append(Found(code=Deviation.ANSWER_SLOW))
            took_ms = round(told.took_s * 1000)
            self.tried.append(Tried(case=case, about=about, found=found, took_ms=took_ms))
            away = away + 1 if _AWAY & {each.code for each in found} else 0
            begun = healthy or index > 0 or explain_untold(told) is None
            reached = away < _ENOUGH_AWAY and begun
        return reached

    async def _try_again(self, adapter: ProviderAdapter) -> None:
        """Ask about the first of each dataset twice under one request id."""
        for index, person in _first_of_each(self._sound):
            began, request_id = time.monotonic(), secrets.token_bytes(16)
            told = [await self._asker.ask(adapter, person, request_id) for _ in range(2)]
            same = all(each.is_as(self._alone[index]) for each in told)
            found = () if same else (_differing(Deviation.REPEAT_DIFFERS, *told),)
            about = _about(index, person)
            self.tried.append(
                Tried(case=Case.REPEATED, about=about, found=found, took_ms=_ms(began))
            )

    async def _try_together(self, adapter: ProviderAdapter) -> None:
        began = time.monotonic()
        asked = list(self._sound.items())[:_MOST_AT_ONCE]
        if len(asked) < _LEAST_AT_ONCE:
            return
        told = await asyncio.gather(*(self._asker.ask(adapter, person) for _, person in asked))
        differing = {
            _about(index, person): _differing(Deviation.TOGETHER_DIFFERS, each)
            for (index, person), each in zip(asked, told, strict=True)
            if not each.is_as(self._alone[index])
        }
        took_ms = _ms(began)
        if not differing:
            self.tried.append(Tried(case=Case.TOGETHER, took_ms=took_ms))
        for about, found in differing.items():
            self.tried.append(
                Tried(case=Case.TOGETHER, about=about, found=(found,), took_ms=took_ms)
            )

    def _add_surplus(self, surplus: Surplus) -> None:
        names = " ".join(sorted(surplus.names))
        found = (Found(code=Deviation.SURPLUS_MEMBERS, detail=names),) if names else ()
        self.tried.append(Tried(case=Case.SURPLUS, found=found, skipped=not surplus.examined))

    async def _try_spoilt(self, credential: Credential) -> None:
        adapter = self._endpoint.open_spoilt(credential)
        if adapter is None:
            self.tried.append(Tried(case=Case.CREDENTIAL, about=credential.setting, skipped=True))
            return
        began = time.monotonic()
        found: Found | None = Found(code=Deviation.CREDENTIAL_NOT_CHECKED)
        try:
            # Some credentials open one dataset only: one refusal shows that this one is checked.
            for person in self._told_of():
                told = await self._asker.ask(adapter, person)
                if not isinstance(told.outcome, Record | NotFound):
                    found = _judge_refusal(told)
                    break
        finally:
            await adapter.close()
        self.tried.append(
            Tried(
                case=Case.CREDENTIAL,
                about=credential.setting,
                found=() if found is None else (found,),
                took_ms=_ms(began),
            )
        )

    def _told_of(self) -> list[Planted]:
        """Return somebody of each dataset whom it tells of: else its silence would say nothing."""
        told = {
            index: self._sample.people[index]
            for index, each in self._alone.items()
            if explain_untold(each) is None
        }
        return [person for _, person in _first_of_each(told)] or [self._sample.people[0]]


def _judge_refusal(told: Told) -> Found | None:
    """Return what is wrong with an answer that tells nothing to a wrong credential."""
    untold = explain_untold(told)
    if untold is None or untold.code is Cause.IDENTITY_REFUSED:
        return None
    # Refused in whatever way is refused; what is away or busy refused nobody.
    busy = EXPLAINED[untold.code].weight is Weight.UNTOLD
    fault = isinstance(told.outcome, Untold) and told.outcome.reason in _REFUSING
    if fault and not busy:
        return Found(code=Deviation.REFUSAL_UNCLEAR, detail=untold.detail or untold.code)
    return untold


def _missing(sample: Sample) -> Iterator[Tried]:
    """Yield the cases that nobody of the sample stands for."""
    for dataset in sample.datasets:
        people = [each for each in sample.people if each.dataset == dataset]
        roles: Mapping[Role, bool] = {
            Role.KNOWN: True,
            Role.UNKNOWN: True,
            # Of an organisation its code alone is asked, and some registers take no name.
            Role.OTHER_NAME: any(
                each.type is SubjectType.RESIDENT_ID and each.name for each in people
            ),
        }
        for role, due in roles.items():
            if due and role not in {each.role for each in people}:
                found = (Found(code=Deviation.SAMPLE_INCOMPLETE, detail=f"is: {role}"),)
                yield Tried(case=Case(role.value), about=dataset, found=found)


def _first_of_each(people: Mapping[int, Planted]) -> Iterator[tuple[int, Planted]]:
    seen: set[str] = set()
    for index, person in people.items():
        if person.dataset not in seen:
            seen.add(person.dataset)
            yield index, person


def _differing(code: Deviation, *told: Told) -> Found:
    """Return that an answer differs, and where nothing was told this time, why."""
    untold = next((each for each in map(explain_untold, told) if each is not None), None)
    return Found(code=code, detail=untold.code if untold else "")


def _about(index: int, person: Planted) -> str:
    return f"{person.dataset} people[{index}]"


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
