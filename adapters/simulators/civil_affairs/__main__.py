"""Starts the civil affairs simulator; prints one line of JSON when it is ready."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.civil_affairs.app import Department, build_face
from adapters.simulators.civil_affairs.apps import Registration, load_registration
from adapters.simulators.civil_affairs.faults import Fault
from adapters.simulators.civil_affairs.front_end import FrontEnd, database_process
from adapters.simulators.civil_affairs.front_end_page import front_end_page
from adapters.simulators.civil_affairs.platform import Platform
from adapters.simulators.civil_affairs.register import Registers
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import Server, new_admin_token, run
from adapters.simulators.population import Population
from adapters.simulators.recorder import Recorder
from adapters.simulators.virtual_clock import VirtualClock


def main() -> None:
    """Serve as the command line says until told to stop."""
    arguments = _parse_arguments()
    registration = load_registration(arguments.apps)
    token, clock = new_admin_token(), VirtualClock()
    people = Population(seed=arguments.seed, size=arguments.population)
    registers = Registers(people)
    with database_process(arguments.front_end_port) as (port, password):
        front_end = FrontEnd(port=port, password=password, reader=registration.reader, clock=clock)
        asyncio.run(front_end.create(registers))
        controls = Controls(token=token, clock=clock, recorder=Recorder(), people=people)
        board = board_of(arguments, Fault)
        server = build_server(registration, registers, front_end, controls, board)
        run(server, ports_of(arguments), token)


def build_server(
    registration: Registration,
    registers: Registers,
    front_end: FrontEnd,
    controls: Controls,
    board: FaultBoard[Fault],
) -> Server:
    """Wire the department and its admin port."""
    department = Department(
        registers=registers,
        platform=Platform(apps=registration.apps),
        board=board,
        clock=controls.clock,
        recorder=controls.recorder,
    )
    route = web.post("/front_end", front_end_page(front_end))
    admin = build_admin(controls, board, route)

    async def beating(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(front_end.beat())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await front_end.release()

    admin.cleanup_ctx.append(beating)
    return Server(
        department="civil_affairs",
        face=build_face(department),
        admin=admin,
        recorder=controls.recorder,
        published={"front_end_port": front_end.port},
    )


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="adapters.simulators.civil_affairs", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--apps", type=Path, required=True, help="registered requesters, JSON")
    parser.add_argument("--front-end-port", type=int, default=0, help="0 chooses a free port")
    return parser.parse_args()


if __name__ == "__main__":
    main()
