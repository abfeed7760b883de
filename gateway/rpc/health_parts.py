"""What health looks at: the parts of a gateway, each by its real operation."""

from adapters.port import ProviderAdapter
from adapters.registry import AdapterRegistry
from certs.sm2.health import examine_sm2
from certs.trust_store import TrustStore
from gateway.access_log.errors import AccessLogError
from gateway.access_log.log import AccessLog
from gateway.clock import Clock
from gateway.rpc.health import Part
from gateway.trust import moment


def describe_parts(
    log: AccessLog, trust: TrustStore, registry: AdapterRegistry, clock: Clock
) -> dict[str, Part]:
    """Name what health looks at; without SM2 or a department we still answer others."""

    async def look_at_log() -> str | None:
        try:
            await log.tick()
        except AccessLogError as error:
            return type(error).__name__
        return None

    async def look_at_trust() -> str | None:
        return None if moment(clock.now_ms()) < trust.snapshot.expires_at else "expired"

    async def look_at_sm2() -> str | None:
        found = examine_sm2()
        return None if found.available else found.reason

    def department(adapter: ProviderAdapter) -> Part:
        async def look() -> str | None:
            found = await adapter.examine_health()
            return None if found.reachable else found.detail

        return Part(look=look, essential=False)

    parts = {
        "log": Part(look=look_at_log, essential=True),
        "trust": Part(look=look_at_trust, essential=True),
        "sm2": Part(look=look_at_sm2, essential=False),
    }
    return parts | {each.organisation: department(each) for each in registry.adapters}
