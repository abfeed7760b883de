"""A partner, a gateway double on loopback, and a client between them."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hutong.client import (
    Client,
    DatasetQuery,
    Identity,
    MatterQuestion,
    Purpose,
    Question,
    Settings,
    Subject,
    load_identity,
)
from tests.client.double_server import serve
from tests.client.gateway_double import GatewayDouble
from tests.client.log_double import LogDouble
from tests.client.synthetic_world import PERSON, World, build_world

FIELDS = ("full_name", "is_married", "spouse_name", "registered_on")


@pytest.fixture(scope="session")
def world() -> World:
    """Everybody's keys."""
    return build_world()


@pytest.fixture(scope="session")
def identity(world: World, tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """The partner's identity, written and loaded once."""
    directory = tmp_path_factory.mktemp("client") / "identity"
    world.write(directory)
    return load_identity(directory)


@pytest.fixture
def question() -> Question:
    """One question with four fields."""
    return Question(
        agreement="A-2026-001",
        dataset="mca.marriage@1",
        fields=FIELDS,
        subject=Subject(identifier=PERSON, full_name="李明"),
        purpose=Purpose(matter="M2", legal_basis="社会保险法第七十四条", case_number="C-1"),
    )


@pytest.fixture
def matter(question: Question) -> MatterQuestion:
    """Three queries about one subject, the second of which is refused."""
    return MatterQuestion(
        queries=tuple(
            DatasetQuery(agreement=agreement, dataset=f"mca.marriage@{number}", fields=FIELDS)
            for number, agreement in enumerate(("A-1", "A-REFUSED", "A-2"), start=1)
        ),
        subject=question.subject,
        purpose=question.purpose,
    )


@pytest.fixture
def double(world: World) -> GatewayDouble:
    """A gateway that is good until a test twists it."""
    return GatewayDouble(world=world, log=LogDouble(world))


@pytest.fixture
async def client(double: GatewayDouble, identity: Identity, world: World) -> AsyncIterator[Client]:
    """A client connected to the double."""
    server, port = await serve(double)
    at_port = dataclasses.replace(identity, address=f"127.0.0.1:{port}")
    settings = Settings(timeout_s=5.0, stream_patience_s=5.0)
    async with Client.open(at_port, settings, clock=lambda: world.now_ms) as opened:
        yield opened
    await server.stop(None)


@pytest.fixture(scope="module")
def written(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as enrolment writes it; tests copy it."""
    directory = tmp_path_factory.mktemp("identities") / "identity"
    world.write(directory)
    return directory


@pytest.fixture
def directory(written: Path, tmp_path: Path) -> Path:
    """A copy one may spoil."""
    copy = tmp_path / "identity"
    copy.mkdir(mode=0o700)
    for file in written.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
        (copy / file.name).chmod(0o600)
    return copy
