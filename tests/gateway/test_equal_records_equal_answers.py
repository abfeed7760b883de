"""T6 of policy.md 3.3 on whole answers: what the effects make equal cannot be told apart.

"Byte-identical" means: equal released map, withheld list, status and size bucket (decisions.md,
Measures).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.port import (
    DatasetName,
    DatasetShape,
    Effect,
    EffectKind,
    FieldName,
    FieldShape,
    Finding,
    Grant,
    NotFound,
    Query,
    Subject,
    SubjectType,
)
from adapters.records import RawRecord, RecordSource, build_outcome
from certs.algorithms import Suite, generate_private_key
from certs.identity import SystemId
from gateway.distrust import minimised
from gateway.model import Logged
from gateway.statement.answer import (
    AnswerContent,
    AnswerHeader,
    FieldAnswer,
    FieldOutcome,
    State,
    encode_answer,
    encode_answer_body,
)
from signing.encoding import subject_digest
from signing.record import RecordExpectation, record_nonce, verify_record
from signing.signer import FileSigner

KEY = generate_private_key(Suite.EDDSA)
USCC = "11370000MB2DEM0287"
SYSTEM = SystemId("11370000MB2DEM0105/retirement")
NOW_MS = 1_795_420_800_000
MASK = Effect(kind=EffectKind.MASK, parameters=("1", "0"))
YEAR = Effect(kind=EffectKind.GENERALISE, parameters=("year",))
COUNTY = Effect(kind=EffectKind.GENERALISE, parameters=("county",))
THOUSAND = Effect(kind=EffectKind.GENERALISE, parameters=("thousand",))
A_YEAR = Effect(kind=EffectKind.PREDICATE, parameters=("at_least", "12"))
INSURED = Effect(kind=EffectKind.PREDICATE, parameters=("insured",))
EQUAL = Effect(kind=EffectKind.COMPARE)

GRANTED = {
    "full_name": ("str60", MASK),
    "birth_date": ("date", YEAR),
    "address": ("str200", COUNTY),
    "amount": ("dec10.2", THOUSAND),
    "months": ("int", A_YEAR),
    "state": ("code", INSURED),
    "school": ("str60", EQUAL),
}
KEPT_BACK = {"ethnicity": "code", "cause": "str200"}
SHAPE = DatasetShape(
    name=DatasetName("zz.test@1"),
    fields=tuple(
        FieldShape(name=FieldName(name), type=kind, when_absent=Finding.NO)
        for name, kind in ({name: kind for name, (kind, _) in GRANTED.items()} | KEPT_BACK).items()
    ),
)
CLAIMED = "示例大学"

# Pairs of values that an effect may not tell apart, by construction and not by applying it.
CHARACTERS = st.text(alphabet="明华芳伟·𠮷", min_size=2, max_size=2)
PAIRS: Mapping[str, st.SearchStrategy[tuple[str, str]]] = {
    "full_name": st.tuples(st.sampled_from("李王"), CHARACTERS, CHARACTERS).map(
        lambda t: (t[0] + t[1], t[0] + t[2])
    ),
    "birth_date": st.tuples(st.integers(1930, 2005), st.dates(), st.dates()).map(
        lambda t: (f"{t[0]}-{t[1]:%m}-{min(t[1].day, 28):02}", f"{t[0]}-{t[2]:%m}-01")
    ),
    "address": st.tuples(
        st.text("东西路号123", max_size=20), st.text("东西路号123", max_size=40)
    ).map(lambda t: (f"山东省济南市历下区{t[0]}", f"山东省济南市历下区{t[1]}")),
    "amount": st.tuples(st.integers(-5, 90), st.integers(0, 999), st.integers(0, 999)).map(
        lambda t: (str(t[0] * 1000 + t[1]), str(t[0] * 1000 + t[2]))
    ),
    "months": st.one_of(
        st.tuples(st.integers(0, 11), st.integers(0, 11)),
        st.tuples(st.integers(12, 600), st.integers(12, 600)),
    ).map(lambda t: (str(t[0]), str(t[1]))),
    "state": st.sampled_from([("中断", "终止"), ("参保", "参保"), ("领取", "领取")]),
    "school": st.sampled_from([(CLAIMED, CLAIMED), ("甲大学", "乙大学")]),
    "ethnicity": st.tuples(st.sampled_from(["01", "02"]), st.sampled_from(["03", "04"])),
    "cause": st.tuples(st.text(max_size=50), st.text(max_size=50)),
}
RECORDS = st.fixed_dictionaries(dict(PAIRS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that a requester can see of an answer."""

    released: Mapping[str, object]
    outcomes: Mapping[FieldName, FieldOutcome]
    state: State
    record_state: str
    size: int


def _query(names: frozenset[str], *, tell_not_found: bool) -> Query:
    return Query(
        request_id=bytes(range(16)),
        item=0,
        audience=SYSTEM,
        dataset=SHAPE,
        subject=Subject(type=SubjectType.RESIDENT_ID, identifier="370102195603159016"),
        grants=tuple(
            Grant(field=FieldName(name), effect=GRANTED[name][1]) for name in sorted(names)
        ),
        claims={"school": CLAIMED},
        matter="M2",
        case_number="BJ-1",
        end_user=None,
        tell_not_found=tell_not_found,
        issued_at_ms=NOW_MS,
        deadline=time.monotonic() + 60,
    )


def _see(query: Query, raw: RawRecord | None) -> Seen:
    """Answer one query as adapter and gateway do, and look at it as its requester does."""
    source = RecordSource(organisation=USCC, signer=FileSigner.of(KEY))
    outcome = build_outcome(source, query, raw)
    subject = query.subject
    expected = RecordExpectation(
        issuer=USCC,
        audience=SYSTEM,
        nonce=record_nonce(query.request_id, 0),
        dataset=SHAPE.name,
        subject_digest=subject_digest(query.request_id, subject.type.value, subject.identifier),
        now_s=NOW_MS // 1000,
    )
    kept = minimised(verify_record(outcome.sd_jwt, KEY.public_key, expected), query.grants)
    told = verify_record(kept.record, KEY.public_key, expected)
    missing = isinstance(outcome, NotFound) and query.tell_not_found
    state = State.NOT_FOUND if missing else State.ANSWERED
    body = encode_answer_body(_content(query, state, kept.outcomes, kept.record))
    logged = Logged(index=1, entry=bytes(900), proof=(), checkpoint=bytes(200))
    return Seen(
        released={each.name: each.value for each in told.disclosures},
        outcomes=kept.outcomes,
        state=state,
        record_state=told.claims.state,
        size=len(encode_answer(body, logged, ())),
    )


def _content(
    query: Query, state: State, outcomes: Mapping[FieldName, FieldOutcome], record: str
) -> AnswerContent:
    header = AnswerHeader(
        request_id=query.request_id,
        request_digest=bytes(32),
        item=0,
        sender=SYSTEM,
        receiver=SYSTEM,
        issued_at_ms=NOW_MS,
    )
    fields = tuple(
        FieldAnswer(
            name=grant.field,
            effect=grant.effect,
            effect_text=grant.effect.code,
            outcome=outcomes[grant.field],
        )
        for grant in query.grants
    )
    return AnswerContent(
        header=header,
        agreement="XY-1",
        dataset=SHAPE.name,
        policy_digest=bytes(32),
        provider=USCC,
        state=state,
        reason=None,
        retry_after_s=None,
        fields=fields,
        record=record,
        delete_by_ms=NOW_MS,
    )


@settings(max_examples=300, deadline=None)
@given(pairs=RECORDS, names=st.frozensets(st.sampled_from(sorted(GRANTED)), min_size=1))
def test_records_equal_under_their_effects_give_equal_answers(
    pairs: Mapping[str, tuple[str, str]], names: frozenset[str]
) -> None:
    """Two people whose facts differ only below what is granted are one to the requester."""
    query = _query(names, tell_not_found=True)

    one, other = (
        _see(query, {FieldName(name): pair[side] for name, pair in pairs.items()})
        for side in (0, 1)
    )

    assert one == other
    assert one.released.keys() == names


@settings(max_examples=100, deadline=None)
@given(names=st.frozensets(st.sampled_from(["months", "state", "school"]), min_size=1))
def test_no_record_looks_like_one_that_says_no(names: frozenset[str]) -> None:
    """Where existence is kept back, who is not held is answered like who does not meet it."""
    query = _query(names, tell_not_found=False)
    held = {"months": "3", "state": "中断", "school": "甲大学", "cause": "x"}

    present = _see(query, {FieldName(name): value for name, value in held.items()})
    absent = _see(query, None)

    assert present == absent
    assert set(present.outcomes.values()) == {FieldOutcome.FINDING}
