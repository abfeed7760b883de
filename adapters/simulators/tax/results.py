"""Writes what the department drops: acknowledgements, refusals, results, and broken results."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from adapters.simulators.faults import FaultBoard
from adapters.simulators.tax.clients import Client
from adapters.simulators.tax.coding import CONTROLS, Part, encode, sign
from adapters.simulators.tax.envelope import Answer, Head, write_answer
from adapters.simulators.tax.faults import Fault
from adapters.simulators.tax.manifest import write_manifest
from adapters.simulators.tax.names import PackageName
from adapters.simulators.tax.reading import signed_head
from adapters.simulators.tax.refusals import Code
from adapters.simulators.tax.register import Told, failed_now

BOMB: Final = 64 * 1024 * 1024
"""Octets a decompression bomb unpacks to."""
OVERSIZED: Final = 20 * 1024 * 1024
"""Octets of padding in an oversized file."""
STRANGER: Final = "ZZ99999999999999"
"""A sequence number no client uses."""
DUPLICATE: Final = "99"
"""The attempt a duplicate result bears, which no client may use."""

_ENTITIES: Final = b"".join(
    b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10)
)
_BOMB_TYPE: Final = b'<!DOCTYPE tiripPackage [<!ENTITY e0 "x">' + _ENTITIES + b"]>"
_EXTERNAL_TYPE: Final = (
    b'<!DOCTYPE tiripPackage [<!ENTITY e9 SYSTEM "file:///etc/hostname">'
    b'<!ENTITY f SYSTEM "http://127.0.0.1:9/x">]>'
)

Files = dict[str, bytes]
"""File name → octets, the manifest last."""


def write_plain(client: Client, head: Head, code: Code) -> bytes:
    """Write an acknowledgement or a refusal."""
    signature = sign(client.sign_key, signed_head(head, code), ())
    return write_answer(Answer(head=head, code=code, sign_value=signature))


class ResultWriter:
    """Writes results; faults of files strike here."""

    def __init__(self, board: FaultBoard[Fault]) -> None:
        self._board = board

    def write(
        self, client: Client, name: PackageName, head: Head, told: Sequence[tuple[str, Told]]
    ) -> Files:
        """Write the result of a package and, by fault, results beside it."""
        files: Files = {}
        if self._board.strikes(Fault.UNKNOWN_TRAN_SEQ):
            strange = replace(name, tran_seq=STRANGER)
            strange_head = replace(head, tran_seq=STRANGER)
            files |= self._write_one(client, strange, strange_head, told)
        if self._board.strikes(Fault.OTHER_TRAN_SEQ):
            head = replace(head, tran_seq=STRANGER)
        files |= self._write_one(client, name, head, told)
        if self._board.strikes(Fault.DUPLICATE_RESULT):
            files |= self._write_one(client, replace(name, attempt=DUPLICATE), head, told)
        return files

    def _write_one(
        self, client: Client, name: PackageName, head: Head, told: Sequence[tuple[str, Told]]
    ) -> Files:
        told = self._spoil_records(told)
        parts = self._spoil_texts([(identity, _write_json(one)) for identity, one in told])
        signature = sign(client.sign_key, signed_head(head, Code.OK), parts)
        if self._board.strikes(Fault.WRONG_SIGNATURE):
            signature = signature[::-1]
        order = self._board.strikes(Fault.WRONG_CONTROL_ORDER)
        xml = write_answer(
            Answer(
                head=head,
                code=Code.OK,
                sign_value=signature,
                parts=tuple((identity, encode(content)) for identity, content in parts),
                controls=(("1", *CONTROLS[1][1:]), ("2", *CONTROLS[0][1:])) if order else CONTROLS,
            )
        )
        xml = self._spoil_xml(xml)
        cents = sum(one.cents for _, one in told)
        manifest = self._spoil_manifest(name, xml, len(parts), cents)
        if self._board.strikes(Fault.TRUNCATED_FILE):
            xml = xml[: len(xml) // 2]
        return {name.xml: xml, name.manifest: manifest}

    def _spoil_records(self, told: Sequence[tuple[str, Told]]) -> list[tuple[str, Told]]:
        spoilt = list(told)
        if self._board.strikes(Fault.MISSING_RECORD):
            spoilt.pop()
        if self._board.strikes(Fault.PARTIAL_RECORDS):
            spoilt[::2] = [(identity, failed_now()) for identity, _ in spoilt[::2]]
        return spoilt

    def _spoil_texts(self, parts: list[Part]) -> list[Part]:
        if self._board.strikes(Fault.GB18030_TEXT):
            parts = [(identity, text.decode().encode("gb18030")) for identity, text in parts]
        if parts and self._board.strikes(Fault.DECOMPRESSION_BOMB):
            parts[0] = (parts[0][0], parts[0][1].ljust(BOMB))
        return parts

    def _spoil_xml(self, xml: bytes) -> bytes:
        head, _, body = xml.partition(b"?>\n")
        session = b"<sessionId>"
        if self._board.strikes(Fault.ENTITY_BOMB):
            body = _BOMB_TYPE + body.replace(session, session + b"&e9;", 1)
        if self._board.strikes(Fault.EXTERNAL_ENTITY):
            body = _EXTERNAL_TYPE + body.replace(session, session + b"&e9;&f;", 1)
        if self._board.strikes(Fault.OVERSIZED_FILE):
            body += b"<!--" + b"x" * OVERSIZED + b"-->"
        return head + b"?>\n" + body

    def _spoil_manifest(self, name: PackageName, xml: bytes, records: int, cents: int) -> bytes:
        more = self._board.strikes(Fault.COUNT_MISMATCH)
        off = 100 if self._board.strikes(Fault.SUM_MISMATCH) else 0
        # The digest of another file, with the size of this one.
        digested = xml[::-1] if self._board.strikes(Fault.WRONG_DIGEST) else xml
        return write_manifest(name, digested, records=records + more, cents=cents + off)


def _write_json(told: Told) -> bytes:
    return json.dumps(told.members, ensure_ascii=False, separators=(",", ":")).encode()
