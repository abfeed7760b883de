"""Changes are delivered to whoever registered on loopback: signed, retried, never elsewhere."""

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread

import httpx
import pytest
from openapi_core import OpenAPI
from typing_extensions import override

from adapters.simulators.population.employers import ORDINARY
from adapters.simulators.population.enterprises import enterprise_at
from tests.simulators.commerce_client import (
    CHANGES,
    WEBHOOKS,
    CommerceClient,
    answer_violates,
    request_violates,
)
from tests.simulators.simulator_process import Running

SECRET = "demo-webhook-secret-01"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request the receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def signature(self) -> str:
        """What a receiver computes."""
        text = f"{self.headers['X-Cm-Webhook-Id']}.{self.headers['X-Cm-Webhook-Timestamp']}."
        return "v1=" + hmac.new(SECRET.encode(), text.encode() + self.body, sha256).hexdigest()

    @property
    def genuine(self) -> bool:
        """Whether the signature sent is the one computed."""
        return self.headers["X-Cm-Webhook-Signature"] == self.signature


@dataclass(slots=True)
class Receiver:
    """A plain HTTP server of the standard library; `statuses` are answered first, then 204."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    got: Queue[Delivery] = field(default_factory=Queue)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    def next(self) -> Delivery:
        """Wait for a delivery."""
        return self.got.get(timeout=5)

    def stays_empty(self, seconds: float = 0.4) -> bool:
        """Tell whether nothing more comes for a while."""
        try:
            self.got.get(timeout=seconds)
        except Empty:
            return True
        return False


@contextmanager
def _listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name the standard library calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.end_headers()
            receiver.got.put(Delivery(dict(self.headers), body))

        def do_GET(self) -> None:  # where a redirect that is followed would arrive
            self.send_response(204)
            self.end_headers()
            receiver.got.put(Delivery(dict(self.headers), b""))

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver(registry: CommerceClient) -> Iterator[Receiver]:
    """A registered receiver."""
    with _listening() as found:
        assert _register(registry, found.url).status_code == 201
        yield found


def _register(client: CommerceClient, url: str, secret: str = SECRET) -> httpx.Response:
    return client.post(WEBHOOKS, {"url": url, "secret": secret, "authcode": "HRSS-DEMO"})


def _happen(commerce: Running, event: str = "02", nth: int = 0) -> dict[str, object]:
    """Let a change happen now."""
    companies = (one for number in ORDINARY[700:] if (one := enterprise_at(1, number)))
    code = [next(companies).employer.uscc for _ in range(nth + 1)][nth]
    answer = commerce.admin.post("/changes", json={"uniscid": code, "event": event})
    assert answer.status_code == 200
    item: dict[str, object] = answer.json()
    return item


def test_a_change_is_delivered_signed(
    registry: CommerceClient, commerce: Running, receiver: Receiver, document: OpenAPI
) -> None:
    """The body is the item of the feed, the time is the department's, the signature holds."""
    item = _happen(commerce, "04")

    delivery = receiver.next()

    assert delivery.genuine
    assert json.loads(delivery.body) == item
    assert delivery.headers["X-Cm-Webhook-Id"] == item["id"]
    sent = int(delivery.headers["X-Cm-Webhook-Timestamp"])
    assert abs(sent - commerce.now_ms() // 1000) < 10
    assert delivery.headers["Content-Type"] == "application/json; charset=utf-8"
    assert (item["event"], item["regstateCn"]) == ("04", "注销")
    pages = registry.get(f"{CHANGES}?limit=200").json()
    while pages["more"]:
        pages = registry.get(f"{CHANGES}?limit=200&cursor={pages['cursor']}").json()
    assert pages["data"][-1] == item
    answer = registry.get(f"{CHANGES}?limit=200")
    assert not answer_violates(document, answer)


def test_an_undelivered_change_is_tried_again(commerce: Running, receiver: Receiver) -> None:
    """500, a redirect and 404 are no receipt; the id stays, each attempt is signed."""
    receiver.statuses += [500, 302, 404]
    item = _happen(commerce, nth=1)

    attempts = [receiver.next() for _ in range(4)]

    assert {one.headers.get("X-Cm-Webhook-Id") for one in attempts} == {item["id"]}
    assert all(one.genuine for one in attempts)
    assert receiver.stays_empty()


def test_after_five_attempts_it_is_given_up(commerce: Running, receiver: Receiver) -> None:
    """Five, not six."""
    receiver.statuses += [503] * 9
    _happen(commerce, nth=2)

    for _ in range(5):
        receiver.next()

    assert receiver.stays_empty(1.0)


def test_attempts_end_when_the_registration_is_dropped(
    registry: CommerceClient, commerce: Running, receiver: Receiver
) -> None:
    """Whoever unsubscribes between two attempts is not tried to the end."""
    receiver.statuses += [503] * 9
    _happen(commerce, nth=8)
    receiver.next()

    webhook = registry.get(WEBHOOKS).json()["data"][0]["id"]
    registry.delete(f"{WEBHOOKS}/{webhook}")

    later = 0
    while not receiver.stays_empty(1.0):
        later += 1
    assert later < 4


def test_a_receiver_that_is_away_is_found_later(
    registry: CommerceClient, commerce: Running
) -> None:
    """A closed port is no receipt, and the department goes on answering."""
    with _listening() as gone:
        pass
    _register(registry, gone.url)

    _happen(commerce, nth=3)

    assert registry.get(f"{CHANGES}?limit=1").status_code == 200


def test_faults_of_deliveries(commerce: Running, receiver: Receiver) -> None:
    """A wrong signature, a delivery twice, an old timestamp that is signed."""
    commerce.fault("webhook_bad_signature")
    _happen(commerce, nth=4)
    assert not receiver.next().genuine

    commerce.fault("webhook_duplicate")
    _happen(commerce, nth=5)
    one, two = receiver.next(), receiver.next()
    assert one.headers["X-Cm-Webhook-Id"] == two.headers["X-Cm-Webhook-Id"]
    assert one.genuine
    assert two.genuine
    assert receiver.stays_empty()

    commerce.fault("webhook_old_timestamp")
    _happen(commerce, nth=6)
    old = receiver.next()
    age = commerce.now_ms() // 1000 - int(old.headers["X-Cm-Webhook-Timestamp"])
    assert old.genuine
    assert 3_590 < age < 3_700


def test_a_dropped_registration_is_told_nothing(
    registry: CommerceClient, commerce: Running, receiver: Receiver, document: OpenAPI
) -> None:
    """Listed without its secret, dropped once, then unknown."""
    listed = registry.get(WEBHOOKS)
    path = f"{WEBHOOKS}/{listed.json()['data'][0]['id']}"
    stranger = replace(registry, key_id="another", secret=b"demo-commerce-secret-0002")
    assert stranger.get(WEBHOOKS).json()["data"] == []
    assert stranger.delete(path).json()["code"] == "4040"

    dropped, again = registry.delete(path), registry.delete(path)
    _happen(commerce, nth=7)

    assert listed.json()["data"][0].keys() == {"id", "url"}
    assert (dropped.json()["code"], again.json()["code"]) == ("2000", "4040")
    for answer in (listed, dropped, again):
        assert not request_violates(document, answer)
        assert not answer_violates(document, answer)
    assert receiver.stays_empty()


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/x",
        "http://127.0.0.2:8000/x",
        "https://127.0.0.1:8000/x",
        "http://127.0.0.1/x",
        "http://127.0.0.1:0/x",
        "http://127.0.0.1:65536/x",
        "http://127.0.0.1:8000",
        "http://user@127.0.0.1:8000/x",
        "http://127.0.0.1:8000@198.51.100.7/x",
        "http://127.0.0.1:8000/x#part",
        "http://127.0.0.1:8000/" + "x" * 200,
        "http://127.0.0.1:8000/x y",
    ],
)
def test_only_loopback_targets_are_taken(registry: CommerceClient, url: str) -> None:
    """Another host, scheme or form is refused before anything is called."""
    answer = _register(registry, url)

    assert (answer.status_code, answer.json()["code"]) == (400, "4000")


def test_a_key_has_at_most_eight(registry: CommerceClient, document: OpenAPI) -> None:
    """The ninth is 409; a short secret and a wrong authcode are refused before."""
    url = "http://127.0.0.1:9/x"
    weak = _register(registry, url, "short")
    wrong = registry.post(WEBHOOKS, {"url": url, "secret": SECRET, "authcode": "WRONG"})

    told = [_register(registry, url) for _ in range(9)]

    assert (weak.status_code, wrong.status_code) == (400, 403)
    assert [answer.status_code for answer in told] == [201] * 8 + [409]
    assert not any(answer_violates(document, answer) for answer in (weak, wrong, *told))
    assert told[8].json()["code"] == "4090"
