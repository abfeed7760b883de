"""Generation 1: the department's own call with four headers (docs/adapters/national.md, 4).

INVARIANT: an answer without the platform's mark, or with another call's id, is not read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.errors import AnswerMalformed
from adapters.national.dialect import NOT_CARRIED, PlatformRefused, Send, is_key_unknown
from adapters.national.secret import SecretKeeper
from adapters.national.signature import Caller, Mac, sign_call
from adapters.transport import HttpAnswer, HttpCall

_PREFIX: Final = "/gjgxjhpt/rest"
_CARRIED: Final = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Direct:
    """Sends what fetches a secret within the time of the call that needs it."""

    send: Send

    async def fetch(self, call: HttpCall, deadline: float) -> HttpAnswer:  # noqa: ARG002 - kept by `send`
        return await self.send(call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation1:
    """Signs each call with a secret fetched beforehand, one for each registered id."""

    app_key: str = field(repr=False)
    mac: Mac
    now_ms: Callable[[], int]
    _keepers: dict[str, SecretKeeper] = field(default_factory=dict, init=False, repr=False)

    async def carry(self, call: HttpCall, sid: str, send: Send) -> HttpAnswer:
        """Carry a call; see `Dialect.carry`."""
        keeper = self._keeper(sid, send)
        now_ms = self.now_ms()
        secret = await keeper.fetch(now_ms, 0)
        proof = sign_call(sid, secret, now_ms, mac=self.mac)
        own = {name: text for name, text in call.headers.items() if name.lower() not in NOT_CARRIED}
        answer = await send(replace(call, path=_PREFIX + call.path, headers={**own, **proof}))
        code = answer.headers.get("gjgxjhpt_code")
        if code is None:
            # A page of something between us and the platform, and no word of the department.
            raise AnswerMalformed("answer without the platform's code")
        if code != _CARRIED:
            refused = PlatformRefused(code)
            if is_key_unknown(refused):
                keeper.forget(secret)
            raise refused
        # The generation signs no answer; at least it is the answer to this call.
        if answer.headers.get("gjgxjhpt_rid") != proof["gjgxjhpt_rid"]:
            raise AnswerMalformed("answer to another call")
        return answer

    def _keeper(self, sid: str, send: Send) -> SecretKeeper:
        if sid not in self._keepers:
            caller = Caller(sid=sid, app_key=self.app_key, mac=self.mac)
            self._keepers[sid] = SecretKeeper(_Direct(send=send), caller)
        return self._keepers[sid]
