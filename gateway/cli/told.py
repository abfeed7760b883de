"""Why a command ended before it did its work: a closed list with side, remedy, two languages.

For command lines that cannot be parsed, and for what the commands of the list's own words meet in
the folders they name; docs/reasons.md says which commands those are, and is compared with this
list. What a gateway refuses stands in `gateway.errors`, what the client finds in
`hutong.client.reasons`.
INVARIANT: a text names no value of an option. `detail` names what is meant: options, seats,
agreements, faults, files and folders, a port, a day, the class of an error met there, or a command
line to run next; of what was typed it repeats names of options, seats, ports and paths, and nothing
else.
"""

from enum import StrEnum, unique
from typing import Final

from gateway.cli.ending import Ended, ExitCode
from gateway.errors import ReasonText, Side
from signing.encoding import JsonValue


@unique
class CommandReason(StrEnum):
    """Why a command ended; names never change their meaning."""

    USAGE_WRONG = "USAGE_WRONG"
    OPTION_MISSING = "OPTION_MISSING"
    SEAT_UNKNOWN = "SEAT_UNKNOWN"
    SEAT_TAKEN = "SEAT_TAKEN"
    SANDBOX_NOT_RUNNING = "SANDBOX_NOT_RUNNING"
    SANDBOX_UNREADABLE = "SANDBOX_UNREADABLE"
    SANDBOX_FOLDER_FOREIGN = "SANDBOX_FOLDER_FOREIGN"
    SANDBOX_FOLDER_UNUSABLE = "SANDBOX_FOLDER_UNUSABLE"
    SANDBOX_RUNS_ALREADY = "SANDBOX_RUNS_ALREADY"
    SANDBOX_PEOPLE_FIXED = "SANDBOX_PEOPLE_FIXED"
    SANDBOX_NODES_FIXED = "SANDBOX_NODES_FIXED"
    SANDBOX_PROVINCE_FIXED = "SANDBOX_PROVINCE_FIXED"
    SANDBOX_ENDED = "SANDBOX_ENDED"
    PORT_TAKEN = "PORT_TAKEN"
    IDENTITY_FOLDER_IN_USE = "IDENTITY_FOLDER_IN_USE"
    AGREEMENT_UNKNOWN = "AGREEMENT_UNKNOWN"
    FAULT_UNKNOWN = "FAULT_UNKNOWN"
    LOG_KEY_UNNAMED = "LOG_KEY_UNNAMED"
    LOG_NOT_A_FILE = "LOG_NOT_A_FILE"
    GATEWAY_SILENT = "GATEWAY_SILENT"


_C = CommandReason


def _text(zh: str, en: str) -> ReasonText:
    return ReasonText(side=Side.REQUESTER, zh=zh, en=en)


COMMAND_TEXTS: Final[dict[CommandReason, tuple[ExitCode, ReasonText]]] = {
    _C.USAGE_WRONG: (
        ExitCode.USAGE,
        _text(
            "命令行不对，什么都没有做。请改正末行（JSON 中为 detail）所列的选项或参数；未列出时，"
            "请核对命令名与各选项。--help 列出全部选项。",
            "The command line is wrong; nothing was done. Mend the option named in the last line "
            "(`detail` in JSON); where none is, compare the command's name and its options. --help "
            "lists them all.",
        ),
    ),
    _C.OPTION_MISSING: (
        ExitCode.USAGE,
        _text(
            "缺少必填项，什么都没有做。请补上所列选项或参数；--help 说明它的含义。",
            "Something required is missing; nothing was done. Give the option or "
            "argument named; --help says what it means.",
        ),
    ),
    _C.SEAT_UNKNOWN: (
        ExitCode.USAGE,
        _text(
            "沙箱没有这个席位。请从所列席位中选一个。",
            "The sandbox has no such seat. Take one of those listed.",
        ),
    ),
    _C.SEAT_TAKEN: (
        ExitCode.NO,
        _text(
            "此席位已被登记，什么都没有改动。请换一个席位，或使用登记时得到的入网资料。",
            "This seat is taken; nothing was changed. Take another, or use the identity that its "
            "enrolment wrote.",
        ),
    ),
    _C.SANDBOX_NOT_RUNNING: (
        ExitCode.UNREADABLE,
        _text(
            "此目录中没有正在运行的沙箱。请核对目录，并先在另一个终端启动沙箱。",
            "No sandbox runs in this folder. Compare the folder, and start the sandbox in another "
            "terminal first.",
        ),
    ),
    _C.SANDBOX_UNREADABLE: (
        ExitCode.UNREADABLE,
        _text(
            "沙箱目录中有文件读不出或写不进。请核对目录属于本用户且完整；不行就另建沙箱。",
            "A file of the sandbox's folder cannot be read or written. See that the folder is "
            "yours and whole, or start a new sandbox.",
        ),
    ),
    _C.SANDBOX_FOLDER_FOREIGN: (
        ExitCode.USAGE,
        _text(
            "此目录不空，其中也没有可以重新启动的沙箱，什么都没有改动。请另选目录；若是首次启动"
            "未完成的沙箱留下的，可先将其删除。",
            "The folder holds something, and no sandbox that could be taken up; nothing was "
            "changed. Take another; what a first start that failed left behind may be removed.",
        ),
    ),
    _C.SANDBOX_FOLDER_UNUSABLE: (
        ExitCode.UNREADABLE,
        _text(
            "此路径不是目录，或不可读写。请用 --dir 指定一个空的或新的目录。",
            "This is no folder, or one that cannot be read and written. Name an empty or a new one "
            "with --dir.",
        ),
    ),
    _C.SANDBOX_RUNS_ALREADY: (
        ExitCode.NO,
        _text(
            "此目录中已有沙箱在运行。请使用它，或另选目录。",
            "A sandbox runs in this folder already. Use it, or take another folder.",
        ),
    ),
    _C.SANDBOX_PEOPLE_FIXED: (
        ExitCode.USAGE,
        _text(
            "沙箱的人口与种子在首次启动时已定。请去掉 --population 和 --seed，或另选目录。",
            "People and seed of a sandbox are those of its first start. Leave --population and "
            "--seed out, or take another folder.",
        ),
    ),
    _C.SANDBOX_NODES_FIXED: (
        ExitCode.USAGE,
        _text(
            "部门是否自设节点在沙箱首次启动时已定。请去掉 --remote，或另选目录。",
            "Whether departments run nodes of their own is decided at a sandbox's first start. "
            "Leave --remote out, or take another folder.",
        ),
    ),
    _C.SANDBOX_PROVINCE_FIXED: (
        ExitCode.USAGE,
        _text(
            "沙箱属于哪个省在首次启动时已定。请去掉 --province，或另选目录。",
            "A sandbox stays of the province of its first start. Leave --province out, or take "
            "another folder.",
        ),
    ),
    _C.SANDBOX_ENDED: (
        ExitCode.NO,
        _text(
            "此沙箱的根证书与协议已到期。请另建沙箱。",
            "Root and agreements of this sandbox have run out. Begin a new one.",
        ),
    ),
    _C.PORT_TAKEN: (
        ExitCode.NO,
        _text(
            "端口已被占用或无权使用，什么都没有改动。请用 --port（或 --health-port）另选；"
            "已建沙箱的各身份目录随之更新。",
            "The port is taken, or not yours to use; nothing was changed. Name another with --port "
            "(or --health-port); the identities of a sandbox that exists are told.",
        ),
    ),
    _C.IDENTITY_FOLDER_IN_USE: (
        ExitCode.UNREADABLE,
        _text(
            "入网资料的目录不空或不可写，什么都没有改动。请用 --identity 指定一个空的或新的目录。",
            "The folder of the identity holds something or cannot be written; nothing was changed. "
            "Name an empty or a new one with --identity.",
        ),
    ),
    _C.AGREEMENT_UNKNOWN: (
        ExitCode.USAGE,
        _text(
            "此协议包中没有这个编号的协议。请从末行（JSON 中为 detail）所列编号中选一个，或换用"
            "含有该协议的协议包。",
            "This bundle holds no agreement of that number. Take one of those in the last line "
            "(`detail` in JSON), or the bundle that holds it.",
        ),
    ),
    _C.FAULT_UNKNOWN: (
        ExitCode.USAGE,
        _text(
            "此部门没有这个故障，什么都没有启动。请从末行（JSON 中为 detail）所列故障中选一个；"
            "部门的说明页写明各故障的现象。",
            "The department has no such fault; nothing was started. Take one of those in the last "
            "line (`detail` in JSON); the department's page says what each does.",
        ),
    ),
    _C.LOG_KEY_UNNAMED: (
        ExitCode.USAGE,
        _text(
            "须且只须给出一个日志公钥：--log-key 或 --log-key-file。",
            "Give the log's public key, and give it once: --log-key or --log-key-file.",
        ),
    ),
    _C.LOG_NOT_A_FILE: (
        ExitCode.UNREADABLE,
        _text(
            "此处应填日志文件的路径，而不是目录：网关配置中 log.database 所指的文件，沙箱中是 "
            "log/access.db。若该目录中有此文件，末行（JSON 中为 detail）即其路径。",
            "The path of the log's file is due here, no folder: the file that log.database of the "
            "gateway's configuration names, in a sandbox log/access.db. Where the folder holds "
            "it, the last line (`detail` in JSON) is its path.",
        ),
    ),
    _C.GATEWAY_SILENT: (
        ExitCode.INDETERMINATE,
        _text(
            "此地址没有网关的健康端口应答，部门状况不明。请核对 health_listen（沙箱启动时会显示），"
            "并确认网关在运行。",
            "No gateway's health port answers at this address, so nothing is known of its "
            "departments. Compare health_listen (a sandbox shows it when it starts), and see that "
            "the gateway runs.",
        ),
    ),
}
"""Every reason in the order of the list, with the exit code it ends with."""


class Told(Ended):
    """A command ends for a reason of the list."""

    def __init__(self, reason: CommandReason, detail: str = "") -> None:
        code, text = COMMAND_TEXTS[reason]
        lines = (f"{reason} ({text.side})", text.zh, text.en, detail)
        super().__init__(code, "\n".join(line for line in lines if line))
        self.reason = reason
        self.detail = detail


def told_json(told: Told) -> JsonValue:
    """Return for machines why a command ended."""
    text = COMMAND_TEXTS[told.reason][1]
    return {
        "reason": str(told.reason),
        "side": str(text.side),
        "text_zh": text.zh,
        "text_en": text.en,
        "detail": told.detail,
    }
