"""Runs a simulator as its own process and turns its controls, as a foreign program would."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
SIZE = 4_000


def plain_client(base_url: str = "", token: str = "") -> httpx.Client:
    """Make a client for plain HTTP; without CA files to load it costs nothing to make."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(
        base_url=base_url, headers=headers, verify=context, trust_env=False, timeout=2
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A simulator that runs: where it listens and how to turn its controls."""

    url: str
    admin: httpx.Client
    pid: int
    token: str
    port: int
    host_key: str = ""
    front_end_port: int = 0

    def fault(self, name: str, count: int | None = 1) -> None:
        """Switch a fault on."""
        answer = self.admin.post("/faults", json={"name": name, "count": count})
        assert answer.status_code == 200, answer.text

    def advance(self, milliseconds: int) -> None:
        """Move the clock."""
        assert self.admin.post("/clock", json={"advance_ms": milliseconds}).status_code == 200

    def now_ms(self) -> int:
        """Read the clock."""
        return int(self.admin.get("/clock").json()["now_ms"])


@contextmanager
def running(department: str, *arguments: str) -> Iterator[Running]:
    """Start a simulator; it ends with its standard input."""
    module = f"adapters.simulators.{department}"
    command = [sys.executable, "-m", module, "--population", str(SIZE), "--exit-with-stdin"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.defpath}
    with subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        token = ready["admin_token"]
        with plain_client(f"http://127.0.0.1:{ready['admin_port']}", token) as admin:
            scheme = "https" if department == "bank" else "http"
            url = f"{scheme}://127.0.0.1:{ready['port']}"
            yield Running(
                url=url,
                admin=admin,
                pid=process.pid,
                token=token,
                port=ready["port"],
                host_key=ready.get("host_key", ""),
                front_end_port=ready.get("front_end_port", 0),
            )
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def reset(simulator: Running) -> Running:
    """Switch every fault off and set the clock right."""
    simulator.admin.delete("/faults")
    simulator.admin.delete("/received")
    simulator.admin.post("/clock", json={"offset_ms": 0})
    return simulator
