"""The commands stay few, one line each, and the README starts with the right one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TARGETS = {
    *("setup", "demo", "test", "fast", "check", "fmt", "lint", "type", "proto", "proto-check"),
    *("bench", "interop", "storm", "fuzz", "docs", "clean"),
}
RULE = re.compile(r"^([a-z-]+):[^#\n]*(## .+)?\n((?:\t.*\n)*)", re.MULTILINE)
COMMAND = re.compile(r"^(?:    |\t)?\$? ?((?:make|git|cd|python3?|pip|\.venv\S*|hutong) .+)$")


def _rules() -> dict[str, tuple[str, str]]:
    text = (ROOT / "Makefile").read_text("utf-8")
    return {match[1]: (match[2] or "", match[3]) for match in RULE.finditer(text)}


def test_targets_are_the_agreed_sixteen() -> None:
    """No command is added without dropping another (`help` only lists them)."""
    assert set(_rules()) - {"help"} == TARGETS


def test_each_target_is_explained() -> None:
    """`make help` prints every target with a sentence."""
    unexplained = [name for name, (words, _) in _rules().items() if not words and name != "help"]

    assert unexplained == []


def test_each_target_calls_one_command() -> None:
    """What takes more than one line is a script in .ci/, where it can be read and run."""
    longer = [name for name, (_, recipe) in _rules().items() if recipe.count("\n") > 1]

    assert longer == []


def test_scripts_can_be_run() -> None:
    """Each script of .ci/ that a target calls exists and is executable."""
    called = re.findall(r"^\t(\.ci/\S+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    dead = [name for name in [*called, ".ci/run"] if not (ROOT / name).stat().st_mode & 0o111]

    assert called
    assert dead == []


def test_first_command_of_the_readme_is_make_demo() -> None:
    """Whoever has just cloned the repository sees the product with one command."""
    for readme in ROOT.glob("README.md"):
        found = (COMMAND.match(line) for line in readme.read_text("utf-8").splitlines())
        commands = [match[1].strip() for match in found if match]
        own = [line for line in commands if not line.startswith(("git clone ", "cd "))]

        assert own[0].split("#")[0].strip() == "make demo"
