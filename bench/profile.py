"""Shows where the gateway's event loop spends its time under load: `python -m bench.profile`.

Time of the loop's thread alone, by function. cProfile makes small functions look dearer than they
are, so shares rank what to look at; only `python -m bench` tells what a change brought.
"""

import asyncio
import io
import pstats
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.corpus import build_corpus, write_corpus
from bench.exchanges import generate
from bench.processes import running
from bench.serving import UNARY
from bench.world import PARTICIPATION, bench_world, build_questions, select_answered
from gateway.clock import SystemClock
from hutong.client.requests import build_exchange

SECONDS: Final = 8
CALLERS: Final = 32
MESSAGES: Final = 5_000
LINES: Final = 45


async def profile_exchange(folder: Path) -> tuple[int, pstats.Stats]:
    """Load a gateway under the profiler; return how many it answered and what it spent."""
    path = folder / "statistics"
    async with bench_world(folder) as world:
        async with running("profiled", str(world.config), str(path), "1"):
            questions = build_questions(world.identity, PARTICIPATION)
            asked = [each for each, _ in await select_answered(world.identity, questions)]
            now_ms = SystemClock().now_ms()
            write_corpus(
                folder / "corpus",
                build_corpus(world.identity, asked, MESSAGES, build_exchange, now_ms),
            )
            load = await generate(world, folder / "corpus", UNARY, (SECONDS, CALLERS))
        return load.answered + len(questions), pstats.Stats(str(path))


def main() -> None:
    """Print the dearest functions, by their own time and by all below them."""
    with tempfile.TemporaryDirectory(prefix="hutong-profile-") as folder:
        answered, statistics = asyncio.run(profile_exchange(Path(folder)))
    print(f"{answered} exchanges")
    for order in ("tottime", "cumulative"):
        text = io.StringIO()
        statistics.stream = text  # type: ignore[attr-defined]  # its stubs leave the member out
        statistics.strip_dirs().sort_stats(order).print_stats(LINES)
        sys.stdout.write(text.getvalue())


if __name__ == "__main__":
    main()
