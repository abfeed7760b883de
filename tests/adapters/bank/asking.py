"""How tests ask the banks."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from adapters.kinds.bank import BankAdapter, FrontIdentity
from adapters.port import (
    DatasetShape,
    Effect,
    EffectKind,
    Finding,
    Outcome,
    Query,
    Untold,
)
from adapters.records import RecordSource
from adapters.simulators.population import Person, Population
from adapters.simulators.population.bank import Account
from adapters.transport import DepartmentTransport
from certs.algorithms import load_private_key
from signing.signer import FileSigner
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, query_of, shape_of
from tests.adapters.simulated import POPULATION, Simulator

PEOPLE = Population(seed=1, size=POPULATION)
PARTY = "11370000MB2DEM0105"
FRONT = "91370000MA3DEM0931"
CATEGORY = Effect(kind=EffectKind.PREDICATE, parameters=("category",))
COMPARE = Effect(kind=EffectKind.COMPARE)

VERIFY = shape_of(
    "bk.account_verify@1",
    {
        "name_match": "pred",
        "id_match": "pred",
        "account_usable": "pred",
        "reason": "code:closed/frozen/dormant/lost/not_found",
        "holder_name": "str60",
        "balance": "dec",
    },
)
CARD = shape_of(
    "bk.sscard_account@1",
    {"bank_code": r"re:\d{12}", "account_no": r"re:\d{16,19}", "activated": "pred"},
    activated=Finding.NO,
)
PAYMENT = shape_of(
    "bk.payment_result@1",
    {"batch_no": "str32", "result_code": "code:成功/退票/处理中", "return_reason": "code"},
)
ALL_VERIFY = {
    "name_match": IS_TRUE,
    "id_match": IS_TRUE,
    "account_usable": IS_TRUE,
    "reason": CATEGORY,
}
ALL_CARD = {"bank_code": CLEAR, "account_no": COMPARE, "activated": IS_TRUE}
ALL_PAYMENT = {"batch_no": CLEAR, "result_code": CLEAR, "return_reason": CLEAR}
NOBODY = ("37010219900101001X", "查无此")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An outcome and what it disclosed."""

    outcome: Outcome
    fields: Mapping[str, str | list[str]]


def load_signer(pki: Path, name: str) -> FileSigner:
    """Return a key of the simulator's folder as a signer."""
    plain = serialization.load_pem_private_key((pki / f"{name}.key").read_bytes(), None)
    der = plain.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"test"),
    )
    certificate = x509.load_pem_x509_certificate((pki / f"{name}.pem").read_bytes())
    return FileSigner.of(
        load_private_key(der, b"test"), certificate.public_bytes(serialization.Encoding.DER)
    )


def identity_of(pki: Path) -> FrontIdentity:
    """Return who we are to a simulator that made its own keys."""
    return FrontIdentity(
        party=PARTY,
        front=FRONT,
        signer=load_signer(pki, "client_sign"),
        registered=x509.load_pem_x509_certificate((pki / "bank_sign.pem").read_bytes()),
        card_prefixes=("6217",),
    )


def tls_of(pki: Path) -> ssl.SSLContext:
    """Return the client's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=pki / "ca.pem")
    context.load_cert_chain(pki / "client.pem", pki / "client.key")
    return context


def build_adapter(
    simulator: Simulator,
    source: RecordSource,
    pki: Path,
    identity: FrontIdentity | None = None,
    tls: ssl.SSLContext | None = None,
) -> BankAdapter:
    """Return a fresh adapter, with no account counted."""
    return BankAdapter(
        source=source,
        datasets=frozenset({VERIFY.name, CARD.name, PAYMENT.name}),
        transport=DepartmentTransport(
            department="bank",
            base_url=simulator.base_url.replace("http:", "https:"),
            tls=tls or tls_of(pki),
        ),
        identity=identity or identity_of(pki),
        now_ms=simulator.now_ms,
    )


def claims_of(account: Account, *, bank: bool = True) -> dict[str, str]:
    """Return what an applicant says of an account."""
    claims = {"account_no": account.account_no}
    return {**claims, "bank_code": account.bank_code} if bank else claims


class Asking:
    """Asks the adapter about people."""

    def __init__(self, simulator: Simulator, adapter: BankAdapter) -> None:
        """Keep whom to ask."""
        self.simulator = simulator
        self.adapter = adapter

    def query(
        self,
        shape: DatasetShape,
        subject: tuple[str, str | None],
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
        seconds: float = 8.0,
    ) -> Query:
        """Return a query at the department's time."""
        query = query_of(shape, subject, grants, claims, seconds)
        return replace(query, issued_at_ms=self.simulator.now_ms())

    async def fetch(
        self,
        shape: DatasetShape,
        person: Person,
        grants: Mapping[str, Effect],
        claims: Mapping[str, str] | None = None,
    ) -> Told:
        """Return the outcome and what was disclosed."""
        query = self.query(shape, (person.id_number, person.full_name), grants, claims)
        outcome = await self.adapter.fetch(query)
        fields = {} if isinstance(outcome, Untold) else disclosed(query, outcome)
        return Told(outcome=outcome, fields=fields)

    async def verify(self, person: Person, account: Account) -> Told:
        """Verify an account in all fields."""
        return await self.fetch(VERIFY, person, ALL_VERIFY, claims_of(account))

    async def fetch_many(self, people: Sequence[Person]) -> list[Outcome]:
        """Ask for the cards of some people at once."""
        queries = [self.query(CARD, (one.id_number, one.full_name), ALL_CARD) for one in people]
        return list(await asyncio.gather(*map(self.adapter.fetch, queries)))
