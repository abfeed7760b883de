"""What a partner is given: proven values, and the receipt that proves them later.

INVARIANT: values of personal data stand in no `repr`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from hutong.client.private_files import write_private
from hutong.evidence import Opening, ProvenReceipt, TreeHead, encode_receipt
from hutong.evidence import Receipt as ReceiptForm

REQUEST: Final = "request"
RECEIPT_FILES: Final = ("receipt.json", "request.bin", "answer.bin")
"""What `Receipt.write_parts` writes; the last two hold personal data."""


class Effect(StrEnum):
    """How a field was released, from most to least."""

    CLEAR = "CLEAR"
    MASK = "MASK"
    GENERALISE = "GENERALISE"
    PSEUDONYM = "PSEUDONYM"
    COMPARE = "COMPARE"
    PREDICATE = "PREDICATE"
    WITHHOLD = "WITHHOLD"


class FieldOutcome(StrEnum):
    """What became of one field that was asked; `INDETERMINATE` is never to be read as "no"."""

    VALUE = "VALUE"
    FINDING = "FINDING"
    WITHHELD = "WITHHELD"
    ABSENT = "ABSENT"
    INDETERMINATE = "INDETERMINATE"


class Finding(StrEnum):
    """The outcome of a predicate or comparison."""

    YES = "YES"
    NO = "NO"
    INDETERMINATE = "INDETERMINATE"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    ERROR = "ERROR"


class AnswerState(StrEnum):
    """What is known of the subject in the dataset; three different things, never to be mixed."""

    ANSWERED = "ANSWERED"
    NOT_FOUND = "NOT_FOUND"
    INDETERMINATE = "INDETERMINATE"


class IndeterminateReason(StrEnum):
    """Why it could not be told (exchange.proto, `IndeterminateReason`)."""

    PENDING = "PENDING"
    PROVIDER_NOT_CONNECTED = "PROVIDER_NOT_CONNECTED"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_MALFORMED = "PROVIDER_MALFORMED"
    PROVIDER_FAULT = "PROVIDER_FAULT"
    SUBJECT_MISMATCH = "SUBJECT_MISMATCH"
    PROVIDER_UNPROVEN = "PROVIDER_UNPROVEN"
    PROVIDER_QUOTA = "PROVIDER_QUOTA"
    SUBJECT_UNRESOLVED = "SUBJECT_UNRESOLVED"
    QUESTION_REJECTED = "QUESTION_REJECTED"


FieldValue: TypeAlias = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredField:
    """One field asked; `value` stands with VALUE, `finding` with FINDING and INDETERMINATE."""

    name: str
    effect: Effect
    effect_text: str
    """The effect in the agreement's own words, e.g. `掩码(3,4)`."""
    outcome: FieldOutcome
    value: FieldValue | None = field(default=None, repr=False)
    finding: Finding | None = field(default=None, repr=False)
    derived: bool = False
    """The gateway derived the value: the source department's signature does not cover it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A proven receipt, with the exact bytes it speaks of."""

    proven: ProvenReceipt = field(repr=False)
    form: ReceiptForm = field(repr=False)
    request_payload: bytes = field(repr=False)
    commitment_salt: bytes = field(repr=False)
    answer_body: bytes | None = field(repr=False)
    """None for refusals and looks, whose entries commit to no body."""

    @property
    def index(self) -> int:
        """Index of the entry in the log."""
        return self.proven.index

    @property
    def tree(self) -> TreeHead:
        """Size and root of the tree the entry was proven in."""
        return self.proven.checkpoint.head

    def encode(self) -> bytes:
        """Write the receipt file that `python -m hutong.evidence receipt` reads.

        The salt of the request's commitment stands in it, so that whoever also holds the request's
        bytes can prove the tie.
        """
        own = Opening(member=REQUEST, salt=self.commitment_salt, value=None)
        others = tuple(each for each in self.form.openings if each.member != REQUEST)
        # A refusal before the header was read commits to no request: then there is nothing to open.
        committed = bool(self.commitment_salt) and REQUEST in self.proven.entry.members
        return encode_receipt(
            ReceiptForm(
                entry=self.form.entry,
                index=self.form.index,
                inclusion_proof=self.form.inclusion_proof,
                checkpoint=self.form.checkpoint,
                openings=(own, *others) if committed else others,
            )
        )

    def write(self, path: Path) -> None:
        """Write the receipt file, readable by this user only, and never over another one.

        Raises:
            NotWritten: FILE_NOT_WRITTEN, e.g. where the file exists already.
        """
        # Commitments and hashes only, yet who asked and when is nobody else's business; request
        # and answer bytes go to `write_parts`.
        write_private(path, self.encode())

    def write_parts(self, directory: Path) -> None:
        """Write `receipt.json`, `request.bin` and `answer.bin`, readable by this user only.

        The last two hold personal data.

        Raises:
            NotWritten: FILE_NOT_WRITTEN, e.g. where one of the files exists already.
        """
        receipt, request, answer = RECEIPT_FILES
        write_private(directory / receipt, self.encode())
        write_private(directory / request, self.request_payload)
        if self.answer_body is not None:
            write_private(directory / answer, self.answer_body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One proven answer; look at `state` before looking at fields."""

    request_id: bytes
    item: int
    agreement: str
    dataset: str
    state: AnswerState
    indeterminate_reason: IndeterminateReason | None
    retry_after_s: float | None
    fields: tuple[AnsweredField, ...]
    delete_by: datetime | None
    """When what was received must have been deleted, UTC."""
    provider: str
    """USCC of the organisation that holds the data."""
    policy_digest: bytes
    receipt: Receipt
    record: str | None = field(repr=False)
    """The source department's SD-JWT in compact form."""

    def field_named(self, name: str) -> AnsweredField:
        """Return one field by name.

        Raises:
            KeyError: it was not asked.
        """
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedField:
    """What would be released of one field, and why."""

    name: str
    effect: Effect
    effect_text: str
    depends_on_subject: bool
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A proven explanation of what would be released."""

    request_id: bytes
    agreement: str
    dataset: str
    policy_digest: bytes
    fields: tuple[ExplainedField, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetField:
    """One field of a dataset, as the catalog lists it."""

    name: str
    title_zh: str
    type: str
    sharing_class: str
    ceiling: Effect
    ceiling_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One dataset of the catalog. Listed over the channel, not signed: a help, never evidence."""

    name: str
    title_zh: str
    title_en: str
    provider: str
    connected: bool
    fields: tuple[DatasetField, ...]

    def unlisted(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of the names are no field of this dataset; none may be asked for."""
        listed = {each.name for each in self.fields}
        return tuple(each for each in names if each not in listed)


class BreakerState(StrEnum):
    """Whether questions are let through to a department; HALF_OPEN lets one try."""

    CLOSED = "CLOSED"
    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentFigures:
    """How a department has answered everybody; times are None where no question reached it."""

    answered_percent: int
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentCounts:
    """Questions to a department, exchanges that wait for it now and that may."""

    asked: int
    answered: int
    waiting: int
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One connected department. Told over the channel, not signed: a help, never evidence.

    No figures: too little was asked to tell. Counts are for systems of the organisation that runs
    the gateway.
    """

    organisation: str
    datasets: tuple[str, ...]
    breaker: BreakerState
    figures: DepartmentFigures | None
    counts: DepartmentCounts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Departments:
    """The departments whose datasets one may ask for; figures cover the last `window_s` seconds."""

    window_s: int
    departments: tuple[Department, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One agreement of the calling system; `fields` maps each to its ladder, highest first."""

    number: str
    dataset: str
    legal_basis: str
    matters: tuple[str, ...]
    roles: tuple[str, ...]
    valid_from: str
    valid_until: str
    fields: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreements:
    """The proven list of the calling system's agreements."""

    request_id: bytes
    policy_digest: bytes
    agreements: tuple[Agreement, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """A proven place of a leaf in the tree."""

    index: int
    leaf_hash: bytes
    hashes: tuple[bytes, ...]
    tree: TreeHead
