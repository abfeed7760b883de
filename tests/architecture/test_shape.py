"""The shape of the code stays readable: sizes, types, suppressions, comments, tests per code.

The gates are those the style of this project states. Generated code does not count. A module
that must be larger is named in EXCUSED with a reason and a date.
"""

import ast
import io
import itertools
import re
import statistics
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "adapters", "signing", "certs", "hutong", "bench")
GENERATED = re.compile(r"_pb2(_grpc)?\.py$")
SIMULATED_CLOCK = "adapters/simulators/virtual_clock.py"  # may not import gateway.clock
EXCUSED: dict[str, str] = {}  # path → why it is longer, and since when

MEDIAN_MODULE, MAX_MODULE = 160, 400  # lines
P95_FUNCTION, MAX_FUNCTION = 35, 60  # lines without the docstring
MAX_BROAD_EXCEPTS = 3  # RPC interceptor, console middleware, adapter call
PER_THOUSAND = 1  # `Any` and suppressions per 1,000 lines
COMMENT_SHARE = (0.03, 0.12)  # lines that explain, of all lines (docs/adr/0011)
TESTS_PER_CODE = (1.2, 2.5)  # lines of tests per line of code
EXISTS_TO_TEST = ("adapters/simulators/", "bench/")  # on the side of the tests (docs/adr/0011)
COMPLETE = ROOT / "gateway" / "app.py"  # ratios are judged once there is a whole to judge

Function = ast.FunctionDef | ast.AsyncFunctionDef
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma:\s*no)")
EXPLAINED = re.compile(
    r"#\s*(?:noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[a-z, -]+\]|pragma: no \w+)"
    r"[\s#(:—-]+[A-Za-z].*\w+"
)
UNOWNED = re.compile(r"#.*\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))")
BROAD = {"Exception", "BaseException"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file of ours: its text, its tree and the comments in it."""

    path: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Return the number of lines."""
        return self.text.count("\n")

    @property
    def nodes(self) -> Iterator[ast.AST]:
        """Walk the tree."""
        return ast.walk(self.tree)

    @property
    def functions(self) -> list[Function]:
        """Return each function and method, nested ones too."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @property
    def comments(self) -> list[tokenize.TokenInfo]:
        """Return each comment as the tokenizer sees it: a `#` in a string is none."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [token for token in tokens if token.type == tokenize.COMMENT]


def _read(path: Path) -> Module:
    text = path.read_text("utf-8")
    return Module(path=str(path.relative_to(ROOT)), text=text, tree=ast.parse(text))


@cache
def _code() -> tuple[Module, ...]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(_read(path) for path in paths if not GENERATED.search(path.name))


def _explaining_lines(module: Module) -> int:
    """Count the lines of strings that explain the constant or field above them."""
    bodies = [node.body for node in module.nodes if isinstance(node, ast.Module | ast.ClassDef)]
    return sum(
        (below.end_lineno or below.lineno) - below.lineno + 1
        for body in bodies
        for above, below in itertools.pairwise(body)
        if isinstance(above, ast.Assign | ast.AnnAssign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    )


@cache
def _tests() -> tuple[Module, ...]:
    return tuple(_read(path) for path in sorted((ROOT / "tests").rglob("*.py")))


def _length(function: Function) -> int:
    """Count the lines of a function without decorators and docstring."""
    end = function.end_lineno or function.lineno
    first = function.body[0]
    docstring = 0
    if ast.get_docstring(function, clean=False) is not None:
        docstring = (first.end_lineno or first.lineno) - first.lineno + 1
    return end - function.lineno + 1 - docstring


def _unannotated(function: Function) -> list[str]:
    spec = function.args
    given = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    names = [arg.arg for arg in given if arg and arg.annotation is None]
    missing = [name for name in names if name not in {"self", "cls"}]
    return [*missing, *(["return"] if function.returns is None else [])]


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in BROAD for kind in kinds)


def _says_any(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id == "Any") or (
        isinstance(node, ast.Attribute) and node.attr == "Any"
    )


def _kilolines(modules: tuple[Module, ...]) -> float:
    return max(1.0, sum(module.lines for module in modules) / 1000)


def test_half_of_the_modules_are_short() -> None:
    """The median module is read in one sitting (empty package files do not count)."""
    sizes = [module.lines for module in _code() if module.tree.body[1:]]

    assert statistics.median(sizes) <= MEDIAN_MODULE


def test_no_module_is_long() -> None:
    """A long module is split, or excused by name; an excuse that is no longer needed goes."""
    long = {m.path for m in (*_code(), *_tests()) if m.lines > MAX_MODULE}

    assert long == set(EXCUSED)


def test_no_function_is_long() -> None:
    """No function is longer than a page."""
    long = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in (*_code(), *_tests())
        for function in module.functions
        if _length(function) > MAX_FUNCTION
    ]

    assert long == []


def test_nearly_all_functions_are_short() -> None:
    """At most one function of twenty is longer than a screen."""
    lengths = sorted(_length(each) for module in _code() for each in module.functions)

    assert lengths[int(len(lengths) * 0.95)] <= P95_FUNCTION


def test_everything_is_typed() -> None:
    """Each parameter and each result has a type."""
    untyped = [
        f"{module.path}:{function.lineno} {function.name}: {name}"
        for module in (*_code(), *_tests())
        for function in module.functions
        for name in _unannotated(function)
    ]

    assert untyped == []


def test_any_is_rare() -> None:
    """`Any` ends type checking, so it is nearly never written."""
    found = [module.path for module in _code() for node in module.nodes if _says_any(node)]

    assert len(found) / _kilolines(_code()) <= PER_THOUSAND, found


def test_suppressions_are_rare() -> None:
    """A checker that is often silenced is not a checker."""
    found = [
        f"{module.path}:{comment.start[0]} {comment.string}"
        for module in _code()
        for comment in module.comments
        if SUPPRESSION.search(comment.string)
    ]

    assert len(found) / _kilolines(_code()) <= PER_THOUSAND, found


def test_each_suppression_names_its_rule_and_its_reason() -> None:
    """Whoever silences a checker says which rule, and why, in the same line."""
    bare = [
        f"{module.path}:{comment.start[0]} {comment.string}"
        for module in (*_code(), *_tests())
        for comment in module.comments
        if SUPPRESSION.search(comment.string) and not EXPLAINED.search(comment.string)
    ]

    assert bare == []


def test_environment_and_clock_are_not_excused() -> None:
    """The ban on reading the environment or the time is silenced only in the simulators' clock."""
    silenced = [
        f"{module.path}:{comment.start[0]}"
        for module in (*_code(), *_tests())
        for comment in module.comments
        if module.path != SIMULATED_CLOCK and re.search(r"noqa:.*\bTID251\b", comment.string)
    ]

    assert silenced == []


def test_broad_excepts_stay_at_three() -> None:
    """Only the three outermost edges catch everything."""
    broad = [
        f"{module.path}:{node.lineno}"
        for module in _code()
        for node in module.nodes
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    ]

    assert len(broad) <= MAX_BROAD_EXCEPTS, broad


def test_each_todo_names_an_issue() -> None:
    """A promise without a number is forgotten."""
    unowned = [
        f"{module.path}:{comment.start[0]} {comment.string}"
        for module in (*_code(), *_tests())
        for comment in module.comments
        if UNOWNED.search(comment.string)
    ]

    assert unowned == []


def test_comments_are_neither_missing_nor_noise() -> None:
    """Some lines say why; a text that needs more of them should be clearer code."""
    code = [module for module in _code() if module.tree.body[1:]]
    own = sum(
        not comment.line[: comment.start[1]].strip()
        for module in code
        for comment in module.comments
    )
    own += sum(_explaining_lines(module) for module in code)
    share = own / max(1, sum(module.lines for module in code))
    least, most = COMMENT_SHARE

    assert share <= most
    assert share >= least or not COMPLETE.exists()


def test_tests_keep_up_with_the_code() -> None:
    """There is more test than code, and not so much that nobody reads it."""
    testing = [module for module in _code() if module.path.startswith(EXISTS_TO_TEST)]
    product = [module for module in _code() if not module.path.startswith(EXISTS_TO_TEST)]
    ratio = sum(m.lines for m in (*_tests(), *testing)) / sum(m.lines for m in product)
    least, most = TESTS_PER_CODE

    assert ratio <= most
    assert ratio >= least or not COMPLETE.exists()


@pytest.mark.parametrize(
    ("comment", "explained"),
    [
        ("# noqa: S603  (a fixed command)", True),
        ("# noqa: S603, S607 - a fixed command", True),
        ("# type: ignore[misc]  # the stub is wrong", True),
        ("# noqa: S603", False),
        ("# noqa", False),
        ("# type: ignore", False),
        ("# type: ignore[misc]", False),
    ],
)
def test_ruler_tells_an_explained_suppression(comment: str, *, explained: bool) -> None:
    """A rule without a reason, or a reason without a rule, is not enough."""
    assert bool(EXPLAINED.search(comment)) is explained


def test_ruler_measures_without_the_docstring() -> None:
    """Explaining a function does not make it longer."""
    source = 'def ask() -> int:\n    """Ask.\n\n    More.\n    """\n    x = 1\n    return x\n'
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)

    length = _length(function)

    assert length == 3
