"""Folders, refusals, resends and the clock of the tax department."""

import asyncio
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.simulators.population import Population
from tests.simulators.simulator_process import Running
from tests.simulators.tax_client import (
    INCOME,
    Package,
    TaxClient,
    ask,
    drop,
    fetch,
    fetch_code,
    fetch_result,
    pack,
    read_envelope,
)
from tests.simulators.test_tax_answers import about

HOUR_MS = 3_600_000


@pytest.fixture
def package(people: Population) -> Package:
    """Two questions."""
    return ask(about(people.person(8)), about(people.person(400)))


def _again(package: Package, attempt: str, *, repeat: str = "Y") -> Package:
    return replace(package, attempt=attempt, repeat=repeat, session="0" * 32)


async def _refuse(client: TaxClient, package: Package, **changed: str | int) -> str:
    async with client.open() as sftp:
        await drop(sftp, package, changed=changed)
        code = await fetch_code(sftp, package)
        assert not await sftp.exists(f"/out/{package.name}.xml")
        return code


async def test_acknowledged_then_answered(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """The hand-in vanishes, the acknowledgement comes first, the result only at its time."""
    tax.fault("late_result")
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        assert await fetch_code(sftp, package) == "00000000"

        ack = read_envelope(await fetch(sftp, f"/ack/{package.name}.xml"))
        assert (ack.session, ack.tran_seq, ack.parts) == (package.session, package.tran_seq, [])
        assert not await sftp.exists(f"/in/{package.name}.xml")
        tax.advance(2 * HOUR_MS - 60_000)
        assert not await sftp.exists(f"/out/{package.name}.mf.json")
        tax.advance(61_000)

        assert len((await fetch_result(sftp, package)).parts) == 2


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (lambda p: replace(p, controls=p.controls[::-1]), "90000002"),
        (lambda p: replace(p, controls=p.controls[:1]), "90000002"),
        (lambda p: replace(p, controls=()), "90000002"),
        (lambda p: replace(p, contents=["%%%", "%%%"]), "90000002"),
        (lambda p: replace(p, contents=["AAAA", "AAAA"]), "90000002"),
        (lambda p: replace(p, contents=[pack(b"x" * 70_000)] * 2), "90000008"),
        (lambda p: replace(p, sign_value="0" * 64), "90000003"),
        (lambda p: replace(p, service="SWZJ.HXZG.CX.NONE"), "90000007"),
        (lambda p: replace(p, repeat="X"), "90000001"),
        (lambda p: replace(p, session="short"), "90000001"),
        (lambda p: replace(p, questions=[("1", b"[]"), ("2", b"{}")]), "90000001"),
        (lambda p: replace(p, questions=[("1", b"{}"), ("1", b"{}")]), "90000001"),
        (lambda p: replace(p, questions=[("1", b'{"XM": "\xff"}')]), "90000001"),
        (lambda p: replace(p, questions=[]), "90000008"),
        (lambda p: replace(p, questions=[(str(n), b"{}") for n in range(501)]), "90000008"),
    ],
)
async def test_packages_are_refused_whole(
    tax_client: TaxClient, package: Package, bend: Callable[[Package], Package], code: str
) -> None:
    """Each thing wrong with an envelope has its code."""
    assert await _refuse(tax_client, bend(package)) == code


@pytest.mark.parametrize(
    "changed",
    [
        {"sum": "1.00"}, {"records": 3}, {"size": 1}, {"sm3": "0" * 64}, {"file": "x.xml"},
        {"tranSeq": "x"}, {"more": 1}, {"records": "2"},
    ],
)  # fmt: skip
async def test_a_manifest_must_fit(
    tax_client: TaxClient, package: Package, changed: dict[str, str | int]
) -> None:
    """Any member that does not describe the file refuses the package."""
    assert await _refuse(tax_client, package, **changed) == "90000004"


async def test_a_manifest_alone_is_refused(tax_client: TaxClient, package: Package) -> None:
    """A manifest without a file, or one that is no JSON."""
    async with tax_client.open() as sftp:
        for name in (f"{package.name}.mf.json", f"{_again(package, '02').name}.mf.json"):
            async with sftp.open(f"/in/{name}.part", "wb") as file:
                await file.write(b"{")
            await sftp.rename(f"/in/{name}.part", f"/in/{name}")

        assert await fetch_code(sftp, package) == "90000004"
        assert await fetch_code(sftp, _again(package, "02")) == "90000004"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<tiripPackage ", b"<!DOCTYPE tiripPackage><tiripPackage "),
        (b"<businessContent>", b"<!-- x --><businessContent>"),
        (b"<supplier>", b"<supplier x='1'>"),
        (b"<service>", b"<service x='1'>"),
        (b"20261101093000", b"20261301093000"),
        (b"<password></password>", b"<password>secret</password>"),
        (b"UTF-8", b"GB18030"),
        (b"dataspec/", b"dataspec"),
        (b"</service>", b"</service><routerSession/>"),
        (b"</service>", b"</service>text"),
        (b"</tiripPackage>", b""),
        (b"<?xml", b"\xef\xbb\xbf<?xml"),
    ],
)
async def test_envelopes_are_read_strictly(
    tax_client: TaxClient, package: Package, old: bytes, new: bytes
) -> None:
    """What is not of the envelope is a bad format."""
    xml = package.xml()
    assert old in xml
    async with tax_client.open() as sftp:
        await drop(sftp, package, xml=xml.replace(old, new, 1))

        assert await fetch_code(sftp, package) == "90000001"


async def test_a_client_asks_only_what_he_may(narrow_client: TaxClient, people: Population) -> None:
    """A service that is not his, and a client number that is not his."""
    own = replace(ask(about(people.person(400), ND=2025), service=INCOME), client_no="NARROW0001")
    assert await _refuse(narrow_client, own) == "90000007"

    other = replace(ask(about(people.person(400))), client_no="NARROW0001", attempt="02")
    foreign = replace(other, client_no="HRSS370000").xml()
    async with narrow_client.open() as sftp:
        await drop(sftp, other, xml=foreign)
        assert await fetch_code(sftp, other) == "90000007"


async def test_clients_do_not_see_each_other(
    tax_client: TaxClient, narrow_client: TaxClient, package: Package
) -> None:
    """The folders of one are not those of the other."""
    async with tax_client.open() as mine, narrow_client.open() as theirs:
        await drop(mine, package)
        await fetch_result(mine, package)

        assert await theirs.listdir("/out") == []


async def test_a_resend_gets_the_same(tax_client: TaxClient, package: Package) -> None:
    """With the mark, octet for octet; without it, refused; with other content, refused."""
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        first = await fetch_result(sftp, package)

        again = _again(package, "02")
        await drop(sftp, again)
        second = await fetch_result(sftp, again)
        unmarked, changed = _again(package, "03", repeat="N"), _again(package, "04")
        changed = replace(changed, questions=package.questions[:1])
        await drop(sftp, unmarked)
        await drop(sftp, changed)

        assert second.parts == first.parts
        assert (second.session, second.repeat) == ("0" * 32, "Y")
        assert await fetch_code(sftp, unmarked) == "90000005"
        assert await fetch_code(sftp, changed) == "90000006"


async def test_a_resend_is_not_asked_anew(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """What was told the first time is told again, be it wrong."""
    tax.fault("other_person")
    async with tax_client.open() as sftp:
        again = _again(package, "02")
        for each in (package, again):
            await drop(sftp, each)
        first, second = await fetch_result(sftp, package), await fetch_result(sftp, again)
        fresh = replace(package, tran_seq="f" * 32)
        await drop(sftp, fresh)

        assert first.parts == second.parts != (await fetch_result(sftp, fresh)).parts


@pytest.mark.parametrize("bend", [lambda packed: packed + b"x", lambda packed: packed[:-1]])
async def test_a_zipped_content_ends_where_it_ends(
    tax_client: TaxClient, package: Package, bend: Callable[[bytes], bytes]
) -> None:
    """Octets after the end or an end that is cut, although all of the text comes out."""
    contents = [b64encode(bend(zlib.compress(text))).decode() for _, text in package.questions]

    assert await _refuse(tax_client, replace(package, contents=contents)) == "90000002"


async def test_file_and_envelope_bear_one_number(tax_client: TaxClient, package: Package) -> None:
    """An envelope under the name of another is a bad format."""
    async with tax_client.open() as sftp:
        await drop(sftp, package, xml=replace(package, tran_seq="f" * 30).xml())

        assert await fetch_code(sftp, package) == "90000001"


async def test_a_resend_of_what_never_came_is_a_first(
    tax_client: TaxClient, package: Package
) -> None:
    """Also after a refusal, which does not use the number up."""
    async with tax_client.open() as sftp:
        await drop(sftp, package, changed={"sum": "1.00"})
        assert await fetch_code(sftp, package) == "90000004"
        again = _again(package, "02")
        await drop(sftp, again)

        assert len((await fetch_result(sftp, again)).parts) == 2


async def test_a_resend_while_the_first_is_waiting(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """Both attempts get a result of their own."""
    tax.fault("late_result", 2)
    async with tax_client.open() as sftp:
        again = _again(package, "02")
        for each in (package, again):
            await drop(sftp, each)
            assert await fetch_code(sftp, each) == "00000000"
        tax.advance(2 * HOUR_MS + 1_000)

        assert (await fetch_result(sftp, package)).parts == (await fetch_result(sftp, again)).parts


async def test_a_number_is_forgotten_after_a_week(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """Files go and the number may be used anew."""
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        await fetch_result(sftp, package)
        tax.advance(8 * 24 * HOUR_MS)

        for folder in ("ack", "out", "error"):
            assert await sftp.listdir(f"/{folder}") == []
        await drop(sftp, package)
        assert await fetch_code(sftp, package) == "00000000"


async def test_nothing_happens_at_the_end_of_a_month(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """In that night the package lies there; in the morning it is dealt with."""
    tax.admin.post("/month-end", json={"on": True})
    # 2026-11-30 19:00 in Beijing.
    night = datetime(2026, 11, 30, 11, tzinfo=UTC)
    tax.admin.post("/clock", json={"now_ms": int(night.timestamp() * 1000)})
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        await asyncio.sleep(0.2)
        for hours in (0, 6, 10):
            tax.advance((hours - (6 if hours == 10 else 0)) * HOUR_MS)
            assert await sftp.exists(f"/in/{package.name}.xml")
            assert not await sftp.exists(f"/ack/{package.name}.xml")
        tax.advance(2 * HOUR_MS)

        assert await fetch_code(sftp, package) == "00000000"
        assert len((await fetch_result(sftp, package)).parts) == 2


@pytest.mark.parametrize(
    ("moment", "closed"),
    [
        (datetime(2026, 11, 30, 9, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 30, 10, 1, tzinfo=UTC), True),
        (datetime(2026, 11, 29, 12, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 12, tzinfo=UTC), False),
    ],
)
async def test_when_the_window_is(
    tax: Running, tax_client: TaxClient, package: Package, moment: datetime, *, closed: bool
) -> None:
    """From 18:00 of the last day, Beijing time, and on no other evening."""
    tax.admin.post("/month-end", json={"on": True})
    tax.admin.post("/clock", json={"now_ms": int(moment.timestamp() * 1000)})
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        await asyncio.sleep(0.2)

        assert await sftp.exists(f"/in/{package.name}.xml") is closed
