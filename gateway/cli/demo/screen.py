"""Shows what the demo did: to people as tables, to machines as JSON."""

from rich.console import Console
from rich.table import Table

from certs.suites import Suite
from gateway.cli.demo.attacks import Attempt
from gateway.cli.demo.outcomes import Row, Told
from gateway.cli.demo.run import Demo
from signing.encoding import JsonValue


def show_demo(console: Console, demo: Demo) -> None:
    """Print every table and the proofs."""
    for told in demo.told:
        console.print(_table(told, demo.titles))
    console.print(_attempts(demo.attempts))
    _show_proofs(console, demo)


def demo_json(demo: Demo) -> JsonValue:
    """Return everything as data; fields that were not granted do not stand in it."""
    attempts: list[JsonValue] = [_attempt_json(each) for each in demo.attempts]
    rows: list[JsonValue] = [
        _row_json(row) for told in demo.told for row in told.rows if row.granted
    ]
    refused: list[JsonValue] = [
        {
            "person": told.asked.person.case,
            "matter": told.asked.person.matter,
            "dataset": dataset,
            "reason": state.removeprefix("REFUSED "),
            "receipt": index,
        }
        for told in demo.told
        for dataset, state, index in _refused(told)
    ]
    reviews: list[JsonValue] = [
        {
            "person": told.asked.person.case,
            "matter": told.asked.person.matter,
            "dataset": each.dataset,
            "field": each.field,
            "reason": None if each.reason is None else each.reason.value,
        }
        for told in demo.told
        for each in told.reviews
    ]
    failed: list[JsonValue] = list(demo.proofs.failed)
    return {
        "holds": demo.holds,
        "fields": rows,
        "refused": refused,
        "reviews": reviews,
        "attempts": attempts,
        "proofs": {
            "receipts": demo.proofs.receipts,
            "failed": failed,
            "log": demo.proofs.log_outcome.name,
            "log_size": demo.proofs.log_size,
            "log_key": demo.log_key,
            "checkpoint": demo.proofs.checkpoint,
        },
        "other_province": {
            "receipts": demo.abroad.receipts,
            "failed": list(demo.abroad.failed),
            "log": demo.abroad.log_outcome.name,
            "log_size": demo.abroad.log_size,
        },
    }


def _refused(told: Told) -> list[tuple[str, str, int | None]]:
    found = {
        row.dataset: (row.state, row.receipt_index)
        for row in told.rows
        if row.state.startswith("REFUSED ")
    }
    return [(dataset, state, index) for dataset, (state, index) in found.items()]


def _row_json(row: Row) -> JsonValue:
    value: JsonValue = list(row.value) if isinstance(row.value, tuple) else row.value
    members: dict[str, JsonValue] = {
        "person": row.person,
        "matter": row.matter,
        "dataset": row.dataset,
        "field": row.item,
        "effect": row.effect,
        "state": row.state,
        "outcome": row.outcome,
        "receipt": row.receipt_index,
        "holds": row.holds,
    }
    if value is not None:
        members["value"] = value
    if row.finding is not None:
        members["finding"] = row.finding
    return members


def _attempt_json(each: Attempt) -> JsonValue:
    return {
        "name": each.name,
        "what": each.what,
        "reason": each.reason,
        "expected": each.expected,
        "receipt": None if each.receipt is None else each.receipt.index,
        "holds": each.holds,
    }


def _table(told: Told, titles: dict[str, str]) -> Table:
    asked = told.asked
    table = Table(
        title=f"{asked.person.matter} · {asked.planted.full_name} · {asked.person.case}",
        caption=_caption(told, titles),
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("数据集", "数据项", "给", "得", "数源部门", "回执", ""):
        table.add_column(heading, overflow="fold")
    previous = ""
    for row in told.rows:
        table.add_row(
            "" if row.dataset == previous else titles.get(row.dataset, row.dataset),
            titles.get(f"{row.dataset}/{row.item}", row.item),
            row.effect,
            row.told,
            titles.get(row.provider, row.provider),
            "" if row.receipt_index is None else str(row.receipt_index),
            "[green]✓[/]" if row.holds else f"[red]✗ {row.observed} ≠ {row.expected}[/]",
        )
        previous = row.dataset
    return table


def _caption(told: Told, titles: dict[str, str]) -> str:
    """Say what is special, and what a person has to look at."""
    why = told.asked.person.why
    if not told.reviews:
        return why
    fields = "、".join(
        titles.get(f"{each.dataset}/{each.field}", each.field) for each in told.reviews
    )
    return f"{why}\n办件转人工复核 · for review, not refused: {fields}"


def _attempts(attempts: tuple[Attempt, ...]) -> Table:
    table = Table(title="必须被拒绝的请求 · what must be refused", title_justify="left")
    for heading in ("attempt", "ended with", "回执", ""):
        table.add_column(heading, overflow="fold")
    for each in attempts:
        table.add_row(
            each.what,
            each.reason,
            "" if each.receipt is None else str(each.receipt.index),
            "[green]✓[/]" if each.holds else f"[red]✗ ≠ {each.expected}[/]",
        )
    return table


def _show_proofs(console: Console, demo: Demo) -> None:
    proofs = demo.proofs
    proven = proofs.receipts - len(proofs.failed)
    console.print(
        f"离线核验 · verified offline: {proven} of {proofs.receipts} receipts; "
        f"whole log of {proofs.log_size} entries: {proofs.log_outcome.name}"
    )
    abroad = demo.abroad
    console.print(
        f"外省网关自己的日志 · the other province's own log: {abroad.receipts} receipts, "
        f"{abroad.log_size} entries: {abroad.log_outcome.name}"
    )
    for uscc, suites in demo.suites.items():
        if Suite.SM2SM3.value in suites:
            name = demo.titles.get(uscc, uscc)
            console.print(f"国密签名的记录 · records signed with SM2: {name}")
    console.print(f"日志公钥 · log key: {demo.log_key}", soft_wrap=True, markup=False)
    console.print("检查点 · checkpoint:", highlight=False)
    console.print(proofs.checkpoint, soft_wrap=True, markup=False, highlight=False)
    verdict = "[green]全部符合预期 · all as expected[/]"
    console.print(verdict if demo.holds else "[red]不符合预期 · not as expected[/]")
