"""`hutong ask` tells a refusal with its receipt, whatever becomes of the help sought after it."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from gateway.cli.root import run
from hutong.client import (
    ClientReason,
    Dataset,
    Fault,
    Identity,
    Question,
    Receipt,
    Refused,
    Settings,
    Unproven,
)
from hutong.client.errors import RefusalTold
from tests.client.synthetic_world import PERSON, build_world

REFUSED = 1
Listing = Callable[[], Awaitable[tuple[Dataset, ...]]]


class _Receipt:
    """A receipt that can be shown and kept."""

    def encode(self) -> bytes:
        """Return what is shown."""
        return b'{"index": 7}'

    def write_parts(self, folder: Path) -> None:
        """Write what is kept."""
        (folder / "receipt.json").write_bytes(self.encode())


class _Gateway:
    """Refuses every question after a time, and lists its catalog as a test wants."""

    def __init__(self, listing: Listing, after_s: float = 0.0) -> None:
        self._listing = listing
        self._after_s = after_s

    @contextlib.asynccontextmanager
    async def open(self, _identity: Identity, _settings: Settings) -> AsyncIterator["_Gateway"]:
        """Stand for the client and what it is opened with."""
        yield self

    async def exchange(self, _question: Question) -> None:
        """Refuse, with a receipt."""
        await asyncio.sleep(self._after_s)
        raise Refused(
            RefusalTold(
                reason="QUERY_INVALID",
                side="requester",
                text_zh="查询不合规。",
                text_en="The query is invalid.",
                retry_after_s=None,
                signed=True,
                request_id=bytes(16),
                receipt=cast("Receipt", _Receipt()),
            )
        )

    async def list_datasets(self) -> tuple[Dataset, ...]:
        """List, fail or hang."""
        return await self._listing()


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """An identity directory."""
    build_world().write(tmp_path / "identity")
    return tmp_path / "identity"


def _asked(identity: Path, kept: Path) -> int:
    options = ["--identity", str(identity), "--agreement", "A-2026-001", "--matter", "M2"]
    options += ["--case", "C-1", "--subject-id", PERSON, "--field", "is_marrie"]
    return run(["ask", *options, "--timeout", "1", "--save-receipt", str(kept), "--json"])


def _failing(error: BaseException) -> Listing:
    async def fail() -> tuple[Dataset, ...]:
        raise error

    return fail


async def _interrupted() -> tuple[Dataset, ...]:
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(30)
    return ()


@pytest.mark.parametrize(
    "listing",
    [
        _failing(Fault(ClientReason.UNAVAILABLE, "UNAVAILABLE")),
        _failing(Unproven(ClientReason.MESSAGE_TOO_LARGE)),
        _failing(RuntimeError("a fault of ours")),
        _failing(asyncio.CancelledError()),
        _interrupted,
    ],
    ids=["fault", "unproven", "fault of ours", "cancelled", "Ctrl-C"],
)
def test_a_catalog_that_is_not_had_loses_no_refusal(
    listing: Listing,
    identity: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal is shown, its receipt kept; the help alone is missing."""
    monkeypatch.setattr("gateway.cli.ask.Client", _Gateway(listing))

    code = _asked(identity, tmp_path / "kept")

    told = json.loads(capsys.readouterr().out)
    assert code == REFUSED
    assert (told["state"], told["reason"]) == ("REFUSED", "QUERY_INVALID")
    assert told["receipt"] == {"index": 7}
    assert told["receipt_saved"] is True
    assert "unlisted_fields" not in told
    assert (tmp_path / "kept" / "receipt.json").read_bytes() == b'{"index": 7}'


def test_the_catalog_is_waited_for_in_what_is_left_of_the_time(
    identity: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One timeout holds for both calls: none is left where the refusal took it all."""
    whole: list[str] = []

    async def slow() -> tuple[Dataset, ...]:
        await asyncio.sleep(1.0)
        whole.append("waited for as if nothing had been asked before")
        return ()

    monkeypatch.setattr("gateway.cli.ask.Client", _Gateway(slow, after_s=1.0))

    code = _asked(identity, tmp_path / "kept")

    assert code == REFUSED
    assert json.loads(capsys.readouterr().out)["receipt_saved"] is True
    assert whole == []
