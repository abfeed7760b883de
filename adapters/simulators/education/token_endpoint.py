"""The token endpoint: client_credentials with private_key_jwt (RFC 6749 4.4, RFC 7523 2.2)."""

from typing import Final

from aiohttp import web

from adapters.simulators.education.assertion import AssertionJudge, Unproven
from adapters.simulators.education.clients import Client
from adapters.simulators.education.faults import Fault
from adapters.simulators.education.refusals import json_answer
from adapters.simulators.education.tokens import TokenMint
from adapters.simulators.faults import FaultBoard
from adapters.simulators.virtual_clock import VirtualClock

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PARAMETERS: Final = frozenset({"grant_type", "client_assertion_type", "client_assertion", "scope"})


class TokenRefused(Exception):
    """The endpoint refuses: `error` and `error_description` of RFC 6749, 5.2."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class TokenEndpoint:
    """Issues tokens to registered clients."""

    def __init__(
        self, judge: AssertionJudge, mint: TokenMint, clock: VirtualClock, board: FaultBoard[Fault]
    ) -> None:
        self._judge = judge
        self._mint = mint
        self._clock = clock
        self._board = board

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one token request."""
        try:
            return self._issue(await _parse_form(request))
        except TokenRefused as refused:
            status = 401 if refused.error == "invalid_client" else 400
            body = {"error": refused.error}
            if refused.description:
                body["error_description"] = refused.description
            return json_answer(body, status, {"Cache-Control": "no-store"})

    def _issue(self, form: dict[str, str]) -> web.Response:
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused("unsupported_grant_type")
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise TokenRefused("invalid_request")
        now_s = self._clock.now_ms() // 1000
        client = self._require_client(form.get("client_assertion", ""), now_s)
        scope = _granted(form.get("scope"), client)
        expired = self._board.strikes(Fault.TOKENS_EXPIRED)
        token = self._mint.issue(
            client.client_id, scope, now_s, -1 if expired else self._mint.life_s
        )
        return web.json_response(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": self._mint.life_s,
                "scope": scope,
            },
            headers={"Cache-Control": "no-store"},
        )

    def _require_client(self, assertion: str, now_s: int) -> Client:
        if self._board.strikes(Fault.CLIENT_KEY_EXPIRED):
            raise TokenRefused("invalid_client", "key_expired")
        if self._board.strikes(Fault.CLIENT_KEY_ROTATED):
            raise TokenRefused("invalid_client", "unknown_key")
        try:
            return self._judge.require_client(assertion, now_s)
        except Unproven as unproven:
            raise TokenRefused("invalid_client", str(unproven)) from unproven


async def _parse_form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise TokenRefused("invalid_request")
    pairs = [(name, value) for name, value in (await request.post()).items()]
    form = {name: value for name, value in pairs if isinstance(value, str)}
    # A repeated parameter is an error (RFC 6749, 3.2), an uploaded file too.
    if len(form) != len(pairs) or not form.keys() <= _PARAMETERS:
        raise TokenRefused("invalid_request")
    return form


def _granted(asked: str | None, client: Client) -> str:
    wanted = client.scope if asked is None else frozenset(asked.split())
    if not wanted or not wanted <= client.scope:
        raise TokenRefused("invalid_scope")
    return " ".join(sorted(wanted))
