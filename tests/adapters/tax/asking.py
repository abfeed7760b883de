"""How tests ask the tax department, and whom."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh

from adapters.kinds.tax import TaxAdapter
from adapters.kinds.tax.envelope import TaxIdentity
from adapters.kinds.tax.sftp import SftpTransport, build_access
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
from adapters.simulators.population import Person, TaxRecord, person_at, planted, tax_record
from adapters.transport import TransportLimits
from tests.adapters.asking import disclosed, query_of, shape_of
from tests.adapters.simulated import Simulator

SEED = 1
CLIENT_NO = "HRSS370000"
SIGN_KEY = "demo-sign-key-0001"
CATEGORY = Effect(kind=EffectKind.PREDICATE, parameters=("category",))
CONTRIBUTION = shape_of(
    "tx.contribution@1",
    {
        "period": r"re:\d{6}",
        "insurance_kind": "code",
        "base_amount": "dec12.2",
        "paid_unit": "dec12.2",
        "paid_person": "dec12.2",
        "paid_date": "date",
        "voucher_no": "str30",
        "paid_in_period": "pred",
    },
    paid_in_period=Finding.NO,
)
INCOME_TAX = shape_of(
    "tx.income_tax@1",
    {
        "tax_year": "int",
        "income_band": "code:5档",
        "taxable_income": "dec14.2",
        "withholding_agent": "uscc18",
        "has_wage_income": "pred",
    },
    has_wage_income=Finding.NO,
)
TAXPAYER = shape_of(
    "tx.taxpayer@1",
    {
        "taxpayer_id": "str15-20",
        "taxpayer_state": "code:NSRZT_DM",
        "credit_grade": "code:ABMCD",
        "in_arrears": "pred",
        "is_micro": "pred",
    },
    in_arrears=Finding.NOT_APPLICABLE,
    is_micro=Finding.NOT_APPLICABLE,
)
DATASETS = frozenset({CONTRIBUTION.name, INCOME_TAX.name, TAXPAYER.name})
LAST = {"period": "202610", "insurance_kind": "110"}
"""The last month the department keeps, pension insurance."""
Told = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What both sides are told of each other, as files of the simulator and as bytes."""

    folder: Path
    host_key: str
    login_key: bytes
    passphrase: bytes = b"a passphrase of a test"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the simulator is started with."""
        told = {"--clients": "clients.json", "--host-key": "host"}
        return tuple(
            text for name, file in told.items() for text in (name, str(self.folder / file))
        )


def make_keys(folder: Path) -> Keys:
    """Make the keys of both sides and register the client."""
    host, login = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    host.write_private_key(str(folder / "host"))
    client = {
        "client_no": CLIENT_NO,
        "user": "hrss",
        "public_key": login.export_public_key().decode().strip(),
        "sign_key": SIGN_KEY,
    }
    (folder / "clients.json").write_text(json.dumps({"clients": [client]}))
    passphrase = "a passphrase of a test"
    return Keys(
        folder=folder,
        host_key=host.export_public_key().decode().strip(),
        login_key=login.export_private_key("pkcs8-pem", passphrase),
    )


class Asking:
    """Asks an adapter about synthetic people; its clock can be put forward."""

    def __init__(self, simulator: Simulator, keys: Keys, source: RecordSource) -> None:
        """Build an adapter that has not connected yet."""
        self.simulator = simulator
        self._ahead_s = 0.0
        self.transport = SftpTransport(
            build_access(
                base_url=simulator.base_url.replace("http", "sftp"),
                user="hrss",
                host_key=keys.host_key,
                login_key=keys.login_key,
                passphrase=keys.passphrase,
            ),
            TransportLimits(connect_s=1.0),
            self._now,
        )
        self.identity = TaxIdentity(
            client_no=CLIENT_NO, supplier="test", sign_key=SIGN_KEY.encode()
        )
        self.source = source
        self.adapter = self.build()

    def build(self) -> TaxAdapter:
        """Return another adapter, as after a restart."""
        return TaxAdapter(
            source=self.source,
            datasets=DATASETS,
            transport=self.transport,
            identity=self.identity,
            now_ms=self.simulator.now_ms,
            clock=self._now,
        )

    def _now(self) -> float:
        return time.monotonic() + self._ahead_s

    def pass_time(self, seconds: float) -> None:
        """Let time pass for both sides, and for no deadline."""
        self._ahead_s += seconds
        offset = self.simulator.admin("GET", "/clock")["offset_ms"]
        assert isinstance(offset, int)
        self.simulator.admin("POST", "/clock", {"offset_ms": offset + round(seconds * 1000)})

    def query(
        self,
        shape: DatasetShape,
        subject: Person | str,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
        seconds: float = 8.0,
    ) -> Query:
        """Return a query about a person, or about the organisation of a number."""
        named = ("", None) if isinstance(subject, str) else (subject.id_number, subject.full_name)
        query = query_of(shape, named, grants, claims, seconds)
        if isinstance(subject, str):
            query = replace(
                query, subject=Subject(type=SubjectType.USCC, identifier=subject, full_name=None)
            )
        return replace(
            query,
            issued_at_ms=self.simulator.now_ms(),
            deadline=time.monotonic() + seconds,
        )

    def again(self, query: Query, request_id: bytes = bytes(16), seconds: float = 8.0) -> Query:
        """Return the later question that goes on with a query."""
        return replace(
            query,
            request_id=request_id,
            pending_request_id=query.request_id,
            issued_at_ms=self.simulator.now_ms(),
            deadline=time.monotonic() + seconds,
        )

    def stranger(
        self, query: Query, identifier: str | None = None, name: str | None = None
    ) -> Query:
        """Return the query about somebody of another number or name."""
        subject = query.subject
        other = replace(
            subject,
            identifier=identifier or subject.identifier,
            full_name=name or subject.full_name,
        )
        return replace(query, subject=other)

    async def fetch(self, query: Query) -> tuple[Outcome, Told]:
        """Return the outcome and what was disclosed."""
        outcome = await self.adapter.fetch(query)
        return outcome, {} if isinstance(outcome, Untold) else disclosed(query, outcome)

    def submissions(self) -> list[str]:
        """Return the paths of the packages the department received, one per submission."""
        return [path for path, _ in self._received()]

    def envelopes(self) -> list[str]:
        """Return the packages the department received, as they came."""
        return [body for _, body in self._received()]

    def questions(self) -> list[str]:
        """Return the decoded questions the department received."""
        received = self.simulator.admin("GET", "/received")["received"]
        assert isinstance(received, list)
        return [
            str(each["body"])
            for each in received
            if isinstance(each, dict) and each["method"] == "DECODED"
        ]

    def _received(self) -> list[tuple[str, str]]:
        received = self.simulator.admin("GET", "/received")["received"]
        assert isinstance(received, list)
        calls = [each for each in received if isinstance(each, dict) and each["method"] == "PUT"]
        told = [(str(each["path"]), str(each["body"])) for each in calls]
        return [each for each in told if each[0].endswith(".xml")]

    async def settled(self) -> None:
        """Let the adapter look into the folders once more."""
        await asyncio.sleep(0.3)
        desk = self.adapter._desk
        await desk._looker.look(desk._packages)

    def is_own(self, name: str) -> bool:
        """Tell whether a file is of this adapter's numbers."""
        return self.adapter._desk._instance in name


def person(case: str) -> Person:
    """Return the first planted person of a case."""
    return person_at(SEED, next(each.index for each in planted() if each.name_of_case == case))


def held(who: Person) -> TaxRecord:
    """Return what the department holds of somebody: the oracle of expected values."""
    return tax_record(who)
