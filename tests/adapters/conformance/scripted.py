"""An end that answers as a test says, behind the last step every real adapter ends with."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from typing_extensions import override

from adapters.causes import Cause
from adapters.conformance import Endpoint, Offered, Patience, Report, Sample, examine, parse_sample
from adapters.errors import AdapterMisconfigured, DepartmentFailed
from adapters.kind import KeyFiles, Means
from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    DatasetShape,
    FieldName,
    FieldShape,
    Finding,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
)
from adapters.records import RawRecord, RecordSource, settle
from adapters.settings import DepartmentConfig, HealthConfig
from certs.algorithms import Suite, generate_private_key
from signing.encoding import JsonValue
from signing.signer import FileSigner, Signer
from tests.adapters.asking import NOW_MS, ORGANISATION

DATASET = DatasetName("hc.death_certificate@1")
SHAPE = DatasetShape(
    name=DATASET,
    fields=(
        FieldShape(name=FieldName("death_date"), type="date"),
        FieldShape(name=FieldName("has_record"), type="pred", when_absent=Finding.NO),
        FieldShape(name=FieldName("cause"), type="str"),
    ),
)
OFFERED = Offered(shape=SHAPE, fields=frozenset({FieldName("death_date"), FieldName("has_record")}))
SECOND = Offered(
    shape=dataclasses.replace(SHAPE, name=DatasetName("hc.second@1")), fields=OFFERED.fields
)
FIELDS = {
    "hc.death_certificate": ["death_date", "has_record"],
    "hc.second": ["death_date", "has_record"],
}
KNOWN, UNKNOWN = "370102195603159016", "370102198203159010"
OTHER = "李不同"
SECRET = b"the-true-secret"
GOOD: RawRecord = {
    FieldName("death_date"): "2022-01-29",
    FieldName("has_record"): Finding.YES,
}
SECTION = {
    "base_url": "http://127.0.0.1:1",
    "app_id": "a",
    "app_key_file": "app-key",
    "org_code": "c",
    "org_name": "n",
}
PEOPLE: list[dict[str, JsonValue]] = [
    {"is": "known", "dataset": "hc.death_certificate", "id": KNOWN, "name": "王守仁"},
    {"is": "unknown", "dataset": "hc.death_certificate", "id": UNKNOWN, "name": "李明哲"},
    {"is": "other_name", "dataset": "hc.death_certificate", "id": KNOWN, "name": OTHER},
]

Answer = Callable[["Asked"], RawRecord | None]
"""Returns a raw record, None for not found, or raises as a dialect does."""
UNRESOLVED = DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)


class Asked:
    """One question as a script sees it."""

    def __init__(self, query: Query, count: int, secret: bytes) -> None:
        """Keep what a script may depend on."""
        self.identifier = query.subject.identifier
        self.dataset = query.dataset.name
        self.name = query.subject.full_name
        self.officer = query.end_user if query.by_officer else None
        self.request_id = query.request_id
        self.continues = query.pending_request_id
        self.count = count
        self.trusted = secret == SECRET


def behave(asked: Asked) -> RawRecord | None:
    """Answer as a department that does everything right."""
    if not asked.trusted:
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.IDENTITY_REFUSED)
    if asked.name == OTHER:
        raise UNRESOLVED
    return GOOD if asked.identifier == KNOWN else None


class ScriptedAdapter:
    """Signs what a script answers."""

    def __init__(self, source: RecordSource, answer: Answer, secret: bytes) -> None:
        """Keep the script."""
        self._source = source
        self._answer = answer
        self._secret = secret
        self._count = 0
        self.health = AdapterHealth(reachable=True, detail="OK")
        self.lacking: Lacking | None = None

    organisation = ORGANISATION
    datasets = frozenset({DATASET})
    breaker_state = BreakerState.CLOSED

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return what the test says is lacking."""
        assert query.dataset in {SHAPE, SECOND.shape}
        return self.lacking

    async def fetch(self, query: Query) -> Outcome:
        """Answer by the script."""
        self._count += 1
        asked = Asked(query, self._count, self._secret)
        assert {grant.field for grant in query.grants} == OFFERED.fields

        async def raw() -> RawRecord | None:
            return self._answer(asked)

        return await settle(self._source, query, raw())

    async def examine_health(self) -> AdapterHealth:
        """Return what the test says."""
        return self.health

    async def close(self) -> None:
        """Do nothing."""


class CopyingAdapter(ScriptedAdapter):
    """Keeps a copy, which is whole at the third look after it was begun."""

    looks_until_whole = 3

    def __init__(self, source: RecordSource, answer: Answer, secret: bytes) -> None:
        """Begin nothing yet."""
        super().__init__(source, answer, secret)
        self._looks: int | None = None

    def begin(self) -> None:
        """Begin to copy."""
        self._looks = 0

    @override
    async def examine_health(self) -> AdapterHealth:
        """Look at the copy."""
        if self._looks is not None:
            self._looks += 1
        whole = self._looks is not None and self._looks >= self.looks_until_whole
        return AdapterHealth(reachable=whole, detail="OK" if whole else "FRONT_END_AWAY")


class StuckAdapter(CopyingAdapter):
    """Keeps a copy that never is whole."""

    looks_until_whole = 1_000


def sample_of(people: list[dict[str, JsonValue]] | None = None, **more: JsonValue) -> Sample:
    """Return a sample of the health kind."""
    people = people or PEOPLE
    offered: list[JsonValue] = list(dict.fromkeys(each["dataset"] for each in people))
    tree = {"section": SECTION, "people": people, "datasets": offered, **more}
    return parse_sample(tree, "health", FIELDS)


def endpoint_of(
    answer: Answer = behave,
    change: Callable[[ScriptedAdapter], None] = lambda _: None,
    *,
    source_key: Signer | None = None,
    demands: Mapping[Path, bytes] | None = None,
    names_unseen: bool = False,
    adapter: type[ScriptedAdapter] = ScriptedAdapter,
) -> Endpoint:
    """Return an end whose adapter answers by a script."""

    def load_signer(_: KeyFiles) -> Signer:
        return FileSigner.of(generate_private_key(Suite.ES256))

    def build(section: DepartmentConfig, means: Means) -> ScriptedAdapter:
        assert isinstance(section, HealthConfig)
        secret = means.load_secret(section.app_key_file)
        for path, due in (demands or {}).items():
            if means.load_secret(path) != due:
                raise AdapterMisconfigured("of another form")
        signer = source_key or means.load_signer(section.record_key)
        source = RecordSource(organisation=ORGANISATION, signer=signer)
        built = adapter(source, answer, secret)
        change(built)
        return built

    means = Means(
        providers={},
        matters={},
        now_ms=lambda: NOW_MS,
        load_secret=lambda path: (demands or {}).get(path, SECRET),
        load_signer=load_signer,
    )
    return Endpoint(
        build=build,
        section=sample_of().section,
        means=means,
        offered={
            DATASET: dataclasses.replace(OFFERED, names_unseen=names_unseen),
            SECOND.shape.name: SECOND,
        },
    )


async def report_of(
    endpoint: Endpoint, sample: Sample | None = None, patience: Patience | None = None
) -> Report:
    """Examine an end."""
    return await examine("health", endpoint, sample or sample_of(), patience)


def codes_of(report: Report) -> dict[str, set[str]]:
    """Return case → codes found in it, of the cases anything was found in."""
    found: dict[str, set[str]] = {}
    for tried in report.tried:
        for each in tried.found:
            found.setdefault(tried.case.value, set()).add(each.code.value)
    return found
