"""What tests of the second process share."""

import asyncio
from pathlib import Path

from adapters.kinds.hrss import HrssAdapter
from adapters.port import (
    DatasetName,
    FieldName,
    Query,
)
from gateway.app import Gateway
from gateway.child import load_form
from gateway.compute.apart import ComputeApart
from gateway.compute.port import FetchJob
from gateway.compute.protocol import PACKAGE, Begin

HR = DatasetName("hr.participation@1")
FIELD = FieldName("state")
BEGUN_S = 30.0


def begin_of(gateway: Gateway) -> Begin:
    """Return what the gateway tells its second process."""
    own = gateway.registry.by_dataset[HR]
    assert isinstance(own, HrssAdapter)
    return Begin(
        config=gateway.config.model_dump_json(),
        organisation=own.organisation,
        datasets=tuple(sorted(own.datasets)),
        keyids=(gateway.exchange._parts.signer.keyid, own.keyid),
        form=load_form(PACKAGE),
    )


def fetch_job(gateway: Gateway, query: Query) -> FetchJob:
    """Return the job of asking the department whose tables lie here."""
    provider = gateway.registry.by_dataset[HR].organisation
    keys = gateway.trust.snapshot.registry.record_keys(f"{provider}/provider").values()
    return FetchJob(query=query, issuer=provider, keys=tuple(key.public_key for key in keys))


async def begun(apart: ComputeApart, other_than: int | None = None) -> int:
    """Wait until a process takes jobs and return its id."""
    async with asyncio.timeout(BEGUN_S):
        while (process := apart.process_id) in {None, other_than}:  # noqa: ASYNC110 - as an operator sees it
            await asyncio.sleep(0.02)
    assert process is not None
    return process


def lives(process: int) -> bool:
    """Say whether a process is there."""
    return Path(f"/proc/{process}").exists()
