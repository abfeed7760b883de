"""The options every simulator has."""

from argparse import ArgumentParser, Namespace

from adapters.simulators.loopback import Ports
from adapters.simulators.population.people import DEFAULT_SIZE


def common_arguments(parser: ArgumentParser) -> None:
    """Add ports, population and the way to end."""
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free port")
    parser.add_argument("--admin-port", type=int, default=0, help="0 chooses a free port")
    # The same default everywhere: departments started without options know the same people.
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--population", type=int, default=DEFAULT_SIZE)
    parser.add_argument(
        "--exit-with-stdin", action="store_true", help="end when standard input ends"
    )


def ports_of(arguments: Namespace) -> Ports:
    """Read the ports."""
    return Ports(
        face=arguments.port,
        admin=arguments.admin_port,
        exit_with_stdin=arguments.exit_with_stdin,
    )
