"""`hutong log forget`: who a past quarter's entries are about is found no more."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.access_log.epochs import EpochKeys
from gateway.cli.ending import ExitCode
from gateway.cli.log_init import make_log_keys
from gateway.cli.looking import open_alone
from gateway.cli.root import run
from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.wiring import load_epoch_keys
from tests.cli.test_log_keys_and_facts import Place, write_config

FORMER = "2026Q1"
FORMER_MS = 1_770_000_000_000  # 2026-02-02


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A log that drew the keys of a quarter long past and of the running one."""
    made = write_config(tmp_path)
    config = load_config(Path(made.config))
    make_log_keys(config.log)
    with closing(open_alone(config)):
        keys = load_epoch_keys(config)
        keys.token("case", "x", FORMER_MS)
        keys.token("case", "x", SystemClock().now_ms())
    return made


def _keys(place: Place) -> EpochKeys:
    return load_epoch_keys(load_config(Path(place.config)))


def _forget(place: Place, quarter: str, *more: str) -> int:
    return run(["log", "forget", quarter, "--config", place.config, *more])


def test_a_past_quarter_is_forgotten_and_no_other(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its key leaves the file; those of other quarters are as they were."""
    before = _keys(place)
    capsys.readouterr()

    code = _forget(place, FORMER, "--json")

    left = _keys(place)
    running = before.epochs[0]
    now_ms = SystemClock().now_ms()
    assert code == ExitCode.YES
    assert json.loads(capsys.readouterr().out) == {"forgotten": FORMER, "left": [running]}
    assert left.epochs == (running,)
    assert left.token("case", "x", now_ms) == before.token("case", "x", now_ms)


def test_a_quarter_without_a_key_is_told(place: Place) -> None:
    """1 for what is gone already, and for what never was."""
    _forget(place, FORMER)

    assert _forget(place, FORMER) == ExitCode.NO
    assert _forget(place, "2019Q3") == ExitCode.NO


@pytest.mark.parametrize("quarter", ["running", "9999Q4"])
def test_a_quarter_that_has_not_ended_keeps_its_key(place: Place, quarter: str) -> None:
    """Its entries are still being written, and have to be found."""
    before = _keys(place).epochs

    code = _forget(place, before[0] if quarter == "running" else quarter)

    assert code == ExitCode.NO
    assert _keys(place).epochs == before


@pytest.mark.parametrize("quarter", ["2026Q5", "2026", "2026q1", "\uff12026Q1"])
def test_what_is_no_quarter_is_usage(place: Place, quarter: str) -> None:
    """Four digits, Q, and one to four."""
    assert _forget(place, quarter) == ExitCode.USAGE


def test_beside_a_gateway_nothing_is_forgotten(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds all keys in memory and would store them with the next quarter's."""
    with closing(open_alone(load_config(Path(place.config)))):
        code = _forget(place, FORMER)

    assert code == ExitCode.NO
    assert "a gateway serves" in capsys.readouterr().err
    assert FORMER in _keys(place).epochs


@contextmanager
def _moved(path: Path) -> Iterator[None]:
    aside = path.with_name("aside")
    path.rename(aside)
    yield
    aside.rename(path)


@pytest.mark.parametrize("missing", ["log/access.db", "keys/log.pass", "keys/epochs"])
def test_without_log_or_keys_nothing_is_made(place: Place, missing: str) -> None:
    """3, and what is missing stays so: a log made here would begin without its entries."""
    path = place.root / missing

    with _moved(path):
        code = _forget(place, FORMER)
        made = path.exists()

    assert code == ExitCode.UNREADABLE
    assert not made
