"""The simulated departments as processes of their own, told of us by files as real ones are."""

import asyncio
import json
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.simulators.population import hrss_database
from certs.algorithms import PublicKey
from gateway.cli.sandbox.authority import MadeKey, write_private
from signing.encoding import b64url_encode

START_S: Final = 30.0
"""How long a simulator may take to say that it is ready."""
SID: Final = "s_1137000000000_0001"
CLIENT_ID: Final = "hrss-gateway"
ISSUER: Final = "https://edu.sandbox.invalid"
_POINT_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """One running simulator."""

    name: str
    process: Process
    port: int
    admin_port: int
    admin_token: str = field(repr=False)

    @property
    def base_url(self) -> str:
        """Where the department answers."""
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """End it by closing its standard input, then by force."""
        if self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(5):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def start_simulator(name: str, *arguments: str) -> Simulator:
    """Start one simulator and wait until it says that it is ready.

    Raises:
        RuntimeError: it ended or said nothing in time.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"adapters.simulators.{name}",
        *arguments,
        "--exit-with-stdin",
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    if process.stdout is None:
        raise AssertionError  # asked for a pipe
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        ready = json.loads(line)
    except (TimeoutError, ValueError) as error:
        process.kill()
        raise RuntimeError(f"simulator {name} did not start") from error
    return Simulator(
        name=name,
        process=process,
        port=int(ready["port"]),
        admin_port=int(ready["admin_port"]),
        admin_token=str(ready["admin_token"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the departments know of us: written into their files and into our configuration."""

    clients_file: Path
    apps_file: Path
    app_key_file: Path
    password_file: Path
    user: str = "hrss"


def registered_in(folder: Path) -> Registration:
    """Return where the registration of a sandbox stands."""
    return Registration(
        clients_file=folder / "education-clients.json",
        apps_file=folder / "public-security-apps.json",
        app_key_file=folder / "app-key",
        password_file=folder / "password",
    )


def register_with_departments(folder: Path, client: MadeKey) -> Registration:
    """Write what a department would be told in an enrolment."""
    registration = registered_in(folder)
    app_key, password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    scope = "diploma degree enrolment"
    clients = {
        "clients": [
            {
                "client_id": CLIENT_ID,
                "scope": scope,
                "jwks": {"keys": [_jwk(client.key.public_key)]},
            }
        ]
    }
    apps = {
        "apps": [{"sid": SID, "app_key": app_key, "user": registration.user, "password": password}]
    }
    write_private(registration.clients_file, json.dumps(clients).encode())
    write_private(registration.apps_file, json.dumps(apps).encode())
    write_private(registration.app_key_file, app_key.encode())
    write_private(registration.password_file, password.encode())
    return registration


def make_hrss_tables(path: Path, seed: int, size: int) -> None:
    """Write HRSS's own tables of the synthetic population."""
    hrss_database(path, seed=seed, size=size)


def _jwk(key: PublicKey) -> dict[str, str]:
    """Return a P-256 key as JWK; the uncompressed point ends its SubjectPublicKeyInfo."""
    point = key.spki[-_POINT_BYTES:]
    half = _POINT_BYTES // 2
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": key.keyid,
        "x": b64url_encode(point[:half]),
        "y": b64url_encode(point[half:]),
    }
