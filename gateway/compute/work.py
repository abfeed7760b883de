"""The jobs themselves, as plain functions: the same in whichever process they run."""

from adapters.port import NotFound, Record
from gateway.compute.port import Asserted, FetchJob, Opened, OpenJob, ProveJob
from gateway.distrust import (
    Distrusted,
    Minimised,
    Proven,
    build_expectation,
    minimised,
    require_named_key,
    require_record,
    state_due,
)
from gateway.errors import Refusal
from gateway.officer import prove_assertion
from gateway.progress import LEEWAY_MS
from gateway.statement.kinds import parse_question
from gateway.statement.values import Header, Statement
from gateway.trust import parse_call, require_envelope
from signing.assertion import AssertionExpectation


def open_call(job: OpenJob) -> Opened:
    """Verify a call's envelope, read its payload, and verify the officer's assertion in it.

    Raises:
        Refusal: a rule of step 2; later ones come in `Opened.refusal`, when their step is reached.
    """
    verified = require_envelope(parse_call(job.body), job.keys, job.payload_type, job.now_ms)
    keyid, payload = verified.signer.keyid, verified.payload
    if job.kind is None:
        return Opened(keyid=keyid, payload=payload)
    header = statement = asserted = refusal = None
    try:
        header, parse = parse_question(job.kind, payload)
        statement = parse(job.now_ms)
        asserted = _asserted(job, header, statement)
    except Refusal as error:
        refusal = error
    return Opened(
        keyid=keyid,
        payload=payload,
        header=header,
        statement=statement,
        asserted=asserted,
        refusal=refusal,
    )


def prove_record(job: ProveJob) -> Minimised:
    """Verify a record and drop what was not granted.

    Raises:
        Distrusted: as `gateway.distrust.require_record`.
    """
    return minimised(require_record(job.compact, job.key, job.expected, job.due), job.grants)


def prove_told(job: FetchJob, told: Record | NotFound) -> Proven:
    """Do with a record, where it was told, what `prove_record` does after another way."""
    query, found, keyid = job.query, isinstance(told, Record), ""
    kept: Minimised | Distrusted
    try:
        key = require_named_key(told.sd_jwt, {each.keyid: each for each in job.keys})
        keyid = key.keyid
        expected = build_expectation(query, job.issuer, query.issued_at_ms)
        due = state_due(query, found=found)
        kept = minimised(require_record(told.sd_jwt, key, expected, due), query.grants)
    except Distrusted as distrusted:
        kept = distrusted
    return Proven(keyid=keyid, found=found, kept=kept)


def _asserted(job: OpenJob, header: Header, statement: Statement) -> Asserted | None:
    token = statement.purpose.officer_assertion
    if token is None:
        return None
    expected = AssertionExpectation(
        issuer=job.organisation,
        audience=job.audience,
        request_id=header.request_id,
        thumbprint=job.thumbprint,
        now_s=job.now_ms // 1000,
        leeway_s=LEEWAY_MS // 1000,
    )
    proven = prove_assertion(token, job.officer_keys, expected)
    return Asserted(keyid=proven.signer.keyid, claims=proven.claims)
