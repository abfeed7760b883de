"""A policy bundle: catalog, conditions, restrictions and agreements, compiled, under one digest.

    bundle.yaml         sequence, expiry, matters, roles
    catalog.yaml        gateway.catalog
    conditions.yaml     gateway.policy.conditions_file
    restrictions.yaml   gateway.policy.restrictions
    agreements/*.yaml   lists of gateway.policy.document

The bundle is a local folder, pinned by its digest; signatures of two organisations come with the
life cycle of bundles. Days written relative to 启动日 are resolved with the start day given, so the
digest of a sandbox differs from start to start, and that of absolute days does not.

INVARIANT: a loaded bundle never changes and is swapped whole; a bundle with one problem is refused
whole.
"""

import gc
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from adapters.port import DatasetName, DatasetShape, Effect, FieldName
from gateway.catalog import Catalog, SharingClass, load_catalog
from gateway.catalog.document import (
    DocumentNode,
    parse_document,
    require_integer,
    require_list,
    require_map,
    require_text,
    require_texts,
)
from gateway.catalog.problems import PolicyReason, PolicyRefused, Position, Problem, refusal
from gateway.policy.canonical import Member, encode_bundle, encode_plan
from gateway.policy.compile import Surroundings, china_midnight_ms, compile_agreement
from gateway.policy.conditions import CelEngine, ClosureEngine, Condition, ConditionEngine
from gateway.policy.conditions_file import ConditionsDocument, parse_conditions
from gateway.policy.decide import BundleSeal, Decider
from gateway.policy.document import AgreementDocument, parse_agreement, parse_day
from gateway.policy.effects import WITHHOLD, parse_effect
from gateway.policy.errors import EffectRefused
from gateway.policy.examples import find_example_problems
from gateway.policy.model import Agreement, Decision, DecisionInput
from gateway.policy.restrictions import Names, parse_restrictions
from gateway.policy.table import Row, build_row
from gateway.policy.vocabulary import Vocabulary


class EngineKind(StrEnum):
    """Which back end evaluates conditions.

    CEL compiles and type-checks for both. CLOSURE decides by default: it takes a tenth of the time,
    and keeps a young native library out of the path of a request; tests hold the two together.
    """

    CEL = "CEL"
    CLOSURE = "CLOSURE"


Ceilings = Mapping[tuple[DatasetName, FieldName], Effect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A compiled bundle."""

    digest: bytes
    """SHA-256 over the canonical JSON of everything agreed."""
    plan_digest: bytes
    """SHA-256 over what is decided, whatever names and order were chosen."""
    sequence: int
    expires: date
    """First day on which it no longer decides."""
    catalog: Catalog
    ceilings: Ceilings
    matters: Mapping[str, str]
    conditions: Mapping[str, Condition]
    vocabulary: Vocabulary
    rows: Mapping[str, Row]
    decider: Decider
    shapes: Mapping[DatasetName, DatasetShape]
    """What an adapter is told of each dataset."""
    field_names: Mapping[DatasetName, frozenset[FieldName]]

    def decide(self, question: DecisionInput) -> Decision:
        """Decide each field of a question.

        Raises:
            QuestionInvalid: no field is named.
        """
        return self.decider.decide(question)

    def find_applicable(self, question: DecisionInput) -> Agreement | None:
        """Return the agreement that covers a question, whatever is known of its subject."""
        row = self.decider.find_row(question)
        return None if row is None else row.agreement

    def find_agreement(self, number: str) -> Agreement | None:
        """Return the agreement of this number, or None."""
        row = self.rows.get(number)
        return None if row is None else row.agreement

    def list_facts(self, agreement: str) -> frozenset[str]:
        """Return the names of the facts an agreement's conditions depend on."""
        row = self.rows.get(agreement)
        return frozenset() if row is None else row.fact_names

    def list_agreements(self, system: str) -> tuple[Agreement, ...]:
        """Return the agreements of a system, ordered by number."""
        own = (row.agreement for row in self.rows.values() if row.agreement.system == system)
        return tuple(sorted(own, key=lambda agreement: agreement.number))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    sequence: int
    expires: date
    matters: Mapping[str, str]
    roles: tuple[str, ...]


def load_bundle(
    path: Path,
    start_date: date,
    *,
    engine: EngineKind = EngineKind.CLOSURE,
    pinned: bytes | None = None,
) -> Bundle:
    """Load and compile the bundle in a folder.

    Raises:
        PolicyRefused: with every problem found; DIGEST_MISMATCH where `pinned` is another digest.
    """
    # What an agreement is compiled against comes first; a problem there ends the load at once.
    head = _parse_head(_read(path / "bundle.yaml"), start_date)
    catalog = load_catalog(path / "catalog.yaml")
    ceilings = _parse_ceilings(catalog)
    stated = parse_conditions(_read(path / "conditions.yaml"))
    lowering = parse_restrictions(
        _read(path / "restrictions.yaml"),
        Names(
            catalog=catalog,
            conditions=stated.conditions.keys(),
            matters=head.matters.keys(),
            roles=head.roles,
        ),
    )
    around = Surroundings(
        catalog=catalog,
        ceilings=ceilings,
        matters=head.matters.keys(),
        roles=head.roles,
        conditions=stated.conditions.keys(),
        restrictions=lowering.restrictions,
        joint_sets=lowering.joint_sets,
    )
    with _paused_collection():
        rows = _compile_all(_read_agreements(path / "agreements", start_date), around, stated)
    digest = _digest_of(head, around, stated, rows.values())
    _require_pinned(digest, pinned)
    seal = BundleSeal(digest=digest, until_ms=china_midnight_ms(head.expires))
    decider = Decider(rows, _build_engine(engine, stated), seal)
    return Bundle(
        digest=digest,
        plan_digest=hashlib.sha256(encode_plan(rows.values(), stated.conditions)).digest(),
        sequence=head.sequence,
        expires=head.expires,
        catalog=catalog,
        ceilings=ceilings,
        matters=head.matters,
        conditions=stated.conditions,
        vocabulary=stated.vocabulary,
        rows=rows,
        decider=decider,
        shapes={each.name: each.build_shape() for each in catalog.datasets.values()},
        field_names={
            each.name: frozenset(field.name for field in each.fields)
            for each in catalog.datasets.values()
        },
    )


def _digest_of(
    head: _Head, around: Surroundings, stated: ConditionsDocument, rows: Iterable[Row]
) -> bytes:
    stamp: Member = {"sequence": head.sequence, "expires": head.expires.isoformat()}
    # Over values as compiled, not over file bytes: comments and order do not count.
    return hashlib.sha256(
        encode_bundle(
            stamp,
            around.catalog,
            stated.conditions,
            (around.restrictions, around.joint_sets),
            [row.agreement for row in rows],
        )
    ).digest()


@contextmanager
def _paused_collection() -> Iterator[None]:
    """Pause the cycle collector: it takes half the time of 500 agreements and finds nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _build_engine(kind: EngineKind, stated: ConditionsDocument) -> ConditionEngine:
    conditions = tuple(stated.conditions.values())
    if kind is EngineKind.CLOSURE:
        return ClosureEngine(conditions)
    return CelEngine(conditions, stated.compiler)


def _require_pinned(digest: bytes, pinned: bytes | None) -> None:
    if pinned is not None and pinned != digest:
        raise refusal(
            PolicyReason.DIGEST_MISMATCH,
            Position(file="bundle.yaml", line=1, column=1),
            f"策略包摘要为 {digest.hex()}，与指定的不符",
            f"the digest is {digest.hex()}, not the pinned one",
        )


def _read(path: Path) -> DocumentNode:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as missing:
        at = Position(file=path.name, line=1, column=1)
        raise refusal(
            PolicyReason.MEMBER_MISSING, at, f"读不到 {path.name}", f"cannot read {path.name}"
        ) from missing
    return parse_document(text, path.name)


def _parse_head(node: DocumentNode, start_date: date) -> _Head:
    members = require_map(node, ("序号", "到期", "事项", "角色"))
    expires = parse_day(members["到期"], start_date)
    if expires <= start_date:
        raise refusal(
            PolicyReason.BUNDLE_EXPIRED, node.position, "策略包已过期", "the bundle has expired"
        )
    matters = {
        code: require_text(title) for code, title in require_map(members["事项"], (), None).items()
    }
    return _Head(
        sequence=require_integer(members["序号"]),
        expires=expires,
        matters=MappingProxyType(matters),
        roles=require_texts(members["角色"]),
    )


def _parse_ceilings(catalog: Catalog) -> Ceilings:
    ceilings: dict[tuple[DatasetName, FieldName], Effect] = {}
    for dataset in catalog.datasets.values():
        for field in dataset.fields:
            at = Position(file="catalog.yaml", line=1, column=1)
            try:
                ceiling = parse_effect(field.ceiling_text)
            except EffectRefused as refused:
                raise refusal(
                    refused.reason,
                    at,
                    f"{dataset.name} {field.name} 的上限不合规",
                    f"the ceiling of {dataset.name} {field.name} is no effect",
                ) from refused
            # Either both say that nothing leaves or neither: a slip in one must not hide.
            withheld = field.sharing_class is SharingClass.WITHHELD
            if withheld != (ceiling == WITHHOLD):
                raise refusal(
                    PolicyReason.CATALOG_BROKEN,
                    at,
                    f"{dataset.name} {field.name} 的上限与共享属性矛盾",
                    f"ceiling and sharing class of {dataset.name} {field.name} disagree",
                )
            ceilings[dataset.name, field.name] = ceiling
    return MappingProxyType(ceilings)


def _read_agreements(folder: Path, start_date: date) -> Iterator[AgreementDocument | Problem]:
    # Sorted so that problems come in the same order on every machine.
    for path in sorted(folder.glob("*.yaml")):
        for node in require_list(_read(path)):
            try:
                yield parse_agreement(node, start_date)
            except PolicyRefused as refused:
                yield from refused.problems


def _compile_all(
    documents: Iterator[AgreementDocument | Problem],
    around: Surroundings,
    stated: ConditionsDocument,
) -> Mapping[str, Row]:
    problems: list[Problem] = []
    rows: dict[str, Row] = {}
    for document in documents:
        if isinstance(document, Problem):
            problems.append(document)
        elif document.number in rows:
            problems.append(
                Problem(
                    reason=PolicyReason.NUMBER_TAKEN,
                    position=document.position,
                    text_zh=f"协议编号重复：{document.number}",
                    text_en=f"agreement number taken: {document.number}",
                )
            )
        else:
            try:
                rows[document.number] = _compile_one(document, around, stated)
            except PolicyRefused as refused:
                problems += refused.problems
    if problems:
        raise PolicyRefused(tuple(problems))
    return MappingProxyType(rows)


def _compile_one(
    document: AgreementDocument, around: Surroundings, stated: ConditionsDocument
) -> Row:
    agreement = compile_agreement(document, around)
    row = build_row(agreement, around.restrictions, stated)
    dataset = around.catalog.datasets[agreement.dataset]
    problems = tuple(find_example_problems(document, row, dataset))
    if problems:
        raise PolicyRefused(problems)
    return row
