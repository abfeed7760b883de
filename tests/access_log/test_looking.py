"""Looking at entries: only after the look is an entry itself, and only once per entry."""

import json
from dataclasses import replace

import pytest

from gateway.access_log.errors import LogUnavailable, NotLogged
from gateway.access_log.log import AccessLog
from gateway.access_log.search import (
    CaseQuery,
    Look,
    NewestQuery,
    Query,
    SubjectQuery,
    ViewPermit,
    encode_query,
)
from tests.access_log.drafts import CASE, OFFICER, ORG, SUBJECT, SYSTEM, LogHome, ask, refuse

OTHER = b"\x77" * 16
LOOK = Look(what="log.show", org=ORG, system=SYSTEM, officer=OFFICER, case=CASE)


async def find(log: AccessLog, query: Query) -> list[int]:
    """The places that a look shows."""
    permit = await log.view(LOOK, query)
    return [found.index for found in await log.search(permit)]


async def test_search_by_subject_finds_its_entries_over_all_epochs(log: AccessLog) -> None:
    """Entries under any of the tokens come back, newest first, others do not."""
    first = await log.append(ask())
    await log.append(ask(subject=OTHER))
    third = await log.append(ask(subject=b"\x78" * 16))

    found = await find(log, SubjectQuery(tokens=(b"\x78" * 16, SUBJECT), before=3))

    assert found == [third.index, first.index]


async def test_search_by_case_needs_the_organisation(log: AccessLog) -> None:
    """A case number of another organisation is another case."""
    asked = await log.append(ask())

    own = await find(log, CaseQuery(org=ORG, tokens=(CASE,), before=1))
    foreign = await find(log, CaseQuery(org="12370000MB2DEM0202", tokens=(CASE,), before=1))

    assert (own, foreign) == ([asked.index], [])


async def test_newest_entries_come_in_pages(log: AccessLog) -> None:
    """A page ends where its limit says, and the next begins below it."""
    for _ in range(4):
        await log.append(refuse())

    first = await find(log, NewestQuery(before=4, limit=3))
    second = await find(log, NewestQuery(before=1, limit=3))

    assert (first, second) == ([3, 2, 1], [0])


async def test_found_entry_carries_its_openings(log: AccessLog) -> None:
    """Who may look sees the tokens behind the commitments."""
    await log.append(ask())

    permit = await log.view(LOOK, NewestQuery(before=1))
    (found,) = await log.search(permit)

    opened = {opening.member: opening.value for opening in found.openings}
    assert opened["subject"] == SUBJECT
    assert opened["rules"] == b"r-17\nr-18"


async def test_look_is_an_entry_that_commits_to_its_query(log: AccessLog) -> None:
    """The view says by which command, and commits to what was looked for."""
    permit = await log.view(LOOK, SubjectQuery(tokens=(SUBJECT,)))

    entry = json.loads(permit.logged.entry)
    assert (entry["kind"], entry["what"], entry["org"]) == ("view", "log.show", ORG)
    assert SUBJECT.hex() not in permit.logged.entry.decode()
    opened = {opening.member: opening.value for opening in permit.logged.openings}
    assert opened["query"] == encode_query(SubjectQuery(tokens=(SUBJECT,)))


async def test_looks_at_a_subject_are_found_with_it(log: AccessLog) -> None:
    """Whoever looks at a subject is seen by the next who does."""
    permit = await log.view(Look(what="log.show"), SubjectQuery(tokens=(SUBJECT,)))

    found = await find(log, SubjectQuery(tokens=(SUBJECT,), before=1))

    assert found == [permit.logged.index]


async def test_permit_is_good_for_one_look(log: AccessLog) -> None:
    """The second look with one permit is refused."""
    permit = await log.view(LOOK, NewestQuery())
    await log.search(permit)

    with pytest.raises(NotLogged):
        await log.search(permit)


async def test_permit_of_another_query_is_refused(log: AccessLog) -> None:
    """A view of the newest entries allows no search for a subject."""
    permit = await log.view(LOOK, NewestQuery())
    forged = ViewPermit(logged=permit.logged, query=SubjectQuery(tokens=(SUBJECT,)))

    with pytest.raises(NotLogged):
        await log.search(forged)


@pytest.mark.parametrize("index", [0, 99])
async def test_permit_without_a_stored_view_is_refused(log: AccessLog, index: int) -> None:
    """A view that is not in this log at its place allows nothing."""
    await log.append(refuse())
    permit = await log.view(LOOK, NewestQuery())
    forged = replace(permit.logged, index=index)

    with pytest.raises(NotLogged):
        await log.search(ViewPermit(logged=forged, query=permit.query))


async def test_permit_without_its_opening_is_refused(log: AccessLog) -> None:
    """The query must be opened, not only named."""
    permit = await log.view(LOOK, NewestQuery())
    forged = replace(permit.logged, salted=(("case", b"s" * 32, b""),))

    with pytest.raises(NotLogged):
        await log.search(ViewPermit(logged=forged, query=permit.query))


async def test_stopped_log_shows_nothing(home: LogHome) -> None:
    """Where the look cannot be logged there is no permit."""
    log = home.open()
    log.close()

    with pytest.raises(LogUnavailable):
        await log.view(LOOK, NewestQuery())
