"""Does every job at once, in this process: with one core, and while the other process is away."""

from gateway.compute.port import Opened, OpenJob, ProveJob, SealJob
from gateway.compute.work import open_call, prove_record
from gateway.distrust import Minimised
from gateway.receipt import build_answer
from signing.signer import Signer


class ComputeHere:
    """Calls the functions."""

    __slots__ = ("_signer",)

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def open(self, job: OpenJob) -> Opened:
        """Return what is proven of a call; raises as `Compute.open`."""
        return open_call(job)

    async def prove(self, job: ProveJob) -> Minimised:
        """Return what was granted of a record; raises as `Compute.prove`."""
        return prove_record(job)

    async def seal(self, job: SealJob) -> bytes:
        """Return the signed answer."""
        return build_answer(self._signer, job.commitment, job.logged)
