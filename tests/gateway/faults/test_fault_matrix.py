"""Every department, every fault of its page: verdict, reason, repetition, breaker, log entry.

One sandbox for all: seven simulators as processes, the real gateway, partners over mutual TLS.
Departments run beside each other, the rows of one department after one another. `table.py` says
what the columns of `matrix.csv` mean.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from hutong.client import ClientError
from tests.gateway.faults.bench import Cell, benches, open_cases
from tests.gateway.faults.questions import QUESTIONS, SEED, SYSTEMS
from tests.gateway.faults.table import Row, listed_faults, read_rows

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.integration,
    pytest.mark.slow,
]

POPULATION = 240
LEAST = 80
HANGS_S = 5.0
"""After which a department that hangs is left."""
RESERVED_S = 1.0
"""Of the asker's time, for what the gateway does with an answer."""
Outcome = Cell | ClientError
ROWS = tuple(read_rows())
NOT_ASKED: Mapping[str, frozenset[str]] = {
    # Of the change feed and of webhooks, which the adapter has no use for (its page, section 12).
    "commerce": frozenset(
        {
            "changes_repeated",
            "cursor_expired",
            "webhook_bad_signature",
            "webhook_duplicate",
            "webhook_old_timestamp",
        }
    ),
}
"""Faults that no question of the gateway meets."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A world of its own: what is done to its departments is nobody else's trouble."""
    root = tmp_path_factory.mktemp("faults") / "sandbox"
    options = SandboxOptions(root=root, population=POPULATION, systems=SYSTEMS, seed=SEED)
    async with prepared(options) as made:
        _limit_patience(made.world.folders.config)
        yield made


def _limit_patience(path: Path) -> None:
    """Give each department the same time for an answer, however late the gateway comes to ask."""
    config = yaml.safe_load(path.read_text("utf-8"))
    # The tax office is not asked by HTTP: it has no such setting, and no fault of that name.
    for name in QUESTIONS.keys() - {"tax"}:
        config["departments"][name]["limits"] = {"patience_s": HANGS_S}
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(sandbox: Sandbox) -> AsyncIterator[Gateway]:
    """The real gateway, in this process."""
    with pytest.MonkeyPatch.context() as patched:
        # What a timeout is called is tested, not how fast a busy machine signs what says so.
        patched.setattr("gateway.exchange.RESERVED_S", RESERVED_S)
        async with serving(sandbox) as running:
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cells(sandbox: Sandbox, gateway: Gateway) -> Mapping[Row, Outcome]:
    """Every row, run once."""
    open_cases(sandbox, ROWS)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        made = await benches(sandbox, gateway, stack)
        running = [group.create_task(each.run(ROWS)) for each in made]
        await asyncio.wait(running)
    return {row: cell for task in running for row, cell in task.result().items()}


async def test_the_matrix_holds_every_fault_of_every_page() -> None:
    """A fault that is added to a page and not to the table is found, and so is one made up."""
    for department in QUESTIONS:
        rows = {row.fault for row in ROWS if row.department == department}

        assert rows == listed_faults(department) - NOT_ASKED.get(department, frozenset())
    assert len({(row.department, row.fault) for row in ROWS}) >= LEAST


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_each_fault_has_its_outcome(cells: Mapping[Row, Outcome], row: Row) -> None:
    """As the page says, in all of its consequences at once."""
    cell = _answered(cells[row])
    entry = cell.entry
    found = {
        "state": cell.state,
        "reason": cell.reason,
        "calls": None if row.calls is None else cell.calls,
        "log": f"{entry['values']}+{entry['findings']}",
        "later": cell.later,
    }

    assert found == {name: getattr(row, name) for name in found}
    assert cell.breaker_is(row.breaker), (cell.failures, cell.verdicts)
    # The receipt proves this very entry: what is told and what is kept say the same.
    assert (entry["kind"], entry["state"], entry.get("reason", "")) == (
        "answer",
        row.state,
        row.reason,
    )
    _require_told(row, cell)


def _require_told(row: Row, cell: Cell) -> None:
    if row.told == "same":
        assert cell.told == cell.plain
    elif row.told:
        wanted = dict(each.split("=") for each in row.told.split(";"))
        told = {name: "-" if value is None else value for name, value in cell.told.items()}
        assert {name: told[name] for name in wanted} == wanted
    else:
        # Never a value, and never a finding somebody could read as a no.
        assert set(cell.told.values()) <= {None, "INDETERMINATE"}


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_a_fault_that_is_over_leaves_nothing_behind(
    cells: Mapping[Row, Outcome], row: Row
) -> None:
    """The next question of the department is told what it was told before all of this."""
    cell = _answered(cells[row])

    assert cell.after == cell.before


def _answered(outcome: Outcome) -> Cell:
    if isinstance(outcome, ClientError):
        raise outcome
    return outcome
