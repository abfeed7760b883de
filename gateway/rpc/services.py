"""Which method takes which statement, and who answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from adapters.port import DatasetName
from gateway.access_log.errors import OutOfRange
from gateway.access_log.log import AccessLog
from gateway.board import WINDOW_S
from gateway.deciding import Deciding
from gateway.errors import Reason, Refusal
from gateway.exchange import Exchange
from gateway.lookup import Lookup
from gateway.matter import Matter
from gateway.metrics import Metrics
from gateway.opening import open_channel
from gateway.outcome import Answered, Outcome
from gateway.parts import Parts
from gateway.progress import Call, Progress
from gateway.rpc.departments import Departments
from gateway.rpc.edge import Edge, Method, respond_with_envelope
from gateway.rpc.server import Handlers
from gateway.rpc.status import code_number
from gateway.rpc.stream import stream_handler
from gateway.statement.kinds import QuestionKind
from gateway.statement.listing import (
    DatasetListing,
    DepartmentListing,
    encode_datasets,
    encode_departments,
)
from gateway.statement.proofs import (
    encode_checkpoint,
    encode_consistency_proof,
    encode_inclusion_proof,
    parse_consistency_request,
    parse_inclusion_request,
)

EXCHANGE: Final = "/hutong.exchange.v1.ExchangeService/"
CATALOG: Final = "/hutong.catalog.v1.CatalogService/"
LOG: Final = "/hutong.accesslog.v1.AccessLogService/"
CODES: Final = {reason: code_number(reason) for reason in Reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the methods need."""

    parts: Parts
    exchange: Exchange
    matter: Matter
    lookup: Lookup
    deciding: Deciding
    log: AccessLog
    connected: frozenset[DatasetName]
    departments: Departments


def build_handlers(services: Services, metrics: Metrics) -> Handlers:
    """Return every method's handler by full name."""
    edge = Edge(metrics)
    methods = (*_signed(services), *_unsigned(services))
    handlers = {method.name: edge.unary(method) for method in methods}
    stream = _method(EXCHANGE + "ExchangeStream", "exchange", "ExchangeStatement", _ask(services))
    return handlers | {stream.name: stream_handler(edge, stream)}


def _signed(services: Services) -> tuple[Method, ...]:
    """Return the methods that take an envelope."""
    exchange, matter, lookup = services.exchange, services.matter, services.lookup
    return (
        _method(EXCHANGE + "Exchange", "exchange", "ExchangeStatement", _ask(services)),
        Method(
            name=EXCHANGE + "ExchangeMatter",
            payload_type=_payload_type("exchange", "MatterStatement"),
            core=lambda call: matter.answer(call, QuestionKind.MATTER, CODES),
            respond=_as_it_is,
        ),
        _method(
            EXCHANGE + "GetResult",
            "exchange",
            "ResultStatement",
            lambda call: exchange.answer(call, QuestionKind.RESULT),
        ),
        _method(
            EXCHANGE + "Explain",
            "exchange",
            "ExchangeStatement",
            lambda call: lookup.explain(call, QuestionKind.EXCHANGE),
        ),
        _method(CATALOG + "ListAgreements", "catalog", "AgreementsStatement", lookup.agreements),
        _method(LOG + "GetReceipt", "accesslog", "ReceiptStatement", lookup.receipt),
    )


def _unsigned(services: Services) -> tuple[Method, ...]:
    """Return the methods that need a registered channel only; they reveal hashes and own rights."""
    log = services.log

    def checkpoint(_body: bytes, _system: str) -> bytes:
        return encode_checkpoint(log.checkpoint)

    def inclusion(body: bytes, _system: str) -> bytes:
        index, size = parse_inclusion_request(body)
        return encode_inclusion_proof(log.inclusion_proof(index, size), log.leaf_hash(index))

    def consistency(body: bytes, _system: str) -> bytes:
        return encode_consistency_proof(log.consistency_proof(*parse_consistency_request(body)))

    def datasets(_body: bytes, system: str) -> bytes:
        return encode_datasets(_list_datasets(services, system))

    def departments(_body: bytes, system: str) -> bytes:
        return encode_departments(WINDOW_S, _list_departments(services, system))

    answers = (
        (LOG + "GetCheckpoint", checkpoint),
        (LOG + "GetInclusionProof", inclusion),
        (LOG + "GetConsistencyProof", consistency),
        (CATALOG + "ListDatasets", datasets),
        (CATALOG + "ListDepartments", departments),
    )
    return tuple(
        Method(name=name, payload_type="", core=_channel_only(services, answer), respond=_as_it_is)
        for name, answer in answers
    )


def _ask(services: Services) -> Callable[[Call], Awaitable[Outcome]]:
    return lambda call: services.exchange.answer(call, QuestionKind.EXCHANGE)


def _channel_only(
    services: Services, answer: Callable[[bytes, str], bytes]
) -> Callable[[Call], Awaitable[Outcome]]:
    """Walk step 1 only, then answer."""
    parts = services.parts

    async def core(call: Call) -> Outcome:
        async def walk(progress: Progress) -> Outcome:
            system = open_channel(parts, progress, parts.trust.snapshot)
            try:
                return Answered(envelope=answer(call.body, system.system_id))
            except OutOfRange as error:
                raise Refusal(Reason.RANGE_INVALID) from error

        return await services.exchange.admitted(call, walk)

    return core


def _list_departments(services: Services, system: str) -> tuple[DepartmentListing, ...]:
    # Who runs the gateway sees all its health port tells; everybody else only whom he may ask.
    if _organisation(system) == _organisation(services.parts.system_id):
        return services.departments.list_all()
    agreements = services.deciding.bundle.list_agreements(system)
    return services.departments.list_of({each.dataset for each in agreements})


def _organisation(system: str) -> str:
    return system.partition("/")[0]


def _list_datasets(services: Services, system: str) -> list[DatasetListing]:
    bundle = services.deciding.bundle
    # Only what the caller has an agreement for: the rest of the catalog is not his to know.
    names = {agreement.dataset for agreement in bundle.list_agreements(system)}
    return [
        DatasetListing(
            dataset=bundle.catalog.datasets[name],
            connected=name in services.connected,
            ceilings={
                each.name: bundle.ceilings[name, each.name]
                for each in bundle.catalog.datasets[name].fields
                if (name, each.name) in bundle.ceilings
            },
        )
        for name in sorted(names)
    ]


def _method(
    name: str, service: str, message: str, core: Callable[[Call], Awaitable[Outcome]]
) -> Method:
    return Method(
        name=name,
        payload_type=_payload_type(service, message),
        core=core,
        respond=respond_with_envelope,
    )


def _payload_type(service: str, message: str) -> str:
    return f"application/vnd.hutong.{service}.v1.{message}+protobuf"


def _as_it_is(answered: Answered) -> bytes:
    return answered.envelope
