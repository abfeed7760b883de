"""The options every simulator has."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from enum import StrEnum
from typing import TypeVar

from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import Ports
from adapters.simulators.population.people import DEFAULT_SIZE

F = TypeVar("F", bound=StrEnum)


def common_arguments(parser: ArgumentParser, faults: type[StrEnum]) -> None:
    """Add ports, population, the faults to begin with, and the way to end."""

    def judged(text: str) -> str:
        try:
            FaultBoard(faults).switch(*parse_fault(text))
        except ValueError:
            names = ", ".join(faults)
            raise ArgumentTypeError(
                f"no such fault, or no such count; there are: {names}"
            ) from None
        return text

    parser.add_argument("--port", type=int, default=0, help="0 chooses a free port")
    parser.add_argument("--admin-port", type=int, default=0, help="0 chooses a free port")
    # The same default everywhere: departments started without options know the same people.
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--population", type=int, default=DEFAULT_SIZE)
    parser.add_argument(
        "--fault",
        type=judged,
        action="append",
        default=[],
        metavar="NAME[:COUNT]",
        help="a fault that is on from the start, so many times; may be given several times",
    )
    parser.add_argument(
        "--exit-with-stdin", action="store_true", help="end when standard input ends"
    )


def parse_fault(text: str) -> tuple[str, int | None]:
    """Return name and count of `NAME[:COUNT]`; None: until it is switched off.

    Raises:
        ValueError: the count is no number above zero.
    """
    name, colon, count = text.partition(":")
    if not colon:
        return name, None
    # Digits alone: `int` would take signs, blanks and underlines as well.
    if not (count.isascii() and count.isdigit() and int(count)):
        raise ValueError("a count is a number above zero")
    return name, int(count)


def board_of(arguments: Namespace, faults: type[F]) -> FaultBoard[F]:
    """Return the switches of a simulator, those named on its command line switched on."""
    board = FaultBoard(faults)
    for text in arguments.fault:
        board.switch(*parse_fault(text))
    return board


def ports_of(arguments: Namespace) -> Ports:
    """Read the ports."""
    return Ports(
        face=arguments.port,
        admin=arguments.admin_port,
        exit_with_stdin=arguments.exit_with_stdin,
    )
