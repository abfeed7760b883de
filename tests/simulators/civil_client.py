"""Foreign clients of civil affairs: httpx with signatures of its own, asyncpg as the reader."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import asyncpg
import httpx

from adapters.simulators.population import Person, civil_affairs_record
from tests.simulators.simulator_process import plain_client

SID, ACCESS_KEY, APP_KEY = "s_1137000000000_0001", "hrss-access-0001", "demo-app-key-0001"
USER, PASSWORD = "hrss_reader", "demo-password"


def mac(text: str, key: str = APP_KEY) -> str:
    """Compute base64(HMAC-SHA256) as RFC 2104 writes it, not as the server does."""
    block = key.encode().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + text.encode()).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()
    return base64.b64encode(outer).decode()


@dataclass(slots=True, kw_only=True)
class CivilClient:
    """The registered requester."""

    url: str
    now_ms: Callable[[], int]
    http: httpx.Client = field(default_factory=plain_client)
    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)

    def post(self, service: str, question: Mapping[str, str], **changed: str) -> httpx.Response:
        """Ask; `changed` form values are signed, those of `form` and `headers` are not."""
        now = self.now_ms()
        rid, rtime = uuid4().hex, str(now)
        headers = {
            "gjzwfwpt_sid": SID,
            "gjzwfwpt_rid": rid,
            "gjzwfwpt_rtime": rtime,
            "gjzwfwpt_sign": mac(SID + rid + rtime),
        }
        form = {
            "access_key": ACCESS_KEY,
            "format": "json",
            "request_id": str(uuid4()),
            "timestamp": stamp(now),
            "version": "1.0",
            "biz_content": json.dumps(dict(question), ensure_ascii=False),
            **changed,
        }
        form["sign"] = mac("&".join(f"{name}={form[name]}" for name in sorted(form)))
        return self.http.post(
            f"{self.url}/gateway/ca/{service}",
            headers={**headers, **self.headers},
            data={**form, **self.form},
        )

    def ask(self, service: str, question: Mapping[str, str]) -> dict[str, str]:
        """Ask a verification and return its one result."""
        return self.business(service, question)["result"][0]

    def rows(
        self, service: str, question: Mapping[str, str], start: int = 0, limit: int = 100
    ) -> list[dict[str, str]]:
        """Ask for lines and return those of one page."""
        page = {"start": str(start), "limit": str(limit)}
        return self.business(service, {**question, **page})["rows"]

    def business(
        self, service: str, question: Mapping[str, str]
    ) -> dict[str, list[dict[str, str]]]:
        """Ask, demand both success codes and a right signature, return the business part."""
        answer = self.post(service, question).json()
        assert answer["code"] == "1", answer
        business = answer["biz_data"]
        assert business["code"] == "0", answer
        text = json.dumps(business, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert answer["sign"] == mac(answer["request_id"] + "1" + text)
        found: dict[str, list[dict[str, str]]] = business
        return found


def stamp(now_ms: int) -> str:
    """Write a time as the form wants it, in Beijing."""
    local = datetime.fromtimestamp(now_ms / 1000, timezone(timedelta(hours=8)))
    return f"{local:%Y%m%d%H%M%S}"


def about(person: Person, name: str = "name", number: str = "id_card") -> dict[str, str]:
    """Name a person as civil affairs spell him."""
    spelt = civil_affairs_record(person).full_name
    return {name: spelt, number: person.id_number, "item_code": "M4", "case_no": "case-0001"}


def of_one(person: Person) -> dict[str, str]:
    """Name a person for the questions about one marriage."""
    return about(person, "name_man", "cert_num_man")


def of_both(man: Person, woman: Person) -> dict[str, str]:
    """Name a man and a woman."""
    return {**of_one(man), **about(woman, "name_woman", "cert_num_woman")}


@asynccontextmanager
async def reader(port: int, password: str = PASSWORD) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the read-only role."""
    connection = await asyncpg.connect(
        host="127.0.0.1",
        port=port,
        user=USER,
        password=password,
        database="qzk",
        ssl=False,
    )
    try:
        yield connection
    finally:
        await connection.close()
