"""The banks of a sandbox, asked through its gateway: signed request in, findings out."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.simulators.population import Planted, account_of, old_account_of, person_at, planted
from gateway.cli.demo.people import SEED
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from hutong.client import (
    Answered,
    Client,
    Identity,
    Purpose,
    Question,
    Refused,
    Settings,
    Subject,
    load_identity,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

SYSTEM = f"{HRSS}/payment"
PATIENT = Settings(timeout_s=40.0)
VERIFY = ("name_match", "id_match", "account_usable", "reason")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """Run a sandbox whose one requester is the system that pays benefits (M10)."""
    root = tmp_path_factory.mktemp("sandbox")
    options = SandboxOptions(root=root, population=240, systems=frozenset({SYSTEM}), seed=SEED)
    async with prepared(options) as sandbox, serving(sandbox):
        yield sandbox


def _found(case: str) -> Planted:
    return next(each for each in planted() if each.name_of_case == case)


def _question(
    identity: Identity, person: Planted, fields: tuple[str, ...], claims: dict[str, str]
) -> Question:
    dataset = "bk.account_verify@1" if fields == VERIFY else "bk.sscard_account@1"
    hint = next(each for each in identity.agreements if each.dataset == dataset)
    return Question(
        agreement=hint.number,
        dataset=dataset,
        fields=fields,
        subject=Subject(identifier=person.id_number, full_name=person.full_name),
        purpose=Purpose(
            matter="M10",
            legal_basis=hint.legal_basis,
            case_number=case_number("M10", person),
        ),
        claims=claims,
    )


async def _told(client: Client, question: Question) -> dict[str, str | None]:
    answered = await client.exchange(question)
    assert isinstance(answered, Answered)
    assert answered.state == "ANSWERED"
    return {
        each.name: each.value if isinstance(each.value, str) else each.finding
        for each in answered.fields
    }


async def test_an_account_is_verified_before_it_is_paid_to(sandbox: Sandbox) -> None:
    """M10: the account in use is usable; the old one of a replaced card is closed."""
    identity = load_identity(sandbox.world.folders.partner("payment"))
    person = _found("card_replaced")
    held = person_at(SEED, person.index)
    old = old_account_of(held)
    assert old is not None

    async with Client.open(identity, PATIENT) as client:
        good = await _told(
            client,
            _question(identity, person, VERIFY, {"account_no": account_of(held).account_no}),
        )
        dead = await _told(
            client, _question(identity, person, VERIFY, {"account_no": old.account_no})
        )
        card = await _told(client, _question(identity, person, ("activated",), {}))

    assert good == {
        "name_match": "YES",
        "id_match": "YES",
        "account_usable": "YES",
        "reason": None,
    }
    assert dead == {**good, "account_usable": "NO", "reason": "closed"}
    assert card == {"activated": "YES"}


async def test_nobody_is_asked_without_a_name(sandbox: Sandbox) -> None:
    """The requester is told what is missing before a bank learns of the question."""
    identity = load_identity(sandbox.world.folders.partner("payment"))
    person = _found("ordinary_pensioner")
    question = _question(identity, person, ("activated",), {})
    unnamed = Question(
        agreement=question.agreement,
        dataset=question.dataset,
        fields=question.fields,
        subject=Subject(identifier=person.id_number),
        purpose=question.purpose,
    )

    async with Client.open(identity, PATIENT) as client:
        with pytest.raises(Refused) as refused:
            await client.exchange(unnamed)

    assert refused.value.reason == "SUBJECT_NAME_NEEDED"
