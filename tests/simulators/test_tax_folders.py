"""What a client may do in his folders at the tax department, who gets in, what is kept."""

import json
from dataclasses import replace

import asyncssh
import pytest

from adapters.simulators.population import Population
from tests.simulators.simulator_process import Running
from tests.simulators.tax_client import Package, TaxClient, ask, drop, fetch_code
from tests.simulators.test_tax_answers import about


@pytest.fixture
def package(people: Population) -> Package:
    """Two questions."""
    return ask(about(people.person(8)), about(people.person(400)))


async def test_only_the_documented_may_be_done(tax_client: TaxClient, package: Package) -> None:
    """No folder, link, foreign path or finished name can be written; nothing leaves the root."""
    name = f"{package.name}.xml"
    async with tax_client.open() as sftp:
        refused = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchFile)
        for path in (f"/in/{name}", "/in/x.part", f"/out/{name}.part", f"/{name}.part", "/etc/x",
                     f"/in/{name.replace('HRSS370000', 'NARROW0001')}.part",
                     f"/in/{name.replace('_01', '_99')}.part"):  # fmt: skip
            with pytest.raises(refused):
                await sftp.open(path, "wb")
        for doing in (
            sftp.mkdir("/in/x"), sftp.rmdir("/in"), sftp.symlink("/etc/passwd", "/in/x"),
            sftp.readlink("/in"), sftp.open("/etc/passwd", "rb"), sftp.statvfs("/"),
            sftp.open("/../../../etc/passwd", "rb"), sftp.listdir("/etc"), sftp.listdir("/in/x"),
            sftp.remove("/in"), sftp.open(f"/in/{name}.part", "ab"),
        ):  # fmt: skip
            with pytest.raises(refused):
                await doing
        assert sorted(await sftp.listdir("/")) == ["ack", "error", "in", "out"]


async def test_an_upload_is_renamed_once(tax_client: TaxClient, package: Package) -> None:
    """A taken name stays, what is handed in stays, a .part may be removed, modes do nothing."""
    name = f"/in/{package.name}.xml"
    async with tax_client.open() as sftp:
        for _ in range(2):
            async with sftp.open(f"{name}.part", "wb") as file:
                await file.write(b"x")
            if not await sftp.exists(name):
                await sftp.rename(f"{name}.part", name)
        await sftp.chmod(f"{name}.part", 0o644)
        for rename in (sftp.rename, sftp.posix_rename):
            with pytest.raises(asyncssh.SFTPFailure, match="taken"):
                await rename(f"{name}.part", name)
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.rename(f"{name}.part", "/out/x.xml")
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.remove(name)
        await sftp.remove(f"{name}.part")
        assert await sftp.getsize(name) == 1


async def test_the_disk_is_as_large_as_documented(tax_client: TaxClient, package: Package) -> None:
    """At 64 MiB writing fails; what is removed makes room."""
    name = f"/in/{package.name}.xml.part"
    async with tax_client.open() as sftp:
        with pytest.raises(asyncssh.SFTPFailure, match="No space"):
            async with sftp.open(name, "wb") as file:
                await file.write(b"x", 64 * 2**20)
        await sftp.remove(name)
        await drop(sftp, package)
        assert await fetch_code(sftp, package) == "00000000"


async def test_what_was_received_can_be_searched(
    tax: Running, tax_client: TaxClient, package: Package, people: Population
) -> None:
    """Files as they came and contents decoded, so that a leak can be found."""
    async with tax_client.open() as sftp:
        await drop(sftp, package)
        await fetch_code(sftp, package)

    rows = tax.admin.get("/received").json()["received"]

    assert [row["path"] for row in rows] == [
        f"/in/{package.name}.xml",
        f"/in/{package.name}.mf.json",
        f"{package.name}.xml#1",
        f"{package.name}.xml#2",
    ]
    assert json.loads(rows[2]["body"])["ZJHM"] == people.person(8).id_number


async def test_nobody_else_gets_in(tax: Running, tax_client: TaxClient) -> None:
    """An unknown name, another's key, no key; no shell for who is in."""
    for user in ("nobody", "narrow"):
        with pytest.raises(asyncssh.PermissionDenied):
            async with replace(tax_client, user=user).open():
                pass
    pinned = asyncssh.import_known_hosts(f"[127.0.0.1]:{tax.port} {tax.host_key}\n")
    async with asyncssh.connect(
        "127.0.0.1", tax.port, config=None, username="hrss", known_hosts=pinned,
        client_keys=[str(tax_client.key)], agent_path=None,
    ) as connection:  # fmt: skip
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("id")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", 9)


def test_the_host_key_is_published_and_the_window_is_guarded(tax: Running) -> None:
    """Line of JSON and admin port name the same key; bodies of other shapes are refused."""
    assert tax.admin.get("/host-key").json() == {"host_key": tax.host_key}
    assert tax.host_key.startswith("ssh-ed25519 ")
    assert tax.admin.post("/month-end", json={"off": True}).status_code == 400
    assert tax.admin.post("/clients/reload").json() == {"clients": ["hrss", "narrow"]}
