"""Changes of trust reach a running node and a standing channel, without a restart."""

import asyncio
import dataclasses
import os
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.port import Record
from adapters.provider_node import channel as channel_module
from adapters.provider_node.reasons import NodeReason
from certs.certificate import parse_certificate
from certs.naming import CLIENT_AUTH, SERVER_AUTH
from certs.pem import parse_single
from certs.registry_file import KeyPurpose, KeyRecord, KeyState
from certs.trust_directory import load_trust_directory, store_trust_directory
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.renewal import certify_anew
from gateway.cli.sandbox.world import CLIENT_TLS, build_world
from gateway.clock import SystemClock
from gateway.node.building import RunningNode, build_node
from gateway.node.config import NodeConfig
from gateway.trust import moment
from tests.node.asking import Caller, Ended, Way, request_of
from tests.node.node_double import adapter_for, changed, double_of, nothing, query_for

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]
PATIENCE_S = 10.0


@pytest_asyncio.fixture(loop_scope="session")
async def own(node_config: NodeConfig, tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A node with a trust folder of its own."""
    trust = tmp_path / "trust"
    shutil.copytree(node_config.trust, trust)
    running = build_node(node_config.model_copy(update={"trust": trust}))
    await running.start()
    yield running
    await running.stop()


def _rewrite(folder: Path, system: str, change: Callable[[KeyRecord], KeyRecord]) -> None:
    """Change the keys of one system in a trust folder."""
    uscc, _, slug = system.partition("/")
    material = load_trust_directory(folder)
    organisations = tuple(
        dataclasses.replace(
            each,
            systems=tuple(
                dataclasses.replace(own, keys=tuple(map(change, own.keys)))
                if (each.uscc, own.slug) == (uscc, slug)
                else own
                for own in each.systems
            ),
        )
        for each in material.registry.organisations
    )
    store_trust_directory(
        dataclasses.replace(
            material,
            sequence=material.sequence + 1,
            registry=dataclasses.replace(material.registry, organisations=organisations),
        ),
        folder,
    )


def _suspending(usage: KeyPurpose) -> Callable[[KeyRecord], KeyRecord]:
    def change(record: KeyRecord) -> KeyRecord:
        if record.usage is not usage:
            return record
        return dataclasses.replace(record, state=KeyState.SUSPENDED)

    return change


async def _until_refused(caller: Caller, reason: NodeReason) -> Ended:
    """Ask until a reason is given, as long as anybody would wait for a reload."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            ended = await caller.ask(request_of(caller.way))
            if ended.reason == reason:
                return ended
            await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("who", "usage", "reason"),
    [
        ("gateway", KeyPurpose.TLS, NodeReason.CHANNEL_REFUSED),
        ("gateway", KeyPurpose.ENVELOPE, NodeReason.ENVELOPE_REFUSED),
        ("requester", KeyPurpose.ENVELOPE, NodeReason.REQUESTER_REFUSED),
        ("requester", KeyPurpose.TLS, NodeReason.REQUESTER_REFUSED),
    ],
)
async def test_a_suspended_key_is_refused_by_a_running_node(
    remote: Way, own: RunningNode, who: str, usage: KeyPurpose, reason: NodeReason
) -> None:
    """The department's own registry decides, within seconds."""
    system = remote.gateway.config.system_id if who == "gateway" else remote.retirement.system_id
    caller = Caller.gateway(remote, own.port)
    before = await caller.ask(request_of(remote))

    _rewrite(own.config.trust, system, _suspending(usage))
    after = await _until_refused(caller, reason)

    assert before.outcome is not None
    assert after.outcome is None


async def test_trust_that_cannot_be_read_leaves_the_old_one(remote: Way, own: RunningNode) -> None:
    """Half a file is no reason to stop, and none to believe less or more."""
    (own.config.trust / "registry.json").write_text("{", "utf-8")
    caller = Caller.gateway(remote, own.port)
    await asyncio.sleep(2.5)

    assert (await caller.ask(request_of(remote))).outcome is not None


async def test_our_own_new_certificate_is_taken_up(
    remote: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel is replaced, calls go on; a file half written keeps the old one."""
    monkeypatch.setattr(channel_module, "LOOK_S", 0.0)
    path = remote.sandbox.world.gateway_keys[CLIENT_TLS].certificate_path
    content = path.read_bytes()
    async with double_of(remote, changed(nothing)) as double:
        adapter = adapter_for(remote, double.port)
        answers = [await adapter.fetch(query_for(remote))]
        first = adapter._channel._channel
        try:
            path.write_bytes(b"half")
            answers.append(await adapter.fetch(query_for(remote)))
            kept = adapter._channel._channel
        finally:
            path.write_bytes(content)
        later = path.stat().st_mtime_ns + 1_000_000_000
        os.utime(path, ns=(later, later))
        answers.append(await adapter.fetch(query_for(remote)))
        replaced = adapter._channel._channel
        await adapter.close()

    assert answers == [Record(sd_jwt="r")] * 3
    assert kept is first
    assert replaced is not first


async def test_renewal_keeps_the_side_of_each_certificate(tmp_path: Path) -> None:
    """A gateway is a server to partners and a client to nodes, also a week later."""
    now = moment(SystemClock().now_ms()).replace(microsecond=0)
    world = build_world(tmp_path / "sandbox", now, frozenset(), remote=True)
    folders = Folders(root=tmp_path / "sandbox")
    later = now + timedelta(days=6)

    certify_anew(folders, load_trust_directory(folders.trust), later)

    expected = {
        world.gateway_keys["tls"]: SERVER_AUTH,
        world.gateway_keys[CLIENT_TLS]: CLIENT_AUTH,
        world.node_keys["hrss"]["tls"]: SERVER_AUTH,
    }
    for key, purpose in expected.items():
        renewed = parse_certificate(parse_single(key.certificate_path.read_bytes(), "CERTIFICATE"))
        assert renewed.spki == key.certificate.spki
        assert renewed.not_after > key.certificate.not_after
        assert renewed.eku == frozenset({purpose})
