"""Tables in the documents say what the code says."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

import gateway.exchange
from adapters.port import Finding, Indeterminate
from adapters.settings import DepartmentsConfig, LimitsConfig, NodeAddress, NodeSection
from gateway.cli.ending import ExitCode
from gateway.cli.root import NOUNS
from gateway.cli.told import COMMAND_TEXTS, CommandReason
from gateway.config import Config, LimitConfig
from gateway.credentials import LogConfig
from gateway.errors import TEXTS, Reason
from gateway.exits import WITHOUT_RECEIPT
from gateway.metrics import TABLE, Metrics
from gateway.rpc.status import CODES
from hutong.client import FINDING_TEXTS, INDETERMINATE_TEXTS

DOCS = Path(__file__).parents[2] / "docs"
STEP = re.compile(r"^ {4,5}(\d{1,2}) (\w+) ", re.MULTILINE)


def _rows(page: str, section: str = "") -> list[list[str]]:
    """Return the cells of every table row of a page or one section, without code marks."""
    text = (DOCS / page).read_text("utf-8")
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = text.splitlines()
    rows = [line for line in lines if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def _sections(page: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(r"^## hutong ([a-z-]+)$", text, re.MULTILINE)


def test_reasons_page_lists_every_reason_as_the_code_does() -> None:
    """Code, side, gRPC code, receipt and both texts of every reason stand in docs/reasons.md."""
    expected = [
        [
            str(reason),
            str(TEXTS[reason].side),
            CODES[reason].name,
            "no" if reason in WITHOUT_RECEIPT else "yes",
            TEXTS[reason].zh,
            TEXTS[reason].en,
        ]
        for reason in Reason
    ]

    documented = [row for row in _rows("reasons.md")[1:] if len(row) == len(expected[0])]
    assert documented == expected


def test_reasons_page_lists_why_it_could_not_be_told() -> None:
    """Reason, side and texts of every indeterminate answer, of gateway and client alike."""
    expected = [
        [str(each), told.side, told.zh, told.en] for each, told in INDETERMINATE_TEXTS.items()
    ]

    assert _rows("reasons.md", "Why it could not be told")[1:] == expected
    assert [row[0] for row in expected] == [str(each) for each in Indeterminate]


def test_reasons_page_lists_every_finding() -> None:
    """What each finding says, ERROR included, as the client tells it."""
    expected = [[str(each), zh, en] for each, (zh, en) in FINDING_TEXTS.items()]

    assert _rows("reasons.md", "What a finding says")[1:] == expected
    assert [row[0] for row in expected] == [str(each) for each in Finding]


def test_reasons_page_lists_why_a_command_ended() -> None:
    """Code, side, exit code and both texts of every reason of the command line."""
    expected = [
        [str(each), str(told.side), str(int(code)), told.zh, told.en]
        for each, (code, told) in COMMAND_TEXTS.items()
    ]

    assert _rows("reasons.md", "Why a command ended")[1:] == expected
    assert [row[0] for row in expected] == [str(each) for each in CommandReason]


def test_path_page_numbers_the_steps_as_the_exchange_does() -> None:
    """The steps of docs/request-path.md are those of the exchange's docstring, in its order."""
    steps = STEP.findall(gateway.exchange.__doc__ or "")

    documented = [(row[0], row[1]) for row in _rows("request-path.md")[1:]]

    assert len(steps) == 13
    assert documented == steps


def test_path_page_names_reasons_that_exist() -> None:
    """Whatever the path is said to be refused with is a reason of the closed list."""
    text = (DOCS / "request-path.md").read_text("utf-8")

    named = set(re.findall(r"`([A-Z][A-Z_]{3,})`", text)) - {"INDETERMINATE"}

    assert named <= set(Reason)


def test_path_page_names_functions_that_exist() -> None:
    """Each enforcing function of the path can be imported."""
    enforced = [row[3] for row in _rows("request-path.md")[1:]]
    names = [name for cell in enforced for name in re.findall(r"[a-z_]+(?:\.\w+)+", cell)]

    for name in names:
        _resolve(name)

    assert names


def _resolve(name: str) -> object:
    """Import the longest module of a dotted name and walk the rest."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = __import__(".".join(parts[:length]), fromlist=["_"])
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


def test_metrics_page_lists_every_metric_as_the_code_does() -> None:
    """Name, type and text of every metric stand in docs/operations/metrics.md."""
    registered = {metric.name: metric.type for metric in Metrics().registry.collect()}

    documented = _rows("operations/metrics.md")[1:]

    assert [(row[0], row[3]) for row in documented] == list(TABLE)
    kinds = {row[0].removesuffix("_total"): row[1] for row in documented}
    assert kinds == registered


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        (Config, ""),
        (LogConfig, "log."),
        (LimitConfig, "limits."),
        (LimitsConfig, "departments.*.limits."),
    ],
    ids=["top", "log", "limits", "limits of a department"],
)
def test_config_page_lists_every_setting(model: type[BaseModel], prefix: str) -> None:
    """Each setting stands in docs/operations/config.md with its default."""
    documented = {row[0]: row[1] for row in _rows("operations/config.md") if len(row) == 3}

    for name, field in model.model_fields.items():
        simple = isinstance(field.default, str | int | float)
        expected = str(field.default) if simple else ""
        expected = expected.lower() if isinstance(field.default, bool) else expected
        assert documented[prefix + name] == expected


def test_config_page_lists_every_department_setting() -> None:
    """Each setting of each department stands in docs/operations/config.md."""
    documented = {
        row[0]: set(re.findall(r"[a-z_]+", row[1].split("(")[0]))
        for row in _rows("operations/config.md")
        if row[0].startswith("departments.")
    }

    for name, field in DepartmentsConfig.model_fields.items():
        embedded, remote = _sections_of(field.annotation)
        assert documented[f"departments.{name}"] == set(embedded.model_fields)
        assert remote is NodeSection
    assert documented["departments.*.node"] == set(NodeAddress.model_fields)


def _sections_of(annotation: object) -> tuple[type[BaseModel], ...]:
    """Return the models in an annotation, through unions and what is noted beside them."""
    if isinstance(annotation, type):
        return (annotation,) if issubclass(annotation, BaseModel) else ()
    return tuple(each for part in get_args(annotation) for each in _sections_of(part))


def test_cli_page_has_a_section_for_every_noun() -> None:
    """Each noun of the command line is documented, in the order of `--help`."""
    assert _sections("cli.md") == list(NOUNS)


def test_cli_page_lists_every_exit_code() -> None:
    """The exit codes of docs/cli.md are those of the code."""
    documented = [row[0] for row in _rows("cli.md")[1:]]

    assert documented == [str(int(code)) for code in ExitCode]
