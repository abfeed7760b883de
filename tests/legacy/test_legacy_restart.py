"""What of a legacy call outlives the process: its id, and the secret."""

import asyncio
from pathlib import Path

import pytest

from gateway.cli.sandbox.running import Sandbox, serving
from gateway.legacy.proof import WINDOW_MS
from gateway.replay import SPACE
from tests.legacy.calling import body_of, ready
from tests.legacy.legacy_client import LEGACY, LegacyClient

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_a_question_sent_again_after_a_restart_is_refused(
    sandbox: Sandbox, identities: dict[str, Path]
) -> None:
    """The id is durable with the entry; the secret outlives the process too."""
    outcomes = []
    asked = body_of("ordinary_graduate")
    key, now_ms = "", 0
    remembered: list[bytes] = []
    for _ in range(2):
        async with serving(sandbox) as gateway:
            assert gateway.legacy is not None
            port = gateway.legacy.port
            client = LegacyClient.open(port, identities[LEGACY], identities["authority"])
            if key:
                client.key, client.now_ms = key, now_ms
            else:
                await ready(client, gateway)
                key, now_ms = client.key, client.now_ms
            outcomes.append(await asyncio.to_thread(client.ask, asked, rid="over-a-restart"))
            claims = gateway.log.live_claims(SPACE, now_ms + 2 * WINDOW_MS - 1_000)
            remembered += [each.key for each in claims]
            client.http.close()

    assert [code for code, _ in outcomes] == ["0", "E-103"]
    # A time five minutes ahead may be shown for ten: so long the id is remembered.
    assert any(bytes.fromhex(str(outcomes[0][1]["request_id"])) in each for each in remembered)
