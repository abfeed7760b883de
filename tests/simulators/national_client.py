"""A foreign client of the national platform: httpx, with signatures written from the page."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.simulators.civil_client import stamp
from tests.simulators.police_client import decrypt
from tests.simulators.simulator_process import plain_client

APP_KEY, ACCESS_KEY = "demo-app-key-0001", "hrss-access-0001"
SID_SHA, SID_SM3 = "s_1137000000000_0001", "s_1137000000000_0002"
HASHES = {SID_SHA: "sha256", SID_SM3: "sm3"}


def mac(text: str, key: str, name: str) -> str:
    """Compute base64(HMAC) as RFC 2104 writes it, not as the server does."""
    octets = key.encode()
    block = (octets if len(octets) <= 64 else hashlib.new(name, octets).digest()).ljust(64, b"\0")
    inner = hashlib.new(name, bytes(byte ^ 0x36 for byte in block) + text.encode()).digest()
    outer = hashlib.new(name, bytes(byte ^ 0x5C for byte in block) + inner).digest()
    return base64.b64encode(outer).decode()


@dataclass(slots=True, kw_only=True)
class NationalClient:
    """A registered requester of either generation."""

    url: str
    now_ms: Callable[[], int]
    sid: str = SID_SHA
    http: httpx.Client = field(default_factory=plain_client)
    key: str = ""

    def values(self, key: str, prefix: str, **changed: str) -> dict[str, str]:
        """Compose the four values; changed ones are signed as they are."""
        four = {"rid": uuid4().hex, "sid": self.sid, "rtime": str(self.now_ms()), **changed}
        sign = mac(four["sid"] + four["rid"] + four["rtime"], key, HASHES[self.sid])
        four.setdefault("sign", sign)
        return {f"{prefix}_{name}": text for name, text in four.items()}

    def refresh(self, **changed: str) -> dict[str, object]:
        """Fetch a secret; the key of a good answer is kept."""
        body = self.values(APP_KEY, "gjgxjhpt", **changed)
        answer = dict(self.http.post(f"{self.url}/gjgxjhpt/secret", json=body).json())
        if answer["code"] == "0":
            self.key = decrypt(APP_KEY, answer["data"]["secret"])
        return answer

    def carry(self, method: str, path: str, body: bytes = b"", **changed: str) -> httpx.Response:
        """Send a call of generation 1."""
        headers = {
            "Content-Type": "application/json",
            "X-Request-Id": str(uuid4()),
            **self.values(self.key, "gjgxjhpt", **changed),
        }
        address = f"{self.url}/gjgxjhpt/rest{path}"
        return self.http.request(method, address, content=body, headers=headers)

    def form(self, content: Mapping[str, object] | str, **changed: str) -> dict[str, str]:
        """Compose a form; changed members are signed as they are."""
        text = content if isinstance(content, str) else json.dumps(dict(content))
        form = {
            "access_key": ACCESS_KEY,
            "format": "json",
            "request_id": str(uuid4()),
            "timestamp": stamp(self.now_ms()),
            "version": "1.0",
            "biz_content": text,
            **changed,
        }
        signed = "&".join(f"{name}={form[name]}" for name in sorted(form))
        return {"sign": mac(signed, APP_KEY, HASHES[self.sid]), **form}

    def post(
        self, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        """Send a form of generation 2."""
        proof = headers or self.values(APP_KEY, "gjzwfwpt")
        answer = self.http.post(f"{self.url}/gateway/rest", data=dict(form), headers=proof)
        return dict(answer.json())

    def open(self, answer: Mapping[str, object]) -> dict[str, str]:
        """Demand both success codes and a right signature; return the one result."""
        business = answer["biz_data"]
        assert isinstance(business, dict)
        assert (answer["code"], business["code"]) == ("1", "0")
        text = json.dumps(business, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        told = f"{answer['request_id']}1{text}"
        assert answer["sign"] == mac(told, APP_KEY, HASHES[self.sid])
        (result,) = business["result"]
        return dict(result)
