"""A sample is read as text, checked against its kind, and never quoted."""

import stat
from pathlib import Path

import pytest
import yaml

from adapters.conformance import Fields, SampleUnreadable, read_sample, write_sample
from adapters.conformance.sample import section_class
from adapters.conformance.written import FILL_IN, compose_sample
from adapters.port import SubjectType
from adapters.registry import KINDS
from adapters.settings import HealthConfig
from tests.adapters.conformance.scripted import FIELDS, KNOWN

SECTION = """\
section:
  base_url: https://certificates.example.invalid
  app_id: hc_demo_0001
  app_key_file: app-key
  org_code: 11370000MB2DEM0105
  org_name: 省厅
"""
PERSON = f"{{is: known, dataset: hc.death_certificate, id: {KNOWN}, name: 王守仁"
NUMBER = "370102195603159017"
"""Of nobody: its check character is wrong."""


def _write(folder: Path, text: str) -> Path:
    path = folder / "sample.yaml"
    path.write_text(text, "utf-8")
    return path


def fields_of(kind: str) -> Fields:
    """Return some fields of each dataset of a kind."""
    return {name: ["one", "two"] for name in KINDS[kind].datasets}


def test_scalars_stay_what_is_written(tmp_path: Path) -> None:
    """A number of 18 digits and a day are texts, without quotation marks."""
    path = _write(tmp_path, f"{SECTION}people:\n- {PERSON}, expect: {{death_date: 2022-01-29}}}}\n")

    sample = read_sample(path, "health", FIELDS)

    (person,) = sample.people
    assert person.identifier == KNOWN
    assert person.expect == {"death_date": "2022-01-29"}
    assert sample.datasets == ("hc.death_certificate", "hc.second")
    assert isinstance(sample.section, HealthConfig)
    assert sample.section.org_code == "11370000MB2DEM0105"


def test_fifteen_digits_are_widened_and_organisations_have_codes(tmp_path: Path) -> None:
    """Subjects are asked about in the one spelling a gateway asks in."""
    people = (
        "- {is: known, dataset: hc.death_certificate, id: 370102560315901}\n"
        "- {is: known, dataset: hc.death_certificate, id: 11370000mb2dem0105, type: USCC}\n"
    )

    one, two = read_sample(_write(tmp_path, f"{SECTION}people:\n{people}"), "health", FIELDS).people

    assert one.identifier == KNOWN
    assert (two.type, two.identifier) == (SubjectType.USCC, "11370000MB2DEM0105")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("people: [", "is no YAML, line 2"),
        ("people: []", "people: too_short"),
        (f"people: [{PERSON}, hobby: x}}]", "people.0.hobby: extra_forbidden"),
        ("people: [{is: sage, dataset: hc.death_certificate, id: 1}]", "people.0.is: enum"),
        (
            f"people: [{{is: known, dataset: hc.death_certificate, id: {NUMBER}}}]",
            "people[0].id: identifier: PERSON_CHECK",
        ),
        (f"people: [{{is: known, dataset: hc.birth, id: {KNOWN}}}]", "people[0].dataset: none"),
        (f"people: [{PERSON}, expect: {{cause: x}}}}]", "people[0].expect: names a field"),
        (f"people: [{PERSON}, lacks: [cause]}}]", "people[0].lacks: names a field"),
        (f"people: [{PERSON}}}]\npredicates: {{age: at_least 1}}", "predicates: names a field"),
        (f"people: [{PERSON}}}]\ndatasets: [hc.birth]", "datasets: this kind has none"),
        (f"people: [{PERSON}}}]\nmood: good", "mood: extra_forbidden"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(tmp_path: Path, text: str, told: str) -> None:
    """Nobody's number or name stands in the text, whatever is wrong beside it."""
    with pytest.raises(SampleUnreadable) as refused:
        read_sample(_write(tmp_path, SECTION + text), "health", FIELDS)

    assert told.removesuffix("2") in str(refused.value)
    for value in (KNOWN, NUMBER, "王守仁"):
        assert value not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_section_of_another_kind_is_told(tmp_path: Path) -> None:
    """A setting that is missing and one that nobody knows."""
    path = _write(tmp_path, f"section: {{base_url: x, sid: y}}\npeople: [{PERSON}}}]")

    with pytest.raises(SampleUnreadable, match=r"app_id: missing.*sid: extra_forbidden"):
        read_sample(path, "health", FIELDS)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "FileNotFoundError"),
        (b"\xff\xfe", "UnicodeDecodeError"),
        (b"#" * ((1 << 20) + 1), "longer than 1 MiB"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    """Missing, no UTF-8, too long."""
    path = tmp_path / "sample.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SampleUnreadable, match=told):
        read_sample(path, "health", FIELDS)


def test_a_tag_builds_no_object(tmp_path: Path) -> None:
    """A sample comes from somebody else and is data."""
    marker = tmp_path / "made"
    path = _write(tmp_path, f"section: !!python/object/apply:pathlib.Path.touch [{marker}]\n")

    with pytest.raises(SampleUnreadable):
        read_sample(path, "health", FIELDS)

    assert not marker.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_written_sample_of_every_kind_lacks_nothing_but_what_is_to_be_filled_in(
    tmp_path: Path, kind: str
) -> None:
    """Each setting, each dataset and the people each case needs; filled in, it is read."""
    path = tmp_path / "sample.yaml"
    write_sample(path, kind, fields_of(kind))

    text = path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for name in section_class(kind).model_fields:
        assert (f"  {name}: " in text or f"  # {name}: " in text) is (name != "record_key")
    with pytest.raises(SampleUnreadable):
        read_sample(path, kind, fields_of(kind))
    path.write_text(text.replace(f"id: {FILL_IN}", f"id: {KNOWN}"), "utf-8")
    sample = read_sample(path, kind, fields_of(kind))
    assert {(each.role.value, each.dataset) for each in sample.people} == {
        (role, dataset)
        for role in ("known", "unknown", "other_name")
        for dataset in KINDS[kind].datasets
    }
    assert yaml.safe_load(compose_sample(kind, fields_of(kind)))["matter"] == "M1"


def test_a_sample_is_not_written_over(tmp_path: Path) -> None:
    """It may hold an afternoon's work."""
    path = _write(tmp_path, "mine")

    with pytest.raises(FileExistsError):
        write_sample(path, "health", FIELDS)

    assert path.read_text() == "mine"
