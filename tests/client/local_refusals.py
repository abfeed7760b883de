"""What a partner can get wrong before anything is sent, one way for each local reason."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from certs.algorithms import Suite, generate_private_key
from hutong.client import (
    ClientReason,
    DatasetQuery,
    IdentityRefused,
    MatterQuestion,
    NotWritten,
    Purpose,
    QuestionRefused,
    Staff,
    Subject,
    SubjectType,
    load_identity,
    write_identity,
)
from hutong.client.identity import Identity
from hutong.client.officer import Officer
from hutong.client.questions import Question
from hutong.client.requests import Moment, build_exchange, build_receipt
from signing.signer import FileSigner
from tests.client.synthetic_world import PERSON, World

R = ClientReason
MOMENT = Moment(now_ms=1_795_000_000_123, known_size=0)
QUERY = DatasetQuery(agreement="A-1", dataset="mca.marriage@1", fields=("is_married",))
PURPOSE = Purpose(matter="M2", legal_basis="第七条", case_number="C-1")
STAFF = Staff(token="t", role="r", unit="u", unit_code="1", level="county", division="370000")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A whole identity directory, loaded and lying there to be spoilt."""

    world: World
    directory: Path
    identity: Identity

    def spoil(self, *path: str, value: object) -> None:
        """Give a member of `identity.json` another value."""
        file = self.directory / "identity.json"
        members = json.loads(file.read_bytes())
        inner = members
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value
        file.write_text(json.dumps(members))

    def question(self, officer: Officer | None = None) -> Question:
        """Return a question that could be sent."""
        return Question(
            agreement=QUERY.agreement,
            dataset=QUERY.dataset,
            fields=QUERY.fields,
            subject=Subject(identifier=PERSON),
            purpose=PURPOSE,
            officer=officer,
        )


class _Chatty:
    """Issues what is no assertion."""

    def issue(self, _context: object) -> str:
        """Return 70,000 characters."""
        return "x" * 70_000


def _purpose(**wrong: str) -> Callable[[Stage], object]:
    return lambda _stage: dataclasses.replace(PURPOSE, **wrong)


def _query(**wrong: object) -> Callable[[Stage], object]:
    return lambda _stage: dataclasses.replace(QUERY, **wrong)  # type: ignore[arg-type]  # wrong ones


def _no_identity(stage: Stage) -> object:
    return load_identity(stage.directory.parent)


def _malformed(stage: Stage) -> object:
    stage.spoil("format", value="other")
    return load_identity(stage.directory)


def _missing_file(stage: Stage) -> object:
    (stage.directory / "tls.key").unlink()
    return load_identity(stage.directory)


def _exposed(stage: Stage) -> object:
    (stage.directory / "tls.key").chmod(0o640)
    return load_identity(stage.directory)


def _writable(stage: Stage) -> object:
    (stage.directory / "identity.json").chmod(0o620)
    return load_identity(stage.directory)


def _wrong_passphrase(stage: Stage) -> object:
    (stage.directory / "tls.passphrase").write_bytes(b"another\n")
    return load_identity(stage.directory)


def _mixed_up(stage: Stage) -> object:
    stage.spoil("tls", "certificate", value="envelope.pem")
    return load_identity(stage.directory)


def _no_officer_key(stage: Stage) -> object:
    stage.spoil("officer", value=None)
    return load_identity(stage.directory).officer(STAFF)


def _written_twice(stage: Stage) -> object:
    return write_identity(stage.directory, stage.world.material())


def _officer_of_another_suite(stage: Stage) -> object:
    # JWTs are ES256 or EdDSA: no reader of them knows SM2.
    signer = FileSigner.of(generate_private_key(Suite.SM2SM3))
    asked = stage.question(Officer(signer=signer, staff=STAFF))
    return build_exchange(stage.identity, asked, MOMENT)


def _too_large(stage: Stage) -> object:
    asked = dataclasses.replace(stage.question(), officer=_Chatty())
    return build_exchange(stage.identity, asked, MOMENT)


Row = tuple[type[QuestionRefused | IdentityRefused | NotWritten], Callable[[Stage], object]]
ROWS: dict[ClientReason, Row] = {
    R.SUBJECT_INVALID: (
        QuestionRefused,
        lambda _: Subject(type=SubjectType.USCC, identifier="I" * 18),
    ),
    R.SUBJECT_NAME_INVALID: (
        QuestionRefused,
        lambda _: Subject(identifier=PERSON, full_name="李" * 61),
    ),
    R.MATTER_INVALID: (QuestionRefused, _purpose(matter="")),
    R.LEGAL_BASIS_INVALID: (QuestionRefused, _purpose(legal_basis="")),
    R.CASE_NUMBER_INVALID: (QuestionRefused, _purpose(case_number="办件一")),
    R.AGREEMENT_INVALID: (QuestionRefused, _query(agreement="")),
    R.DATASET_INVALID: (QuestionRefused, _query(dataset="mca.marriage")),
    R.FIELDS_INVALID: (QuestionRefused, _query(fields=())),
    R.NAME_INVALID: (QuestionRefused, _query(fields=("Full-Name",))),
    R.CLAIMS_INVALID: (QuestionRefused, _query(claims={"c": ""})),
    R.QUERIES_INVALID: (
        QuestionRefused,
        lambda _: MatterQuestion(queries=(), subject=Subject(identifier=PERSON), purpose=PURPOSE),
    ),
    R.OFFICER_INVALID: (
        QuestionRefused,
        lambda _: dataclasses.replace(STAFF, level="省级"),
    ),
    R.ASSERTION_NOT_ISSUED: (QuestionRefused, _officer_of_another_suite),
    R.QUESTION_TOO_LARGE: (QuestionRefused, _too_large),
    R.REQUEST_ID_INVALID: (
        QuestionRefused,
        lambda stage: build_receipt(stage.identity, MOMENT, b"short"),
    ),
    R.IDENTITY_NOT_FOUND: (IdentityRefused, _no_identity),
    R.IDENTITY_MALFORMED: (IdentityRefused, _malformed),
    R.IDENTITY_FILE_UNREADABLE: (IdentityRefused, _missing_file),
    R.IDENTITY_FILE_EXPOSED: (IdentityRefused, _exposed),
    R.IDENTITY_FILE_WRITABLE: (IdentityRefused, _writable),
    R.IDENTITY_KEY_UNUSABLE: (IdentityRefused, _wrong_passphrase),
    R.IDENTITY_INCONSISTENT: (IdentityRefused, _mixed_up),
    R.OFFICER_KEY_ABSENT: (IdentityRefused, _no_officer_key),
    R.FILE_NOT_WRITTEN: (NotWritten, _written_twice),
}
"""Reason → what raises it and how; the two that are missing need a clock or the command line."""
ELSEWHERE = {R.IDENTITY_NOT_CURRENT, R.AGREEMENT_UNLISTED}
"""In test_client_local_refusals.py and tests/cli/test_asking.py."""
