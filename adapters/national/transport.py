"""HTTP to a department behind the national platform, with the face of `DepartmentTransport`.

Deadline, places, breaker and the retries of what only reads are those of the direct way; here a
call is wrapped before it leaves and its answer unwrapped. Each attempt is signed anew.
"""

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.national.dialect import Dialect, PlatformRefused, judge, may_put_once_more
from adapters.port import Indeterminate
from adapters.transport import DepartmentTransport, HttpAnswer, HttpCall, TransportLimits


class Services:
    """Under which registered id a call goes, by what its path begins with."""

    def __init__(self, by_path: Mapping[str, str]) -> None:
        # Longest first: what stands for a part of the interface wins over what stands for all.
        self._by_path: Final = sorted(by_path.items(), key=lambda each: -len(each[0]))

    def find(self, path: str) -> str:
        """Return the registered id of a path.

        Raises:
            DepartmentFailed: PROVIDER_NOT_CONNECTED where none is registered.
        """
        for beginning, sid in self._by_path:
            if path.startswith(beginning):
                return sid
        # Not sent under another id: each is registered for one interface and one purpose.
        raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED, final=True)


class NationalTransport(DepartmentTransport):
    """Carries a department's calls through the platform."""

    def __init__(
        self,
        *,
        department: str,
        base_url: str,
        dialect: Dialect,
        services: Services,
        limits: TransportLimits | None = None,
    ) -> None:
        """Take the platform's address; nothing is opened before the first call.

        Raises:
            AdapterMisconfigured: The address is no origin, or plain HTTP off the loopback.
        """
        super().__init__(department=department, base_url=base_url, limits=limits)
        self._dialect = dialect
        self._services = services

    @override
    async def _send(self, call: HttpCall) -> HttpAnswer:
        sid = self._services.find(call.path)
        try:
            return await self._carry(call, sid)
        except PlatformRefused as refused:
            raise judge(refused) from None  # the cause carries the platform's text
        except AnswerMalformed as malformed:
            # As any answer below the department's own dialect (`DepartmentTransport.fetch`).
            raise DepartmentFailed(
                Indeterminate.PROVIDER_MALFORMED, cause=malformed.cause
            ) from None

    async def _carry(self, call: HttpCall, sid: str) -> HttpAnswer:
        try:
            return await self._dialect.carry(call, sid, super()._send)
        except PlatformRefused as refused:
            if not may_put_once_more(refused):
                raise
        return await self._dialect.carry(call, sid, super()._send)
