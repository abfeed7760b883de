"""The command `python -m hutong.evidence`: judges evidence on a bare machine.

Knows arguments and files; every judgement is made elsewhere. Exit codes: 0 proven, 1 tampered,
2 cannot tell, 3 unreadable input, 64 usage (sysexits.h EX_USAGE).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hutong.evidence.checkpoint import verify_checkpoint
from hutong.evidence.commitment import SALT_BYTES, verify_opening
from hutong.evidence.entry import parse_entry, require_commitment
from hutong.evidence.merkle import verify_consistency
from hutong.evidence.note import LogKey, parse_log_key
from hutong.evidence.reasons import EvidenceError, Malformed, Unreadable
from hutong.evidence.receipt import Expected, verify_receipt
from hutong.evidence.receipt_file import (
    encode_receipt,
    encode_tlog_proof,
    parse_consistency_proof,
    parse_receipt,
    parse_tlog_proof,
)
from hutong.evidence.report import (
    Report,
    encode_report_json,
    encode_report_text,
    report_of_checkpoint,
    report_of_consistency,
    report_of_error,
    report_of_log,
    report_of_opening,
    report_of_receipt,
)
from hutong.evidence.spelling import HASH_BYTES, parse_hex
from hutong.evidence.whole_log import examine_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE: Final = 64
# The largest thing read whole is a request or answer: 65,536 bytes on the wire. A file far above
# every limit is refused before it fills the memory.
MAX_INPUT_BYTES: Final = 8 * 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    try:
        options = _build_parser().parse_args(arguments)
    except SystemExit as stop:
        # argparse ends with 2, which here means "cannot tell".
        return USAGE if stop.code else 0
    judge: Callable[[argparse.Namespace], Report] = options.judge
    try:
        report = judge(options)
    except EvidenceError as error:
        report = report_of_error(error)
    write = encode_report_json if options.json else encode_report_text
    sys.stdout.write(write(report))
    return int(report.outcome)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hutong.evidence",
        description="核验回执、证明、检查点和日志。 Verifies receipts, proofs, checkpoints, logs.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_receipt(commands.add_parser("receipt", help="核验一份回执 · one receipt"))
    _add_log(commands.add_parser("log", help="核验整本日志 · a whole log file"))
    _add_checkpoint(commands.add_parser("checkpoint", help="核验检查点 · one checkpoint"))
    _add_consistency(commands.add_parser("consistency", help="核验只增不改 · log only grew"))
    _add_proof(commands.add_parser("proof", help="tlog-proof 互转 · convert tlog-proof files"))
    _add_open(commands.add_parser("open", help="打开承诺 · open one commitment"))
    return parser


def _add_common(command: argparse.ArgumentParser, judge: Callable[..., Report]) -> None:
    command.add_argument("--json", action="store_true", help="JSON 输出 · JSON output")
    command.set_defaults(judge=judge)


def _add_key(command: argparse.ArgumentParser) -> None:
    key = command.add_mutually_exclusive_group(required=True)
    key.add_argument("--log-key", metavar="TEXT", help="日志公钥 · <origin>+<id>+<base64>")
    key.add_argument("--log-key-file", metavar="FILE", type=Path)


def _add_receipt(command: argparse.ArgumentParser) -> None:
    command.add_argument("receipt", type=Path)
    _add_key(command)
    command.add_argument("--request", type=Path, help="请求原文 · exact payload of the request")
    command.add_argument("--salt", metavar="HEX", help="请求承诺的盐 · salt of the request")
    command.add_argument("--answer", type=Path, help="应答原文 · exact bytes of the answer's body")
    command.add_argument("--request-id", metavar="HEX", help="请求编号 · request_id, 16 bytes")
    command.add_argument("--item", type=int, help="事项中的第几项 · item of a matter, from 0")
    command.add_argument("--known-size", type=int, default=0, help="已知的日志大小 · size known")
    _add_common(command, _judge_receipt)


def _add_log(command: argparse.ArgumentParser) -> None:
    command.add_argument("log", type=Path)
    _add_key(command)
    command.add_argument("--receipt", type=Path, action="append", default=[])
    command.add_argument("--checkpoint", type=Path, action="append", default=[])
    _add_common(command, _judge_log)


def _add_checkpoint(command: argparse.ArgumentParser) -> None:
    command.add_argument("checkpoint", type=Path)
    _add_key(command)
    _add_common(command, _judge_checkpoint)


def _add_consistency(command: argparse.ArgumentParser) -> None:
    command.add_argument("older", type=Path)
    command.add_argument("newer", type=Path)
    _add_key(command)
    command.add_argument("--proof", type=Path, help="JSON list of hashes in base64")
    _add_common(command, _judge_consistency)


def _add_proof(command: argparse.ArgumentParser) -> None:
    command.add_argument("input", type=Path, help="receipt JSON, or .tlog-proof")
    _add_key(command)
    command.add_argument("--entry", type=Path, help="条目原文 · entry, if the proof carries none")
    command.add_argument("--output", type=Path, help="写出另一种格式 · write the other format here")
    _add_common(command, _judge_proof)


def _add_open(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--commitment", metavar="HEX")
    source.add_argument("--entry", type=Path, help="条目原文 · file with the bytes of the entry")
    command.add_argument("--member", required=True)
    command.add_argument("--salt", metavar="HEX", required=True)
    # A value may be personal data: it comes from a file, never from the list of processes.
    command.add_argument("--value", type=Path, required=True, help="内容文件 · file with the value")
    _add_common(command, _judge_open)


def _judge_receipt(options: argparse.Namespace) -> Report:
    wanted = Expected(
        request_id=_parse_hex_option(options.request_id, "request id", 16),
        item=options.item,
        known_size=options.known_size,
    )
    proven = verify_receipt(
        parse_receipt(_load_bytes(options.receipt)),
        _load_key(options),
        request_payload=_load_optional(options.request),
        commitment_salt=_parse_hex_option(options.salt, "salt", SALT_BYTES),
        answer_body=_load_optional(options.answer),
        expected=wanted,
    )
    return report_of_receipt(proven)


def _judge_log(options: argparse.Namespace) -> Report:
    key = _load_key(options)
    receipts = [parse_receipt(_load_bytes(path)) for path in options.receipt]
    # A kept checkpoint accuses the log, so it must be proven before it may.
    kept = [verify_checkpoint(_load_bytes(path), key) for path in options.checkpoint]
    return report_of_log(examine_log(options.log, key, receipts, kept))


def _judge_checkpoint(options: argparse.Namespace) -> Report:
    raw = _load_bytes(options.checkpoint)
    return report_of_checkpoint(verify_checkpoint(raw, _load_key(options)))


def _judge_consistency(options: argparse.Namespace) -> Report:
    key = _load_key(options)
    older = verify_checkpoint(_load_bytes(options.older), key)
    newer = verify_checkpoint(_load_bytes(options.newer), key)
    proof = _load_optional(options.proof)
    hashes = parse_consistency_proof(proof) if proof is not None else ()
    verify_consistency(older.head, newer.head, hashes)
    return report_of_consistency(older, newer)


def _judge_proof(options: argparse.Namespace) -> Report:
    raw = _load_bytes(options.input)
    # Told apart by content: a file's name comes from whoever hands it over.
    is_receipt = raw.lstrip().startswith(b"{")
    if is_receipt:
        receipt = parse_receipt(raw)
    else:
        receipt = parse_tlog_proof(raw, _load_optional(options.entry))
    report = report_of_receipt(verify_receipt(receipt, _load_key(options)))
    # Written after the verdict only: a converter must not give a broken proof a new, clean face.
    if options.output is not None:
        written = encode_tlog_proof(receipt) if is_receipt else encode_receipt(receipt)
        _store_bytes(options.output, written)
    return report


def _judge_open(options: argparse.Namespace) -> Report:
    if options.entry is not None:
        entry = parse_entry(_load_bytes(options.entry))
        committed = require_commitment(entry, options.member)
    else:
        committed = parse_hex(options.commitment, "commitment", HASH_BYTES)
    salt = parse_hex(options.salt, "salt", SALT_BYTES)
    verify_opening(committed, options.member, salt, _load_bytes(options.value))
    return report_of_opening(options.member)


def _load_key(options: argparse.Namespace) -> LogKey:
    if options.log_key is not None:
        return parse_log_key(options.log_key)
    try:
        text = _load_bytes(options.log_key_file).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise Malformed("log key is not text") from cause
    return parse_log_key(text.removesuffix("\n"))


def _load_optional(path: Path | None) -> bytes | None:
    return None if path is None else _load_bytes(path)


def _load_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than allowed is asked for; the size of a file may change after it was
            # looked up.
            raw = file.read(MAX_INPUT_BYTES + 1)
    except OSError as cause:
        raise Unreadable(f"{path} cannot be read") from cause
    if len(raw) > MAX_INPUT_BYTES:
        raise Unreadable("a file is too large")
    return raw


def _store_bytes(path: Path, raw: bytes) -> None:
    try:
        path.write_bytes(raw)
    except OSError as cause:
        raise Unreadable("the output cannot be written") from cause


def _parse_hex_option(text: str | None, what: str, length: int) -> bytes | None:
    return None if text is None else parse_hex(text, what, length)


if __name__ == "__main__":
    sys.exit(main())
