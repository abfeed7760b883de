"""What legacy systems ask in tests, and what the log says of it."""

import asyncio
import contextlib
import json
import sqlite3

from gateway.app import Gateway
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.running import Sandbox
from tests.gateway.asking import person
from tests.legacy.legacy_client import LegacyClient


def body_of(who: str = "ordinary_pensioner") -> dict[str, str]:
    """Name a planted person and the case opened for him; it takes five questions."""
    someone = person(who)
    return {
        "zjhm": someone.id_number,
        "xm": someone.full_name,
        "bjbh": case_number("M1", someone),
    }


def leaves(sandbox: Sandbox) -> list[dict[str, object]]:
    """Read every entry of the access log, as anybody with the file can."""
    with contextlib.closing(sqlite3.connect(sandbox.world.folders.log_file)) as connection:
        rows = connection.execute("SELECT body FROM entry ORDER BY idx").fetchall()
    return [json.loads(body) for (body,) in rows]


async def ready(client: LegacyClient, gateway: Gateway) -> LegacyClient:
    """Give the client a clock and a secret."""
    client.now_ms = gateway.clock.now_ms()
    assert (await asyncio.to_thread(client.refresh))["code"] == "0"
    return client
