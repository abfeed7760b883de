"""The jobs themselves, as plain functions: the same in whichever process they run."""

from gateway.compute.port import Asserted, Opened, OpenJob, ProveJob
from gateway.distrust import Minimised, minimised, require_record
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
