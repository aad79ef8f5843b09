"""One-token changes of a module: another comparison, another operator, another constant, and/or, no not."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OTHERS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
    "+": "-", "-": "+", "*": "+", "/": "*", "//": "*", "%": "*", "**": "*", "@": "+",
    "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "&",
    "+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "//=": "*=", "%=": "*=", "|=": "&=", "&=": "|=",
    "<<=": ">>=", ">>=": "<<=", "and": "or", "or": "and", "not": "", "in": "not in", "is": "is not",
    "True": "False", "False": "True",
}  # fmt: skip
"""What each token becomes."""

SIGNALLING = frozenset({"kill", "killpg", "send_signal"})
"""Calls whose constants stay as they are: a changed one could end a process that is no part of the test."""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One token of a file, replaced.

    line, column: of the token, both from 1. before, after: the token, and what stands in its place.
    """

    path: str
    line: int
    column: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.before} -> {self.after or '(nothing)'}"

    def applied(self, source: str) -> str:
        """Return the file's text with the change in it."""
        lines = source.splitlines(keepends=True)
        line, at = lines[self.line - 1], self.column - 1
        if not line.startswith(self.before, at):
            raise ValueError(f"{self}: expected this token, found {line[at : at + len(self.before)]!r}")
        lines[self.line - 1] = line[:at] + self.after + line[at + len(self.before) :]
        return "".join(lines)


def changes(path: str, source: str) -> list[Change]:
    """Return every one-token change of a module's code, in the order of the file.

    What a reader, a type checker or a person sees alone is left: docstrings, messages, annotations, decorators.
    """
    tree = ast.parse(source)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.string]
    # The tree counts columns in bytes, tokens in characters: the two are one where a line is ASCII.
    ascii_lines = {number for number, line in enumerate(source.splitlines(), 1) if line.isascii()}
    wanted = {place for place in _places(tree, tokens) if place[0] in ascii_lines}
    found = (_change(path, token, tokens[index + 1 :]) for index, token in enumerate(tokens) if token.start in wanted)
    return [change for change in found if change is not None]


def changes_below(root: Path, place: str) -> list[Change]:
    """Return the changes of a package, of a module, or of a line of it, such as worker/pool.py:163.

    Migrations are left: nobody changes one later. Raises ValueError where there is nothing to change.
    """
    name, _, line = place.partition(":")
    top = root / name
    modules = sorted(top.rglob("*.py")) if top.is_dir() else [top]
    found = [
        change
        for path in modules
        if "migrations" not in path.parts
        for change in changes(str(path.relative_to(root)), path.read_text(encoding="utf-8"))
        if not line or change.line == int(line)
    ]
    if not found:
        raise ValueError(f"expected code that can be changed at {place}, found none")
    return found


def _change(path: str, token: tokenize.TokenInfo, following: list[tokenize.TokenInfo]) -> Change | None:
    line, column = token.start
    if token.type == tokenize.NUMBER:
        value = ast.literal_eval(token.string)
        after = repr(value * 2 if isinstance(value, float) and value else value + 1)
        return Change(path, line, column + 1, token.string, after)
    before, after = token.string, OTHERS.get(token.string)
    if after is None:
        return None
    if before in ("is", "not") and following[0].start[0] == line and following[0].string in ("not", "in"):
        before = token.line[column : following[0].end[1]]  # `is not` and `not in` are one comparison
        if before in ("is not", "not in"):
            after = before.replace("not", "").strip()
        else:
            before = token.string
    return Change(path, line, column + 1, before, after)


def _places(tree: ast.Module, tokens: list[tokenize.TokenInfo]) -> Iterator[Place]:
    """Yield where the tokens stand that may be changed: those of expressions that are computed."""
    starts = {token.start: token for token in tokens}
    for node in _computed(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool | int | float) and _start(node) in starts:
                yield _start(node)
        elif isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.Not):
                yield _start(node)
        elif isinstance(node, ast.AugAssign):
            yield from _between(tokens, node.target, node.value)
        elif isinstance(node, ast.BinOp):
            yield from _between(tokens, node.left, node.right)
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from _between(tokens, left, right)
        elif isinstance(node, ast.Compare):
            for left, right in zip([node.left, *node.comparators], node.comparators, strict=False):
                yield from _between(tokens, left, right)


def _between(tokens: list[tokenize.TokenInfo], left: ast.expr, right: ast.expr) -> Iterator[Place]:
    """Yield where the operator between two operands stands."""
    for token in tokens:
        if _end(left) <= token.start < _start(right) and token.string in OTHERS:
            yield token.start
            return


def _computed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below `node` whose value the program computes with."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        if name == "keywords" and isinstance(node, ast.ClassDef):
            continue
        if name in ("args", "keywords") and isinstance(node, ast.Call) and _name(node.func) in SIGNALLING:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield child
                yield from _computed(child)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _start(node: ast.expr) -> Place:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> Place:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
