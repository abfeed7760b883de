"""Every fault of the tax simulator shows as its manual says."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from lxml import etree

from adapters.simulators.population import Person, Population, Quirk, planted_index, tax_record
from adapters.simulators.tax.faults import Fault
from tests.simulators.simulator_process import Running
from tests.simulators.tax_client import (
    INCOME,
    NS,
    TAXPAYER,
    Package,
    TaxClient,
    ask,
    converse,
    drop,
    fetch,
    fetch_code,
    fetch_result,
    unpack,
)
from tests.simulators.test_tax_answers import about, of_taxpayer

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "tax.md"


@pytest.fixture
def employee(people: Population) -> Person:
    """The ordinary employee."""
    return people.person(planted_index(Quirk.ORDINARY_EMPLOYEE))


@pytest.fixture
def package(people: Population, employee: Person) -> Package:
    """Three questions."""
    return ask(about(employee), about(people.person(400)), about(people.person(404)))


async def _files(client: TaxClient, package: Package) -> tuple[bytes, dict[str, str | int]]:
    """Fetch a result and its manifest unread."""
    async with client.open() as sftp:
        await drop(sftp, package)
        manifest = json.loads(await fetch(sftp, f"/out/{package.name}.mf.json"))
        return await fetch(sftp, f"/out/{package.name}.xml"), manifest


def test_the_manual_lists_exactly_the_faults_there_are(tax: Running) -> None:
    """Manual, admin port and enumeration name the same faults."""
    section = MANUAL.read_text("utf-8").split("\n## 8")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)

    assert listed == [fault.value for fault in Fault]
    assert list(tax.admin.get("/faults").json()["faults"]) == listed


async def test_login_refused(tax: Running, tax_client: TaxClient) -> None:
    """The registered key is not taken; afterwards it is."""
    tax.fault("login_refused")

    with pytest.raises(asyncssh.PermissionDenied):
        async with tax_client.open():
            pass
    async with tax_client.open() as sftp:
        assert await sftp.listdir("/")


async def test_host_key_changed(tax: Running, tax_client: TaxClient) -> None:
    """Who pins the key does not go on; the next connection shows the right one."""
    tax.fault("host_key_changed")

    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        async with tax_client.open():
            pass
    async with tax_client.open() as sftp:
        assert await sftp.listdir("/")


async def test_connection_hang(tax: Running, tax_client: TaxClient) -> None:
    """Accepted, and nothing is said; others are served meanwhile."""
    tax.fault("connection_hang")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5), tax_client.open():
            pass
    async with tax_client.open() as sftp:
        assert await sftp.listdir("/")


async def test_connection_cut(tax: Running, tax_client: TaxClient, package: Package) -> None:
    """The upload ends in the middle, nothing is handed in, and a second attempt succeeds."""
    tax.fault("connection_cut")
    with pytest.raises((asyncssh.SFTPError, asyncssh.DisconnectError, OSError)):
        async with tax_client.open() as sftp:
            await drop(sftp, package)

    async with tax_client.open() as sftp:
        assert await sftp.exists(f"/in/{package.name}.xml.part")
        assert not await sftp.exists(f"/in/{package.name}.xml")
        await drop(sftp, replace(package, repeat="Y"))
        assert await fetch_code(sftp, package) == "00000000"


async def test_disk_full(tax: Running, tax_client: TaxClient, package: Package) -> None:
    """Writing fails once; the .part can be written anew."""
    tax.fault("disk_full")
    async with tax_client.open() as sftp:
        with pytest.raises(asyncssh.SFTPFailure, match="No space left"):
            await drop(sftp, package)
        await drop(sftp, package)

        assert await fetch_code(sftp, package) == "00000000"


@pytest.mark.parametrize("fault", ["no_ack", "no_result"])
async def test_silence(tax: Running, tax_client: TaxClient, package: Package, fault: str) -> None:
    """No acknowledgement, or no result, however long one waits."""
    tax.fault(fault)
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        if fault == "no_result":
            assert await fetch_code(sftp, package) == "00000000"
        await asyncio.sleep(0.1)
        tax.advance(24 * 3_600_000)

        assert not await sftp.exists(f"/out/{package.name}.mf.json")
        assert not await sftp.exists(f"/error/{package.name}.xml")
        assert await sftp.exists(f"/ack/{package.name}.xml") is (fault == "no_result")
        assert not await sftp.exists(f"/in/{package.name}.xml")


@pytest.mark.parametrize(
    ("fault", "code"), [("refused_internal", "99999999"), ("refused_duplicate", "90000005")]
)
async def test_refusals(
    tax: Running, tax_client: TaxClient, package: Package, fault: str, code: str
) -> None:
    """A good package is refused; the same with the next attempt is not."""
    tax.fault(fault)
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        assert await fetch_code(sftp, package) == code
        again = replace(package, attempt="02", repeat="Y")
        await drop(sftp, again)

        assert await fetch_code(sftp, again) == "00000000"


async def test_unknown_tran_seq(tax: Running, tax_client: TaxClient, package: Package) -> None:
    """A result nobody asked for lies beside the right one."""
    tax.fault("unknown_tran_seq")
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        await fetch_result(sftp, package)

        strange = replace(package, tran_seq="ZZ99999999999999")
        assert len((await fetch_result(sftp, strange)).parts) == 3


async def test_duplicate_result(tax: Running, tax_client: TaxClient, package: Package) -> None:
    """The same result comes a second time under attempt 99."""
    tax.fault("duplicate_result")
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        first = await fetch_result(sftp, package)

        assert (await fetch_result(sftp, replace(package, attempt="99"))).parts == first.parts


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("other_tran_seq", "tranSeq"),
        ("truncated_file", "file"),
        ("wrong_digest", "file"),
        ("sum_mismatch", "sum"),
        ("count_mismatch", "records"),
        ("wrong_signature", "signature"),
        ("wrong_control_order", "zip"),
        ("decompression_bomb", "limit"),
        ("entity_bomb", "DOCTYPE"),
        ("external_entity", "DOCTYPE"),
    ],
)
async def test_a_careful_client_finds_it(
    tax: Running, tax_client: TaxClient, package: Package, fault: str, why: str
) -> None:
    """Each broken result fails the check that is there for it, once."""
    tax.fault(fault)

    with pytest.raises(AssertionError, match=why):
        await converse(tax_client, package)

    after = await converse(tax_client, replace(package, attempt="02", repeat="Y"))
    assert len(after.parts) == 3


async def test_a_truncated_file_is_half(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """The manifest describes the whole."""
    tax.fault("truncated_file")

    octets, manifest = await _files(tax_client, package)

    assert len(octets) == int(manifest["size"]) // 2


async def test_the_wrong_order_is_only_written(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """The contents are zipped first, whatever the control says."""
    tax.fault("wrong_control_order")

    octets, _ = await _files(tax_client, package)

    top = etree.fromstring(octets)
    controls = [[child.text for child in control] for control in top.iter(f"{NS}control")]
    assert controls == [["1", "code", "Base64"], ["2", "zip", "Zlib"]]
    assert json.loads(unpack(next(top.iter(f"{NS}content")).text or ""))["JLDM"] == "0000"


async def test_gb18030(
    tax: Running, tax_client: TaxClient, package: Package, employee: Person
) -> None:
    """The contents are another coding; manifest and signature agree with them."""
    tax.fault("gb18030_text")
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        manifest = await fetch(sftp, f"/out/{package.name}.mf.json")
        octets = await fetch(sftp, f"/out/{package.name}.xml")

    text = unpack(next(etree.fromstring(octets).iter(f"{NS}content")).text or "")
    assert json.loads(manifest)["size"] == len(octets)
    assert json.loads(text.decode("gb18030"))["XM"] == employee.full_name
    with pytest.raises(UnicodeDecodeError):
        text.decode()


async def test_an_oversized_file(tax: Running, tax_client: TaxClient, package: Package) -> None:
    """Its manifest says how large it is, so nobody need read it."""
    tax.fault("oversized_file")
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        manifest = json.loads(await fetch(sftp, f"/out/{package.name}.mf.json"))

        assert manifest["size"] == await sftp.getsize(f"/out/{package.name}.xml")
        assert manifest["size"] > 16 * 2**20
        await sftp.remove(f"/out/{package.name}.xml")


async def test_a_bomb_unpacks_to_64_mebibytes(
    tax: Running, tax_client: TaxClient, package: Package
) -> None:
    """The file itself is small."""
    tax.fault("decompression_bomb")

    octets, _ = await _files(tax_client, package)

    assert len(octets) < 2**20
    content = etree.fromstring(octets).findtext(f".//{NS}content") or ""
    assert len(unpack(content, 2**27)) == 64 * 2**20


async def test_missing_record(tax: Running, tax_client: TaxClient, package: Package) -> None:
    """The last one is not there, and everything else fits."""
    tax.fault("missing_record")

    assert list((await converse(tax_client, package)).records) == ["1", "2"]


async def test_partial_records(tax: Running, tax_client: TaxClient, package: Package) -> None:
    """Every second one failed."""
    tax.fault("partial_records")

    records = (await converse(tax_client, package)).records

    assert [record["JLDM"] == "1006" for record in records.values()] == [True, False, True]


async def test_another_person(tax: Running, tax_client: TaxClient, employee: Person) -> None:
    """Somebody else's income and another taxpayer, in good order."""
    tax.fault("other_person", 2)
    own = tax_record(employee).taxpayer
    assert own is not None

    income = await converse(tax_client, ask(about(employee, ND=2025), service=INCOME))
    taxpayer = await converse(tax_client, ask(of_taxpayer(own.taxpayer_id), service=TAXPAYER))

    assert income.records["1"]["JLDM"] == "0000"
    assert income.records["1"]["ZJHM"] != employee.id_number
    assert taxpayer.records["1"]["NSRSBH"] != own.taxpayer_id


async def test_every_field(tax: Running, tax_client: TaxClient, employee: Person) -> None:
    """Address, phone, account come along."""
    tax.fault("every_field", 2)
    own = tax_record(employee).taxpayer
    assert own is not None

    person = await converse(tax_client, ask(about(employee)))
    taxpayer = await converse(tax_client, ask(of_taxpayer(own.taxpayer_id), service=TAXPAYER))

    assert person.records["1"].keys() >= {"LXDZ", "SJHM", "YHZH", "rawDump"}
    assert taxpayer.records["1"].keys() >= {"FDDBRSJ", "KHZH"}


async def test_an_unknown_state(tax: Running, tax_client: TaxClient, employee: Person) -> None:
    """A code outside the table."""
    tax.fault("unknown_state")
    own = tax_record(employee).taxpayer
    assert own is not None

    answer = await converse(tax_client, ask(of_taxpayer(own.taxpayer_id), service=TAXPAYER))

    assert answer.records["1"]["NSRZT_DM"] == "99"
