"""Starts the platform simulator; prints one line of JSON when it is ready."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.simulators import signed_form, two_step_key
from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.faults import FaultBoard
from adapters.simulators.keyed_hash import Mac
from adapters.simulators.loopback import (
    Server,
    new_admin_token,
    record_into,
    refuse_strangers,
    run,
)
from adapters.simulators.national import generation1, generation2
from adapters.simulators.national.apps import App, load_apps
from adapters.simulators.national.faults import SPOILS, Fault
from adapters.simulators.national.platform import BODY_LIMIT, Platform
from adapters.simulators.population import Population
from adapters.simulators.recorder import Recorder
from adapters.simulators.spoil import spoil
from adapters.simulators.virtual_clock import VirtualClock


def main() -> None:
    """Serve as the command line says until told to stop."""
    arguments = _parse_arguments()
    token = new_admin_token()
    run(build_server(arguments, token), ports_of(arguments), token)


def build_server(arguments: Namespace, token: str) -> Server:
    """Wire the platform and its admin port."""
    apps = load_apps(arguments.apps)
    platform = Platform(
        keys=two_step_key.Platform(
            apps=apps, secret_ms=arguments.secret_seconds * 1000, mac_of=_mac_of
        ),
        forms=signed_form.Platform(apps=apps, mac_of=_mac_of),
        board=board_of(arguments, Fault),
        clock=VirtualClock(),
        recorder=Recorder(),
    )
    # The platform holds no people; the admin port shows those of the department behind it.
    people = Population(seed=arguments.seed, size=arguments.population)
    controls = Controls(
        token=token, clock=platform.clock, recorder=platform.recorder, people=people
    )
    return Server(
        department="national",
        face=build_face(platform),
        admin=build_admin(controls, platform.board),
        recorder=platform.recorder,
    )


def build_face(platform: Platform) -> web.Application:
    """Wire both generations."""
    face = web.Application(
        client_max_size=BODY_LIMIT,
        middlewares=[
            refuse_strangers,
            record_into(platform.recorder, platform.clock),
            _strike(platform.board),
        ],
    )
    face.add_routes([*generation1.routes(platform), *generation2.routes(platform)])
    return face


def _strike(board: FaultBoard[Fault]) -> Middleware:
    """Build the middleware that spoils answers below the dialect."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        struck = board.take(among=SPOILS.keys())
        return await (spoil(request, handler, SPOILS[struck]) if struck else handler(request))

    return strike


def _mac_of(app: App) -> Mac:
    return app.mac


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="adapters.simulators.national", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--apps", type=Path, required=True, help="registered requesters, JSON")
    parser.add_argument("--secret-seconds", type=int, default=1800)
    return parser.parse_args()


if __name__ == "__main__":
    main()
