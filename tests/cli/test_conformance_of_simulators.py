"""The conformance kit against real ends: healthy ones pass, each planted fault is named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.causes import Cause
from adapters.conformance import (
    Case,
    Code,
    Conclusion,
    Deviation,
    Found,
    Patience,
    Report,
    Role,
    Sample,
    State,
    parse_sample,
)
from adapters.port import DatasetName, SubjectType
from adapters.registry import KINDS
from adapters.simulators.population import canaries, person_at
from gateway.catalog import load_catalog
from gateway.cli.adapter import examine_sample, fields_of
from gateway.cli.conformance_shown import report_json
from gateway.cli.root import run
from gateway.cli.sandbox.examined import SEED, plant, simulated_end

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CATALOG = load_catalog(Path(__file__).parents[2] / "gateway" / "bundle" / "catalog.yaml")
SHORT = Patience(answer_s=2.0, job_s=3.0)
FAULTS: list[tuple[str, str, Code, str]] = [
    ("education", "token_expired", Cause.TOKEN_REFUSED, ""),
    ("education", "client_key_rotated", Cause.IDENTITY_REFUSED, ""),
    ("education", "rate_limited", Cause.RATE_LIMITED, ""),
    ("education", "redirect", Cause.REDIRECTED, ""),
    ("education", "half_body", Cause.BODY_CUT_SHORT, ""),
    ("education", "many_records", Cause.RECORD_COUNT, "member records"),
    ("education", "slow_poll", Deviation.JOB_UNFINISHED, ""),
    ("education", "degree_revoked", Deviation.FIELD_DIFFERS, "revoked"),
    ("public_security", "missing_record", Cause.RECORD_MISSING, ""),
    ("public_security", "other_request", Cause.OTHER_REQUEST, ""),
    ("public_security", "other_person", Cause.OTHER_PERSON, ""),
    ("public_security", "head_not_ok", Cause.CODE_BUSY, "30"),
    ("public_security", "gbk_body", Cause.NOT_UTF8, ""),
    ("public_security", "html_page", Cause.MEDIA_TYPE, ""),
    ("health", "bad_date", Cause.DATE_FORM, "member SWRQ"),
    ("health", "bad_base64", Cause.NOT_BASE64, ""),
    ("health", "two_valid_rows", Cause.RECORDS_CONTRADICT, ""),
    ("health", "clock_skew", Cause.CLOCK_APART, "HC-4012"),
    ("health", "unknown_code", Cause.CODE_UNKNOWN, ""),
    ("health", "entity_bomb", Cause.XML_DOCUMENT_TYPE, ""),
    ("health", "only_void", Deviation.FIELD_ABSENT, "death_date"),
    ("health", "empty_body", Cause.BODY_EMPTY, ""),
    ("health", "many_rows", Cause.BODY_TOO_LARGE, ""),
    ("health", "hang", Cause.ANSWER_LATE, ""),
    ("health", "server_error", Cause.STATUS_UNAVAILABLE, ""),
]
"""Kind, fault of its simulator, the code it is named by, and what the detail begins with."""
SURPLUS = {
    "education": ("every_field", {"mqxm", "fqxm", "rawDump"}),
    "health": ("every_field", {"JTZZ", "LXDH"}),
    "public_security": ("every_field", {"GMSFHM_PPDDM", "HJDZ"}),
}
"""Kind → fault, and names of members only that fault brings."""
DEPARTMENTS = {
    "bk": "bank",
    "ca": "civil_affairs",
    "cm": "commerce",
    "edu": "education",
    "hc": "health",
    "hr": "hrss",
    "ps": "public_security",
    "tx": "tax",
}
"""Prefix of a dataset → its department in the synthetic population."""
OF_ORGANISATIONS = {"cm.enterprise", "cm.enterprise_verify", "tx.taxpayer"}
CREDENTIALS = {
    "bank": {
        "signing_key": State.PASSED,
        # Opened by the adapter itself, for the handshake: no other is put in their place.
        "tls_key": State.SKIPPED,
        "tls_key.passphrase_file": State.SKIPPED,
    },
    "civil_affairs": {
        "access_key_file": State.PASSED,
        "app_key_file": State.PASSED,
        # The copy says that a round failed, and not at which of its steps.
        "front_end_password_file": State.WARNED,
    },
    "commerce": {"secret_file": State.PASSED, "authcode_file": State.PASSED},
    "education": {"client_key": State.PASSED},
    "health": {"app_key_file": State.PASSED},
    "hrss": {},
    "public_security": {
        "app_key_file": State.PASSED,
        "password_file": State.PASSED,
        # A person's data in a form of its own: another would be refused before anybody is asked.
        "system_user_file": State.SKIPPED,
    },
    "tax": {
        # It proves the refusal as well, so a wrong one cannot read why it is refused.
        "sign_key_file": State.WARNED,
        "login_key": State.SKIPPED,
        "login_key.passphrase_file": State.SKIPPED,
    },
}
"""Kind → what it loads and how a wrong one of each fares."""
SECTION = {
    "base_url": "http://127.0.0.1:1",
    "app_id": "a",
    "app_key_file": "k",
    "org_code": "c",
    "org_name": "n",
}


def _found(report: Report) -> Iterator[Found]:
    for tried in report.tried:
        yield from tried.found


def _personal(sample: Sample) -> Iterator[str]:
    """Yield what stands in a sample of its people, and what else would show one of them."""
    for person in sample.people:
        texts = (person.id, person.name or "", *person.expect.values(), *person.claims.values())
        # Short codes and findings stand in every text.
        yield from (text for text in texts if len(text) > 5 and text != "INDETERMINATE")


def _require_no_person(text: str, sample: Sample) -> None:
    for value in _personal(sample):
        assert value not in text
    for index in (0, 4, 60):
        for value in canaries(person_at(SEED, index)):
            assert value not in text


async def _examine(kind: str, fault: str | None) -> tuple[Report, Sample]:
    """Examine a simulator that was started for this alone."""
    fields = fields_of(kind, CATALOG)
    async with simulated_end(kind, CATALOG, sorted(fields)) as end:
        sample = parse_sample(end.sample, kind, fields)
        if fault is not None:
            assert end.simulator is not None
            await end.simulator.switch_fault(fault)
        return await examine_sample(kind, CATALOG, sample, SHORT), sample


@pytest.mark.parametrize("kind", KINDS)
def test_every_healthy_end_passes(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever kind is registered: exit 0, and no case was left out for want of people."""
    assert run(["adapter", "conformance", "--kind", kind, "--simulator", "--json"]) == 0

    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    tried = {(each["case"], each["about"].partition(" ")[0]) for each in report["cases"]}
    assert report["conclusion"] == "passed"
    assert all(each["state"] in {"passed", "warned", "skipped"} for each in report["cases"])
    for dataset in fields_of(kind, CATALOG):
        assert {(case, dataset) for case in ("known", "unknown")} <= tried
        assert (("other_name", dataset) in tried) is (dataset not in OF_ORGANISATIONS)
        assert ("repeated", dataset) in tried
    assert ("together", "") in tried


@pytest.mark.parametrize("kind", KINDS)
async def test_each_credential_of_a_simulator_was_tried_wrong(kind: str) -> None:
    """What a kind loads is spoilt, one at a time; what cannot be is told as not examined."""
    report, _ = await _examine(kind, None)

    states = {each.about: each.state for each in report.tried if each.case is Case.CREDENTIAL}
    assert states == CREDENTIALS[kind]


@pytest.mark.parametrize(
    ("kind", "fault", "code", "detail"), FAULTS, ids=[f"{each[0]}-{each[1]}" for each in FAULTS]
)
async def test_each_planted_fault_is_named(kind: str, fault: str, code: Code, detail: str) -> None:
    """By a code of its own, with the member, field or code at fault, and by nobody's values."""
    report, sample = await _examine(kind, fault)

    named = [each for each in _found(report) if each.code is code]
    assert report.conclusion is not Conclusion.PASSED
    assert any(each.detail.startswith(detail) for each in named)
    _require_no_person(json.dumps(report_json(report), ensure_ascii=False), sample)


@pytest.mark.parametrize("name", sorted(CATALOG.datasets))
def test_people_can_be_planted_for_every_dataset_of_the_catalog(name: str) -> None:
    """A kind that is connected later finds somebody on record and somebody who is not."""
    dataset = CATALOG.datasets[DatasetName(name)]

    people = list(plant(DEPARTMENTS[name.partition(".")[0]], dataset))

    parsed = parse_sample(
        {"section": SECTION, "people": [{**each, "dataset": "d"} for each in people]},
        "health",
        {"d": [field.name for field in dataset.fields]},
    )
    roles = {each.role for each in parsed.people}
    of_persons = parsed.people[0].type is SubjectType.RESIDENT_ID
    assert of_persons is (name.partition("@")[0] not in OF_ORGANISATIONS)
    assert {Role.KNOWN, Role.UNKNOWN} <= roles
    assert (Role.OTHER_NAME in roles) is of_persons
    known = {each.identifier for each in parsed.people if each.role is not Role.UNKNOWN}
    assert not known & {each.identifier for each in parsed.people if each.role is Role.UNKNOWN}


def test_ten_faults_of_three_kinds_have_ten_codes() -> None:
    """A fault that is only told as failed would share its code."""
    codes = {kind: {row[2] for row in FAULTS if row[0] == kind} for kind in SURPLUS}

    assert len({row[2] for row in FAULTS}) == len(FAULTS)
    assert {kind: len(each) >= 3 for kind, each in codes.items()} == dict.fromkeys(SURPLUS, True)
    assert len(codes["education"]) >= 4


@pytest.mark.parametrize("kind", SURPLUS)
async def test_members_nobody_asked_for_are_a_warning_with_their_names(kind: str) -> None:
    """They are dropped, so nothing fails; their values stay where they were dropped."""
    fault, expected = SURPLUS[kind]

    before, _ = await _examine(kind, None)
    report, sample = await _examine(kind, fault)

    surplus = [each for each in report.tried if each.case is Case.SURPLUS]
    assert surplus[0].state is State.WARNED
    assert expected <= set(surplus[0].found[0].detail.split())
    names = {
        name
        for each in _found(before)
        if each.code is Deviation.SURPLUS_MEMBERS
        for name in each.detail.split()
    }
    assert not expected & names
    _require_no_person(json.dumps(report_json(report), ensure_ascii=False), sample)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(SURPLUS)))
async def test_a_kind_that_notes_no_surplus_is_not_said_to_send_none(kind: str) -> None:
    """Whoever never looked has found nothing, which is no pass."""
    report, _ = await _examine(kind, None)

    assert [each.state for each in report.tried if each.case is Case.SURPLUS] == [State.SKIPPED]


async def test_an_end_that_is_away_is_not_asked_about_everybody() -> None:
    """After the first few answers that did not come the rest is skipped, not failed."""
    report, sample = await _examine("health", "server_error")

    states = [each.state for each in report.tried if each.case is not Case.HEALTH]
    assert report.conclusion is Conclusion.UNTOLD
    assert states == [State.UNTOLD] + [State.SKIPPED] * (len(sample.people) - 1)
    assert {each.role for each in sample.people} == {Role.KNOWN, Role.UNKNOWN, Role.OTHER_NAME}
