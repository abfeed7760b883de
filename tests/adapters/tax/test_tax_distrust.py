"""A department that says anything: what is not proven, bound and bounded is not believed."""

import asyncio
import logging
import tracemalloc
from dataclasses import replace

import pytest

from adapters.errors import AnswerMalformed
from adapters.kinds.tax.desk import LIFE_S
from adapters.kinds.tax.envelope import Head
from adapters.kinds.tax.looking import RESEND_S
from adapters.port import Indeterminate, Untold
from tests.adapters.tax.office import PARTS, PERSON, RECORD, SUM, YES, Open, about, answered
from tests.adapters.tax.plain_server import Plain, manifest
from tests.adapters.tax.replies import reply

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_an_honest_department_is_believed(office: Open) -> None:
    """The measure of everything below; and nothing of ours is left lying there."""
    async with office(answered) as opened:
        _, told = await opened.ask()
        for _ in range(100):
            # What was read is removed in the same look, a little after the answer is out.
            if not [*opened.plain.folder.glob("*/*")]:
                break
            await asyncio.sleep(0.05)

        assert told == YES
        assert not [*opened.plain.folder.glob("*/*")]


@pytest.mark.parametrize(
    ("code", "reason", "submissions"),
    [
        *((f"9000000{n}", Indeterminate.PROVIDER_FAULT, 1) for n in (1, 2, 3, 6, 7, 8)),
        *((f"9000000{n}", Indeterminate.PROVIDER_FAULT, 2) for n in (4, 5)),
        ("99999999", Indeterminate.PROVIDER_FAULT, 2),
        ("90000009", Indeterminate.PROVIDER_MALFORMED, 1),
        ("00000000", Indeterminate.PROVIDER_MALFORMED, 1),
        ("", Indeterminate.PROVIDER_MALFORMED, 1),
    ],
)
async def test_each_refusal_has_its_reason(
    office: Open, code: str, reason: Indeterminate, submissions: int
) -> None:
    """Where a repetition may help there is one, and no second."""
    async with office(lambda plain, name, head: plain.refuse(name, head, code)) as opened:
        outcome, _ = await opened.ask()

        assert outcome == Untold(reason=reason)
        assert [name[-2:] for name in opened.plain.submissions] == ["01", "02"][:submissions]


@pytest.mark.parametrize("code", ["90000004", "90000005", "99999999"])
async def test_a_refusal_that_a_repetition_mends_is_not_noticed(office: Open, code: str) -> None:
    """Put once more under its number, and answered."""

    def say(plain: Plain, name: str, head: Head) -> None:
        if head.repeat:
            answered(plain, name, head)
        else:
            plain.refuse(name, head, code)

    async with office(say) as opened:
        _, told = await opened.ask()

        assert told == YES
        assert len({name.split("_")[1] for name in opened.plain.submissions}) == 1


async def test_an_unproven_refusal_is_no_refusal(office: Open) -> None:
    """Somebody else may have written it: it cannot be told, and nothing is put again for it."""

    def say(plain: Plain, name: str, head: Head) -> None:
        forged = replace(head, session_id="0" * 32)
        plain.refuse(name, forged, "99999999")

    async with office(say) as opened:
        outcome, _ = await opened.ask()

        assert outcome == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)
        assert len(opened.plain.submissions) == 1


async def test_an_unproven_acknowledgement_changes_nothing(
    office: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """It is dropped; the result proves itself."""

    def say(plain: Plain, name: str, head: Head) -> None:
        plain.put(f"ack/{name}.xml", reply(replace(head, session_id="0" * 32)))
        # Later: what is answered is no longer looked after, and its acknowledgement not read.
        asyncio.get_running_loop().call_later(0.3, plain.answer, name, head, PARTS, SUM)

    async with office(say) as opened:
        _, told = await opened.ask()

        assert told == YES
        assert "acknowledgement dropped" in caplog.text


async def test_a_result_is_not_read_before_its_manifest(office: Open) -> None:
    """Half a file would be malformed: it is pending, and whole when the manifest is there."""
    kept: list[tuple[str, Head]] = []

    def say(plain: Plain, name: str, head: Head) -> None:
        kept.append((name, head))
        plain.put(f"out/{name}.xml", reply(head, parts=PARTS)[:100])

    async with office(say) as opened:
        query = about(0.5)
        outcome, _ = await opened.ask(query)
        opened.plain.answer(*kept[0], PARTS, SUM)
        again = replace(about(), request_id=bytes(16), pending_request_id=query.request_id)
        _, told = await opened.ask(again)

        assert isinstance(outcome, Untold)
        assert outcome.reason is Indeterminate.PENDING
        assert told == YES


@pytest.mark.parametrize(
    ("parts", "total"),
    [
        ([], "0.00"),
        ([("2", RECORD)], SUM),
        ([("1", RECORD), ("2", RECORD)], "30.00"),
        ([("1", RECORD), ("1", RECORD)], "30.00"),
        ([("1", RECORD)] * 10_000, "150000.00"),
        ([("1", RECORD)], "15.0"),
        ([("1", b"[]")], "0.00"),
        ([("1", b'{"JLDM": "1001", "JLDM": "0000"}')], "0.00"),
        ([("1", b'{"JLDM": "1001"}\xff')], "0.00"),
        ([("1", b"")], "0.00"),
    ],
    ids=["none", "other", "more", "twice", "10000", "sum", "list", "doubled", "octets", "empty"],
)
async def test_records_that_are_not_those_asked_for_spoil_the_package(
    office: Open, parts: list[tuple[str, bytes]], total: str
) -> None:
    """One question, one record; whatever else comes, nothing of it is used."""

    def say(plain: Plain, name: str, head: Head) -> None:
        plain.answer(name, head, parts, total)

    async with office(say) as opened:
        outcome, _ = await opened.ask(about(10.0))

        assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_a_refusal_where_the_result_is_due_is_malformed(office: Open) -> None:
    """A result says that it is one."""

    def say(plain: Plain, name: str, head: Head) -> None:
        xml = reply(head, code="99999999", parts=PARTS)
        plain.put(f"out/{name}.xml", xml)
        plain.put(f"out/{name}.mf.json", manifest(name, head, xml, 1, SUM))

    async with office(say) as opened:
        outcome, _ = await opened.ask()

        assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_a_result_of_an_earlier_submission_is_ours_too(office: Open) -> None:
    """Two submissions of one number each get a result; whichever comes first is the answer."""
    first: list[tuple[str, Head]] = []

    def say(plain: Plain, name: str, head: Head) -> None:
        if head.repeat:
            answered(plain, *first[0])
        else:
            first.append((name, head))
            plain.refuse(name, head, "99999999")

    async with office(say) as opened:
        _, told = await opened.ask()

        assert told == YES


async def test_the_answer_to_another_packages_session_is_unproven(office: Open) -> None:
    """Right number, right signature, yesterday's session: a late reply to something else."""

    def say(plain: Plain, name: str, head: Head) -> None:
        plain.answer(name, replace(head, session_id="f" * 32), PARTS, SUM)

    async with office(say) as opened:
        outcome, _ = await opened.ask()

        assert outcome == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


async def test_a_mixed_up_answer_is_an_incident_and_told_to_nobody(
    office: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """A record of another name under the number: neither person stands in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    async with office(answered) as opened:
        outcome, _ = await opened.ask(about(name="王小二"))

        assert outcome == Untold(reason=Indeterminate.SUBJECT_MISMATCH)
        assert "SUBJECT_MISMATCH" in caplog.text
        assert not [text for text in (*PERSON, "王小二") if text in caplog.text]


async def test_a_folder_is_read_only_so_far(office: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing without end would fill the memory."""
    monkeypatch.setattr("adapters.kinds.tax.sftp.MAX_NAMES", 5)
    async with office(answered) as opened:
        for number in range(20):
            opened.plain.put(f"out/stranger_{number:02d}.xml", b"")

        names = await opened.transport.names("/out", opened.now() + 5, lambda _: True)

        assert len(names.wanted) == 5


async def test_files_of_others_hide_no_result(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, they do not count against what is read of a folder."""
    monkeypatch.setattr("adapters.kinds.tax.sftp.MAX_NAMES", 5)
    async with office(answered) as opened:
        for number in range(200):
            opened.plain.put(f"out/stranger_{number:03d}.xml", b"")

        _, told = await opened.ask()

        assert told == YES


async def test_a_package_may_end_while_its_result_is_read(office: Open) -> None:
    """Another outcome came first: the look goes on, and who waits for the next is told."""
    kept: list[tuple[str, Head]] = []
    async with office(lambda _, name, head: kept.append((name, head))) as opened:
        await opened.ask(about(0.5))
        desk = opened.adapter._desk
        assert desk._watch is not None
        # Nobody else looks any more.
        await desk._watch
        packages = dict(desk._packages)
        opened.plain.answer(*kept[0], PARTS, SUM)
        look = asyncio.create_task(desk._looker.look(packages))
        opened.plain.while_read = packages.clear
        await look

        assert not packages


async def test_too_many_packages_are_not_taken_on(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is under way is bounded, and nothing under way is lost for it."""
    monkeypatch.setattr("adapters.kinds.tax.desk.MAX_PACKAGES", 1)
    async with office(lambda plain, name, head: plain.acknowledge(name, head)) as opened:
        first, _ = await opened.ask(about(0.5))
        second, _ = await opened.ask(about(0.5))

        assert isinstance(first, Untold)
        assert first.reason is Indeterminate.PENDING
        assert second == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)


async def test_a_package_that_never_ends_makes_room_at_last(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The department keeps nothing for so long: who comes back asks anew."""
    monkeypatch.setattr("adapters.kinds.tax.desk.MAX_PACKAGES", 1)
    async with office(lambda plain, name, head: plain.acknowledge(name, head)) as opened:
        query = about(0.5)
        await opened.ask(query)
        opened.ahead_s += LIFE_S
        opened.plain.say = answered
        _, told = await opened.ask()

        assert told == YES


async def test_a_refusal_that_was_overtaken_settles_nothing(office: Open) -> None:
    """The first submission is refused after the second was put: the second is what counts."""
    first: list[tuple[str, Head]] = []

    def say(plain: Plain, name: str, head: Head) -> None:
        if first:
            plain.refuse(*first[0], "90000003")
        else:
            first.append((name, head))

    async with office(say) as opened:
        query = about(0.5)
        await opened.ask(query)
        opened.ahead_s += RESEND_S
        again = replace(about(0.8), request_id=bytes(16), pending_request_id=query.request_id)
        outcome, _ = await opened.ask(again)

        assert isinstance(outcome, Untold)
        assert outcome.reason is Indeterminate.PENDING
        assert len(opened.plain.submissions) == 2


async def test_a_result_that_cannot_be_read_now_is_read_later(office: Open) -> None:
    """A failure of the connection or the disk settles nothing: the result lies there still."""

    def say(plain: Plain, name: str, head: Head) -> None:
        plain.unreadable = 2
        answered(plain, name, head)

    async with office(say) as opened:
        _, told = await opened.ask()

        assert told == YES
        assert opened.plain.unreadable == 0


async def test_an_outcome_nobody_came_for_is_dropped(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two in one package come back, one of them too late: he is asked about anew."""
    monkeypatch.setattr("adapters.kinds.tax.pending.KEPT_S", 0.05)
    kept: list[tuple[str, Head]] = []
    async with office(lambda _, name, head: kept.append((name, head))) as opened:
        queries = [replace(about(0.5), request_id=each * 16) for each in (b"a", b"b")]
        await asyncio.gather(*map(opened.ask, queries))
        opened.plain.answer(*kept[0], [*PARTS, ("2", RECORD)], "30.00")
        opened.plain.say = answered
        told = []
        for query in queries:
            _, one = await opened.ask(
                replace(about(), request_id=bytes(16), pending_request_id=query.request_id)
            )
            told.append(one)
            await asyncio.sleep(0.2)

        assert told == [YES, YES]
        assert len(opened.plain.submissions) == 2


async def test_a_file_is_read_only_so_far(office: Open) -> None:
    """What is read of 64 MiB is one byte more than allowed, whatever size the file has."""
    async with office(answered) as opened:
        large = opened.plain.folder / "out" / "large"
        with large.open("wb") as file:
            file.truncate(64 * 1024 * 1024)
        tracemalloc.start()

        with pytest.raises(AnswerMalformed):
            await opened.transport.read("/out/large", 1024 * 1024, opened.now() + 10)

        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 16 * 1024 * 1024
