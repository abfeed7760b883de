"""The adapter of a department that runs its own node: asks the node, and believes what it signed.

The node fetches, applies the effects and signs with the department's key; here is no key of it and
no raw record. That the record is right is proven by whoever asks this port, like every other's.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapters.errors import DepartmentFailed
from adapters.guard import Guard
from adapters.kind import NodeLink
from adapters.limits import TransportLimits
from adapters.port import (
    PROVIDER_SLUG,
    AdapterHealth,
    BreakerState,
    DatasetName,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
    Untold,
)
from adapters.provider_node.channel import NodeChannel
from adapters.provider_node.proving import Sent, require_told
from adapters.provider_node.reasons import TEXTS, NodeReason
from adapters.provider_node.wire import QUERY_TYPE, Ends, encode_query, encode_request
from certs.chain import require_current
from certs.errors import CertificateRefused
from certs.identity import RegisteredSystem
from certs.registry_file import KeyPurpose
from signing.errors import SigningError
from signing.signer import sign_envelope

_LOG: Final = logging.getLogger(__name__)

HEALTH_S: Final = 2.0
"""How long reaching the node may take when health looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Which department it is, and what it serves."""

    organisation: str
    datasets: frozenset[DatasetName]
    find_lacking: Callable[[Query], Lacking | None]


class RemoteAdapter:
    """One department at its own node."""

    def __init__(
        self,
        *,
        served: Served,
        link: NodeLink,
        channel: NodeChannel,
        now_ms: Callable[[], int],
        limits: TransportLimits | None = None,
    ) -> None:
        """Keep what is needed; nothing is opened before the first question."""
        self._served = served
        self._ends = Ends(gateway=link.gateway, node=f"{served.organisation}/{PROVIDER_SLUG}")
        self._link = link
        self._channel = channel
        self._now_ms = now_ms
        self._guard = Guard(limits or TransportLimits(), time.monotonic)

    @property
    def organisation(self) -> str:
        """USCC of the department."""
        return self._served.organisation

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """Which datasets the node serves."""
        return self._served.datasets

    @property
    def breaker_state(self) -> BreakerState:
        """Whether questions are let through to the node."""
        return self._guard.breaker.state

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return what the department would miss in this question."""
        return self._served.find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask the node, and prove that it answered this question."""
        try:
            told = await self._ask(query)
        except DepartmentFailed as failed:
            _LOG.info("node %s: %s", self._ends.node, failed.reason)
            return Untold(reason=failed.reason, retry_after_s=failed.retry_after_s)
        if isinstance(told, NodeReason):
            # For operators: the requester can mend nothing of it.
            _LOG.warning("node %s refused: %s", self._ends.node, told)
            return Untold(reason=TEXTS[told].told)
        return told

    async def examine_health(self) -> AdapterHealth:
        """Reach the node and have it prove who it is: asking it takes a requester's question."""
        if self._guard.breaker.is_open:
            return AdapterHealth(reachable=False, detail="BREAKER_OPEN")
        try:
            reached = await self._channel.connect(self._pins(self._require_system()), HEALTH_S)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        away = Indeterminate.PROVIDER_UNAVAILABLE.value
        return AdapterHealth(reachable=reached, detail="OK" if reached else away)

    async def close(self) -> None:
        """Release connections."""
        await self._channel.close()

    async def _ask(self, query: Query) -> Outcome | NodeReason:
        system = self._require_system()
        pins = self._pins(system)
        sent_at_ms = self._now_ms()
        try:
            payload = encode_query(query, self._ends, sent_at_ms)
            envelope = sign_envelope(self._link.signer, QUERY_TYPE, payload)
        except SigningError as cause:
            # The request has passed all parsers: what is left is that the two do not fit into one.
            raise DepartmentFailed(Indeterminate.QUESTION_REJECTED) from cause
        sent = Sent(
            ends=self._ends,
            request_id=query.request_id,
            item=query.item,
            payload=payload,
            sent_at_ms=sent_at_ms,
        )
        message = encode_request(envelope)

        async def ask(ends: float) -> Outcome | NodeReason:
            body = await self._channel.call(message, pins, ends - time.monotonic())
            return require_told(body, sent, system, self._now_ms())

        return await self._guard.run(ask, query.deadline)

    def _require_system(self) -> RegisteredSystem:
        """Return the node as it is registered now.

        Raises:
            DepartmentFailed: PROVIDER_UNPROVEN; nobody could be believed to be it.
        """
        system = self._link.snapshot().registry.system(self._ends.node)
        if system is None:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        return system

    def _pins(self, system: RegisteredSystem) -> tuple[bytes, ...]:
        """Return the certificates of the node's TLS that are current.

        Raises:
            DepartmentFailed: PROVIDER_UNPROVEN; there is none.
        """
        at = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        current = []
        # Each time: connections outlive a revocation, and personal data would go on over them.
        for key in system.keys_for(KeyPurpose.TLS).values():
            try:
                require_current(key, at)
            except CertificateRefused:
                continue
            current.append(key.certificate.der)
        if not current:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        return tuple(sorted(current))
