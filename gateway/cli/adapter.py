"""`hutong adapter conformance`: examine one end of a kind, and tell its engineer what to mend."""

import asyncio
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.conformance import (
    Conclusion,
    Endpoint,
    Fields,
    Offered,
    Patience,
    Report,
    Sample,
    SampleUnreadable,
    examine,
    parse_sample,
    read_sample,
    write_sample,
)
from adapters.errors import AdapterMisconfigured
from adapters.port import DatasetName
from adapters.registry import KINDS, build_adapter
from gateway.catalog import Catalog, Dataset, load_catalog
from gateway.catalog.problems import PolicyRefused
from gateway.cli.conformance_shown import report_json, show_report
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import print_json
from gateway.cli.sandbox.examined import simulated_end
from gateway.cli.told import CommandReason, Told
from gateway.clock import SystemClock
from gateway.credentials import ConfigError
from gateway.wiring import describe_means
from signing.errors import SigningError

_WITHHELD: Final = "不予提供"
"""The ceiling of a field that no agreement may release (catalog)."""
_CODES: Final = {
    Conclusion.PASSED: ExitCode.YES,
    Conclusion.FAILED: ExitCode.NO,
    Conclusion.UNTOLD: ExitCode.INDETERMINATE,
}
_UNREADABLE: Final = (SampleUnreadable, AdapterMisconfigured, ConfigError, SigningError, OSError)
_LEAST_S, _MOST_S = 0.5, 600.0

_Seconds = Annotated[float, typer.Option(min=_LEAST_S, max=_MOST_S)]


def register(app: typer.Typer, name: str, help_line: str) -> None:
    """Add the group."""
    group = typer.Typer(help=help_line, no_args_is_help=True)
    # Without a callback typer makes a group of one command into that command.
    group.callback()(_group)
    group.command("conformance")(conformance)
    app.add_typer(group, name=name)


def _group() -> None:
    """Examine how a department answers."""


def conformance(
    kind: Annotated[str, typer.Option(help=f"Kind of the department: {', '.join(KINDS)}.")],
    *,
    sample: Annotated[
        Path | None, typer.Option(help="File with the end's section and planted people.")
    ] = None,
    simulator: Annotated[bool, typer.Option("--simulator", help="Examine our simulator.")] = False,
    write_to: Annotated[
        Path | None, typer.Option("--write-sample", help="Write a sample to fill in, and end.")
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="Catalog file; default: the one shipped.")
    ] = None,
    timeout: _Seconds = 5.0,
    patience: _Seconds = 30.0,
    json: Annotated[bool, typer.Option("--json", help="Print data for machines.")] = False,
) -> None:
    """Try every case: 0 all pass, 1 something fails, 2 cannot tell, 3 sample unreadable."""
    if sum((sample is not None, simulator, write_to is not None)) != 1:
        raise Told(CommandReason.OPTION_MISSING, "--sample | --simulator | --write-sample")
    if kind not in KINDS:
        raise Told(CommandReason.USAGE_WRONG, "--kind")
    try:
        datasets = load_catalog(catalog or _shipped())
        if write_to is not None:
            _write(write_to, kind, datasets)
            return
        bench = Patience(answer_s=timeout, job_s=patience)
        report = asyncio.run(_examine(kind, datasets, sample, bench))
    except _UNREADABLE as error:
        raise Ended(ExitCode.UNREADABLE, f"{kind}: {error}") from error
    except PolicyRefused as refused:
        raise Ended(ExitCode.UNREADABLE, f"catalog: {refused}") from refused
    if json:
        print_json(report_json(report))
    else:
        show_report(report)
    raise Ended(_CODES[report.conclusion])


def _write(path: Path, kind: str, catalog: Catalog) -> None:
    write_sample(path, kind, fields_of(kind, catalog))
    typer.echo(f"已写 written: {path}")


async def _examine(kind: str, catalog: Catalog, sample: Path | None, patience: Patience) -> Report:
    fields = fields_of(kind, catalog)
    if sample is not None:
        return await examine_sample(kind, catalog, read_sample(sample, kind, fields), patience)
    async with simulated_end(kind, catalog, sorted(fields)) as end:
        written = parse_sample(end.sample, kind, fields)
        return await examine_sample(kind, catalog, written, patience)


async def examine_sample(kind: str, catalog: Catalog, sample: Sample, patience: Patience) -> Report:
    """Examine the end of a sample with the adapter a gateway would build.

    Raises:
        AdapterMisconfigured: its section cannot work.
        ConfigError: a file it names cannot be used.
        SigningError: a key it names cannot be used.
    """
    endpoint = Endpoint(
        build=lambda section, means: build_adapter(kind, section, means),
        section=sample.section,
        means=describe_means(catalog, {}, SystemClock()),
        offered={each.name: _offered(kind, each) for each in _served(kind, catalog)},
    )
    return await examine(kind, endpoint, sample, patience)


def _served(kind: str, catalog: Catalog) -> list[Dataset]:
    names = (DatasetName(f"{name}@1") for name in KINDS[kind].datasets)
    return [catalog.datasets[name] for name in names if name in catalog.datasets]


def fields_of(kind: str, catalog: Catalog) -> Fields:
    """Return the datasets of a kind with the fields that may be asked for."""
    return {
        each.name.partition("@")[0]: sorted(_offered(kind, each).fields)
        for each in _served(kind, catalog)
    }


def _offered(kind: str, dataset: Dataset) -> Offered:
    return Offered(
        shape=dataset.build_shape(),
        fields=frozenset(each.name for each in dataset.fields if each.ceiling_text != _WITHHELD),
        names_unseen=dataset.name.partition("@")[0] in KINDS[kind].names_unseen,
    )


def _shipped() -> Path:
    return Path(str(files("gateway"))) / "bundle" / "catalog.yaml"
