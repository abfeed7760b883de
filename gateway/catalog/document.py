"""Strict YAML: one spelling, no duplicate keys, no aliases, no tags, a position on every node.

Knows nothing of what the documents mean. Scalars stay text until a reader asks for a number, so
that `no`, `1e3` or `2026-01-01` never change type behind the author's back.

INVARIANT: a document is bounded before it is parsed, and each node is visited once.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import yaml
from typing_extensions import override

from gateway.catalog.problems import PolicyReason, Position, refusal

MAX_CHARACTERS = 4_000_000
"""Characters of one document; 500 agreements of 20 fields take about 500,000."""
MAX_DEPTH = 12
"""Nesting; the deepest document of ours has 6."""

# No sign, no leading zero, no `1_000` and no octal: a number reads the same to a clerk and to us.
_INTEGER = re.compile(r"0|[1-9][0-9]{0,14}")


@dataclass(frozen=True, slots=True)
class _Node:
    """Where a node stands; the position is worked out when it is asked for, which is rare."""

    file: str
    mark: yaml.Mark

    @property
    def position(self) -> Position:
        """Where the node begins."""
        return _position(self.mark, self.file)


@dataclass(frozen=True, slots=True)
class TextNode(_Node):
    """A scalar as written."""

    text: str


@dataclass(frozen=True, slots=True)
class ListNode(_Node):
    """A sequence."""

    items: tuple["DocumentNode", ...]


@dataclass(frozen=True, slots=True)
class MapNode(_Node):
    """A mapping with text keys, each once."""

    members: dict[str, "DocumentNode"]

    def __iter__(self) -> Iterator[tuple[str, "DocumentNode"]]:
        return iter(self.members.items())


DocumentNode = TextNode | ListNode | MapNode


def parse_document(text: str, file: str) -> DocumentNode:
    """Parse one YAML document.

    Raises:
        PolicyRefused: TOO_LARGE, NOT_YAML, DUPLICATE_KEY, ALIAS_USED or WRONG_SHAPE.
    """
    start = Position(file=file, line=1, column=1)
    # Bounded before it is parsed.
    if len(text) > MAX_CHARACTERS:
        raise refusal(PolicyReason.TOO_LARGE, start, "文件过大", "the document is too large")
    try:
        node = yaml.compose(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark
        at = start if mark is None else _position(mark, file)
        # the cause quotes the document, which the position already points at
        raise refusal(
            PolicyReason.NOT_YAML, at, "不是合法的 YAML", "not well-formed YAML"
        ) from None
    except (yaml.YAMLError, RecursionError):
        # as above: a reader error quotes the bytes
        raise refusal(
            PolicyReason.NOT_YAML, start, "不是合法的 YAML", "not well-formed YAML"
        ) from None
    if node is None:
        raise refusal(PolicyReason.NOT_YAML, start, "文件为空", "the document is empty")
    return _Converter(file).convert(node, MAX_DEPTH)


_DEFAULT_TAGS: Final[dict[type[yaml.Node], str]] = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
_PLAIN_TAGS: Final = frozenset(_DEFAULT_TAGS.values())


class _TextLoader(yaml.CSafeLoader):
    """Gives no scalar another type than text: nothing is guessed from how it looks."""

    @override
    def resolve(
        self, kind: type[yaml.Node], value: str | None, implicit: tuple[bool, bool] | bool | None
    ) -> str:
        """Return the tag of a node that bears none."""
        # YAML 1.1 reads `no` as false and `1e3` as a number; here both stay what the author wrote.
        del value, implicit
        return _DEFAULT_TAGS[kind]


class _Converter:
    """Turns composed nodes into ours; remembers what it saw to refuse aliases."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen: set[int] = set()

    def convert(self, node: yaml.Node, depth: int) -> DocumentNode:
        # One node met twice is an alias: the way ten lines become a billion.
        file, mark = self._file, node.start_mark
        if id(node) in self._seen:
            raise refusal(
                PolicyReason.ALIAS_USED,
                _position(mark, file),
                "不得使用别名",
                "aliases are not allowed",
            )
        self._seen.add(id(node))
        if depth == 0 or node.tag not in _PLAIN_TAGS:
            raise refusal(
                PolicyReason.WRONG_SHAPE,
                _position(mark, file),
                "嵌套过深或使用了标签",
                "nested too deep or tagged",
            )
        if isinstance(node, yaml.ScalarNode):
            return TextNode(file, mark, node.value)
        if isinstance(node, yaml.SequenceNode):
            return ListNode(file, mark, tuple(self.convert(item, depth - 1) for item in node.value))
        return MapNode(file, mark, self._convert_members(node, depth))

    def _convert_members(self, node: yaml.Node, depth: int) -> dict[str, DocumentNode]:
        members: dict[str, DocumentNode] = {}
        for key, value in node.value:
            name = self.convert(key, depth - 1)
            if not isinstance(name, TextNode):
                raise refusal(
                    PolicyReason.WRONG_SHAPE, name.position, "键必须是文字", "a key must be text"
                )
            if name.text in members:
                raise refusal(
                    PolicyReason.DUPLICATE_KEY,
                    name.position,
                    f"键重复：{name.text}",
                    f"duplicate key: {name.text}",
                )
            members[name.text] = self.convert(value, depth - 1)
        return members


def _position(mark: yaml.Mark, file: str) -> Position:
    return Position(file=file, line=mark.line + 1, column=mark.column + 1)


def require_map(
    node: DocumentNode, required: Collection[str], optional: Collection[str] | None = ()
) -> dict[str, DocumentNode]:
    """Return the members of a mapping; `optional=None` admits any further name.

    Raises:
        PolicyRefused: WRONG_SHAPE, MEMBER_MISSING or UNKNOWN_MEMBER.
    """
    if not isinstance(node, MapNode):
        raise refusal(
            PolicyReason.WRONG_SHAPE, node.position, "此处应为键值表", "a mapping is expected"
        )
    for name in required:
        if name not in node.members:
            raise refusal(
                PolicyReason.MEMBER_MISSING, node.position, f"缺少“{name}”", f"missing: {name}"
            )
    if optional is not None:
        for name, value in node:
            if name not in required and name not in optional:
                raise refusal(
                    PolicyReason.UNKNOWN_MEMBER,
                    value.position,
                    f"不认识的项“{name}”",
                    f"unknown member: {name}",
                )
    return node.members


def require_list(node: DocumentNode) -> tuple[DocumentNode, ...]:
    """Return the items of a sequence.

    Raises:
        PolicyRefused: WRONG_SHAPE.
    """
    if not isinstance(node, ListNode):
        raise refusal(PolicyReason.WRONG_SHAPE, node.position, "此处应为列表", "a list is expected")
    return node.items


def require_text(node: DocumentNode) -> str:
    """Return a non-empty scalar.

    Raises:
        PolicyRefused: WRONG_SHAPE.
    """
    if not isinstance(node, TextNode) or not node.text.strip():
        raise refusal(PolicyReason.WRONG_SHAPE, node.position, "此处应为文字", "text is expected")
    return node.text


def require_texts(node: DocumentNode) -> tuple[str, ...]:
    """Return a list of distinct texts.

    Raises:
        PolicyRefused: WRONG_SHAPE or DUPLICATE_KEY.
    """
    texts = tuple(require_text(item) for item in require_list(node))
    if len(set(texts)) != len(texts):
        raise refusal(
            PolicyReason.DUPLICATE_KEY, node.position, "列表中有重复项", "the list repeats an item"
        )
    return texts


def require_integer(node: DocumentNode) -> int:
    """Return a plain decimal number of at most 15 digits, no sign.

    Raises:
        PolicyRefused: WRONG_SHAPE.
    """
    text = require_text(node)
    if not _INTEGER.fullmatch(text):
        raise refusal(
            PolicyReason.WRONG_SHAPE, node.position, "此处应为整数", "an integer is expected"
        )
    return int(text)
