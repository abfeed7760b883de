"""The admin port every simulator has: faults, clock, what was received, people.

Guarded by a random bearer token that is printed once at start. JSON in, JSON out.
"""

import hmac
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import refuse_strangers
from adapters.simulators.people_page import person_page
from adapters.simulators.population import Population, planted
from adapters.simulators.recorder import Received, Recorder
from adapters.simulators.virtual_clock import VirtualClock

F = TypeVar("F", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What the admin port turns; shared with the face of the simulator."""

    token: str
    clock: VirtualClock
    recorder: Recorder
    people: Population


def build_admin(controls: Controls, board: FaultBoard[F], *extra: web.RouteDef) -> web.Application:
    """Wire the admin port, with routes of the department's own."""
    app = web.Application(middlewares=[refuse_strangers, _demand(controls.token)])
    app.add_routes(
        [
            *_fault_routes(board),
            *_clock_routes(controls.clock),
            *_received_routes(controls.recorder),
            *_people_routes(controls.people),
            *extra,
        ]
    )
    return app


def _demand(token: str) -> Middleware:
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def demand(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Compared in constant time, although only this machine can ask.
        shown = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(shown, expected):
            return web.json_response({"error": "admin token required"}, status=401)
        return await handler(request)

    return demand


def _fault_routes(board: FaultBoard[F]) -> list[web.RouteDef]:
    async def list_faults(_request: web.Request) -> web.Response:
        return web.json_response({"faults": board.list_all()})

    async def switch(request: web.Request) -> web.Response:
        try:
            # Defaults first: what the caller sends replaces them.
            match {"count": None, "after": 0, "every": 1, **await request.json()}:
                case {
                    "name": str(name),
                    "count": (int() | None) as count,
                    "after": int(after),
                    "every": int(every),
                }:
                    board.switch(name, count, after, every)
                case _:
                    return _bad("expected name, count, after, every")
        except TypeError:
            return _bad("expected an object")
        except ValueError as error:
            return _bad(str(error))
        return web.json_response({"faults": board.list_all()})

    async def clear(_request: web.Request) -> web.Response:
        board.clear()
        return web.json_response({"faults": board.list_all()})

    return [
        web.get("/faults", list_faults),
        web.post("/faults", switch),
        web.delete("/faults", clear),
    ]


def _clock_routes(clock: VirtualClock) -> list[web.RouteDef]:
    async def tell(_request: web.Request) -> web.Response:
        return web.json_response({"now_ms": clock.now_ms(), "offset_ms": clock.offset_ms})

    async def turn(request: web.Request) -> web.Response:
        match await request.json():
            case {"now_ms": int(now_ms)}:
                clock.set_to(now_ms)
            case {"advance_ms": int(step)}:
                clock.offset_ms += step
            case {"offset_ms": int(offset)}:
                clock.offset_ms = offset
            case _:
                return _bad("expected now_ms, advance_ms or offset_ms")
        return await tell(request)

    return [web.get("/clock", tell), web.post("/clock", turn)]


def _received_routes(recorder: Recorder) -> list[web.RouteDef]:
    async def list_received(request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            return _bad("after is not a number")
        # Whoever follows a long run asks for what is new only.
        rows = [_received_row(received) for received in recorder.list_after(int(after))]
        return web.json_response({"count": recorder.count, "received": rows})

    async def wipe(_request: web.Request) -> web.Response:
        recorder.wipe()
        return web.json_response({"count": recorder.count, "received": []})

    return [web.get("/received", list_received), web.delete("/received", wipe)]


def _received_row(received: Received) -> dict[str, int | str | list[list[str]]]:
    return {
        "number": received.number,
        "at_ms": received.at_ms,
        "method": received.method,
        "path": received.path,
        "headers": [list(pair) for pair in received.headers],
        "body": bytes(received.body).decode("utf-8", "backslashreplace"),
    }


def _people_routes(people: Population) -> list[web.RouteDef]:
    async def list_planted(_request: web.Request) -> web.Response:
        return web.json_response({"planted": [asdict(person) for person in planted()]})

    async def show(request: web.Request) -> web.Response:
        try:
            someone = people.person(int(request.match_info["index"]))
        except IndexError:
            return web.json_response({"error": "nobody has this index"}, status=404)
        return web.json_response(person_page(someone))

    return [web.get("/planted", list_planted), web.get(r"/persons/{index:\d{1,9}}", show)]


def _bad(why: str) -> web.Response:
    return web.json_response({"error": why}, status=400)
