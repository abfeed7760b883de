"""The admin page that changes the state of the front-end database (the manual, section 5)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web

from adapters.simulators.civil_affairs.front_end import LATE_LIMIT_S, SOURCES, CannotDo, FrontEnd

_VIEWS: Final = {f"v_{source}": source for source in SOURCES}
_LATE_S: Final = 300


class Action(StrEnum):
    """What can be done to the database."""

    CHANGE = "change"
    WITHDRAW = "withdraw"
    LATE_COMMIT = "late_commit"
    DUPLICATE = "duplicate"
    RENAME_COLUMN = "rename_column"
    LOCK_VIEW = "lock_view"
    STOP_REPLICATION = "stop_replication"
    RESUME_REPLICATION = "resume_replication"
    REVOKE = "revoke"
    DISCONNECT = "disconnect"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One action with its parameters."""

    action: Action
    source: str
    row: int
    seconds: int
    column: str


def front_end_page(front_end: FrontEnd) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Build the handler of `POST /front_end`."""

    async def change(request: web.Request) -> web.Response:
        try:
            order = _parse_order(await request.json())
            await _DOING[order.action](front_end, order)
        except (ValueError, TypeError, KeyError):
            return web.json_response({"error": "expected a known action"}, status=400)
        except CannotDo as why:
            return web.json_response({"error": str(why)}, status=400)
        return web.json_response({"done": order.action.value})

    return change


def _parse_order(body: object) -> _Order:
    # Defaults first: what the caller sends replaces them.
    defaults = {"view": "v_cremation", "row_id": 1, "seconds": _LATE_S, "column": ""}
    if not isinstance(body, dict):
        raise TypeError("expected an object")
    match {**defaults, **body}:
        case {
            "action": str(action),
            "view": str(view),
            "row_id": int(row),
            "seconds": int(seconds),
            "column": str(column),
        } if 0 <= seconds <= LATE_LIMIT_S:
            order = _Order(
                action=Action(action),
                source=_VIEWS[view],
                row=row,
                seconds=seconds,
                column=column,
            )
        case _:
            raise ValueError("a parameter has another type or is outside its limits")
    if order.action is Action.RENAME_COLUMN and not column:
        raise ValueError("which column?")
    return order


# How each action is done.
_DOING: Final[dict[Action, Callable[[FrontEnd, _Order], Awaitable[None]]]] = {
    Action.CHANGE: lambda base, order: base.touch(order.source, order.row, None),
    Action.WITHDRAW: lambda base, order: base.touch(order.source, order.row, "0"),
    Action.LATE_COMMIT: lambda base, order: base.copy_row(
        order.source, order.row, suffix="L", late_s=order.seconds
    ),
    Action.DUPLICATE: lambda base, order: base.copy_row(
        order.source, order.row, suffix="", late_s=0
    ),
    Action.RENAME_COLUMN: lambda base, order: base.rename(order.source, order.column),
    Action.LOCK_VIEW: lambda base, order: base.lock(order.source),
    Action.STOP_REPLICATION: lambda base, _order: base.pause(),
    Action.RESUME_REPLICATION: lambda base, _order: base.resume(),
    Action.REVOKE: lambda base, order: base.forbid(order.source),
    Action.DISCONNECT: lambda base, _order: base.disconnect(),
    Action.RESET: lambda base, _order: base.reset(),
}
