"""`check-config` says what `serve` would refuse, and neither ends in a traceback."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from adapters.port import Subject, SubjectType
from gateway.cli.ending import ExitCode
from gateway.cli.root import run
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import SandboxOptions, prepared
from gateway.policy.ports import Register, RegisterQuestion
from gateway.policy.ports_sqlite import SqliteRegisters

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Members = dict[str, object]
HUTONG = "import sys; from gateway.cli.root import main; main()"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a sandbox that was prepared; its departments have ended again."""
    options = SandboxOptions(
        root=tmp_path_factory.mktemp("checking"),
        population=240,
        systems=frozenset({f"{HRSS}/retirement"}),
    )

    async def prepare() -> Path:
        async with prepared(options) as sandbox:
            return sandbox.world.folders.config

    return asyncio.run(prepare())


def _serve(config: Path) -> subprocess.CompletedProcess[str]:
    """Run the real command until it ends, which a refusal makes it do."""
    return subprocess.run(
        [sys.executable, "-c", HUTONG, "serve", "--sandbox", "--config", str(config)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def _changed(whole: Path, name: str, *path: str, value: object) -> Path:
    """Return a copy of the configuration with one setting changed."""
    members = yaml.safe_load(whole.read_text("utf-8"))
    inner = members
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    changed = whole.with_name(f"{name}.yaml")
    changed.write_text(yaml.safe_dump(members, allow_unicode=True))
    return changed


def _garbage(whole: Path) -> str:
    file = whole.with_name("garbage")
    file.write_bytes(b"no database" * 100)
    return str(file)


def _beside(name: str) -> Callable[[Path], str]:
    return lambda whole: str(whole.parent / name)


BROKEN: dict[str, tuple[str, tuple[str, ...], Callable[[Path], str]]] = {
    "address without https": (
        "policy and departments",
        ("departments", "education", "base_url"),
        lambda _: "http://192.0.2.1:80",
    ),
    "address that is none": (
        "policy and departments",
        ("departments", "public_security", "base_url"),
        lambda _: "nonsense",
    ),
    "certificate of another key": ("tls", ("tls", "certificate"), _beside("envelope.crt")),
    "certificate that is none": ("tls", ("tls", "certificate"), _garbage),
    "registers that are none": ("registers", ("registers",), _garbage),
    "registers nowhere": ("registers", ("registers",), _beside("nowhere/registers.db")),
    "log that is none": ("log", ("log", "database"), _garbage),
    "log nowhere": ("log", ("log", "database"), _beside("nowhere/access.db")),
    "day that is none": (
        "policy and departments",
        ("policy_start_date",),
        lambda _: "2026-13-45",
    ),
}
"""What is wrong → the part that is named, the setting, and its value."""


@pytest.mark.parametrize("what", BROKEN)
def test_what_serve_refuses_is_found_before(
    what: str, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The part is named, and only that one."""
    part, path, value = BROKEN[what]
    config = _changed(whole, "broken", *path, value=value(whole))

    code = run(["check-config", "--config", str(config), "--sandbox", "--json"])

    assert code == ExitCode.NO
    assert list(json.loads(capsys.readouterr().out)["problems"]) == [part]


@pytest.mark.parametrize(
    "what",
    [
        "address that is none",
        "certificate of another key",
        "registers that are none",
        "log that is none",
    ],
)
def test_serve_refuses_it_with_a_text(what: str, whole: Path) -> None:
    """One of each kind of error, by the real command: 3 and a sentence, no traceback."""
    _, path, value = BROKEN[what]
    config = _changed(whole, "refused", *path, value=value(whole))

    served = _serve(config)

    assert served.returncode == ExitCode.UNREADABLE
    assert "cannot serve: " in served.stderr
    assert "Traceback" not in served.stderr


def test_a_configuration_that_serves_is_ready(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written: neither the log nor a lock, nor anything beside the registers."""
    root = whole.parent.parent
    before = sorted(root.rglob("*"))

    code = run(["check-config", "--config", str(whole), "--sandbox"])

    assert code == ExitCode.YES
    assert "ready: " in capsys.readouterr().out
    assert sorted(root.rglob("*")) == before


def test_registers_that_are_being_read_are_ready(whole: Path) -> None:
    """Beside a gateway that serves, what it keeps next to the file stays as it is."""
    with closing(SqliteRegisters.open(whole.with_name("registers.db"), bytes(32))) as registers:
        asked = RegisterQuestion(
            organisation="",
            matter="",
            case_number="",
            subject=Subject(type=SubjectType.USCC, identifier=""),
            at_ms=0,
            needed=frozenset({Register.PROTECTED}),
        )
        asyncio.run(registers.fetch_protected(asked))
        before = sorted(whole.parent.iterdir())

        code = run(["check-config", "--config", str(whole), "--sandbox"])

        assert code == ExitCode.YES
        assert sorted(whole.parent.iterdir()) == before
        assert whole.with_name("registers.db-wal") in before


@pytest.mark.parametrize("lacking", ["gateway", "registers.db"])
def test_registers_nobody_may_write_are_found(
    lacking: str, whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite needs file and folder to write; `serve` would end for it, whatever it holds."""
    allowed = os.access
    # Stood in for: whoever runs the tests may be root, to whom no mode denies anything.
    monkeypatch.setattr(
        "gateway.cli.check_config.os.access",
        lambda path, mode: Path(path).name != lacking and allowed(path, mode),
    )

    code = run(["check-config", "--config", str(whole), "--sandbox", "--json"])

    assert code == ExitCode.NO
    assert list(json.loads(capsys.readouterr().out)["problems"]) == ["registers"]


@pytest.mark.parametrize("noun", ["serve", "check-config"])
def test_sandbox_keys_are_refused_alike(
    noun: str, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `serve` refuses without --sandbox, `check-config` does not call ready."""
    code = run([noun, "--config", str(whole)])

    assert code == (ExitCode.UNREADABLE if noun == "serve" else ExitCode.NO)
    assert "sandbox: its keys serve no real exchange" in capsys.readouterr().err


@pytest.mark.parametrize("setting", ["listen", "health_listen"])
@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "127.0.0.1:port", ":1"])
def test_an_address_that_is_none_is_no_configuration(
    setting: str, address: str, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Host and port are demanded when the file is read."""
    config = _changed(whole, "address", setting, value=address)

    code = run(["check-config", "--config", str(config), "--sandbox"])

    assert code == ExitCode.UNREADABLE
    assert setting in capsys.readouterr().err


def test_a_log_of_another_origin_is_found(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file that is there belongs to another log: serving into it would be refused."""
    made = _changed(whole, "made", "log", "database", value=str(tmp_path / "access.db"))
    served = subprocess.Popen(
        [sys.executable, "-c", HUTONG, "serve", "--sandbox", "--config", str(made)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert served.stderr is not None
    while '"serving"' not in (told := served.stderr.readline()):
        pass
    # Modules, policy and tables are what the collector is not to walk under load.
    assert json.loads(told)["objects_kept_apart"] > 50_000
    served.terminate()
    served.communicate(timeout=30)
    members = yaml.safe_load(made.read_text("utf-8"))
    members["log"]["origin"] = "sandbox.invalid/another/log"
    made.write_text(yaml.safe_dump(members, allow_unicode=True))

    code = run(["check-config", "--config", str(made), "--sandbox", "--json"])

    problems = json.loads(capsys.readouterr().out)["problems"]
    assert code == ExitCode.NO
    assert "another origin" in problems["log"]


def test_a_port_in_use_is_told_without_a_traceback(whole: Path) -> None:
    """Grpc raises a bare RuntimeError; the setting is named instead."""
    config = _changed(whole, "port", "listen", value="192.0.2.1:1")

    served = _serve(config)

    assert served.returncode == ExitCode.UNREADABLE
    assert "listen: 192.0.2.1:1 cannot be bound" in served.stderr
    assert "Traceback" not in served.stderr
