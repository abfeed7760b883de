"""A result file becomes one outcome for each question of its package.

INVARIANT: nothing of a package is used before all of it has been proven: manifest, signature,
binding, every record there once, count and sum. Then each record stands for itself.
"""

from collections.abc import Mapping, Sequence

from adapters.errors import AdapterError, AnswerMalformed
from adapters.kinds.tax.codes import ACCEPTED
from adapters.kinds.tax.envelope import Head, parse_reply, require_bound
from adapters.kinds.tax.manifest import require_counted, require_file
from adapters.kinds.tax.members import NOTHING, Members
from adapters.kinds.tax.questions import Question, Service
from adapters.kinds.tax.reading import read_record, sum_record
from adapters.mapping.documents import parse_json_object
from adapters.records import RawRecord

Settled = RawRecord | None | AdapterError
"""What became of one question: a record, none held, or why it cannot be told."""


def read_result(
    key: bytes, head: Head, package: str, files: tuple[bytes, bytes], questions: Sequence[Question]
) -> Sequence[Settled]:
    """Return what became of each question; `files` are manifest and XML, ids count from 1.

    Raises:
        AnswerMalformed: The file cannot be used, no record of it.
        DepartmentFailed: PROVIDER_UNPROVEN.
    """
    manifest, xml = files
    told = require_file(manifest, package, head.tran_seq, xml)
    reply = parse_reply(xml, key)
    require_bound(reply, head)
    if reply.code != ACCEPTED:
        raise AnswerMalformed("a result that is none")
    records = _records(reply.parts)
    numbers = [str(number) for number in range(1, len(questions) + 1)]
    if len(reply.parts) != len(numbers) or set(records) != set(numbers):
        raise AnswerMalformed("records are missing, doubled or too many")
    service = Service(head.service_id)
    total = sum((sum_record(service, record) for record in records.values()), NOTHING)
    require_counted(told, len(records), total)
    return [
        _settle(question, records[number])
        for number, question in zip(numbers, questions, strict=True)
    ]


def _records(parts: Sequence[tuple[str, bytes]]) -> Mapping[str, Members]:
    return {number: parse_json_object(content) for number, content in parts}


def _settle(question: Question, record: Members) -> Settled:
    try:
        return read_record(question, record)
    except AdapterError as failed:
        return failed
