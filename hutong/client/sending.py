"""Sends a signed request, and sends the same bytes again where that is safe.

The gateway answers the same bytes with the same answer, so a resend costs nothing and charges
nothing. Sent again: what never reached the gateway (UNAVAILABLE), and what it could not take for
the moment (`AGAIN`). Never sent again: a refusal of what was asked.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import grpc

from hutong.client.channel import Connection
from hutong.client.errors import ClientError, Fault, Refused
from hutong.client.proof import Proving
from hutong.client.reasons import ClientReason
from hutong.client.refusals import fault_of_unsigned, refusal_of_call
from hutong.client.requests import SignedRequest

AGAIN: Final = frozenset({"GATEWAY_BUSY", "LOG_UNAVAILABLE"})
"""Reasons that lie with the gateway, before anything was executed."""
EXECUTED: Final = "REPLAYED"
"""The gateway executed these bytes and no longer keeps the answer."""
FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 2.0
LEAST_ATTEMPT_S: Final = 0.05
"""With less left nothing is tried: grpc calls a connection that takes longer a deadline."""


class Interrupted(Exception):
    """An earlier attempt of these bytes was executed, and its answer was lost on the way."""

    def __init__(self, refused: Refused) -> None:
        """Keep the refusal that says so."""
        super().__init__(EXECUTED)
        self.refused = refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A connection, and what is needed to judge how a call ended."""

    connection: Connection
    proving: Proving

    async def send(self, request: SignedRequest, deadline: float) -> bytes:
        """Return the response to a request; `deadline` is a `time.monotonic()`.

        Raises:
            Refused: the gateway refused.
            Fault: no answer came back in time.
            Unproven: a refusal came back that is not proven.
            Interrupted: only a new request that names this one can get an answer.
        """
        attempt = 0
        while True:
            ended = await self._attempt(request, deadline)
            if isinstance(ended, bytes):
                return ended
            # On a first attempt REPLAYED is somebody else's doing and is told as it is.
            if attempt and isinstance(ended, Refused) and ended.reason == EXECUTED:
                raise Interrupted(ended)
            wait_s = waiting_time(ended, attempt, request.request_id)
            if wait_s is None or not self._worth_waiting(request, deadline, wait_s):
                raise ended
            await asyncio.sleep(wait_s)
            # A sleep may end late. Why nothing was tried again is what the attempts before met, not
            # the clock, which would leave open whether the question was executed.
            if not self._worth_waiting(request, deadline, 0.0):
                raise ended
            attempt += 1

    async def fetch(self, method: str, message: bytes, timeout_s: float) -> bytes:
        """Return the response to an unsigned call, which only needs the channel.

        Raises:
            Fault: no answer came back.
        """
        try:
            return await self.connection.call(method, message, timeout_s)
        except grpc.RpcError as cause:
            raise fault_of_unsigned(cause) from cause

    async def _attempt(self, request: SignedRequest, deadline: float) -> bytes | ClientError:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return Fault(ClientReason.DEADLINE_EXCEEDED)
        try:
            return await self.connection.call(request.method, request.message, remaining)
        except grpc.RpcError as error:
            return refusal_of_call(self.proving, request, error)

    def _worth_waiting(self, request: SignedRequest, deadline: float, wait_s: float) -> bool:
        # After its expiry the same bytes can only be refused.
        expires_in_s = (request.expires_at_ms - self.proving.now_ms()) / 1000
        return wait_s + LEAST_ATTEMPT_S < min(deadline - time.monotonic(), expires_in_s)


def waiting_time(ended: ClientError, attempt: int, request_id: bytes) -> float | None:
    """Return how long to wait before the same bytes are sent again; None means never.

    Doubles from 0.1 s to 2 s. A byte of the random request id spreads callers over the upper half,
    so that they do not come back all at once.
    """
    least = 0.0
    if isinstance(ended, Refused):
        if ended.reason not in AGAIN:
            return None
        least = ended.retry_after_s or 0.0
    elif not (isinstance(ended, Fault) and ended.reason is ClientReason.UNAVAILABLE):
        return None
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * (1 << min(attempt, 8)))
    spread = request_id[attempt % len(request_id)] / 255
    return max(least, longest * (0.5 + spread / 2))
