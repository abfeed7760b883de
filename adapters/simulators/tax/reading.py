"""Takes a submitted package apart and judges it as a whole (docs/adapters/tax.md, section 5)."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from adapters.simulators.tax.clients import Client
from adapters.simulators.tax.coding import CONTROLS, Part, decode, sign
from adapters.simulators.tax.envelope import (
    FILE_LIMIT,
    RECORDS_LIMIT,
    Head,
    Request,
    parse_request,
)
from adapters.simulators.tax.manifest import check_manifest
from adapters.simulators.tax.names import PackageName
from adapters.simulators.tax.questions import Question, Service, judge, read_object
from adapters.simulators.tax.refusals import Code, Refused

CONTENT_LIMIT = 64 * 1024
"""Octets of a decoded question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The two files of a package as they were dropped."""

    client: Client
    name: PackageName
    arrived_ms: int
    xml: bytes | None
    manifest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A package that was read; questions by id, None where one is not acceptable."""

    head: Head
    service: Service
    questions: tuple[tuple[str, Question | None], ...]
    parts: tuple[Part, ...]

    @property
    def fingerprint(self) -> bytes:
        """Tell two packages apart by what they ask."""
        text = self.service.encode()
        for identity, content in self.parts:
            text += b"\n%s %s" % (identity.encode(), sha256(content).digest())
        return sha256(text).digest()


def open_submission(submission: Submission) -> Request:
    """Compare the two files of a package and read its envelope.

    Raises:
        Refused: BAD_MANIFEST, TOO_LARGE or BAD_FORMAT.
    """
    xml = submission.xml
    if xml is None:
        raise Refused(Code.BAD_MANIFEST)
    records = check_manifest(submission.manifest, submission.name, xml)
    if len(xml) > FILE_LIMIT:
        raise Refused(Code.TOO_LARGE)
    request = parse_request(xml)
    if records != len(request.parts):
        raise Refused(Code.BAD_MANIFEST)
    return request


def judge_request(request: Request, submission: Submission) -> Accepted:
    """Judge what an envelope asks, in the order the manual states.

    Raises:
        Refused: with the code of the first thing that is wrong.
    """
    client = submission.client
    service = _demand_service(request, submission)
    if not 1 <= len(request.parts) <= RECORDS_LIMIT:
        raise Refused(Code.TOO_LARGE)
    if request.controls != CONTROLS:
        raise Refused(Code.BAD_CODING)
    parts = tuple((identity, decode(text, CONTENT_LIMIT)) for identity, text in request.parts)
    signature = sign(client.sign_key, signed_head(request.head, ""), parts)
    if not hmac.compare_digest(request.sign_value, signature):
        raise Refused(Code.BAD_SIGNATURE)
    questions = tuple((identity, judge(service, read_object(text))) for identity, text in parts)
    return Accepted(head=request.head, service=service, questions=questions, parts=parts)


def signed_head(head: Head, code: str) -> tuple[str, str, str, str, str]:
    """Name what of an envelope is signed besides its contents."""
    return head.session_id, head.service_id, head.client_no, head.tran_seq, code


def _demand_service(request: Request, submission: Submission) -> Service:
    client, head = submission.client, request.head
    if not head.client_no == request.application_id == client.client_no:
        raise Refused(Code.NOT_AUTHORISED)
    # The name of the file is what a resend is told apart by before it is read.
    if head.tran_seq != submission.name.tran_seq:
        raise Refused(Code.BAD_FORMAT)
    if head.service_id not in {service.value for service in client.services}:
        raise Refused(Code.NOT_AUTHORISED)
    return Service(head.service_id)
