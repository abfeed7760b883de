"""`hutong policy facts`: cases, consents and protected persons into a gateway's registers.

One JSON object a line (docs/operations/install.md), from a file that only this user can read or
from standard input: never from the command line, which every user of the machine can list.
INVARIANT: all lines are written or none, and no text repeats what a line holds.
"""

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from adapters.port import Subject, SubjectType
from gateway.cli.ending import Ended, ExitCode
from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.credentials import ConfigError, load_credential
from gateway.errors import Refusal
from gateway.policy.delivery import Delivery, open_delivery
from gateway.policy.ports import CaseRecord, CaseState, ConsentKind, Occasion, Relation
from gateway.policy.vocabulary import UNKNOWN, Unknown
from gateway.statement.identifiers import normalised_identifier

MAX_FILE: Final = 64 << 20
"""Bytes of one delivery, some 200,000 cases: a larger one is split."""
_USCC: Final = r"^[0-9A-HJ-NP-RTUW-Y]{18}$"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class _Line(BaseModel):
    # A misspelt name would otherwise be a fact that is silently unknown.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Party(_Line):
    type: SubjectType
    identifier: str
    relation: Literal[Relation.APPLICANT, Relation.PARTY]


class _Case(_Line):
    kind: Literal["case"]
    organisation: str = Field(pattern=_USCC)
    number: str = Field(pattern=r"^[!-~]{1,64}$")
    state: CaseState
    matter: str = Field(pattern=r"^[A-Za-z0-9-]{1,16}$")
    division: str = Field(pattern=r"^[0-9]{6}$")
    in_investigation: bool | None = None
    special_grade: bool | None = None
    parties: tuple[_Party, ...] = Field(min_length=1, max_length=64)


class _Consent(_Line):
    kind: Literal["consent", "mandate", "guardian"]
    type: SubjectType
    identifier: str
    organisation: str = Field(pattern=_USCC)
    matter: str = Field(pattern=r"^[A-Za-z0-9-]{1,16}$")
    since: AwareDatetime
    until: AwareDatetime


class _Protected(_Line):
    kind: Literal["protected"]
    type: SubjectType
    identifier: str


_LINES: Final[TypeAdapter[_Case | _Consent | _Protected]] = TypeAdapter(
    Annotated[_Case | _Consent | _Protected, Field(discriminator="kind")]
)
Write = Callable[[Delivery], None]


def load_facts(
    path: Annotated[Path, typer.Argument(help="JSON lines; - reads standard input.")],
    *,
    config: Annotated[Path, typer.Option("--config", help="Configuration of the gateway.")],
) -> None:
    """Write cases, consents and protected persons into the registers; the gateway may serve."""
    try:
        chosen = load_config(config)
        key = load_credential(chosen.registers_key_file)
        content = _content(path)
    except (ConfigError, OSError) as error:
        raise Ended(ExitCode.UNREADABLE, str(error)) from error
    now_ms = SystemClock().now_ms()
    lines = enumerate(content.splitlines(), start=1)
    writes = [_parse(number, line, now_ms) for number, line in lines if line.strip()]
    _write(chosen.registers, key, writes)
    typer.echo(f"{len(writes)} facts")


def _write(path: Path, key: bytes, writes: Sequence[Write]) -> None:
    try:
        with open_delivery(path, key) as delivery:
            for write in writes:
                write(delivery)
    except (sqlite3.Error, ValueError, OSError) as error:
        text = f"registers: {error}; nothing was written: deliver again"
        raise Ended(ExitCode.UNREADABLE, text) from error


def _content(path: Path) -> bytes:
    if str(path) == "-":
        content = sys.stdin.buffer.read(MAX_FILE + 1)
    else:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise ConfigError(f"{path.name} holds personal data: chmod 600")
            content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise ConfigError(f"{path.name} is larger than {MAX_FILE} bytes: split it")
    return content


def _parse(number: int, line: bytes, now_ms: int) -> Write:
    try:
        fact = _LINES.validate_json(line, strict=False)
        match fact:
            case _Case():
                return _case(fact, now_ms)
            case _Consent():
                return _consent(fact, now_ms)
            case _Protected():
                protected = _subject(fact.type, fact.identifier, now_ms)
                return lambda delivery: delivery.add_protected(protected)
    except ValidationError as error:
        places = {".".join(map(str, each["loc"])) or "line" for each in error.errors()}
        text = f"line {number}: {', '.join(sorted(places))}; nothing was written"
        # from None: the cause could repeat the line.
        raise Ended(ExitCode.UNREADABLE, text) from None
    except Refusal:
        text = f"line {number}: an identifier is out of form; nothing was written"
        # from None: the same.
        raise Ended(ExitCode.UNREADABLE, text) from None


def _case(fact: _Case, now_ms: int) -> Write:
    record = CaseRecord(
        state=fact.state,
        matter=fact.matter,
        organisation=fact.organisation,
        division=fact.division,
        relation=Relation.NONE,
        in_investigation=_flag(told=fact.in_investigation),
        special_grade=_flag(told=fact.special_grade),
    )
    parties = tuple(
        (_subject(each.type, each.identifier, now_ms), each.relation) for each in fact.parties
    )
    return lambda delivery: delivery.add_case(fact.number, record, parties)


def _consent(fact: _Consent, now_ms: int) -> Write:
    subject = _subject(fact.type, fact.identifier, now_ms)
    since, until = (int(each.timestamp() * 1000) for each in (fact.since, fact.until))
    occasion = Occasion(organisation=fact.organisation, matter=fact.matter, at_ms=since)
    if fact.kind == "guardian":
        return lambda delivery: delivery.add_guardian_consent(subject, occasion, until)
    kind = ConsentKind(fact.kind)
    return lambda delivery: delivery.add_consent(kind, subject, occasion, until)


def _subject(kind: SubjectType, identifier: str, now_ms: int) -> Subject:
    return Subject(type=kind, identifier=normalised_identifier(kind, identifier, now_ms))


def _flag(*, told: bool | None) -> bool | Unknown:
    return UNKNOWN if told is None else told
