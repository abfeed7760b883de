"""A portrait is compared where it lies; each verdict, code and fault has its own finding."""

import hashlib
import logging
from dataclasses import replace

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.codes import (
    PORTRAIT_FAILURES,
    PORTRAIT_FINDINGS,
    PORTRAITS,
    TEMPLATE_VERSION,
    Band,
)
from adapters.kinds.public_security.package import AnsweredRecord
from adapters.kinds.public_security.reading import (
    OPERATIONS,
    Question,
    build_question,
    read_record,
)
from adapters.port import Effect, EffectKind, Finding, Indeterminate, NotFound, Record, Untold
from adapters.simulators.population import person_at, photo_of
from tests.adapters.asking import COMPARE, IS_TRUE, disclosed, query_of, read_outcome
from tests.adapters.public_security.asking import NOBODY, PHOTO, Asking

PERSON, NAME = "370102198203150024", "李明"
DIGEST = "ab" * 32
SEED = 1
OPERATION = OPERATIONS["ps.photo_compare"]
SCORES = {Band.HIGH: "80.00", Band.MID: "60.00", Band.LOW: "59.99"}


def question(**claims: str) -> Question:
    """Return the question about the person that claims this."""
    return build_question(OPERATION, query_of(PHOTO, (PERSON, NAME), {}, claims))


def read(code: str = "10", **members: str) -> dict[str, object]:
    """Return what one record says."""
    answered = {"GMSFHM": PERSON, "XPZY": DIGEST, **members}
    raw = read_record(question(photo_digest=DIGEST), AnsweredRecord(code=code, members=answered))
    assert raw is not None
    return {str(name): value for name, value in raw.items()}


def digest_at(index: int) -> str:
    """Return the digest of the portrait of a synthetic person."""
    return hashlib.sha256(photo_of(person_at(SEED, index))).hexdigest()


def test_the_digest_the_version_and_the_case_are_all_that_leaves() -> None:
    """No portrait: there is no member for one."""
    assert question(photo_digest=DIGEST).members == {
        "GMSFHM": PERSON,
        "XM": NAME,
        "XPZY": DIGEST,
        "MBBB": TEMPLATE_VERSION,
        "SQBH": "BJ-2026-000001",
    }


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({}, Finding.NOT_APPLICABLE),
        ({"photo_digest": ""}, Finding.ERROR),
        ({"photo_digest": DIGEST.upper()}, Finding.ERROR),
        ({"photo_digest": DIGEST[:-1]}, Finding.ERROR),
        ({"photo_digest": DIGEST + "\n"}, Finding.ERROR),
        ({"photo_digest": "/9j/4AAQSkZJRgABAQ=="}, Finding.ERROR),
    ],
)
def test_a_claim_that_can_be_no_digest_settles_the_question(
    claims: dict[str, str], found: Finding
) -> None:
    """A portrait somebody put in its place would leave otherwise."""
    asked = question(**claims)

    assert asked.is_settled
    assert asked.unasked is found
    assert set(asked.members) == {"GMSFHM", "XM"}


@pytest.mark.parametrize("case", ["", "办件1", "x" * 65, "A 1"])
def test_consent_nobody_could_trace_is_not_asked_under(case: str) -> None:
    """The register would refuse the number, together with everybody else's record."""
    query = query_of(PHOTO, (PERSON, NAME), {}, {"photo_digest": DIGEST})

    with pytest.raises(DepartmentFailed) as caught:
        build_question(OPERATION, replace(query, case_number=case))

    assert caught.value.reason is Indeterminate.QUESTION_REJECTED


@pytest.mark.parametrize(("told", "found"), PORTRAITS.items())
def test_each_verdict_and_band_has_its_finding(told: tuple[str, Band], found: Finding) -> None:
    """Verdict and score have to agree before anybody is told yes or no."""
    verdict, band = told

    raw = read(BDJG=verdict, XSD=SCORES[band])

    assert raw == {"same_person": found, "score_band": band.value}


def test_only_two_rows_of_nine_decide() -> None:
    """Yes needs a high score, no a low one."""
    assert {told for told, found in PORTRAITS.items() if found is not Finding.INDETERMINATE} == {
        ("1", Band.HIGH),
        ("0", Band.LOW),
    }
    assert PORTRAITS["0", Band.LOW] is Finding.NO
    assert len(PORTRAITS) == 9


@pytest.mark.parametrize(
    ("score", "band"),
    [
        ("0.00", "low"),
        ("59.99", "low"),
        ("60.00", "mid"),
        ("79.99", "mid"),
        ("80.00", "high"),
        ("100.00", "high"),
    ],
)
def test_bands_begin_where_the_page_says(score: str, band: str) -> None:
    """At 60 and at 80."""
    assert read(BDJG="9", XSD=score)["score_band"] == band


@pytest.mark.parametrize(
    "members",
    [
        {"XSD": "97.00"},
        {"BDJG": "", "XSD": "97.00"},
        {"BDJG": "1"},
        {"BDJG": "1", "XSD": ""},
        {"BDJG": "0", "XSD": ""},
        {"BDJG": "1", "XSD": "100.01"},
        {"BDJG": "1", "XSD": "97"},
        {"BDJG": "1", "XSD": "-1.00"},
        {"BDJG": "1", "XSD": "097.00"},
        {"BDJG": "1", "XSD": "\uff19\uff17.00"},
        {"BDJG": "1", "XSD": "97.0"},
    ],
)
def test_a_comparison_without_verdict_or_score_is_malformed(members: dict[str, str]) -> None:
    """A mandatory member silently emptied is no "cannot tell"."""
    with pytest.raises(AnswerMalformed):
        read(**members)


def test_no_face_found_has_no_score() -> None:
    """9 and nothing beside it: cannot tell, and no band."""
    assert read(BDJG="9", XSD="") == {"same_person": Finding.INDETERMINATE}


def test_a_verdict_nobody_knows_tells_nothing() -> None:
    """Never NO."""
    assert read(BDJG="2", XSD="10.00")["same_person"] is Finding.INDETERMINATE


@pytest.mark.parametrize("echo", ["cd" * 32, ""])
def test_a_verdict_about_another_portrait_proves_nothing(echo: str) -> None:
    """It is about somebody, and not about whom we showed."""
    with pytest.raises(DepartmentFailed) as caught:
        read(BDJG="1", XSD="97.00", XPZY=echo)

    assert caught.value.reason is Indeterminate.PROVIDER_UNPROVEN


@pytest.mark.parametrize(
    ("code", "found"), [("12", Finding.ERROR), ("17", Finding.INDETERMINATE), ("19", Finding.ERROR)]
)
def test_each_code_of_a_comparison_has_its_finding(code: str, found: Finding) -> None:
    """Nothing on file is no other face."""
    assert PORTRAIT_FINDINGS[code] is found
    assert read(code) == {"same_person": found}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("13", Indeterminate.SUBJECT_UNRESOLVED),
        ("14", Indeterminate.SUBJECT_UNRESOLVED),
        ("15", Indeterminate.PROVIDER_TIMEOUT),
        ("16", Indeterminate.QUESTION_REJECTED),
        ("18", Indeterminate.PROVIDER_FAULT),
        ("99", Indeterminate.PROVIDER_FAULT),
    ],
)
def test_each_failing_code_of_a_comparison_has_its_reason(code: str, reason: Indeterminate) -> None:
    """Consent is the requester's, the version is ours."""
    assert code == "99" or PORTRAIT_FAILURES[code] is reason
    with pytest.raises(DepartmentFailed) as caught:
        read(code)

    assert caught.value.reason is reason


@pytest.mark.integration
@pytest.mark.slow
class TestOverTheWire:
    """Against the simulated register."""

    @pytest.mark.parametrize(
        ("shown", "expected"),
        [
            (0, {"same_person": "YES", "score_band": "YES"}),
            (1, {"same_person": "NO", "score_band": "NO"}),
            (4, {"same_person": "ERROR", "score_band": "INDETERMINATE"}),
        ],
    )
    async def test_a_portrait_is_himself_his_spouse_or_nobodys(
        self, asking: Asking, shown: int, expected: dict[str, str]
    ) -> None:
        """The requester learns findings, the band only as a comparison."""
        person = asking.simulator.person_at(0)
        claims = {"photo_digest": digest_at(shown), "score_band": "high"}

        _, told = await asking.fetch(
            PHOTO, person, {"same_person": IS_TRUE, "score_band": COMPARE}, claims
        )

        assert told == expected

    @pytest.mark.parametrize(
        ("claims", "expected"), [({}, "NOT_APPLICABLE"), ({"photo_digest": "x"}, "ERROR")]
    )
    async def test_without_a_digest_nobody_is_asked(
        self, asking: Asking, claims: dict[str, str], expected: str
    ) -> None:
        """The department hears of nobody."""
        person = asking.simulator.person("ordinary_employee")
        before = asking.simulator.received()

        _, told = await asking.fetch(PHOTO, person, {"same_person": IS_TRUE}, claims)

        assert told == {"same_person": expected}
        assert asking.simulator.received() == before

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [("low_score", "INDETERMINATE"), ("no_photo_on_file", "INDETERMINATE")],
    )
    async def test_a_comparison_that_cannot_decide_is_never_no(
        self, asking: Asking, fault: str, expected: str
    ) -> None:
        """A verdict its score does not bear out, and nothing on file to compare with."""
        person = asking.simulator.person_at(0)
        asking.simulator.set_fault(fault)

        outcome, told = await asking.fetch(
            PHOTO, person, {"same_person": IS_TRUE}, {"photo_digest": digest_at(0)}
        )

        assert isinstance(outcome, Record)
        assert told == {"same_person": expected}

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            ("score_missing", Indeterminate.PROVIDER_MALFORMED),
            ("template_unknown", Indeterminate.PROVIDER_FAULT),
            ("consent_refused", Indeterminate.QUESTION_REJECTED),
            ("other_portrait", Indeterminate.PROVIDER_UNPROVEN),
            ("other_person", Indeterminate.SUBJECT_MISMATCH),
        ],
    )
    async def test_each_fault_of_a_comparison_is_untold_for_its_own_reason(
        self,
        asking: Asking,
        caplog: pytest.LogCaptureFixture,
        fault: str,
        reason: Indeterminate,
    ) -> None:
        """Never a finding, and no digest in the diagnostics."""
        caplog.set_level(logging.DEBUG)
        person = asking.simulator.person_at(0)
        asking.simulator.set_fault(fault)

        outcome, _ = await asking.fetch(
            PHOTO, person, {"same_person": IS_TRUE}, {"photo_digest": digest_at(0)}
        )

        assert outcome == Untold(reason=reason)
        for canary in (*person.named, digest_at(0)):
            assert canary not in caplog.text

    async def test_the_portrait_on_file_never_stands_in_the_record(self, asking: Asking) -> None:
        """The register may send it along with everything else; one finding leaves."""
        person = asking.simulator.person_at(0)
        asking.simulator.set_fault("every_field")
        claims = {"photo_digest": digest_at(0)}
        query = asking.query(PHOTO, person.named, {"same_person": IS_TRUE}, claims)

        outcome = await asking.adapter.fetch(query)

        record = read_outcome(query, outcome)
        assert [disclosure.name for disclosure in record.disclosures] == ["same_person"]
        assert disclosed(query, outcome) == {"same_person": "YES"}

    async def test_of_nobody_there_is_no_portrait(self, asking: Asking) -> None:
        """Not found is not "another person"."""
        effects = {"same_person": Effect(kind=EffectKind.PREDICATE, parameters=("is_true",))}
        query = asking.query(PHOTO, NOBODY, effects, {"photo_digest": DIGEST})

        outcome = await asking.adapter.fetch(query)

        assert isinstance(outcome, NotFound)
        assert disclosed(query, outcome) == {"same_person": "INDETERMINATE"}
