"""Webhooks: who is told of changes, and the telling (manual, section 9).

INVARIANT: only loopback is ever called; redirects are not followed.
"""

import asyncio
import hmac
import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from adapters.simulators.commerce.faults import Fault
from adapters.simulators.commerce.refusals import Members, Refused
from adapters.simulators.faults import FaultBoard
from adapters.simulators.virtual_clock import VirtualClock

MOST: Final = 8
"""Webhooks of one key."""
_WAITS: Final = (1, 2, 4, 8)
"""Multiples of the retry delay between the five attempts."""
_TIMEOUT: Final = ClientTimeout(total=5)
_OLD_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A registration."""

    webhook_id: str
    key_id: str
    url: str
    secret: bytes = field(repr=False)

    def members(self) -> Members:
        """Write it without its secret."""
        return {"id": self.webhook_id, "url": self.url}


@dataclass(slots=True, kw_only=True)
class Webhooks:
    """The registrations, and the deliveries on their way."""

    clock: VirtualClock
    board: FaultBoard[Fault]
    retry_ms: int
    registered: dict[str, Webhook] = field(default_factory=dict, repr=False)
    under_way: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    def add(self, key_id: str, url: str, secret: str) -> Webhook:
        """Register a target.

        Raises:
            Refused: 4090 when the key has as many as it may.
        """
        if len(self.of_key(key_id)) >= MOST:
            raise Refused("4090")
        webhook = Webhook(
            webhook_id=f"wh-{secrets.token_hex(8)}",
            key_id=key_id,
            url=url,
            secret=secret.encode(),
        )
        self.registered[webhook.webhook_id] = webhook
        return webhook

    def of_key(self, key_id: str) -> list[Webhook]:
        """List the registrations of a key in their order."""
        return [webhook for webhook in self.registered.values() if webhook.key_id == key_id]

    def drop(self, key_id: str, webhook_id: str) -> None:
        """Forget a registration.

        Raises:
            Refused: 4040 when this key has no such registration.
        """
        found = self.registered.get(webhook_id)
        # Another key's registration does not exist for him.
        if found is None or found.key_id != key_id:
            raise Refused("4040")
        del self.registered[webhook_id]

    def tell(self, item: Members) -> None:
        """Begin to tell everyone of a change."""
        for webhook in self.registered.values():
            times = 2 if self.board.strikes(Fault.WEBHOOK_DUPLICATE) else 1
            for _ in range(times):
                task = asyncio.create_task(self._deliver(webhook, item))
                self.under_way.add(task)
                task.add_done_callback(self.under_way.discard)

    async def stop(self, _app: web.Application) -> None:
        """Give up what is on its way when the simulator ends."""
        waiting = tuple(self.under_way)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _deliver(self, webhook: Webhook, item: Members) -> None:
        # trust_env stays off: a proxy would be somebody who is not on this machine.
        async with ClientSession(timeout=_TIMEOUT) as session:
            for wait in (*_WAITS, 0):
                # A registration that was dropped meanwhile is told nothing more.
                if webhook.webhook_id not in self.registered:
                    return
                if await self._attempt(session, webhook, item):
                    return
                await asyncio.sleep(wait * self.retry_ms / 1000)

    async def _attempt(self, session: ClientSession, webhook: Webhook, item: Members) -> bool:
        body = json.dumps(item, ensure_ascii=False).encode()
        headers = self._headers(webhook.secret, str(item["id"]), body)
        try:
            async with session.post(
                webhook.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status // 100 == 2  # noqa: PLR2004  the class of successes
        except (ClientError, TimeoutError):
            return False

    def _headers(self, secret: bytes, item_id: str, body: bytes) -> dict[str, str]:
        old = self.board.strikes(Fault.WEBHOOK_OLD_TIMESTAMP)
        at = str(self.clock.now_ms() // 1000 - (_OLD_S if old else 0))
        if self.board.strikes(Fault.WEBHOOK_BAD_SIGNATURE):
            secret = secret[::-1] + b"?"
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-Cm-Webhook-Id": item_id,
            "X-Cm-Webhook-Timestamp": at,
            "X-Cm-Webhook-Signature": sign_delivery(secret, item_id, at, body),
        }


def sign_delivery(secret: bytes, item_id: str, at: str, body: bytes) -> str:
    """Sign id, timestamp and body of a delivery."""
    mac = hmac.new(secret, f"{item_id}.{at}.".encode() + body, sha256)
    return f"v1={mac.hexdigest()}"
