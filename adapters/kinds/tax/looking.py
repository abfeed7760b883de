"""One look into the department's folders: refusals, acknowledgements, results, and what is due.

INVARIANT: files of numbers that are not this process's are neither read nor removed: other gateways
may share our client number.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kinds.tax.codes import ACCEPTED, REFUSALS
from adapters.kinds.tax.dispatch import Dispatcher
from adapters.kinds.tax.envelope import (
    MAX_REPLY,
    Reply,
    TaxIdentity,
    parse_reply,
    require_bound,
)
from adapters.kinds.tax.manifest import MAX_MANIFEST
from adapters.kinds.tax.packages import MAX_SUBMISSIONS, Package
from adapters.kinds.tax.results import read_result
from adapters.kinds.tax.sftp import SftpTransport
from adapters.port import Indeterminate

_LOG: Final = logging.getLogger(__name__)

LOOK_S: Final = 10.0
"""How long one look may take, what is put again in it included."""
_PUT_AT_ONCE: Final = 8
"""Packages put again in one look: who waits for another's result waits for these."""
RESEND_S: Final = 60.0
"""Unacknowledged for so long a package is put again, then after twice as long."""
_MAX_BARE: Final = 64 * 1024
"""Bytes of an acknowledgement or a refusal: they hold no record."""
_REMOVED_AT_ONCE: Final = 64
_RESULT: Final = ".mf.json"
_XML: Final = ".xml"


class _File(NamedTuple):
    file: str
    submission: str
    tran_seq: str
    suffix: str


class Looker:
    """Looks after packages under way; one event loop, one look at a time."""

    def __init__(
        self,
        transport: SftpTransport,
        identity: TaxIdentity,
        dispatcher: Dispatcher,
        clock: Callable[[], float],
        instance: str,
    ) -> None:
        """Keep what is needed; `instance` begins the `tranSeq` of every package of this process."""
        self._transport = transport
        self._key = identity.sign_key
        self._dispatcher = dispatcher
        self._clock = clock
        self._own = re.compile(
            rf"(?P<submission>{re.escape(identity.client_no)}_(?P<seq>{instance}[0-9]+)_[0-9]{{2}})"
            rf"(?P<suffix>\.xml|\.mf\.json)"
        )
        self._strangers = 0

    async def look(self, packages: dict[str, Package]) -> None:
        """Settle every package whose end has come and take it out; put again what is due.

        Raises:
            DepartmentFailed: UNAVAILABLE or TIMEOUT; nothing is lost by it.
        """
        deadline = self._clock() + LOOK_S
        for each in await self._find("/error", deadline):
            await self._take_refusal(packages, each, deadline)
        for each in await self._find("/ack", deadline):
            await self._take_acknowledgement(packages, each, deadline)
        results = await self._find("/out", deadline)
        for each in results:
            await self._take_result(packages, each, deadline)
        await self._put_again(packages, deadline)
        await self._clear_away(packages, results, deadline)

    async def _find(self, folder: str, deadline: float) -> list[_File]:
        listing = await self._transport.names(folder, deadline, self._is_own)
        if folder == "/out":
            self._notice(listing.others)
        return [
            _File(name, match["submission"], match["seq"], match["suffix"])
            for name in sorted(listing.wanted)
            if (match := self._own.fullmatch(name))
        ]

    def _is_own(self, name: str) -> bool:
        return self._own.fullmatch(name) is not None

    def _notice(self, strangers: int) -> None:
        """Tell of results that answer nothing of ours, whenever there are more of them."""
        if strangers > self._strangers:
            _LOG.warning("tax: files of numbers that are not ours: %d", strangers)
        self._strangers = strangers

    async def _take_refusal(
        self, packages: dict[str, Package], file: _File, deadline: float
    ) -> None:
        package = packages.get(file.tran_seq)
        head = None if package is None else package.heads.get(file.submission)
        if package is not None and head is not None and file.submission not in package.read:
            body = await self._read_bare(f"/error/{file.file}", deadline)
            package.read.add(file.submission)
            # What became of an earlier submission is overtaken by the later one.
            if file.submission == _last(package):
                try:
                    reply = parse_reply(body, self._key)
                    require_bound(reply, head)
                    _refused(package, reply)
                except AdapterError as failed:
                    _settle(packages, package, failed)
        await self._transport.remove(f"/error/{file.file}", deadline)

    async def _take_acknowledgement(
        self, packages: dict[str, Package], file: _File, deadline: float
    ) -> None:
        package = packages.get(file.tran_seq)
        head = None if package is None else package.heads.get(file.submission)
        if package is not None and head is not None and file.submission not in package.read:
            body = await self._read_bare(f"/ack/{file.file}", deadline)
            package.read.add(file.submission)
            try:
                reply = parse_reply(body, self._key)
                require_bound(reply, head)
                package.acknowledged |= reply.code == ACCEPTED
            except AdapterError as failed:
                # It settles nothing: the result has to prove itself anyway.
                _LOG.warning("tax: acknowledgement dropped: %s", failed)
        await self._transport.remove(f"/ack/{file.file}", deadline)

    async def _read_bare(self, path: str, deadline: float) -> bytes:
        try:
            return await self._transport.read(path, _MAX_BARE, deadline)
        except AnswerMalformed:
            return b""  # which is no envelope either, and is told as such where it is read

    async def _take_result(
        self, packages: dict[str, Package], file: _File, deadline: float
    ) -> None:
        # Section 2: only the manifest says that the result is whole.
        if file.suffix != _RESULT or (package := packages.get(file.tran_seq)) is None:
            return
        head = package.heads.get(file.submission)
        if head is None:
            return
        path = f"/out/{file.submission}"
        try:
            manifest = await self._transport.read(f"{path}{_RESULT}", MAX_MANIFEST, deadline)
            xml = await self._transport.read(f"{path}{_XML}", MAX_REPLY, deadline)
            # Elsewhere: a hundred records take long enough for others to notice.
            settled = await asyncio.to_thread(
                read_result, self._key, head, file.submission, (manifest, xml), package.questions
            )
        except AnswerMalformed as failed:
            _settle(packages, package, failed)
            return
        except DepartmentFailed as failed:
            # Everything else is the connection's: the result lies there still.
            if failed.reason is not Indeterminate.PROVIDER_UNPROVEN:
                raise
            _settle(packages, package, failed)
            return
        # It may have expired, or all of them been closed, while its files were read.
        packages.pop(package.tran_seq, None)
        for waiting, each in zip(package.waiting, settled, strict=True):
            waiting.settle(each)

    async def _put_again(self, packages: dict[str, Package], deadline: float) -> None:
        """Put what was refused, and what nobody acknowledged and lies no longer where we put it."""
        due = [each for each in packages.values() if each.again]
        silent = [each for each in packages.values() if not each.again and self._is_due(each)]
        if silent:
            # At a month's end everything lies there.
            lying = await self._transport.names("/in", deadline, self._is_own)
            due += [each for each in silent if f"{_last(each)}{_RESULT}" not in lying.wanted]
        for package in due[:_PUT_AT_ONCE]:
            try:
                await self._dispatcher.submit(package, deadline)
                package.again = False
            except DepartmentFailed as failed:
                _LOG.warning("tax: package not put again: %s", failed)
                if _is_over(package, failed):
                    _settle(packages, package, failed)

    def _is_due(self, package: Package) -> bool:
        if package.submitted_at is None or package.acknowledged:
            return False
        patience = RESEND_S * 2.0 ** (package.puts - 1)
        return self._clock() - package.tried_at >= patience

    async def _clear_away(
        self, packages: dict[str, Package], results: Iterable[_File], deadline: float
    ) -> None:
        """Remove results that were read, came twice, or came after nobody waited any more."""
        gone = [each for each in results if not _is_awaited(packages, each)]
        for each in gone[:_REMOVED_AT_ONCE]:
            await self._transport.remove(f"/out/{each.file}", deadline)


def _refused(package: Package, reply: Reply) -> None:
    """Let a package be put once more where that may help.

    Raises:
        AnswerMalformed: A code of no list.
        DepartmentFailed: PROVIDER_FAULT.
    """
    again = REFUSALS.get(reply.code)
    if again is None:
        raise AnswerMalformed("refusal code stands in no list")
    _LOG.warning("tax: package refused with %s", reply.code)
    if not again or package.refused:
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT)
    package.refused = package.again = True


def _is_over(package: Package, failed: DepartmentFailed) -> bool:
    """Say whether a package that could not be put again has come to its end.

    An earlier submission may have come and its result may yet be given: it is tried again when it
    is next due, until there are no numbers left. What was refused lies nowhere, so who waits is
    told why; but for a look that had no time left, which says nothing.
    """
    if len(package.heads) >= MAX_SUBMISSIONS:
        return True
    return package.again and failed.reason is not Indeterminate.PROVIDER_TIMEOUT


def _last(package: Package) -> str:
    """Return the name of its last submission."""
    return next(reversed(package.heads))


def _is_awaited(packages: dict[str, Package], file: _File) -> bool:
    package = packages.get(file.tran_seq)
    return package is not None and file.submission in package.heads


def _settle(packages: dict[str, Package], package: Package, failed: AdapterError) -> None:
    packages.pop(package.tran_seq, None)
    package.settle_all(failed)
