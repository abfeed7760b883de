"""The demo and a sandbox with a newcomer, over real sockets with mutual TLS."""

import asyncio
import contextlib
import dataclasses
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.simulators.population import hrss_record, person_at, planted
from certs.trust_directory import load_trust_directory
from gateway.cli.demo.abroad import SEED_ABROAD
from gateway.cli.demo.expectations import ANY
from gateway.cli.demo.outcomes import Row
from gateway.cli.demo.run import CAST, Demo, run_demo
from gateway.cli.demo.screen import demo_json
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.root import run
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.command import EXAMPLE
from gateway.cli.sandbox.enrolment import Enrolled, enrol
from gateway.cli.sandbox.folders import Folders, store_address
from gateway.cli.sandbox.provinces import HRSS, OTHER_HRSS
from gateway.cli.sandbox.running import SandboxOptions, prepared, serving
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.trust import moment
from hutong.client import FINDING_TEXTS, Finding, IndeterminateReason, load_identity
from signing.encoding import JsonValue

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

SYSTEM = f"{HRSS}/retirement"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> Demo:
    """Run the demo once for all tests of this file."""
    return await run_demo()


async def test_demo_meets_every_expectation(demo: Demo) -> None:
    """Every planted person is answered as docs/population.md lets one expect."""
    wrong = [
        f"{row.person} {row.dataset} {row.item}: {row.observed} != {row.expected}"
        for told in demo.told
        for row in told.rows
        if not row.holds
    ]

    assert wrong == []
    assert len(demo.told) == len(CAST) + 2
    assert {told.asked.person.matter for told in demo.told} == {f"M{n}" for n in range(1, 15)}


async def test_demo_refuses_every_attack(demo: Demo) -> None:
    """A matter outside the agreement, a flipped bit and a captured request end as they must."""
    ended = {attempt.name: attempt.reason for attempt in demo.attempts}

    assert ended == {
        "matter_outside_agreement": "AGREEMENT_NOT_APPLICABLE",
        "tampered": "SIGNATURE_INVALID",
        "repeated": "SAME_ANSWER",
        "replayed": "SIGNER_UNKNOWN",
    }


async def test_a_mask_is_compared_to_its_last_character() -> None:
    """A value that may be any is spelled as no effect spells anything."""
    row = Row(
        person="p",
        matter="M2",
        dataset="d",
        item="full_name",
        effect="掩码(1,0)",
        observed="MASK 李*哲",
        told="",
        state="ANSWERED",
        outcome="VALUE",
        provider="",
        receipt_index=1,
        granted=True,
        expected="MASK 李**",
    )

    assert not row.holds
    assert dataclasses.replace(row, expected=f"MASK {ANY}").holds


async def test_demo_proves_every_receipt_offline(demo: Demo) -> None:
    """The independent verifier accepts every receipt and the whole log."""
    exchanged = sum(len(told.receipts) for told in demo.told)

    assert demo.proofs.holds
    assert demo.proofs.receipts > exchanged > 0


async def test_demo_proves_records_of_a_department_with_sm2_keys_only(demo: Demo) -> None:
    """Health signs disclosure manifests; the same client proves them beside all the others."""
    found = [
        row for told in demo.told for row in told.rows if row.dataset == "hc.death_certificate@1"
    ]

    assert demo.suites["11370000MB2DEM07X5"] == {"SM2SM3"}
    assert demo.suites["11370000MB2DEM037W"] == {"ES256"}
    assert {row.finding for row in found if row.granted} == {"YES", "NO"}


async def test_demo_data_holds_no_field_that_was_not_granted(demo: Demo) -> None:
    """`--json` names granted fields only: never the withheld one, never a refused one."""
    data = json.loads(json.dumps(demo_json(demo)))

    assert data["holds"] is True
    assert "ethnicity" not in {row["field"] for row in data["fields"]}
    assert {row["person"] for row in data["refused"]} == {
        "protected_person",
        "ordinary_employee",
        "other_village",
        "pension_suspended",
        "household_split",
    }
    assert "protected_person" not in {row["person"] for row in data["fields"]}


async def test_another_province_answers_from_its_own_tables_and_its_own_log(demo: Demo) -> None:
    """M11 of somebody who moved: another gateway, another signer, another log."""
    told = demo.told[-1]
    someone = next(each for each in planted() if each.name_of_case == "moved_out")
    lived = hrss_record(person_at(SEED_ABROAD, someone.index))

    assert {row.provider for row in told.rows} == {OTHER_HRSS}
    assert lived.contribution_record is not None
    months = next(row for row in told.rows if row.item == "months_paid")
    assert months.value == str(lived.contribution_record.months_paid)
    assert demo.abroad.holds
    assert demo.abroad.receipts == len(told.receipts) == 2
    assert demo.titles[OTHER_HRSS].startswith("外省")


async def test_a_department_that_is_away_opens_its_own_fields_and_nothing_else(demo: Demo) -> None:
    """The case is marked for review with the fields of that department; nobody is refused."""
    told = demo.told[-2]
    states = {row.dataset: row.state for row in told.rows}
    reviews = [(each.dataset, each.field, each.reason) for each in told.reviews]

    away = IndeterminateReason.PROVIDER_UNAVAILABLE
    assert reviews == [
        ("edu.diploma@1", "institution_name", away),
        ("edu.diploma@1", "verified", away),
    ]
    assert states == {
        "edu.diploma@1": "INDETERMINATE PROVIDER_UNAVAILABLE",
        "hr.contribution_record@1": "ANSWERED",
    }
    data = json.loads(json.dumps(demo_json(demo)))
    assert {"institution_name", "verified"} <= {row["field"] for row in data["reviews"]}
    # What an agreement or a prohibition refused is decided: nobody has to look at it.
    assert "protected_person" not in {row["person"] for row in data["reviews"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folders(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Folders]:
    """Run a sandbox with one system for several tests; each takes a seat of its own."""
    root = tmp_path_factory.mktemp("sandbox")
    options = SandboxOptions(root=root, population=240, systems=frozenset({SYSTEM}))
    async with prepared(options) as sandbox, serving(sandbox) as gateway:
        store_address(sandbox.world.folders, f"127.0.0.1:{gateway.port}")
        yield sandbox.world.folders


def _enrol(folders: Folders, slug: str) -> Enrolled:
    at = moment(SystemClock().now_ms()).replace(microsecond=0)
    return enrol(slug, folders, folders.partner(slug), at)


def _arguments(enrolled: Enrolled) -> list[str]:
    return [
        *("ask", "--identity", str(enrolled.identity), "--agreement", enrolled.agreements[0]),
        *("--matter", "M2", "--case", enrolled.case_number),
        *("--subject-id", enrolled.person.id_number, "--subject-name", enrolled.person.full_name),
        *("--field", "full_name", "--field", "ethnicity"),
    ]


async def test_a_seat_is_not_taken_where_the_identity_has_no_room(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What lies in the folder named is found before the registry is written."""
    (tmp_path / "identity.json").write_text("an earlier one")
    before = load_trust_directory(folders.trust).sequence
    place = ["--dir", str(folders.root), "--identity", str(tmp_path)]

    code = await asyncio.to_thread(run, ["sandbox", "enrol", "newcomer-3", *place, "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.UNREADABLE
    assert (told["reason"], told["detail"]) == ("IDENTITY_FOLDER_IN_USE", str(tmp_path))
    assert load_trust_directory(folders.trust).sequence == before


async def test_newcomer_is_answered_while_the_gateway_runs(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Enrolled into a running sandbox, a newcomer gets a proven answer without a restart."""
    enrolled = _enrol(folders, "newcomer-1")
    kept = tmp_path / "kept"

    await asyncio.sleep(2.5)  # the gateway looks at its trust directory every second
    arguments = [*_arguments(enrolled), "--json", "--save-receipt", str(kept)]
    code = await asyncio.to_thread(run, arguments)

    answer = json.loads(capsys.readouterr().out)
    assert code == ExitCode.YES
    assert answer["fields"][0]["value"] == "李**"
    assert answer["fields"][1]["outcome"] == "WITHHELD"
    assert (kept / "receipt.json").exists()


async def test_an_answer_is_shown_although_its_receipt_cannot_be_kept(
    folders: Folders,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was released is not lost: the answer is printed, and the ending is not a yes."""
    enrolled = _enrol(folders, "newcomer-3")
    (tmp_path / "request.bin").touch()
    # As if the file had come into being after the look: only a race or a full disk leads here.
    monkeypatch.setattr("gateway.cli.ask._require_room", lambda _folder: None)

    await asyncio.sleep(2.5)
    arguments = [*_arguments(enrolled), "--json", "--save-receipt", str(tmp_path)]
    code = await asyncio.to_thread(run, arguments)

    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert code == ExitCode.UNREADABLE
    assert answer["fields"][0]["value"] == "李**"
    assert answer["receipt"]
    assert answer["receipt_saved"] is False
    assert "FILE_NOT_WRITTEN" not in told.err
    assert str(tmp_path / "request.bin") in told.err


async def test_an_indeterminate_answer_says_why_and_whose_side(
    folders: Folders, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finding nobody should have to look up is explained in two languages."""
    enrolled = _enrol(folders, "newcomer-2")
    diploma = ["--agreement", enrolled.agreements[1], "--field", "verified"]
    wrong = ["--claim", "certificate_no=12"]
    options = iter(_arguments(enrolled)[1:])
    kept = [
        part
        for option in zip(options, options, strict=True)
        for part in option
        if option[0] not in {"--agreement", "--field"}
    ]

    await asyncio.sleep(2.5)
    code = await asyncio.to_thread(run, ["ask", *kept, *diploma, *wrong])

    shown = capsys.readouterr().out
    assert code == ExitCode.INDETERMINATE
    assert all(text in shown for text in ("ERROR", *FINDING_TEXTS[Finding.ERROR]))


@pytest.mark.parametrize("json_option", [[], ["--json"]], ids=["people", "machines"])
async def test_a_field_the_catalog_does_not_have_is_named(
    folders: Folders, capsys: pytest.CaptureFixture[str], json_option: list[str]
) -> None:
    """The refusal names none; the catalog this system may list does, and is compared here."""
    identity = folders.partner(SYSTEM.partition("/")[2])
    hint = load_identity(identity).agreements[0]
    person = next(each for each in planted() if each.name_of_case == EXAMPLE)
    asked = ["ask", "--identity", str(identity), "--agreement", hint.number, "--matter", "M2"]
    about = ["--subject-id", person.id_number, "--case", case_number("M2", person)]
    fields = ["--field", "full_nam", "--field", "full_name"]

    code = await asyncio.to_thread(run, [*asked, *about, *fields, *json_option])

    shown = capsys.readouterr().out
    assert code == ExitCode.NO
    if json_option:
        # The gateway runs in this process, and its diagnostics stand before what the command says.
        told = json.loads(shown[shown.index("{\n") :])
        assert told["unlisted_fields"] == ["full_nam"]
    else:
        assert "QUERY_INVALID" in shown
        assert shown.endswith("not in the catalog: full_nam\n")


async def test_taken_seat_is_not_given_twice(folders: Folders) -> None:
    """The second newcomer who wants a seat is turned away, and nothing changes."""
    with contextlib.suppress(Ended):
        _enrol(folders, "newcomer-2")

    before = load_trust_directory(folders.trust).sequence

    with pytest.raises(Told) as refused:
        _enrol(folders, "newcomer-2")

    assert refused.value.code == ExitCode.NO
    assert (refused.value.reason, refused.value.detail) == (CommandReason.SEAT_TAKEN, "newcomer-2")
    assert load_trust_directory(folders.trust).sequence == before


async def test_look_is_logged_before_anything_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A look at a subject finds the look itself first, beside the gateway and after it."""
    options = SandboxOptions(root=tmp_path, population=240, systems=frozenset({SYSTEM}))
    async with prepared(options) as sandbox:
        async with serving(sandbox) as gateway:
            store_address(sandbox.world.folders, f"127.0.0.1:{gateway.port}")
            enrolled = _enrol(sandbox.world.folders, "newcomer-1")
            await asyncio.sleep(2.5)
            await asyncio.to_thread(run, _arguments(enrolled))
            looking = _looking(sandbox.world.folders, enrolled.person.id_number)
            capsys.readouterr()
            serving_code = await asyncio.to_thread(run, looking)
            serving_page = json.loads(capsys.readouterr().out)
        code = await asyncio.to_thread(run, looking)

    page = json.loads(capsys.readouterr().out)
    kinds = [each["entry"]["kind"] for each in page["entries"]]
    assert serving_code == code == ExitCode.YES
    assert kinds == ["view", "view", "answer", "ask"]
    assert page["entries"][0]["index"] == page["view"]
    assert _told(page)[1:] == _told(serving_page)
    assert enrolled.person.id_number not in json.dumps(page)


def _looking(folders: Folders, subject: str) -> list[str]:
    who = ("--officer", "o", "--for-case", "FH-1")
    return ["log", "show", "--config", str(folders.config), *who, "--subject", subject, "--json"]


def _told(page: dict[str, list[dict[str, JsonValue]]]) -> list[tuple[JsonValue, JsonValue]]:
    return [(each["index"], each["entry"]) for each in page["entries"]]


async def test_log_that_is_not_there_is_not_made(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A look into a log that does not exist ends with 3 and begins none."""
    config = folders.config.read_text("utf-8").replace(str(folders.log), str(tmp_path))
    (tmp_path / "config.yaml").write_text(config, "utf-8")
    looking = _looking(folders, "370102198203159010")
    looking[looking.index("--config") + 1] = str(tmp_path / "config.yaml")

    code = await asyncio.to_thread(run, looking)

    assert code == ExitCode.UNREADABLE
    assert "此处没有访问日志" in capsys.readouterr().err
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["config.yaml"]
