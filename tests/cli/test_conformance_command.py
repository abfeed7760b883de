"""`hutong adapter conformance`: samples, exit codes, and what people and machines are told."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.conformance import Case, Report, Tried, parse_sample
from adapters.conformance.deviations import Deviation, Found
from gateway.catalog import load_catalog
from gateway.cli.adapter import fields_of
from gateway.cli.conformance_shown import show_report
from gateway.cli.root import run
from signing.encoding import JsonValue
from tests.adapters.simulated import Simulator, running

ROOT = Path(__file__).parents[2]
CATALOG = load_catalog(ROOT / "gateway" / "bundle" / "catalog.yaml")
APP = {
    "app_id": "hc_demo_0001",
    "app_key": "demo-health-key-0001",
    "org_code": "11370000MB2DEM0105",
    "operations": ["getSwyxzmInfo"],
}
DEAD, ALIVE = "371002194606069009", "370102195603159016"
DATASET = "hc.death_certificate"
PEOPLE: list[dict[str, JsonValue]] = [
    {
        "is": "known",
        "dataset": DATASET,
        "id": DEAD,
        "name": "冯桂芝",
        "expect": {"death_date": "2022-01-29", "has_record": "YES"},
    },
    {"is": "unknown", "dataset": DATASET, "id": ALIVE, "name": "王守仁"},
    {"is": "other_name", "dataset": DATASET, "id": DEAD, "name": "测试不符"},
]
HEALTH = ("adapter", "conformance", "--kind", "health")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Run one simulated end for all tests here."""
    apps = tmp_path_factory.mktemp("health") / "apps.json"
    apps.write_text(json.dumps({"apps": [APP]}))
    with running("health", "--apps", str(apps)) as simulator:
        yield simulator


def write(folder: Path, base_url: str, people: list[dict[str, JsonValue]] = PEOPLE) -> str:
    """Write a sample as an engineer would; return its path."""
    key = folder / "app-key"
    key.touch(mode=0o600)
    key.write_text(str(APP["app_key"]))
    section = {
        "base_url": base_url,
        "app_id": APP["app_id"],
        "app_key_file": str(key),
        "org_code": APP["org_code"],
        "org_name": "省厅",
    }
    path = folder / "sample.yaml"
    path.write_text(yaml.safe_dump({"section": section, "people": people}, allow_unicode=True))
    return str(path)


@pytest.mark.integration
def test_a_partners_end_is_examined_by_his_sample(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All pass: 0, and each person by his place in the sample, never by number or name."""
    assert run([*HEALTH, "--sample", write(tmp_path, simulator.base_url)]) == 0

    out = capsys.readouterr().out
    assert "全部通过。 All of it passes." in out
    for person in PEOPLE:
        assert str(person["id"]) not in out
        assert str(person["name"]) not in out
    assert "2022-01-29" not in out


@pytest.mark.integration
def test_what_fails_is_told_with_side_and_remedy(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both languages; with --json as data."""
    wrong: list[dict[str, JsonValue]] = [{**PEOPLE[0], "id": ALIVE, "name": "王守仁"}, *PEOPLE[1:]]
    sample = write(tmp_path, simulator.base_url, wrong)

    assert run([*HEALTH, "--sample", sample]) == 1
    out = capsys.readouterr().out
    assert run([*HEALTH, "--sample", sample, "--json"]) == 1
    report: dict[str, Any] = json.loads(capsys.readouterr().out)

    assert re.search(
        r"KNOWN_NOT_FOUND — 部门一侧 the department's side\n +在册的人答复查无。确认", out
    )
    assert f"@ {DATASET} people[0]" in out
    (failed,) = [each for each in report["cases"] if each["state"] == "failed"]
    (found,) = failed["found"]
    assert (report["kind"], report["conclusion"]) == ("health", "failed")
    assert (failed["case"], failed["about"]) == ("known", f"{DATASET} people[0]")
    assert (found["code"], found["side"], found["fails"]) == ("KNOWN_NOT_FOUND", "provider", True)
    assert found["mend_zh"]
    assert found["mend_en"]


def test_an_end_that_is_away_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2, as nothing was seen of it; and it is said that it could not be reached."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"

        assert run([*HEALTH, "--sample", write(tmp_path, address), "--json"]) == 2

    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    codes = [found["code"] for each in report["cases"] for found in each["found"]]
    assert codes == ["HEALTH_SILENT", "CONNECTION_FAILED"]
    assert [each["state"] for each in report["cases"]] == ["untold"] * 2 + ["skipped"] * 2


@pytest.mark.integration
def test_a_sample_without_somebody_is_no_pass(simulator: Simulator, tmp_path: Path) -> None:
    """2: a case that was not tried is not known."""
    assert run([*HEALTH, "--sample", write(tmp_path, simulator.base_url, PEOPLE[:2])]) == 2


def _break_key(folder: Path) -> None:
    (folder / "app-key").chmod(0o644)


def _break_address(folder: Path) -> None:
    path = folder / "sample.yaml"
    path.write_text(path.read_text("utf-8").replace("http://127.0.0.1:1", "http://a.invalid"))


def _break_number(folder: Path) -> None:
    path = folder / "sample.yaml"
    path.write_text(path.read_text("utf-8").replace(ALIVE, f"{ALIVE[:-1]}7"))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_break_key, "credential app-key is readable by others"),
        (_break_address, "off the loopback needs https"),
        (_break_number, r"people\[1\]\.id: identifier: PERSON_CHECK"),
    ],
)
def test_what_cannot_be_used_is_told_before_anybody_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], told: str
) -> None:
    """3, with the place and no value."""
    sample = write(tmp_path, "http://127.0.0.1:1")
    spoil(tmp_path)

    assert run([*HEALTH, "--sample", sample]) == 3

    err = capsys.readouterr().err
    assert re.search(told, err)
    assert ALIVE[:-1] not in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([*HEALTH], "--sample | --simulator | --write-sample"),
        ([*HEALTH, "--simulator", "--sample", "x"], "--sample | --simulator | --write-sample"),
        (["adapter", "conformance", "--kind", "magic", "--simulator"], "--kind"),
        (["adapter", "conformance", "--simulator"], "--kind"),
        ([*HEALTH, "--simulator", "--timeout", "0"], "--timeout"),
    ],
)
def test_a_wrong_command_line_is_told(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    """64, and which option."""
    assert run(arguments) == 64

    assert named in capsys.readouterr().err


def test_a_sample_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For its engineer alone, with the fields the catalog does not withhold; then it is kept."""
    path = tmp_path / "sample.yaml"

    assert run([*HEALTH, "--write-sample", str(path)]) == 0
    text = path.read_text("utf-8")
    assert run([*HEALTH, "--write-sample", str(path)]) == 3

    assert f"# {DATASET}: death_date has_record\n" in text
    assert path.read_text("utf-8") == text
    assert str(path) in capsys.readouterr().out


def test_a_catalog_that_is_none_is_told(tmp_path: Path) -> None:
    """3, as for every input."""
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text("datasets: 7")

    assert run([*HEALTH, "--simulator", "--catalog", str(catalog)]) == 3
    assert run([*HEALTH, "--simulator", "--catalog", str(tmp_path / "none")]) == 3


def test_one_thing_found_everywhere_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads sixty times the same looks for the one that differs in vain."""
    found = (Found(code=Deviation.FIELD_ABSENT, detail="sex"),)
    tried = [Tried(case=Case.KNOWN, about=f"d people[{index}]", found=found) for index in range(9)]

    show_report(Report(kind="health", tried=tried))

    out = capsys.readouterr().out
    assert out.count("FIELD_ABSENT (sex)") == 1
    assert (
        "@ d people[0], d people[1], d people[2], d people[3], d people[4], d people[5] +3" in out
    )


def test_what_nobody_looked_at_is_shown_as_not_examined(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A kind that notes no members has not shown that none are sent."""
    show_report(Report(kind="tax", tried=[Tried(case=Case.SURPLUS, skipped=True)]))

    lines = capsys.readouterr().out.splitlines()
    title = next(n for n, line in enumerate(lines) if "members nobody asked for" in line)
    assert lines[title + 1].strip() == "未检验 not examined 1"


def test_the_sample_of_the_page_is_one() -> None:
    """What the page shows can be taken over as it stands."""
    page = (ROOT / "docs" / "adapters" / "conformance.md").read_text("utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    tree = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  makes text, lists and maps only

    sample = parse_sample(tree, "education", fields_of("education", CATALOG))

    assert sample.datasets == ("edu.degree",)
    assert len(sample.people) == 4
