"""What is printed runs as printed, and nothing is cut where nobody resizes."""

import shlex
from pathlib import Path

import pytest
from rich.table import Table

from gateway.cli.printing import build_console, command_line


@pytest.mark.parametrize(
    ("called", "printed"),
    [
        (".venv/bin/hutong", ".venv/bin/hutong"),
        ("{here}/.venv/bin/hutong", ".venv/bin/hutong"),
        ("/elsewhere/bin/hutong", "/elsewhere/bin/hutong"),
        ("/with blank/hutong", "'/with blank/hutong'"),
        ("/usr/bin/pytest", "hutong"),
    ],
)
def test_a_command_line_begins_as_the_program_was_called(
    called: str, printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative below the current folder, else with its path; a name alone inside other programs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [called.format(here=tmp_path), "sandbox"])

    assert command_line("ask", "--json") == f"{printed} ask --json"


def test_arguments_survive_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a blank and a Chinese name are one argument each."""
    monkeypatch.setattr("sys.argv", ["hutong"])
    arguments = ["ask", "--identity", "/a folder/x", "--subject-name", "李明哲"]

    assert shlex.split(command_line(*arguments)) == ["hutong", *arguments]


def test_a_pipe_gets_every_line_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard output is no terminal, a long code stands in one piece."""
    table = Table()
    code = "AGREEMENT_NOT_APPLICABLE_" * 20
    for number in range(6):
        table.add_column(str(number))
    table.add_row(*[code] * 6)

    build_console().print(table)

    assert capsys.readouterr().out.count(code) == 6
