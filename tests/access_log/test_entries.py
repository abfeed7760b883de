"""How entries are spelled, what they refuse, and what a leaf gives away: nothing."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access_log.entry import (
    MAX_ENTRY,
    PreparedEntry,
    parse_openings,
    prepare_entry,
)
from gateway.access_log.errors import EntryMalformed
from gateway.model import Committed, EntryDraft, EntryKind, EntryValue
from signing.encoding import commitment, encode_canonical_json
from tests.access_log.drafts import CASE, NOW_MS, OFFICER, SUBJECT, answer, ask, refuse

NOW = b"%d" % NOW_MS
CODES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12).filter(
    lambda text: '"' not in text and "\\" not in text
)


def spelled(draft: EntryDraft) -> bytes:
    """The leaf of a draft."""
    return prepare_entry(draft, "gw-1").at(NOW)


@given(CODES, st.lists(CODES, max_size=4), st.integers(0, 2**53 - 1))
def test_entry_is_canonical_json(code: str, fields: list[str], number: int) -> None:
    """Whatever the members, a leaf is RFC 8785 JSON of them."""
    members: dict[str, EntryValue] = {
        "reason": code,
        "fields": tuple(fields),
        "granted": tuple((name, code) for name in fields),
        "count": number,
    }

    leaf = spelled(EntryDraft(kind=EntryKind.REFUSE, members=members))

    read = json.loads(leaf)
    assert leaf == encode_canonical_json(read)
    members |= {"fields": fields, "granted": [[name, code] for name in fields]}  # type: ignore[dict-item]  # as JSON has them
    assert read == members | {"v": 1, "kind": "refuse", "ts": NOW_MS, "node": "gw-1"}


@pytest.mark.parametrize(
    "draft",
    [
        ask(),
        answer(4, b"\x01" * 16),
        refuse(),
        EntryDraft(kind=EntryKind.VIEW, members={"what": "log.show"}),
        EntryDraft(kind=EntryKind.TICK, members={"queue": 0, "size": 9}),
    ],
)
def test_each_kind_is_spelled_canonically(draft: EntryDraft) -> None:
    """Every kind that is written is canonical JSON and names its kind."""
    leaf = spelled(draft)

    assert leaf == encode_canonical_json(json.loads(leaf))
    assert json.loads(leaf)["kind"] == draft.kind


def test_value_equal_to_one_spelled_before_is_still_refused() -> None:
    """What is remembered of `1` says nothing of True: one is a number, the other is none."""
    prepare_entry(changed(item=1), "gw-1")

    with pytest.raises(EntryMalformed, match="item"):
        prepare_entry(changed(item=True), "gw-1")


def test_per_cent_signs_stand_as_they_are() -> None:
    """A code with a sign that formats text is spelled like any other, each time."""
    drafts = [refuse("%s %d %%", peer=f"%{at}") for at in range(2)]

    read = [json.loads(spelled(draft)) for draft in [*drafts, *drafts]]

    assert [each["reason"] for each in read] == ["%s %d %%"] * 4
    assert [each["peer"] for each in read] == ["%0", "%1"] * 2


def test_commitments_open_with_what_is_handed_back() -> None:
    """Each sensitive member of the leaf is the commitment its opening yields."""
    prepared = prepare_entry(ask(), "gw-1")
    read = json.loads(prepared.at(NOW))

    for member, salt, value in prepared.salted:
        assert read[member] == commitment(member, salt, value or b"payload").hex()
    assert [member for member, _, _ in prepared.salted] == [
        "request",
        "subject",
        "officer",
        "case",
        "rules",
    ]


def test_detached_members_are_not_kept() -> None:
    """Neither salt nor value of a payload is stored: the parties hold both."""
    prepared = prepare_entry(ask(), "gw-1")

    kept = parse_openings(prepared.kept_openings)

    assert kept == tuple(each for each in prepared.salted if each[0] != "request")
    assert b"s" * 32 not in prepared.kept_openings


def test_leaf_holds_no_token_in_clear() -> None:
    """Subject, officer, case and rules appear in a leaf neither raw nor in hex."""
    leaf = spelled(ask())

    for secret in (SUBJECT, OFFICER, CASE, b"r-17\nr-18", b"payload"):
        assert secret not in leaf
        assert secret.hex().encode() not in leaf


def test_two_entries_of_one_subject_share_no_commitment() -> None:
    """Salts are drawn anew: nobody who holds two leaves can tell that they are of one subject."""
    first, second = json.loads(spelled(ask())), json.loads(spelled(ask()))

    assert all(first[name] != second[name] for name in ("subject", "officer", "case", "rules"))


def changed(**members: EntryValue) -> EntryDraft:
    """An `ask` with members changed or added."""
    draft = ask()
    return replace(draft, members={**draft.members, **members})


@pytest.mark.parametrize(
    "draft",
    [
        changed(org='quote"'),
        changed(org="back\\slash"),
        changed(org="某部门"),
        changed(org=""),
        changed(org="x" * 129),
        changed(org=7),
        changed(org=("x",)),
        changed(item=("1",)),
        changed(item=-1),
        changed(item=2**53),
        changed(item=True),
        changed(item="1"),
        changed(tx="AB" * 16),
        changed(tx=1),
        changed(cert="cd" * 31),
        changed(cert=1),
        changed(retries="zz" * 16),
        changed(fields="full_name"),
        changed(fields=("full_name",) * 129),
        changed(fields=("名",)),
        changed(granted="full_name"),
        changed(granted=(("full_name",),)),
        changed(granted=(("full_name", "名"),)),
        changed(granted=(("a", "b"),) * 129),
        changed(request="11" * 32),
        changed(ts=NOW_MS),
        changed(surname="x"),
        EntryDraft(kind=EntryKind.ADMIN, members={}),
        EntryDraft(kind=EntryKind.REFUSE, members={}),
        EntryDraft(kind=EntryKind.REFUSE, members={"reason": "X", "request": "zz" * 32}),
        EntryDraft(kind=EntryKind.REFUSE, members={"reason": "X", "request": 5}),
        refuse(fields=("x" * 100,) * 25),
    ],
)
def test_draft_outside_the_table_of_its_kind_is_refused(draft: EntryDraft) -> None:
    """Unknown, missing, misspelled, doubled or too long: refused before anything is written."""
    with pytest.raises(EntryMalformed):
        prepare_entry(draft, "gw-1")


@pytest.mark.parametrize(
    "committed",
    [
        Committed(member="org", value=b"x"),
        Committed(member="unheard", value=b"x"),
        Committed(member="subject", value=b"x", salt=b"short"),
        Committed(member="subject", value=b"x" * 65_536),
    ],
)
def test_member_that_cannot_be_committed_to_is_refused(committed: Committed) -> None:
    """Only members of the table are committed to, with 32 bytes of salt, and kept when short."""
    draft = EntryDraft(kind=EntryKind.REFUSE, members={"reason": "X"}, committed=(committed,))

    with pytest.raises(EntryMalformed):
        prepare_entry(draft, "gw-1")


def test_commitment_made_earlier_may_be_repeated() -> None:
    """An interrupted answer repeats the request commitment of its ask without its salt."""
    draft = answer(4, b"\x01" * 16)
    repeated = replace(draft, members={**draft.members, "request": "11" * 32}, committed=())

    leaf = spelled(repeated)

    assert json.loads(leaf)["request"] == "11" * 32


def test_longest_entry_fits_exactly() -> None:
    """The limit is 2,048 bytes of leaf, counted with its time."""
    base = len(spelled(refuse(fields=("x",))))
    room = MAX_ENTRY - base

    parts = ("x" * 100,) * (room // 103)
    last = room - len(parts) * 103
    longest = spelled(refuse(fields=("x" * (last + 1), *parts)))

    assert len(longest) == MAX_ENTRY
    with pytest.raises(EntryMalformed):
        spelled(refuse(fields=("x" * (last + 2), *parts)))


def test_stored_openings_that_end_early_are_refused() -> None:
    """No prefix of stored openings reads as openings but at their seams."""
    kept = prepare_entry(ask(), "gw-1").kept_openings
    whole = parse_openings(kept)
    read = []

    for length in range(len(kept)):
        try:
            read.append(parse_openings(kept[:length]))
        except EntryMalformed:
            continue

    assert read == [whole[:count] for count in range(len(whole))]


def test_time_takes_its_place_between_the_members() -> None:
    """`ts` is where sorting puts it."""
    prepared: PreparedEntry = prepare_entry(refuse(peer="x"), "gw-1")

    assert list(json.loads(prepared.at(NOW))) == ["kind", "node", "peer", "reason", "ts", "v"]
