"""`hutong ask`: one question as a partner's system, with everything proven before it is shown.

Options are keyword-only, so that typer makes an option of each.
"""

import asyncio
import json as json_module
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import print_json
from hutong.client import (
    Answered,
    AnsweredField,
    AnswerState,
    Client,
    ClientError,
    Fault,
    FieldOutcome,
    Finding,
    Identity,
    IdentityRefused,
    Officer,
    Purpose,
    Question,
    QuestionRefused,
    Receipt,
    Refused,
    Settings,
    Staff,
    Subject,
    SubjectType,
    load_identity,
)
from signing.encoding import JsonValue

SYSTEM: Final = "系统"

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
_Level = Annotated[str, typer.Option(help="province, city, county, township or village.")]
_Division = Annotated[str, typer.Option(help="GB/T 2260 code of the officer's division.")]
_Name = Annotated[str, typer.Option(help="Name of the officer: public security demands it.")]
_OfficerId = Annotated[str, typer.Option(help="Identity number of the officer.")]
_Timeout = Annotated[float, typer.Option(min=1, max=120, help="Seconds.")]
_SaveReceipt = Annotated[
    Path | None, typer.Option(help="Folder for receipt.json, request.bin and answer.bin.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """One question and what is kept of its answer."""

    question: Question
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
    officer_level: _Level = "county",
    officer_division: _Division = "370102",
    officer_name: _Name = "彭守正",
    officer_id: _OfficerId = "370104198309239011",
    timeout: _Timeout = 20.0,
    save_receipt: _SaveReceipt = None,
    json: _Json = False,
) -> None:
    """Ask one question. The officer key of the identity signs for the officer (sandboxes only)."""
    staff = Staff(
        token="cli-officer",  # noqa: S106  a pseudonym of a person, no secret
        role=officer_role,
        unit="命令行经办处（模拟）",
        unit_code=f"{officer_division}000000",
        level=officer_level,
        division=officer_division,
        call_reason=f"事项{matter}",
        name=officer_name,
        identifier=officer_id,
    )
    own = _load(identity)
    hint = next((each for each in own.agreements if each.number == agreement), None)
    try:
        question = Question(
            agreement=agreement,
            dataset=dataset or ("" if hint is None else hint.dataset),
            fields=tuple(field),
            subject=Subject(type=subject_type, identifier=subject_id, full_name=subject_name),
            purpose=Purpose(
                matter=matter,
                legal_basis=basis or ("" if hint is None else hint.legal_basis),
                case_number=case,
            ),
            claims=dict(_parse_claim(text) for text in claim or []),
            officer=None if officer_role == SYSTEM else _officer(own, staff),
        )
    except QuestionRefused as refused:
        raise Ended(ExitCode.USAGE, f"question: {refused}") from refused
    asking = _Asking(question=question, timeout_s=timeout, save_receipt=save_receipt)
    outcome = asyncio.run(_ask(own, asking))
    (_print_json if json else _show)(outcome)
    raise Ended(code_of(outcome))


def _load(identity: Path) -> Identity:
    try:
        return load_identity(identity)
    except IdentityRefused as refused:
        raise Ended(ExitCode.UNREADABLE, f"identity: {refused}") from refused


def _officer(own: Identity, staff: Staff) -> Officer:
    try:
        return own.officer(staff)
    except IdentityRefused as refused:
        raise Ended(ExitCode.UNREADABLE, f"identity: {refused}") from refused


def code_of(outcome: Answered | Refused) -> ExitCode:
    """Return 0 for an answer, 1 for no and refusals, 2 where anything asked cannot be told."""
    if isinstance(outcome, Refused):
        return ExitCode.NO
    findings = [each.finding for each in outcome.fields if each.finding is not None]
    untold = any(each.outcome is FieldOutcome.INDETERMINATE for each in outcome.fields)
    unsure = untold or not {Finding.INDETERMINATE, Finding.ERROR}.isdisjoint(findings)
    if outcome.state is AnswerState.INDETERMINATE or unsure:
        return ExitCode.INDETERMINATE
    if outcome.state is AnswerState.NOT_FOUND or Finding.NO in findings:
        return ExitCode.NO
    return ExitCode.YES


async def _ask(identity: Identity, asking: _Asking) -> Answered | Refused:
    """Ask and keep the receipt.

    Raises:
        Ended: INDETERMINATE where nothing proven came back.
    """
    outcome: Answered | Refused
    async with Client.open(identity, Settings(timeout_s=asking.timeout_s)) as client:
        try:
            outcome = await client.exchange(asking.question)
        except Refused as refused:
            outcome = refused
        except Fault as fault:
            raise Ended(ExitCode.INDETERMINATE, f"no answer: {fault}") from fault
        except ClientError as unproven:
            raise Ended(ExitCode.INDETERMINATE, f"not proven: {unproven}") from unproven
    receipt = outcome.receipt
    if asking.save_receipt is not None and receipt is not None:
        _save(receipt, asking.save_receipt)
    return outcome


def _save(receipt: Receipt, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        receipt.write_parts(folder)
    except IdentityRefused as refused:
        raise Ended(ExitCode.UNREADABLE, f"receipt: {refused}") from refused


def _parse_claim(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise Ended(ExitCode.USAGE, "a claim is NAME=VALUE")
    return name, value


def _show(outcome: Answered | Refused) -> None:
    console = Console(highlight=False)
    if isinstance(outcome, Refused):
        console.print(f"拒绝 · refused: {outcome.reason} ({outcome.side})", markup=False)
        console.print(f"{outcome.text_zh}\n{outcome.text_en}", markup=False)
        return
    reason = outcome.indeterminate_reason
    table = Table(title=f"{outcome.dataset}  {outcome.state}{f' {reason}' if reason else ''}")
    for heading in ("数据项 · field", "给 · effect", "得 · value or finding"):
        table.add_column(heading)
    for each in outcome.fields:
        table.add_row(each.name, each.effect_text, _text(each))
    console.print(table)
    receipt = outcome.receipt
    console.print(f"回执 · receipt: entry {receipt.index} of {receipt.tree.size}")


def _text(each: AnsweredField) -> str:
    if each.outcome is FieldOutcome.VALUE:
        return "、".join(each.value) if isinstance(each.value, tuple) else str(each.value)
    return str(each.finding) if each.finding is not None else str(each.outcome)


def _print_json(outcome: Answered | Refused) -> None:
    receipt = outcome.receipt
    common: dict[str, JsonValue] = {
        "receipt": None if receipt is None else json_module.loads(receipt.encode())
    }
    if isinstance(outcome, Refused):
        print_json(
            {
                "state": "REFUSED",
                "reason": outcome.reason,
                "side": outcome.side,
                "text_zh": outcome.text_zh,
                "text_en": outcome.text_en,
                "request_id": outcome.told.request_id.hex(),
                **common,
            }
        )
        return
    reason = outcome.indeterminate_reason
    fields: list[JsonValue] = [_field_json(each) for each in outcome.fields]
    print_json(
        {
            "state": str(outcome.state),
            "reason": None if reason is None else str(reason),
            "request_id": outcome.request_id.hex(),
            "agreement": outcome.agreement,
            "dataset": outcome.dataset,
            "provider": outcome.provider,
            "policy": outcome.policy_digest.hex(),
            "delete_by": None if outcome.delete_by is None else outcome.delete_by.isoformat(),
            "fields": fields,
            **common,
        }
    )


def _field_json(each: AnsweredField) -> JsonValue:
    members: dict[str, JsonValue] = {
        "field": each.name,
        "effect": str(each.effect),
        "effect_text": each.effect_text,
        "outcome": str(each.outcome),
    }
    if each.value is not None:
        members["value"] = list(each.value) if isinstance(each.value, tuple) else each.value
    if each.finding is not None:
        members["finding"] = str(each.finding)
    return members
