"""Starts the commerce simulator; prints one line of JSON when it is ready."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aiohttp import web

from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.commerce.app import Department, build_face
from adapters.simulators.commerce.changes import Feed
from adapters.simulators.commerce.faults import Fault
from adapters.simulators.commerce.keys import load_keys
from adapters.simulators.commerce.register import Register
from adapters.simulators.commerce.webhooks import Webhooks
from adapters.simulators.loopback import Server, new_admin_token, run
from adapters.simulators.population import Population
from adapters.simulators.recorder import Recorder
from adapters.simulators.virtual_clock import VirtualClock


def main() -> None:
    """Serve as the command line says until told to stop."""
    arguments = _parse_arguments()
    token = new_admin_token()
    run(build_server(arguments, token), ports_of(arguments), token)


def build_server(arguments: Namespace, token: str) -> Server:
    """Wire the department and its admin port."""
    clock, recorder, board = VirtualClock(), Recorder(), board_of(arguments, Fault)
    people = Population(seed=arguments.seed, size=arguments.population)
    register = Register(people=people, board=board)
    department = Department(
        keys=load_keys(arguments.keys),
        register=register,
        feed=Feed(register),
        webhooks=Webhooks(clock=clock, board=board, retry_ms=arguments.retry_ms),
        board=board,
        clock=clock,
        recorder=recorder,
    )
    department.feed.load()
    controls = Controls(token=token, clock=clock, recorder=recorder, people=people)
    return Server(
        department="commerce",
        face=build_face(department),
        admin=build_admin(controls, board, _enter_route(department)),
        recorder=recorder,
    )


def _enter_route(department: Department) -> web.RouteDef:
    """Build the admin page that lets a change happen now."""

    async def enter(request: web.Request) -> web.Response:
        match await request.json():
            case {"uniscid": str(uscc), "event": ("02" | "03" | "04") as event}:
                item = department.feed.enter(uscc, event, department.clock.local())
            case _:
                return web.json_response({"error": "expected uniscid, event"}, status=400)
        if item is None:
            return web.json_response({"error": "no such enterprise"}, status=404)
        department.webhooks.tell(item)
        return web.json_response(item)

    return web.post("/changes", enter)


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="adapters.simulators.commerce", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--keys", type=Path, required=True, help="registered API keys, JSON")
    parser.add_argument("--retry-ms", type=int, default=1000, help="first wait of a webhook")
    return parser.parse_args()


if __name__ == "__main__":
    main()
