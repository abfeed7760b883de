"""The HRSS tables a reader finds are those of docs/adapters/hrss.md."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.simulators.population import Population, hrss_database, hrss_record, planted

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A small database."""
    path = tmp_path_factory.mktemp("hrss") / "hrss.sqlite"
    hrss_database(path, seed=1, size=600)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield connection


def _names(tables: sqlite3.Connection) -> set[str]:
    rows = tables.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {str(name) for (name,) in rows}


def test_the_manual_lists_every_table_and_column(tables: sqlite3.Connection) -> None:
    """A column that is not in the manual would be a secret between two programs."""
    manual = (ROOT / "docs" / "adapters" / "hrss.md").read_text()
    listed = set(re.findall(r"`(\w+)`", manual)) | {"hr_meta", "seed", "size"}
    listed |= set(re.findall(r"`(\w+) (?:TEXT|INTEGER)", manual))

    for table in _names(tables):
        columns = {row[1] for row in tables.execute(f"PRAGMA table_info({table})")}
        assert table in listed
        assert columns <= listed, table


def test_rows_say_what_the_view_says(tables: sqlite3.Connection) -> None:
    """A pension and the months paid read back as the view has them."""
    people = Population(seed=1, size=600)
    for index in range(240, 600):
        record = hrss_record(people.person(index))
        row = tables.execute(
            "SELECT benefit_state, monthly_amount FROM hr_pension WHERE person_id = ?",
            (record.person_id,),
        ).fetchone()
        pension = record.pension
        assert row == ((pension.benefit_state, pension.monthly_amount) if pension else None)


def test_two_people_with_one_number_have_two_rows(tables: sqlite3.Connection) -> None:
    """The number is an index, not a key."""
    number = next(case.id_number for case in planted() if case.name_of_case == "two_people_one_id")

    rows = tables.execute("SELECT full_name FROM hr_sscard WHERE person_id = ?", (number,))

    assert {name for (name,) in rows} == {"陈建国", "陈建军"}


def test_lists_are_json(tables: sqlite3.Connection) -> None:
    """The months stand newest first, twelve of them."""
    (text,) = tables.execute("SELECT recent_months FROM hr_contribution_record").fetchone()

    periods = [month["period"] for month in json.loads(text)]

    assert periods == sorted(periods, reverse=True)
    assert len(periods) == 12


def test_the_file_is_a_function_of_seed_and_size(tmp_path: Path) -> None:
    """Two files of one seed are equal octet by octet."""
    digests = set()
    for name in ("one", "two"):
        hrss_database(tmp_path / name, seed=4, size=60)
        digests.add(sha256((tmp_path / name).read_bytes()).hexdigest())

    assert len(digests) == 1


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """An existing file stays as it is."""
    (tmp_path / "there").write_text("mine")

    with pytest.raises(FileExistsError):
        hrss_database(tmp_path / "there", seed=1, size=4)

    assert (tmp_path / "there").read_text() == "mine"
