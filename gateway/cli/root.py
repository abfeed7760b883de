"""The command `hutong`: finds the noun, loads its module alone, and turns endings into exit codes.

INVARIANT: what grpcio reads from the environment is set before anything imports it.
"""

import re
import sys
from importlib import import_module
from typing import Final, Protocol

import typer

from gateway.cli.ending import Ended, ExitCode
from gateway.cli.printing import called_as, print_json
from gateway.cli.told import CommandReason, Told, told_json
from gateway.config import prepare_environment

NOUNS: Final = {
    "demo": "Run a sandbox, exchange, attack it, and verify every receipt. 演示",
    "sandbox": "Run the whole world on loopback, or enrol a newcomer in it. 沙箱",
    "ask": "Ask one question as a partner's system. 提问",
    "serve": "Run the gateway of a configuration file. 运行网关",
    "provide": "Run a department's own node, with its own key. 数源节点",
    "check-config": "Read a configuration and everything it names; start nothing. 检查配置",
    "departments": "Tell how departments have answered in the last ten minutes. 部门状况",
    "adapter": "Examine how a department's end answers, and say what to mend. 部门接口检验",
    "policy": "Compile sharing agreements; explain what they release; tell facts. 策略",
    "log": "Make a log's keys; verify the log; look into it (each look is logged). 访问日志",
    "partner": "Keys, certificates, trust and identities of an installation. 接入",
    "simulate": "Run one simulated department alone. 模拟部门",
}
EPILOG: Final = (
    "Exit codes: 0 yes, answered, passed; 1 no, refused, failed; 2 indeterminate; "
    "3 unreadable input; 64 wrong usage. See docs/cli.md."
)
JSON: Final = "--json"
"""Of every command that tells machines something."""
_OPTION: Final = re.compile(r"--[a-z]+(?:-[a-z]+)*", re.ASCII)
"""A name of an option; one with a value run into it is of another form, and is not repeated."""
_TYPER_USAGE: Final = 2
"""What typer ends with after a wrong command line; none of our own endings goes that way."""


class Noun(Protocol):
    """A module of one noun."""

    def register(self, app: typer.Typer, name: str, help_line: str) -> None:
        """Add its command or its group of commands."""
        ...


def main() -> None:
    """Run the command line."""
    prepare_environment()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    app = build_app(arguments[0] if arguments else "")
    try:
        app(arguments, prog_name=called_as())
    except Ended as ended:
        return _tell(ended, arguments)
    except SystemExit as stop:
        if stop.code != _TYPER_USAGE:
            return _code(stop)
        return _tell(_usage(stop.__context__), arguments)
    except KeyboardInterrupt:
        return int(ExitCode.YES)
    return int(ExitCode.YES)


def build_app(noun: str) -> typer.Typer:
    """Return the application with one noun loaded, or with stubs of all where none is named."""
    app = typer.Typer(
        name="hutong",
        help="互通 Hutong: exchange of person data between departments.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        # A traceback with local variables would show personal data.
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for name, help_line in NOUNS.items():
        if name == noun:
            module: Noun = import_module(f"gateway.cli.{_module(name)}")
            module.register(app, name, help_line)
        else:
            app.command(name, help=help_line)(_stub)
    return app


def _module(noun: str) -> str:
    """Return where a noun lives."""
    modules = {
        "check-config": "check_config",
        "sandbox": "sandbox.command",
        "demo": "demo.command",
        "partner": "partner.command",
    }
    return modules.get(noun, noun)


def _root() -> None:
    """互通 Hutong: exchange of person data between departments."""


def _stub() -> None:
    """Stand for a noun that is only listed."""


def _tell(ended: Ended, arguments: list[str]) -> int:
    """Say why a command ended, to people or to machines, and return its exit code."""
    if isinstance(ended, Told) and JSON in arguments:
        print_json(told_json(ended))
    elif ended.text:
        typer.echo(ended.text, err=True)
    return int(ended.code)


def _usage(mistake: BaseException | None) -> Ended:
    """Return in both languages what typer said in one is wrong with a command line."""
    # By name: where typer keeps these classes is its own affair, and differs between its versions.
    kind = type(mistake).__name__
    if kind == "NoArgsIsHelpError":
        return Ended(ExitCode.USAGE)  # the help it printed is the answer
    named = _named(mistake)
    if kind == "MissingParameter" and named:
        return Told(CommandReason.OPTION_MISSING, named)
    return Told(CommandReason.USAGE_WRONG, named)


def _named(mistake: BaseException | None) -> str:
    """Return the name of the option or argument at fault, never a value; empty where none is."""
    param = getattr(mistake, "param", None)
    if param is not None:
        return str(param.opts[0])
    # What was typed, where it is no option of ours.
    typed = str(getattr(mistake, "option_name", ""))
    return typed if _OPTION.fullmatch(typed) else ""


def _code(stop: SystemExit) -> int:
    return stop.code if isinstance(stop.code, int) else int(ExitCode.YES)
