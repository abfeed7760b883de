"""The command: exit codes, both languages, JSON, and a machine with nothing of ours installed."""

from __future__ import annotations

import base64
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hutong.evidence
from hutong.evidence import Opening, encode_log_key, encode_receipt, parse_receipt
from hutong.evidence.__main__ import MAX_INPUT_BYTES, USAGE, main
from hutong.evidence.receipt_file import encode_tlog_proof
from tests.evidence.synthetic_log import (
    ANSWER,
    REQUEST,
    committed,
    naive_consistency,
    salt_of,
)

if TYPE_CHECKING:
    from tests.evidence.synthetic_log import SyntheticLog

NUMBER, INDEX = 4, 9


class Desk:
    """An auditor's desk: files in one folder, and the log key of the enrolment bundle."""

    def __init__(self, folder: Path, log: SyntheticLog, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.key = encode_log_key(log.signer.log_key)
        self._capsys = capsys

    def file(self, name: str, raw: bytes) -> str:
        """Puts a file on the desk."""
        (self.folder / name).write_bytes(raw)
        return str(self.folder / name)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Runs the command with the log key; returns exit code and output."""
        code = main([*arguments, "--log-key", self.key])
        return code, self._capsys.readouterr().out

    def run_bare(self, *arguments: str) -> tuple[int, str]:
        """Runs the command as given."""
        code = main(arguments)
        return code, self._capsys.readouterr().out


@pytest.fixture
def desk(tmp_path: Path, log: SyntheticLog, capsys: pytest.CaptureFixture[str]) -> Desk:
    """The desk with request, answer and receipt on it."""
    desk = Desk(tmp_path, log, capsys)
    desk.file("receipt.json", encode_receipt(log.receipt(INDEX, NUMBER)))
    desk.file("request.bin", REQUEST)
    desk.file("answer.bin", ANSWER)
    return desk


def test_whole_receipt_is_told_in_both_languages(desk: Desk) -> None:
    """Chinese first, English after; what was not proven is said too."""
    code, output = desk.run(
        "receipt",
        str(desk.folder / "receipt.json"),
        "--request",
        str(desk.folder / "request.bin"),
        "--answer",
        str(desk.folder / "answer.bin"),
        "--salt",
        salt_of(f"request {NUMBER}").hex(),
        "--request-id",
        f"{NUMBER:032x}",
        "--item",
        "0",
        "--known-size",
        "22",
    )

    assert code == 0
    assert output.startswith("结论：成立\n")
    assert "Verdict: PROVEN" in output
    assert "the answer given is the very one" in output
    assert "Not proven: that the facts are true" in output
    assert "none" not in output  # the value of the opening


def test_receipt_alone_says_what_was_not_compared(desk: Desk) -> None:
    """JSON names each thing proven and not."""
    code, output = desk.run("receipt", str(desk.folder / "receipt.json"), "--json")

    told = json.loads(output)
    assert (code, told["outcome"], told["index"]) == (0, "PROVEN", INDEX)
    assert told["proven"] == {
        "checkpoint_signed": True,
        "entry_included": True,
        "exchange_expected": False,
        "request_bound": False,
        "answer_bound": False,
        "opened": ["relation"],
    }


def test_receipt_without_openings_tells_none(desk: Desk, log: SyntheticLog) -> None:
    """The sentence on openings is there only when something was opened."""
    proof = encode_tlog_proof(log.receipt(INDEX, NUMBER))
    path = desk.file("one.tlog-proof", proof)

    code, output = desk.run("proof", path)

    assert code == 0
    assert "Commitments opened" not in output


def test_time_beyond_the_calendar_is_told_as_a_number(desk: Desk, log: SyntheticLog) -> None:
    """A year past 9999 is no date, and no crash."""
    log.add(kind="tick", ts=2**53 - 1)
    log.sign()
    raw = encode_tlog_proof(log.receipt(22, 0))

    code, output = desk.run("proof", desk.file("late.tlog-proof", raw))

    assert code == 0
    assert f"ts={2**53 - 1}" in output


def test_tampered_receipt_exits_with_1(desk: Desk) -> None:
    """Another answer is told with its reason."""
    code, output = desk.run(
        "receipt", str(desk.folder / "receipt.json"), "--answer", desk.file("x", b"other")
    )

    assert code == 1
    assert "ANSWER_MISMATCH" in output


def test_key_of_another_log_exits_with_2(desk: Desk) -> None:
    """A wrong key is no proof of tampering."""
    desk.key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

    code, output = desk.run("receipt", str(desk.folder / "receipt.json"), "--json")

    assert (code, json.loads(output)["reason"]) == (2, "KEY_UNKNOWN")


def test_unreadable_input_exits_with_3(desk: Desk) -> None:
    """A missing file, a file too large and a file in another form."""
    large = desk.folder / "large"
    with large.open("wb") as file:
        file.truncate(MAX_INPUT_BYTES + 1)

    outcomes = [
        desk.run("receipt", path)[0]
        for path in (str(desk.folder / "absent"), str(large), desk.file("empty", b""))
    ]

    assert outcomes == [3, 3, 3]


def test_unreadable_input_is_told_in_json(desk: Desk) -> None:
    """Machines get the detail as well."""
    code, output = desk.run("receipt", desk.file("empty", b""), "--json")

    told = json.loads(output)
    assert (code, told["outcome"], told["detail"]) == (3, "UNREADABLE", "receipt is not JSON")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["receipt"],
        ["receipt", "file"],
        ["receipt", "file", "--log-key", "a", "--log-key-file", "b"],
        ["open", "--member", "officer", "--salt", "00"],
    ],
)
def test_wrong_usage_exits_with_64(arguments: list[str]) -> None:
    """Usage errors are no judgement."""
    assert main(arguments) == USAGE == 64


def test_help_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """Help names every command."""
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    for command in ("receipt", "log", "checkpoint", "consistency", "proof", "open"):
        assert command in told


def test_folder_runs_as_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` ends with the code of the judgement."""
    monkeypatch.setattr(sys, "argv", ["hutong.evidence", "nothing"])

    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(Path(hutong.evidence.__file__).parent), run_name="__main__")

    assert stop.value.code == USAGE


def test_log_is_told_with_what_is_open(desk: Desk, log: SyntheticLog) -> None:
    """The whole log, held against a receipt and a checkpoint kept elsewhere."""
    path = str(log.store(desk.folder / "log.db"))
    kept = desk.file("kept.txt", log.checkpoints[12])
    receipt = str(desk.folder / "receipt.json")

    code, output = desk.run("log", path, "--receipt", receipt, "--checkpoint", kept)

    assert code == 0
    assert "22 entries, 22 checkpoints, 1 receipts" in output
    assert "1 asks have no answer" in output


def test_tampered_log_names_its_first_wrong_position(desk: Desk, log: SyntheticLog) -> None:
    """JSON lists findings in the order of the log."""
    log.entries[7] = log.entries[7].replace(b"ANSWERED", b"UNHEARD!")
    path = str(log.store(desk.folder / "log.db"))

    code, output = desk.run("log", path, "--json")
    _, text = desk.run("log", path)

    assert code == 1
    assert json.loads(output)["findings"][0] == {
        "reason": "ROOT_MISMATCH",
        "place": "checkpoint",
        "number": 8,
        "detail": "entries 7 to 7",
    }
    assert "checkpoint 8: " in text
    assert "(entries 7 to 7)" in text


def test_log_without_open_asks_and_findings_is_told_shortly(desk: Desk, log: SyntheticLog) -> None:
    """Nothing is said of what is not there."""
    del log.entries[20:]
    log.checkpoints = {size: note for size, note in log.checkpoints.items() if size <= 20}
    path = str(log.store(desk.folder / "log.db"))

    code, output = desk.run("log", path)

    assert code == 0
    assert "no answer" not in output


def test_checkpoint_is_told(desk: Desk, log: SyntheticLog) -> None:
    """Origin, size and root."""
    code, output = desk.run("checkpoint", desk.file("c", log.checkpoints[12]))

    assert code == 0
    assert "sandbox.invalid/hutong/log" in output
    assert "12 entries" in output


def test_extension_lines_are_told_as_not_understood(desk: Desk, log: SyntheticLog) -> None:
    """Text a monitor cannot audit is not passed over in silence."""
    text = log.checkpoints[12].partition(b"\n\n")[0].decode() + "\nextension\n"

    _, output = desk.run("checkpoint", desk.file("c", log.signer.note(text)))

    assert "1 extension lines are not interpreted" in output


def test_consistency_of_two_checkpoints_is_proven(desk: Desk, log: SyntheticLog) -> None:
    """The newer log extends the older."""
    proof = [base64.b64encode(h).decode() for h in naive_consistency(7, log.entries)]
    older, newer = desk.file("7", log.checkpoints[7]), desk.file("22", log.checkpoints[22])
    path = desk.file("proof.json", json.dumps(proof).encode())

    proven, output = desk.run("consistency", older, newer, "--proof", path)
    without, _ = desk.run("consistency", older, newer)
    same, _ = desk.run("consistency", newer, newer)

    assert (proven, without, same) == (0, 1, 0)
    assert "extends the log of 7" in output


def test_receipt_travels_as_tlog_proof_and_back(desk: Desk, log: SyntheticLog) -> None:
    """Conversion judges first, and loses the openings only."""
    receipt, proof = desk.folder / "receipt.json", desk.folder / "out.tlog-proof"
    back = desk.folder / "back.json"

    there = desk.run("proof", str(receipt), "--output", str(proof))[0]
    again = desk.run("proof", str(proof), "--output", str(back))[0]

    assert (there, again) == (0, 0)
    assert proof.read_bytes().startswith(b"c2sp.org/tlog-proof@v1\nextra ")
    assert parse_receipt(back.read_bytes()).entry == log.entries[INDEX]


def test_tampered_receipt_is_not_converted(desk: Desk) -> None:
    """No file is written for what does not hold."""
    out = desk.folder / "out"
    raw = (desk.folder / "receipt.json").read_bytes().replace(b'"index": 9', b'"index": 8')

    code, _ = desk.run("proof", desk.file("bad.json", raw), "--output", str(out))

    assert code == 1
    assert not out.exists()


def test_output_that_cannot_be_written_exits_with_3(desk: Desk) -> None:
    """A folder that is not there."""
    code, _ = desk.run(
        "proof", str(desk.folder / "receipt.json"), "--output", str(desk.folder / "no" / "out")
    )

    assert code == 3


def test_proof_without_extra_takes_the_entry_from_a_file(desk: Desk, log: SyntheticLog) -> None:
    """A foreign log's proof carries no entry."""
    lines = encode_tlog_proof(log.receipt(INDEX, NUMBER)).split(b"\n")
    proof = desk.file("p", b"\n".join([lines[0], *lines[2:]]))

    code, _ = desk.run("proof", proof, "--entry", desk.file("e", log.entries[INDEX]))

    assert code == 0


def test_commitment_is_opened_without_telling_its_value(desk: Desk, log: SyntheticLog) -> None:
    """From the entry or from the commitment itself; the value comes from a file."""
    opening = Opening(member="subject", salt=salt_of("subject 4"), value=b"token")
    common = ["open", "--member", "subject", "--salt", opening.salt.hex()]
    value, wrong = desk.file("value", b"token"), desk.file("wrong", b"other")
    made = committed("subject", opening.salt, b"token")

    by_hex, told = desk.run_bare(*common, "--commitment", made, "--value", value)
    by_entry, _ = desk.run_bare(
        *common, "--entry", desk.file("e", log.entries[8]), "--value", value
    )
    refused, _ = desk.run_bare(*common, "--commitment", made, "--value", wrong)

    assert (by_hex, by_entry, refused) == (0, 0, 1)
    assert "token" not in told


def test_log_key_is_read_from_a_file(desk: Desk, log: SyntheticLog) -> None:
    """With one line end, as an editor leaves it."""
    checkpoint = desk.file("c", log.checkpoints[12])
    key = desk.file("key", desk.key.encode() + b"\n")
    broken = desk.file("broken", b"\xff")

    good, _ = desk.run_bare("checkpoint", checkpoint, "--log-key-file", key)
    bad, _ = desk.run_bare("checkpoint", checkpoint, "--log-key-file", broken)

    assert (good, bad) == (0, 3)


def test_folder_copied_to_a_bare_machine_judges_a_receipt(desk: Desk) -> None:
    """The folder runs with the standard library and `cryptography`, and loads nothing else."""
    source = Path(hutong.evidence.__file__).parent
    copied = desk.folder / "bare" / "hutong" / "evidence"
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
    (copied.parent / "__init__.py").write_text("")
    program = (
        "import runpy, sys; sys.argv = ['e', *sys.argv[1:]]\n"
        "try: runpy.run_module('hutong.evidence', run_name='__main__')\n"
        "except SystemExit as stop: code = stop.code\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "allowed = set(sys.stdlib_module_names) | {'__main__', 'hutong'}\n"
        "allowed |= {'cryptography', '_cffi_backend', '_openssl'}\n"
        "print(code, sorted(n for n in names - allowed if not n.startswith('__editable__')))\n"
    )
    site = str(Path(sys.modules["cryptography"].__file__ or "").parents[1])

    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path[:0] = [{str(copied.parents[1])!r}]; sys.path.append({site!r})\n"
            + program,
            "receipt",
            str(desk.folder / "receipt.json"),
            "--log-key",
            desk.key,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines()[-1] == "0 []"
