"""`hutong ask`: one question as a partner's system, with everything proven before it is shown.

Options are keyword-only, so that typer makes an option of each.
INVARIANT: nobody asks for what could not be kept: where the receipt goes is looked at before.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.ask_shown import Failed, failure_json, failure_text, show, show_json
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import print_json
from gateway.cli.room import find_obstacle
from hutong.client import (
    RECEIPT_FILES,
    Answered,
    AnswerState,
    Client,
    ClientReason,
    Fault,
    Finding,
    Identity,
    IdentityRefused,
    NotWritten,
    OfficerLevel,
    Purpose,
    Question,
    QuestionRefused,
    Receipt,
    Refused,
    Settings,
    Staff,
    Subject,
    SubjectType,
    Unproven,
    find_reviews,
    load_identity,
)

SYSTEM: Final = "系统"
_CODES: Final = {
    QuestionRefused: ExitCode.USAGE,
    IdentityRefused: ExitCode.UNREADABLE,
    NotWritten: ExitCode.UNREADABLE,
    Fault: ExitCode.INDETERMINATE,
    Unproven: ExitCode.INDETERMINATE,
}
"""How a question ends that got no proven answer."""

_Identity = Annotated[Path, typer.Option(help="Identity directory of the asking system.")]
_Agreement = Annotated[str, typer.Option(help="Number of the agreement, e.g. XY-2026-201.")]
_Fields = Annotated[list[str], typer.Option(help="A field of the dataset; repeat it.")]
_SubjectId = Annotated[str, typer.Option(help="Resident identity number, or USCC.")]
_Matter = Annotated[str, typer.Option(help="Code of the matter, e.g. M2.")]
_Case = Annotated[str, typer.Option(help="Number of the case.")]
_SubjectName = Annotated[str, typer.Option(help="Name of the subject.")]
_Dataset = Annotated[str, typer.Option(help="Dataset; default: the one of the agreement.")]
_Basis = Annotated[str, typer.Option(help="Legal basis; default: the one of the agreement.")]
_Claims = Annotated[
    list[str] | None, typer.Option(help="What the applicant says, NAME=VALUE; repeat it.")
]
_Role = Annotated[
    str, typer.Option(help="Role of the officer; 系统 asks as a system job, without officer.")
]
_Level = Annotated[OfficerLevel, typer.Option(help="Level of the officer's unit.")]
_Division = Annotated[str, typer.Option(help="GB/T 2260 code of the officer's division.")]
_Name = Annotated[str, typer.Option(help="Name of the officer: public security demands it.")]
_OfficerId = Annotated[str, typer.Option(help="Identity number of the officer.")]
_Timeout = Annotated[float, typer.Option(min=1, max=120, help="Seconds.")]
_SaveReceipt = Annotated[
    Path | None, typer.Option(help="Folder for receipt.json, request.bin and answer.bin.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staff:
    """What was said of the officer."""

    role: str
    level: OfficerLevel
    division: str
    name: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What was asked for on the command line, before it is held to any form."""

    agreement: str
    dataset: str
    fields: tuple[str, ...]
    claims: tuple[str, ...]
    matter: str
    case: str
    basis: str
    subject_type: SubjectType
    subject_id: str
    subject_name: str
    staff: _Staff | None
    """None asks as a system job."""
    timeout_s: float
    save_receipt: Path | None


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the command."""
    app.command(name, help=help_line)(ask)


def ask(
    *,
    identity: _Identity,
    agreement: _Agreement,
    field: _Fields,
    subject_id: _SubjectId,
    matter: _Matter,
    case: _Case,
    subject_name: _SubjectName = "",
    subject_type: SubjectType = SubjectType.RESIDENT_ID,
    dataset: _Dataset = "",
    basis: _Basis = "",
    claim: _Claims = None,
    officer_role: _Role = "经办",
    officer_level: _Level = OfficerLevel.COUNTY,
    officer_division: _Division = "370102",
    officer_name: _Name = "彭守正",
    officer_id: _OfficerId = "370104198309239011",
    timeout: _Timeout = 20.0,
    save_receipt: _SaveReceipt = None,
    json: _Json = False,
) -> None:
    """Ask one question. The officer key of the identity signs for the officer (sandboxes only)."""
    staff = _Staff(
        role=officer_role,
        level=officer_level,
        division=officer_division,
        name=officer_name,
        identifier=officer_id,
    )
    asking = _Asking(
        agreement=agreement,
        dataset=dataset,
        fields=tuple(field),
        claims=tuple(claim or ()),
        matter=matter,
        case=case,
        basis=basis,
        subject_type=subject_type,
        subject_id=subject_id,
        subject_name=subject_name,
        staff=None if officer_role == SYSTEM else staff,
        timeout_s=timeout,
        save_receipt=save_receipt,
    )
    _end(identity, asking, json=json)


def _end(identity: Path, asking: _Asking, *, json: bool) -> None:
    """Ask, show what came of it and end.

    Raises:
        Ended: always.
    """
    about = f"入网资料 · identity: {identity}"
    try:
        own = load_identity(identity)
        about += f"\n网关 · gateway: {own.address}"
        question = _question(own, asking)
        if asking.save_receipt is not None:
            _require_room(asking.save_receipt)
        outcome, unlisted = asyncio.run(_ask(own, question, asking.timeout_s))
    except (QuestionRefused, IdentityRefused, NotWritten, Fault, Unproven) as failed:
        raise _ended(failed, about, json=json) from failed
    unkept = _keep(outcome.receipt, asking.save_receipt)
    # Before anything is said of the receipt: the answer was released and is logged as released.
    if json:
        kept = None if asking.save_receipt is None else unkept is None
        show_json(outcome, kept=kept, unlisted=unlisted)
    else:
        show(outcome, unlisted)
    if unkept is not None:
        text = f"回执未能保存 · the receipt could not be kept: {unkept.detail}"
        raise Ended(ExitCode.UNREADABLE, f"{text}\n{unkept.text_zh}\n{unkept.text_en}")
    raise Ended(code_of(outcome))


def _ended(failed: Failed, about: str, *, json: bool) -> Ended:
    if json:
        print_json(failure_json(failed, about))
        return Ended(_CODES[type(failed)])
    return Ended(_CODES[type(failed)], failure_text(failed, about))


def _question(own: Identity, asking: _Asking) -> Question:
    """Return the question; what the identity knows of the agreement need not be said again.

    Raises:
        QuestionRefused: it is not well formed, or the identity knows nothing of the agreement.
        IdentityRefused: OFFICER_KEY_ABSENT.
    """
    hint = next((each for each in own.agreements if each.number == asking.agreement), None)
    if hint is None and not (asking.dataset and asking.basis):
        listed = ", ".join(each.number for each in own.agreements)
        raise QuestionRefused(ClientReason.AGREEMENT_UNLISTED, f"identity.json: {listed}")
    return Question(
        agreement=asking.agreement,
        dataset=asking.dataset or ("" if hint is None else hint.dataset),
        fields=asking.fields,
        subject=Subject(
            type=asking.subject_type,
            identifier=asking.subject_id,
            full_name=asking.subject_name,
        ),
        purpose=Purpose(
            matter=asking.matter,
            legal_basis=asking.basis or ("" if hint is None else hint.legal_basis),
            case_number=asking.case,
        ),
        claims=dict(_parse_claim(text) for text in asking.claims),
        officer=None if asking.staff is None else own.officer(_staff(asking.staff, asking.matter)),
    )


def _staff(said: _Staff, matter: str) -> Staff:
    return Staff(
        token="cli-officer",  # noqa: S106  a pseudonym of a person, no secret
        role=said.role,
        unit="命令行经办处（模拟）",
        unit_code=f"{said.division}000000",
        level=said.level,
        division=said.division,
        call_reason=f"事项{matter}申请",
        # Not written where nothing is given: who demands it says so.
        name=said.name or None,
        identifier=said.identifier or None,
    )


def code_of(outcome: Answered | Refused) -> ExitCode:
    """Return 0 for an answer, 1 for no and refusals, 2 where anything asked cannot be told."""
    if isinstance(outcome, Refused):
        return ExitCode.NO
    findings = {each.finding for each in outcome.fields}
    if outcome.state is AnswerState.INDETERMINATE or find_reviews((outcome,)):
        return ExitCode.INDETERMINATE
    if outcome.state is AnswerState.NOT_FOUND or Finding.NO in findings:
        return ExitCode.NO
    return ExitCode.YES


async def _ask(
    identity: Identity, question: Question, timeout_s: float
) -> tuple[Answered | Refused, tuple[str, ...]]:
    """Ask and return what is proven, a refusal as a value, and fields the catalog does not have."""
    until = time.monotonic() + timeout_s
    async with Client.open(identity, Settings(timeout_s=timeout_s)) as client:
        try:
            return await client.exchange(question), ()
        except Refused as refused:
            return refused, await _unlisted(client, question, refused, until)


async def _unlisted(
    client: Client, question: Question, refused: Refused, until: float
) -> tuple[str, ...]:
    """Return the fields asked that the catalog does not list: a refusal names no field.

    Compared here, with what the catalog shows this system anyway: a help, never evidence, and
    waited for no longer than `until` (seconds of the monotonic clock).
    """
    if refused.reason != "QUERY_INVALID":
        return ()
    listing = asyncio.ensure_future(client.list_datasets())
    # Whatever becomes of it, Ctrl-C included, the refusal is told with its receipt: `wait` raises
    # nothing that the call does.
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait((listing,), timeout=max(0.0, until - time.monotonic()))
    if not listing.done() or listing.cancelled() or listing.exception() is not None:
        listing.cancel()
        return ()
    datasets = listing.result()
    return next(
        (each.unlisted(question.fields) for each in datasets if each.name == question.dataset), ()
    )


def _require_room(folder: Path) -> None:
    """Make the folder for a receipt, and see that it takes one.

    Raises:
        NotWritten: FILE_NOT_WRITTEN.
    """
    obstacle = find_obstacle(folder, RECEIPT_FILES)
    if obstacle is not None:
        raise NotWritten(ClientReason.FILE_NOT_WRITTEN, str(obstacle))


def _keep(receipt: Receipt | None, folder: Path | None) -> NotWritten | None:
    """Write the receipt and return why that failed, if it did."""
    if receipt is None or folder is None:
        return None
    try:
        receipt.write_parts(folder)
    except NotWritten as unkept:
        return unkept
    return None


def _parse_claim(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise QuestionRefused(ClientReason.CLAIMS_INVALID, "--claim NAME=VALUE")
    return name, value
