"""Starts the public security simulator; prints one line of JSON when it is ready."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aiohttp import web

from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.loopback import Server, new_admin_token, run
from adapters.simulators.population import Population
from adapters.simulators.public_security.app import Department, Mode, build_face
from adapters.simulators.public_security.apps import load_apps
from adapters.simulators.public_security.faults import Fault
from adapters.simulators.public_security.platform import Platform
from adapters.simulators.public_security.register import Register
from adapters.simulators.recorder import Recorder
from adapters.simulators.virtual_clock import VirtualClock


def main() -> None:
    """Serve as the command line says until told to stop."""
    arguments = _parse_arguments()
    token = new_admin_token()
    run(build_server(arguments, token), ports_of(arguments), token)


def build_server(arguments: Namespace, token: str) -> Server:
    """Wire the department and its admin port."""
    clock, recorder = VirtualClock(), Recorder()
    board, mode = board_of(arguments, Fault), Mode(lax=arguments.lax)
    people = Population(seed=arguments.seed, size=arguments.population)
    platform = Platform(apps=load_apps(arguments.apps), secret_ms=arguments.secret_seconds * 1000)
    department = Department(
        register=Register(people),
        platform=platform,
        mode=mode,
        board=board,
        clock=clock,
        recorder=recorder,
    )

    async def turn(request: web.Request) -> web.Response:
        match await request.json():
            case {"lax": bool(lax)}:
                mode.lax = lax
                return web.json_response({"lax": mode.lax})
            case _:
                return web.json_response({"error": "expected lax"}, status=400)

    controls = Controls(token=token, clock=clock, recorder=recorder, people=people)
    return Server(
        department="public_security",
        face=build_face(department),
        admin=build_admin(controls, board, web.post("/mode", turn)),
        recorder=recorder,
    )


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="adapters.simulators.public_security", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--apps", type=Path, required=True, help="registered requesters, JSON")
    parser.add_argument("--secret-seconds", type=int, default=1800)
    parser.add_argument("--lax", action="store_true", help="take namespaces as real servers do")
    return parser.parse_args()


if __name__ == "__main__":
    main()
