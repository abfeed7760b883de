"""Starts the education simulator; prints one line of JSON when it is ready."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aiohttp import web

from adapters.simulators.admin import Controls, build_admin
from adapters.simulators.command_line import board_of, common_arguments, ports_of
from adapters.simulators.education.app import Department, build_face
from adapters.simulators.education.assertion import AssertionJudge
from adapters.simulators.education.clients import load_clients
from adapters.simulators.education.faults import Fault
from adapters.simulators.education.jobs import Jobs
from adapters.simulators.education.register import Register
from adapters.simulators.education.token_endpoint import TokenEndpoint
from adapters.simulators.education.tokens import TokenMint
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
    clock, recorder = VirtualClock(), Recorder()
    board = board_of(arguments, Fault)
    people = Population(seed=arguments.seed, size=arguments.population)
    judge = AssertionJudge(issuer=arguments.issuer, clients=load_clients(arguments.clients))
    mint = TokenMint(issuer=arguments.issuer, life_s=arguments.token_seconds)
    department = Department(
        register=Register(people, board),
        jobs=Jobs(delay_ms=arguments.async_seconds * 1000),
        mint=mint,
        tokens=TokenEndpoint(judge, mint, clock, board),
        board=board,
        clock=clock,
        recorder=recorder,
    )

    async def reload(_request: web.Request) -> web.Response:
        judge.clients = load_clients(arguments.clients)
        return web.json_response({"clients": sorted(judge.clients)})

    controls = Controls(token=token, clock=clock, recorder=recorder, people=people)
    return Server(
        department="education",
        face=build_face(department),
        admin=build_admin(controls, board, web.post("/clients/reload", reload)),
        recorder=recorder,
    )


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="adapters.simulators.education", description=__doc__)
    common_arguments(parser, Fault)
    parser.add_argument("--clients", type=Path, required=True, help="registered clients, JSON")
    parser.add_argument("--issuer", default="https://edu.sandbox.invalid")
    parser.add_argument("--token-seconds", type=int, default=600)
    parser.add_argument("--async-seconds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
