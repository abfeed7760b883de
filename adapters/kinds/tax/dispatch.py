"""Drops packages, first and again; writes no meaning of its own into them.

INVARIANT: a package is put again under its `tranSeq`, with `repeatFlag` Y and the same contents in
the same order; only the number, session and time of the submission are new (section 5).
"""

import asyncio
import math
import secrets
from collections.abc import Callable
from typing import Final

from adapters.errors import AdapterError, DepartmentFailed, NotSent
from adapters.kinds.tax.envelope import Head, TaxIdentity, encode_request
from adapters.kinds.tax.manifest import encode_manifest
from adapters.kinds.tax.packages import MAX_SUBMISSIONS, Package
from adapters.kinds.tax.sftp import SftpTransport
from adapters.mapping.dates import second_of_ms
from adapters.port import Indeterminate

SUBMIT_S: Final = 10.0
"""How long a package may take to be dropped, all attempts together."""
_ATTEMPTS: Final = 3
_PAUSE_S: Final = 0.05
_SESSION_BYTES: Final = 16


class Dispatcher:
    """Puts packages into `/in`."""

    def __init__(
        self,
        transport: SftpTransport,
        identity: TaxIdentity,
        now_ms: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._transport = transport
        self._identity = identity
        self._now_ms = now_ms
        self._clock = clock

    async def submit(self, package: Package, until: float = math.inf) -> None:
        """Drop a package; what was perhaps dropped before is dropped as its repetition.

        It takes `SUBMIT_S` at most and ends by `until`.

        Raises:
            DepartmentFailed: UNAVAILABLE or TIMEOUT, FAULT where it was put too often.
        """
        deadline = min(self._clock() + SUBMIT_S, until)
        attempt, earlier = 1, tuple(package.heads)
        while True:
            try:
                await self._put(package, deadline)
                break
            except DepartmentFailed as failed:
                package.trouble = failed
                package.tried_at = self._clock()
                # A lost connection does not say whether the last name was given: Y suits both.
                if failed.reason is not Indeterminate.PROVIDER_UNAVAILABLE or attempt == _ATTEMPTS:
                    raise
            await asyncio.sleep(_PAUSE_S * attempt)
            attempt += 1
        package.submitted_at = package.tried_at = self._clock()
        package.puts += 1
        broken = [name for name in package.heads if name not in earlier][:-1]
        await self._clear_away(broken, deadline)

    async def _put(self, package: Package, deadline: float) -> None:
        number = len(package.heads) + 1
        if number > MAX_SUBMISSIONS:
            raise DepartmentFailed(Indeterminate.PROVIDER_FAULT)
        client_no = self._identity.client_no
        name = f"{client_no}_{package.tran_seq}_{number:02d}"
        head = Head(
            session_id=secrets.token_hex(_SESSION_BYTES),
            service_id=package.service.value,
            client_no=client_no,
            tran_seq=package.tran_seq,
            repeat=bool(package.heads),
            requested_at=second_of_ms(self._now_ms()),
        )
        parts = package.parts
        xml = encode_request(self._identity, head, parts)
        manifest = encode_manifest(name, package.tran_seq, len(parts), xml)
        # Before it is dropped: the answer may be there before we know that we dropped it.
        package.heads[name] = head
        try:
            await self._transport.write(f"/in/{name}.xml", xml, deadline)
        except NotSent:
            # Nothing went out, so the number is still free; there are few of them.
            del package.heads[name]
            raise
        # Its last name is what submits the package.
        await self._transport.write(f"/in/{name}.mf.json", manifest, deadline)

    async def _clear_away(self, names: list[str], deadline: float) -> None:
        """Remove what broken attempts left half written: it counts against us for a week."""
        try:
            for name in names:
                await self._transport.remove(f"/in/{name}.xml.part", deadline)
                await self._transport.remove(f"/in/{name}.mf.json.part", deadline)
        except AdapterError:
            return
