"""`hutong policy compile`, `explain` (without a gateway) and `facts` (in `gateway.cli.facts`)."""

from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.port import FieldName
from gateway.catalog.problems import PolicyRefused
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.facts import load_facts
from gateway.cli.printing import print_json
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.policy.bundle import Bundle, load_bundle
from gateway.policy.explain import explain_question
from gateway.policy.model import Agreement, DecisionInput
from gateway.policy.vocabulary import Facts
from gateway.trust import moment
from hutong.client import OfficerLevel
from signing.encoding import JsonValue

OPEN_CASE: Final[Facts] = {
    "case_state": "open",
    "case_matter_agrees": True,
    "case_organisation_agrees": True,
    "division_agrees": True,
}
"""An explanation without a gateway has no case register: it assumes that the case is in order, and
lies in the officer's division."""

_Path = Annotated[Path, typer.Argument(help="Folder of a bundle.")]
_Start = Annotated[str, typer.Option(help="The day 启动日 stands for, YYYY-MM-DD; default: today.")]
_Json = Annotated[bool, typer.Option("--json", help="Print data for machines.")]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the group."""
    group = typer.Typer(help=help_line, no_args_is_help=True)
    group.command("compile")(compile_bundle)
    group.command("explain")(explain)
    group.command("facts")(load_facts)
    app.add_typer(group, name=name)


def compile_bundle(path: _Path, *, start_date: _Start = "", json: _Json = False) -> None:
    """Compile a bundle; print its digest, or every problem with its place. Exit 1 on problems."""
    try:
        bundle = load_bundle(path, _day(start_date))
    except PolicyRefused as refused:
        _show_problems(refused, json=json)
        raise Ended(ExitCode.NO) from refused
    if json:
        print_json(
            {
                "digest": bundle.digest.hex(),
                "plan_digest": bundle.plan_digest.hex(),
                "sequence": bundle.sequence,
                "expires": bundle.expires.isoformat(),
                "agreements": len(bundle.rows),
                "datasets": len(bundle.catalog.datasets),
            }
        )
        return
    typer.echo(f"digest      {bundle.digest.hex()}")
    typer.echo(f"sequence    {bundle.sequence}, until {bundle.expires.isoformat()}")
    typer.echo(f"agreements  {len(bundle.rows)}")


def explain(
    path: _Path,
    *,
    agreement: Annotated[str, typer.Option(help="Number of the agreement.")],
    matter: Annotated[str, typer.Option(help="Default: the agreement's first.")] = "",
    role: Annotated[str, typer.Option(help="Default: the agreement's first.")] = "",
    level: Annotated[
        OfficerLevel, typer.Option(help="Of the officer who asks; no matter for system jobs.")
    ] = OfficerLevel.COUNTY,
    field: Annotated[
        list[str] | None, typer.Option(help="Default: every field of the dataset; repeat it.")
    ] = None,
    start_date: _Start = "",
    json: _Json = False,
) -> None:
    """Say what an agreement would release at best, field by field, and why."""
    try:
        bundle = load_bundle(path, _day(start_date))
    except PolicyRefused as refused:
        _show_problems(refused, json=json)
        raise Ended(ExitCode.UNREADABLE) from refused
    found = bundle.find_agreement(agreement)
    if found is None:
        raise Told(CommandReason.AGREEMENT_UNKNOWN, ", ".join(sorted(bundle.rows)))
    question = _question(bundle, found, (matter, role, level), tuple(field or ()))
    explained = explain_question(bundle, question)
    if json:
        fields: list[JsonValue] = [
            {
                "field": each.field,
                "effect": each.effect_text,
                "depends_on_subject": each.depends_on_subject,
                "text_zh": each.text_zh,
                "text_en": each.text_en,
            }
            for each in explained
        ]
        print_json({"agreement": agreement, "dataset": found.dataset, "fields": fields})
        return
    for each in explained:
        typer.echo(f"{each.field}: {each.effect_text}")
        typer.echo(f"    {each.text_zh}\n    {each.text_en}")


def _question(
    bundle: Bundle,
    found: Agreement,
    named: tuple[str, str, OfficerLevel],
    fields: tuple[str, ...],
) -> DecisionInput:
    matter, role, level = named
    every = tuple(each.name for each in bundle.catalog.datasets[found.dataset].fields)
    unknown = sorted(set(fields).difference(every))
    if unknown:
        text = f"{found.dataset} has no field {', '.join(unknown)}; it has {', '.join(every)}"
        raise Ended(ExitCode.USAGE, text)
    return DecisionInput(
        agreement=found.number,
        organisation=found.system.partition("/")[0],
        system=found.system,
        role=role or min(found.roles),
        matter=matter or min(found.matters),
        facts={**OPEN_CASE, "staff_level": level.value},
        dataset=found.dataset,
        fields=tuple(FieldName(name) for name in fields) or every,
        at_ms=SystemClock().now_ms(),
        legal_basis=found.basis[0],
    )


def _day(text: str) -> date:
    if not text:
        return moment(SystemClock().now_ms()).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Ended(ExitCode.USAGE, "--start-date is YYYY-MM-DD") from error


def _show_problems(refused: PolicyRefused, *, json: bool) -> None:
    if json:
        problems: list[JsonValue] = [
            {
                "reason": str(each.reason),
                "file": each.position.file,
                "line": each.position.line,
                "column": each.position.column,
                "text_zh": each.text_zh,
                "text_en": each.text_en,
            }
            for each in refused.problems
        ]
        print_json({"problems": problems})
        return
    for each in refused.problems:
        at = each.position
        typer.echo(f"{at.file}:{at.line}:{at.column}: {each.reason}: {each.text_zh}", err=True)
        typer.echo(f"    {each.text_en}", err=True)
