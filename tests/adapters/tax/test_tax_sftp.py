"""One connection for many operations: what one of them suffers is not the others' loss."""

import asyncio

import asyncssh
import pytest

from adapters.errors import AdapterMisconfigured, DepartmentFailed
from adapters.kinds.tax.sftp import build_access
from adapters.port import BreakerState, Indeterminate
from tests.adapters.tax.asking import Keys
from tests.adapters.tax.office import Office, Open, answered

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def _write(opened: Office, name: str, seconds: float) -> None:
    await opened.transport.write(f"/in/{name}", b"x", opened.now() + seconds)


async def _require_timeout(opened: Office, name: str, seconds: float) -> None:
    with pytest.raises(DepartmentFailed) as failed:
        await _write(opened, name, seconds)
    assert failed.value.reason is Indeterminate.PROVIDER_TIMEOUT


async def test_who_is_in_a_hurry_takes_nobodys_connection(office: Open) -> None:
    """Nine give up early: the tenth is served on the connection they left, no breaker opens."""
    async with office(answered) as opened:
        await _write(opened, "first", 5.0)
        opened.plain.slow_s = 0.2
        patient = asyncio.create_task(_write(opened, "patient", 5.0))

        await asyncio.gather(*(_require_timeout(opened, f"hurried{n}", 0.15) for n in range(9)))
        await patient

        assert opened.transport.breaker.state is BreakerState.CLOSED
        assert (opened.plain.folder / "in" / "patient").exists()


async def test_a_silent_connection_is_left_by_everybody_in_his_own_time(office: Open) -> None:
    """After a fair wait another one is opened; who still waits on the old one is not cut off."""
    async with office(answered) as opened:
        await _write(opened, "first", 5.0)
        line = opened.transport._line
        assert line is not None
        opened.plain.slow_s = 2.0
        patient = asyncio.create_task(_write(opened, "patient", 5.0))

        await _require_timeout(opened, "fair", 1.2)
        opened.plain.slow_s = 0.0
        await _write(opened, "next", 5.0)
        another = opened.transport._line
        await patient
        async with asyncio.timeout(2):
            await line.connection.wait_closed()

        assert another is not None
        assert another is not line
        assert opened.transport._line is another


@pytest.mark.parametrize("form", ["pkcs8-pem", "openssh", "pkcs1-pem"])
def test_a_login_key_that_lies_open_is_refused(keys: Keys, form: str) -> None:
    """A passphrase beside it protects nothing."""
    bare = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_private_key(form)

    with pytest.raises(AdapterMisconfigured, match="not encrypted"):
        build_access(
            base_url="sftp://127.0.0.1:22",
            user="hrss",
            host_key=keys.host_key,
            login_key=bare,
            passphrase=keys.passphrase,
        )


async def test_nobody_is_believed_in_another_way_than_by_his_key(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No certificates, no Kerberos, no word of another host, whatever the library would do."""
    asked: list[dict[str, object]] = []
    connect = asyncssh.connect

    async def notice(*args: object, **options: object) -> object:
        asked.append(options)
        return await connect(*args, **options)

    monkeypatch.setattr("adapters.kinds.tax.sftp.asyncssh.connect", notice)
    async with office(answered) as opened:
        await _write(opened, "first", 5.0)

        closed: dict[str, object] = {
            **dict.fromkeys(("x509_trusted_certs", "gss_host")),
            **dict.fromkeys(("gss_kex", "gss_auth", "host_based_auth"), False),
        }
        assert {name: asked[0].get(name, "unsaid") for name in closed} == closed
