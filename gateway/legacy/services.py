"""Which systems may call the face and what each of its services asks, held against the policy.

INVARIANT: no service is served that an agreement could answer with more than a predicate, or that
is another system's than the one the agreement names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adapters.kind import KeyFiles
from adapters.national.signature import Mac
from adapters.port import DatasetName, EffectKind, FieldName, SubjectType
from certs.identity import SystemId
from gateway.config import LegacyConfig, LegacyServiceConfig, LegacySystemConfig
from gateway.credentials import ConfigError, load_credential
from gateway.policy.bundle import Bundle
from gateway.policy.model import SYSTEM_ROLE, Agreement
from gateway.statement.values import DatasetQuery
from signing.signer import Signer

_ALLOWED = frozenset({EffectKind.PREDICATE, EffectKind.WITHHOLD})


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacySystem:
    """A registered system, the key it shares with us, and the key that signs in its name."""

    sid: str
    system_id: SystemId
    app_key: str = field(repr=False)
    signer: Signer = field(repr=False)
    mac: Mac


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyService:
    """What one call asks, whoever it is about."""

    query: DatasetQuery
    matter: str
    legal_basis: str
    subject: SubjectType


@dataclass(frozen=True, slots=True, kw_only=True)
class Legacy:
    """Systems by registered id; services by that and their name."""

    systems: Mapping[str, LegacySystem]
    services: Mapping[tuple[str, str], LegacyService]


def load_legacy(
    config: LegacyConfig, bundle: Bundle, load_signer: Callable[[KeyFiles], Signer]
) -> Legacy:
    """Return what the face serves.

    Raises:
        ConfigError: two of one name, a service that its agreement does not cover or answers with
            more than a predicate, or a key file that holds no key.
        KeyFileRefused: a key cannot be loaded.
    """
    systems = {each.sid: _system(each, load_signer) for each in config.systems}
    if len(systems) < len(config.systems):
        raise ConfigError("legacy.systems: two have one sid")
    services = {(each.sid, each.name): _service(each, systems, bundle) for each in config.services}
    if len(services) < len(config.services):
        raise ConfigError("legacy.services: two of one system have one name")
    return Legacy(systems=systems, services=services)


def _system(config: LegacySystemConfig, load_signer: Callable[[KeyFiles], Signer]) -> LegacySystem:
    app_key = load_credential(config.app_key_file).decode("latin-1")
    if not app_key or not all("!" <= each <= "~" for each in app_key):
        raise ConfigError(f"legacy.systems: {config.app_key_file.name} is not visible ASCII")
    return LegacySystem(
        sid=config.sid,
        system_id=SystemId(config.system_id),
        app_key=app_key,
        signer=load_signer(config.envelope_signer),
        mac=Mac(config.mac),
    )


def _service(
    config: LegacyServiceConfig, systems: Mapping[str, LegacySystem], bundle: Bundle
) -> LegacyService:
    system, agreement = systems.get(config.sid), bundle.find_agreement(config.agreement)
    if system is None or agreement is None:
        unknown = "sid" if system is None else "agreement"
        raise ConfigError(f"legacy.services.{config.name}: unknown {unknown}")
    problem = _problem(config, system, agreement)
    if problem:
        raise ConfigError(f"legacy.services.{config.name}: {problem}")
    return LegacyService(
        query=DatasetQuery(
            agreement=config.agreement,
            dataset=DatasetName(config.dataset),
            fields=tuple(FieldName(name) for name in config.fields),
            claims={},
        ),
        matter=config.matter,
        legal_basis=config.legal_basis,
        subject=SubjectType(config.subject),
    )


def _problem(config: LegacyServiceConfig, system: LegacySystem, agreement: Agreement) -> str:
    """Return what keeps an agreement from being served here; empty where nothing does."""
    if agreement.system != system.system_id:
        return "the agreement is another system's"
    if agreement.roles != {SYSTEM_ROLE}:
        return "the agreement is not one of system jobs"
    if agreement.dataset != config.dataset or config.matter not in agreement.matters:
        return "the agreement has another dataset or matter"
    if config.legal_basis not in agreement.basis:
        return "the agreement has another legal basis"
    if len(set(config.fields)) < len(config.fields):
        return "a field stands twice"
    return _too_clear(config, agreement)


def _too_clear(config: LegacyServiceConfig, agreement: Agreement) -> str:
    # The compiler holds agreements of system jobs to this too; a signed exception may lift it there
    # (decisions.md, JWT), and lifts nothing for a caller whose questions are not signed.
    for name in config.fields:
        cell = agreement.cells.get(FieldName(name))
        if cell is None:
            return f"the agreement grants nothing of {name}"
        if any(step.effect.kind not in _ALLOWED for step in cell.steps):
            return f"{name} is granted above a predicate"
    return ""
