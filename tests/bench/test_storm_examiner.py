"""A storm's examinations write each loss down once, and a storm that lost something fails."""

import re
from pathlib import Path

import pytest

from bench.storm import require_full
from bench.storm_examiner import KEPT, Examiner, Storm
from tests.bench.conftest import exchange
from tests.evidence.synthetic_log import SyntheticLog

pytestmark = pytest.mark.asyncio


def stored(log: SyntheticLog, path: Path) -> Path:
    """Store a log in the place of what was there."""
    path.unlink(missing_ok=True)
    return log.store(path)


def examiner_of(log: SyntheticLog, folder: Path) -> tuple[Examiner, Storm]:
    """Return an examiner of the log stored in a folder, and the storm it writes into."""
    storm = Storm(kills=3, faults=2)
    path = stored(log, folder / "access.db")
    return Examiner(path, log.signer.log_key, storm, folder / "results"), storm


async def test_honest_log_loses_nothing(log: SyntheticLog, tmp_path: Path) -> None:
    """Both forms count what they covered: all receipts, all entries."""
    examiner, storm = examiner_of(log, tmp_path)
    receipts = [log.receipt(2 * number + 1, number) for number in range(10)]

    await examiner.examine_new(receipts[:4])
    await examiner.examine_whole(receipts, ended=True)

    assert storm.losses == []
    assert (storm.acknowledged, storm.entries) == (10, 20)
    assert (storm.examined_new, storm.examined_whole) == (2, 1)


async def test_acknowledged_answer_without_entry_is_a_loss_at_once(
    log: SyntheticLog, tmp_path: Path
) -> None:
    """The next examination of the new part finds it and says when; the log is kept."""
    examiner, storm = examiner_of(log, tmp_path)
    await examiner.examine_new([])
    receipt = log.receipt(exchange(log, 10), 10)

    await examiner.examine_new([receipt])

    assert storm.losses == [
        "after 3 kills, 2 faults: receipt 0 LOG_TRUNCATED size 22",
        "after 3 kills, 2 faults: entry 21 ENTRY_ABSENT",
    ]
    assert [each.name for each in (tmp_path / "results").iterdir()] == ["storm-1.db"]


async def test_double_answer_is_a_loss_at_once(log: SyntheticLog, tmp_path: Path) -> None:
    """Also where the ask and its first answer were examined before."""
    examiner, storm = examiner_of(log, tmp_path)
    await examiner.examine_new([])
    log.answer(3, 6)
    log.sign()
    stored(log, tmp_path / "access.db")

    await examiner.examine_new([])

    assert storm.losses == ["after 3 kills, 2 faults: entry 20 ANSWER_REPEATED"]


async def test_loss_found_by_both_forms_is_told_once(log: SyntheticLog, tmp_path: Path) -> None:
    """The first examination that finds something tells when it came."""
    examiner, storm = examiner_of(log, tmp_path)
    log.answer(3, 6)
    log.sign()
    stored(log, tmp_path / "access.db")

    await examiner.examine_new([])
    storm.kills = 9
    await examiner.examine_whole([])

    assert storm.losses == ["after 3 kills, 2 faults: entry 20 ANSWER_REPEATED"]


async def test_entry_spoiled_after_it_was_proven_is_found_in_the_whole(
    log: SyntheticLog, tmp_path: Path
) -> None:
    """Only the whole examination reads an old entry again, and it holds every old receipt."""
    examiner, storm = examiner_of(log, tmp_path)
    receipts = [log.receipt(7, 3)]
    await examiner.examine_new(receipts)
    log.entries[7] = log.entries[7].replace(b"ANSWERED", b"UNHEARD!")
    stored(log, tmp_path / "access.db")

    await examiner.examine_new(receipts)
    assert storm.losses == []
    await examiner.examine_whole(receipts)

    assert "after 3 kills, 2 faults: entry 7 ENTRY_DIFFERS receipt 0" in storm.losses


async def test_log_replaced_by_another_of_the_same_key_is_found_in_the_whole(
    log: SyntheticLog, tmp_path: Path
) -> None:
    """Heads met on the way are held against the whole log, so a consistent fork is no way out."""
    examiner, storm = examiner_of(log, tmp_path)
    await examiner.examine_new([])
    forked = SyntheticLog(log.signer)
    forked.sign()
    for number in range(20, 30):
        exchange(forked, number)
    stored(forked, tmp_path / "access.db")

    await examiner.examine_whole([])

    assert any(re.search("kept checkpoint 0 VIEW_FORKED", loss) for loss in storm.losses)


async def test_ask_left_open_at_the_end_is_a_loss(log: SyntheticLog, tmp_path: Path) -> None:
    """A gateway that started again and stopped has closed what was interrupted."""
    log.ask(10)
    log.sign()
    examiner, storm = examiner_of(log, tmp_path)

    await examiner.examine_whole([])
    assert storm.losses == []
    await examiner.examine_whole([], ended=True)

    assert storm.losses == ["1 asks were left open"]


async def test_few_copies_of_a_wrong_log_are_kept(log: SyntheticLog, tmp_path: Path) -> None:
    """A log that gets worse with each examination does not fill the disk."""
    examiner, storm = examiner_of(log, tmp_path)
    for _ in range(KEPT + 2):
        log.answer(3, 6)
        log.sign()
        stored(log, tmp_path / "access.db")
        await examiner.examine_new([])

    assert len(storm.losses) == KEPT + 2
    assert len(list((tmp_path / "results").iterdir())) == KEPT


async def test_storm_smaller_than_asked_for_fails() -> None:
    """Kills and faults that did not come, and answers nobody got, are losses by name."""
    storm = Storm(kills=199, faults=100, acknowledged=0)

    require_full(storm, kills=200, faults=100)

    assert storm.losses == [
        "only 199 of 200 kills",
        "no answer was acknowledged, so none could be lost",
    ]


async def test_full_storm_without_loss_passes() -> None:
    """Nothing is a loss that was not found."""
    storm = Storm(kills=200, faults=100, acknowledged=5)

    require_full(storm, kills=200, faults=100)

    assert storm.losses == []
