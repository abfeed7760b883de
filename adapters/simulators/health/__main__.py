"""Starts the health simulator; prints one line of JSON when it is ready."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.health.app import Department, build_face
from adapters.simulators.health.apps import load_apps
from adapters.simulators.health.faults import Fault
from adapters.simulators.health.quota import Quota
from adapters.simulators.health.register import Register
from adapters.simulators.health.signatures import Gate
from adapters.simulators.loopback import Server, new_admin_token, run
from adapters.simulators.population import Population
from adapters.simulators.recorder import Recorder
from adapters.simulators.virtual_clock import VirtualClock

CALLS_PER_SECOND = 200
"""What one requester may ask in a second (manual, section 2)."""


def main() -> None:
    """Serve as the command line says until told to stop."""
    arguments = _parse_arguments()
    token = new_admin_token()
    run(build_server(arguments, token), ports_of(arguments), token)


def build_server(arguments: Namespace, token: str) -> Server:
    """Wire the department and its admin port."""
    clock, recorder, board = VirtualClock(), Recorder(), board_of(arguments, Fault)
    people = Population(seed=arguments.seed, size=arguments.population)
    department = Department(
        register=Register(people),
        gate=Gate(apps=load_apps(arguments.apps)),
        quota=Quota(per_second=arguments.calls_per_second),
        board=board,
        clock=clock,
        recorder=recorder,
    )
    controls = Controls(token=token, clock=clock, recorder=recorder, people=people)
    return Server(
        department="health",
        face=build_face(department),
        admin=build_admin(controls, board),
        recorder=recorder,
    )


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="adapters.simulators.health", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--apps", type=Path, required=True, help="registered requesters, JSON")
    parser.add_argument(
        "--calls-per-second", type=int, default=CALLS_PER_SECOND, help="per requester; 0 for any"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
