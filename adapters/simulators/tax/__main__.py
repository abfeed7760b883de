"""Starts the tax simulator; prints one line of JSON when it is ready."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import asyncssh
from aiohttp import web

from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.loopback import Server, new_admin_token, run
from adapters.simulators.population import Population
from adapters.simulators.recorder import Recorder
from adapters.simulators.tax.clients import load_clients
from adapters.simulators.tax.desk import Desk, Timing
from adapters.simulators.tax.face import SftpFace
from adapters.simulators.tax.faults import Fault
from adapters.simulators.tax.register import Register
from adapters.simulators.virtual_clock import VirtualClock


def main() -> None:
    """Serve as the command line says until told to stop."""
    arguments = _parse_arguments()
    token = new_admin_token()
    run(build_server(arguments, token), ports_of(arguments), token)


def build_server(arguments: Namespace, token: str) -> Server:
    """Wire the department and its admin port."""
    clock, recorder = VirtualClock(), Recorder()
    board = board_of(arguments, Fault)
    people = Population(seed=arguments.seed, size=arguments.population)
    timing = Timing(
        ack_ms=arguments.ack_ms, result_ms=arguments.result_ms, month_end=arguments.month_end
    )
    desk = Desk(Register(people, board), board, clock, recorder, timing)
    face = SftpFace(desk, board, load_clients(arguments.clients), _host_key(arguments.host_key))
    controls = Controls(token=token, clock=clock, recorder=recorder, people=people)
    return Server(
        department="tax",
        face=face,
        admin=build_admin(controls, board, *_routes(face, timing, arguments.clients)),
        recorder=recorder,
        published={"host_key": face.host_key},
    )


def _routes(face: SftpFace, timing: Timing, clients: Path) -> list[web.RouteDef]:
    async def tell_host_key(_request: web.Request) -> web.Response:
        return web.json_response({"host_key": face.host_key})

    async def turn_month_end(request: web.Request) -> web.Response:
        match await request.json():
            case {"on": bool(on)}:
                timing.month_end = on
                return web.json_response({"on": on})
            case _:
                return web.json_response({"error": "expected on"}, status=400)

    async def reload(_request: web.Request) -> web.Response:
        face.clients = load_clients(clients)
        return web.json_response({"clients": sorted(face.clients)})

    return [
        web.get("/host-key", tell_host_key),
        web.post("/month-end", turn_month_end),
        web.post("/clients/reload", reload),
    ]


def _host_key(path: Path | None) -> asyncssh.SSHKey:
    if path is None:
        return asyncssh.generate_private_key("ssh-ed25519")
    return asyncssh.read_private_key(path)


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="adapters.simulators.tax", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--clients", type=Path, required=True, help="registered clients, JSON")
    parser.add_argument("--host-key", type=Path, help="private key, OpenSSH; else a new one")
    parser.add_argument("--ack-ms", type=int, default=20)
    parser.add_argument("--result-ms", type=int, default=100)
    parser.add_argument("--month-end", action="store_true", help="closed in that night")
    return parser.parse_args()


if __name__ == "__main__":
    main()
