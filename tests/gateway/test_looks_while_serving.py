"""`hutong log show` beside a serving gateway: a look is logged first, then answered with proofs."""

import asyncio
import http.client
import json
import os
import socket
import stat
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.looking import parse_page
from gateway.cli.root import run
from gateway.cli.sandbox.running import Sandbox
from gateway.looks import MAX_QUESTION, LookRequest, encode_look
from gateway.rpc.admin import PATH, LookSocket, short_path, socket_beside
from hutong.client import Client
from hutong.evidence import parse_log_key, verify_receipt
from hutong.evidence.receipt_file import parse_receipt
from signing.encoding import JsonValue
from tests.gateway.asking import RETIREMENT, core_question, insured_question

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORG = RETIREMENT.partition("/")[0]
WHO = "sole_trader"


def _options(sandbox: Sandbox, **more: str) -> list[str]:
    named = {"officer": "安全员-3", "for-case": "FH-2026-7"} | more
    given = [part for name, value in named.items() for part in (f"--{name}", value)]
    return ["log", "show", "--config", str(sandbox.world.folders.config), *given]


async def _shown(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, JsonValue], str]:
    """Run the command beside the gateway of this process and read what it printed."""
    capsys.readouterr()
    code = await asyncio.to_thread(run, [*options, "--json"])
    written = capsys.readouterr()
    return code, json.loads(written.out or "{}"), written.err


def _entries(page: dict[str, JsonValue]) -> list[dict[str, dict[str, str]]]:
    entries: list[dict[str, dict[str, str]]] = json.loads(json.dumps(page["entries"]))
    return entries


def _posted(path: Path, question: bytes, where: str = PATH) -> tuple[int, str]:
    """Put bytes to the socket as any process of this user could."""
    connection = http.client.HTTPConnection("localhost")
    with socket.socket(socket.AF_UNIX) as connected, short_path(path) as name:
        connected.connect(name)
        connection.sock = connected
        connection.request("POST", where, question)
        response = connection.getresponse()
        return response.status, response.read().decode()


def _socket(gateway: Gateway) -> Path:
    return socket_beside(gateway.config.log.database)


async def test_a_case_is_shown_while_the_gateway_serves(
    client: Client, sandbox: Sandbox, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asked in a case is shown newest first, under a look that was logged before."""
    question = core_question(client.identity, WHO)
    answer = await client.exchange(question)
    size = gateway.log.size

    options = _options(sandbox, org=ORG, case=question.purpose.case_number, limit="2")
    code, page, _ = await _shown(options, capsys)

    kinds = [each["entry"]["kind"] for each in _entries(page)]
    assert code == ExitCode.YES
    assert kinds == ["answer", "ask"]
    assert _entries(page)[1]["entry"]["tx"] == answer.request_id.hex()
    assert page["view"] == size


async def test_a_subject_search_finds_the_look_itself_first(
    client: Client, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A look at a subject is an entry about that subject, and stands before what it found."""
    question = insured_question(client.identity, WHO)
    await client.exchange(question)

    options = _options(sandbox, subject=question.subject.identifier.lower(), limit="3")
    code, page, _ = await _shown(options, capsys)

    first, *others = _entries(page)
    assert code == ExitCode.YES
    assert first["index"] == page["view"]
    assert first["entry"]["what"] == "log.show"
    assert [each["entry"]["kind"] for each in others] == ["answer", "ask"]
    assert question.subject.identifier not in json.dumps(page)


async def test_what_is_shown_is_proven(
    client: Client, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The independent verifier accepts each entry of a page as a receipt, and opens nothing."""
    question = core_question(client.identity, WHO)
    await client.exchange(question)

    options = _options(sandbox, org=ORG, case=question.purpose.case_number)
    _, page, _ = await _shown(options, capsys)

    key = parse_log_key(sandbox.world.log_vkey)
    receipts = [parse_receipt(json.dumps(each["receipt"]).encode()) for each in _entries(page)]
    assert receipts
    assert all(each.openings == () for each in receipts)
    assert all(verify_receipt(each, key).provenance.entry_included for each in receipts)


async def test_a_look_is_found_by_the_case_it_was_for(
    client: Client, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """An auditor who names the officer's own case finds every look that was made for it."""
    question = core_question(client.identity, WHO)
    case = {"org": ORG, "case": question.purpose.case_number, "for-case": "FH-2026-8"}
    _, page, _ = await _shown(_options(sandbox, **case), capsys)

    audit = {"org": ORG, "case": "FH-2026-8", "for-case": "SJ-2026-1"}
    _, audited, _ = await _shown(_options(sandbox, **audit), capsys)

    (look,) = _entries(audited)
    assert look["index"] == page["view"]
    assert look["entry"]["system"] == f"{ORG}/gateway"
    assert {"officer", "case", "query"} <= look["entry"].keys()
    assert "安全员" not in json.dumps(look, ensure_ascii=False)


async def test_pages_go_on_where_the_last_one_ended(
    client: Client, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full page says where the next one begins, and the two share no entry."""
    question = core_question(client.identity, WHO)
    for _ in range(2):
        await client.exchange(question)
    case = {"org": ORG, "case": question.purpose.case_number, "limit": "2"}

    _, first, _ = await _shown(_options(sandbox, **case), capsys)
    below = str(first["next_before"])
    _, second, _ = await _shown(_options(sandbox, before=below, **case), capsys)

    indices = [int(str(each["index"])) for page in (first, second) for each in _entries(page)]
    assert len(indices) == 4
    assert indices == sorted(set(indices), reverse=True)


async def test_people_read_entries_and_where_the_look_stands(
    client: Client, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `--json` each entry is a line, and the look is named in two languages."""
    question = core_question(client.identity, WHO)
    await client.exchange(question)
    options = _options(sandbox, org=ORG, case=question.purpose.case_number, limit="1")
    capsys.readouterr()

    code = await asyncio.to_thread(run, options)

    written = capsys.readouterr()
    index, _, entry = written.out.strip().partition("\t")
    assert code == ExitCode.YES
    assert index.isdigit()
    assert json.loads(entry)["kind"] == "answer"
    assert "本次查看已记为" in written.err
    assert "--before" in written.err


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"org": "11370000MB2DEM010", "case": "C-1"}, "统一社会信用代码"),
        ({"org": "11370000MB2DEM010I", "case": "C-1"}, "统一社会信用代码"),
        ({"org": ORG, "case": "办件一"}, "办件号格式不对"),
        ({"org": ORG, "case": "C" * 65}, "办件号格式不对"),
        ({"subject": "370102195603151234"}, "校验位不对"),
        ({"subject": "x"}, "证件号码"),
        ({"subject": "913700007306", "subject-type": "USCC"}, "证件号码"),
        ({"org": ORG}, "二者取一"),
        ({"org": ORG, "case": "C-1", "subject": "370102198203159010"}, "二者取一"),
        ({"org": ORG, "subject": "370102198203159010"}, "二者取一"),
        ({"org": ORG, "case": "C-1", "for-case": "无 号"}, "所属的办件号"),
        ({"org": ORG, "case": "C-1", "officer": ""}, "查看人"),
    ],
    ids=str,
)
async def test_a_malformed_question_is_no_empty_answer(
    sandbox: Sandbox,
    gateway: Gateway,
    capsys: pytest.CaptureFixture[str],
    named: dict[str, str],
    told: str,
) -> None:
    """A typing error ends with 64 and a text in two languages, before any look is logged."""
    size = gateway.log.size

    code, page, text = await _shown(_options(sandbox, **named), capsys)

    assert code == ExitCode.USAGE
    assert page == {}
    assert told in text
    assert text.isascii() is False
    assert not any(value in text for value in named.values() if len(value) > 12)
    assert gateway.log.size == size


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * MAX_QUESTION,
        encode_look(LookRequest(officer="o", for_case="F-1")),
        encode_look(LookRequest(officer="o", for_case="F-1", org="x", case="C-1")),
        encode_look(LookRequest(officer="o", for_case="F-1", org=ORG, case="C", limit=1_001)),
        encode_look(LookRequest(officer="o", for_case="F-1", org=ORG, case="C", before=-1)),
        encode_look(LookRequest(officer="o", for_case="F-1", org=ORG, case="C"))[:-1] + b',"a":1}',
        encode_look(LookRequest(officer="o", for_case="F-1", org=ORG, case="C")).replace(
            b'"limit": 100', b'"limit": true'
        ),
    ],
)
async def test_the_socket_judges_for_itself(gateway: Gateway, question: bytes) -> None:
    """What no `hutong log show` would send is refused as well, and nothing is logged."""
    size = gateway.log.size

    status, text = await asyncio.to_thread(_posted, _socket(gateway), question)

    assert status == http.client.BAD_REQUEST
    assert {"zh", "en"} == json.loads(text).keys()
    assert gateway.log.size == size


async def test_a_question_is_bounded(gateway: Gateway) -> None:
    """A body beyond the longest question is not read."""
    size = gateway.log.size

    status, _ = await asyncio.to_thread(_posted, _socket(gateway), b" " * (MAX_QUESTION + 1))

    assert status == http.client.REQUEST_ENTITY_TOO_LARGE
    assert gateway.log.size == size


async def test_the_socket_offers_nothing_else(gateway: Gateway) -> None:
    """Only looks are answered here; health and metrics have their own port."""
    status, _ = await asyncio.to_thread(_posted, _socket(gateway), b"", "/metrics")

    assert status == http.client.NOT_FOUND


async def test_the_socket_is_its_owners_alone(gateway: Gateway) -> None:
    """It is a socket of mode 0600 in the folder of the log."""
    found = _socket(gateway).lstat()

    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == os.geteuid()


async def test_another_user_sees_nothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer whom the kernel names as somebody else is turned away, and nothing is logged."""
    # Patched, because a test cannot become another user: the gateway believes to be one.
    monkeypatch.setattr("gateway.rpc.admin.os.geteuid", lambda: os.getuid() + 1)
    size = gateway.log.size
    asked = encode_look(LookRequest(officer="o", for_case="F-1", org=ORG, case="C-1"))

    status, text = await asyncio.to_thread(_posted, _socket(gateway), asked)

    assert status == http.client.FORBIDDEN
    assert "entries" not in text
    assert gateway.log.size == size


async def test_a_socket_of_another_user_is_not_asked(
    sandbox: Sandbox,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command tells nobody but its own user's gateway whom it looks for."""
    monkeypatch.setattr("gateway.cli.looking.peer_is_this_user", lambda _connection: False)
    size = gateway.log.size

    code, page, text = await _shown(_options(sandbox, org=ORG, case="C-1"), capsys)

    assert code == ExitCode.UNREADABLE
    assert page == {}
    assert "PermissionError" in text
    assert gateway.log.size == size


async def test_a_look_that_cannot_be_logged_shows_nothing(
    sandbox: Sandbox, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the log stopped the command ends with 2, says so, and prints no entry."""
    intake = gateway.log._writer.intake
    intake.stop("test")
    try:
        code, page, text = await _shown(_options(sandbox, org=ORG, case="C-1"), capsys)
    finally:
        intake.resume()

    assert code == ExitCode.INDETERMINATE
    assert page == {}
    assert "没有显示任何条目" in text
    assert "nothing is shown" in text


async def test_a_writer_that_answers_no_look_is_named(
    sandbox: Sandbox, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the log is held and nobody answers, the command ends with 3 in two languages."""
    await gateway.looks.stop()
    try:
        code, _, text = await _shown(_options(sandbox, org=ORG, case="C-1"), capsys)
    finally:
        await gateway.looks.start()

    assert code == ExitCode.UNREADABLE
    assert "另一个进程正在写日志" in text
    assert "another process writes the log" in text


async def test_a_socket_left_by_a_kill_is_replaced(
    sandbox: Sandbox, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gateway that holds the log takes over the name that a killed one left."""
    await gateway.looks.stop()
    with socket.socket(socket.AF_UNIX) as left, short_path(_socket(gateway)) as name:
        left.bind(name)

    await gateway.looks.start()
    code, _, _ = await _shown(_options(sandbox, org=ORG, case="C-1"), capsys)

    assert code == ExitCode.YES


async def test_a_log_may_lie_deeper_than_a_sockets_address(
    gateway: Gateway, tmp_path: Path
) -> None:
    """Folders longer than the 108 bytes of a socket's address are no reason not to look."""
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    folder.mkdir(parents=True)
    deep = LookSocket(socket_beside(folder / "access.db"), gateway.looks._looks)
    asked = encode_look(LookRequest(officer="o", for_case="F-1", org=ORG, case="C-1"))

    await deep.start()
    try:
        status, _ = await asyncio.to_thread(_posted, socket_beside(folder / "access.db"), asked)
    finally:
        await deep.stop()

    assert len(str(folder)) > 108
    assert status == http.client.OK


async def test_a_file_in_the_sockets_place_is_not_removed(gateway: Gateway) -> None:
    """What is no socket is somebody's file: the gateway does not start over it."""
    await gateway.looks.stop()
    _socket(gateway).write_text("mine", "utf-8")
    try:
        with pytest.raises(OSError, match="in use"):
            await gateway.looks.start()
        kept = _socket(gateway).read_text("utf-8")
    finally:
        _socket(gateway).unlink()
        await gateway.looks.start()

    assert kept == "mine"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"entries": [{}]}', b'{"entries": [], "view": null, "next_before": null}'],
)
async def test_what_is_no_page_is_no_answer(content: bytes) -> None:
    """An answer cut short ends with 2: the look may be logged, and nothing is known."""
    with pytest.raises(Ended) as ended:
        parse_page(content)

    assert ended.value.code == ExitCode.INDETERMINATE
