"""Reads the small tables beside the code: a header line, then values between `|`."""

from csv import DictReader
from importlib.resources import files


def read_table(name: str) -> list[dict[str, str]]:
    """Read one table of this package as rows by column name."""
    text = files("adapters.simulators.population").joinpath(name).read_text(encoding="utf-8")
    return list(DictReader(text.split("\n"), delimiter="|"))
