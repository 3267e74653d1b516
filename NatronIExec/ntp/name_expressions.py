"""Expressions that make file names: what they surely are, or else the folders that they speak of."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from typing import Any

#: Looks up `node.param.get()`: the dotted name without the call; raises LookupError when it is not certain.
Lookup = Callable[[str], "str | int | float"]
_MAX_LENGTH = 4000
_METHODS = frozenset({"lower", "lstrip", "replace", "rjust", "rstrip", "strip", "upper", "zfill"})
_MAX_RESULT = 4096


def constant_text(expression: str, returns: bool, lookup: Lookup) -> str | None:
    """The file name that an expression makes whatever the frame; None when that is not certain."""
    tree = _parsed(expression, returns)
    if tree is None:
        return None
    try:
        result = _value(tree, lookup)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, MemoryError):
        return None
    return result if isinstance(result, str) and len(result) <= _MAX_RESULT else None


def folders_in(expression: str) -> list[str]:
    """The folders that the string constants of an expression name, in order; also of one that cannot be evaluated.
    A lone slash is there to join names, not to mean the root of the disk."""
    try:
        tree = ast.parse(expression[:_MAX_LENGTH])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return list(dict.fromkeys(os.path.dirname(text) for text in texts if os.path.dirname(text).strip("/")))


def _parsed(expression: str, returns: bool) -> ast.expr | None:
    source = expression.strip()
    if returns:
        if not source.startswith("ret") or "\n" in source:
            return None
        source = source[3:].lstrip().lstrip("=").strip()
    if len(source) > _MAX_LENGTH:
        return None
    try:
        return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(tree: ast.expr, lookup: Lookup) -> Any:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, (str, int, float)):
        return tree.value
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Add, ast.Mod)):
        left, right = _value(tree.left, lookup), _value(tree.right, lookup)
        return _bounded(left + right if isinstance(tree.op, ast.Add) else _formatted(left, right))
    if isinstance(tree, ast.Tuple):
        return tuple(_value(part, lookup) for part in tree.elts)
    if isinstance(tree, ast.Call) and not tree.keywords:
        return _bounded(_called(tree, lookup))
    raise LookupError(ast.dump(tree)[:80])


def _called(tree: ast.Call, lookup: Lookup) -> Any:
    if isinstance(tree.func, ast.Name) and tree.func.id in ("str", "int") and len(tree.args) == 1:
        value = _value(tree.args[0], lookup)
        return str(value) if tree.func.id == "str" else int(value)
    if isinstance(tree.func, ast.Attribute):
        if tree.func.attr in ("get", "getValue") and not tree.args:
            return lookup(".".join(_dotted(tree.func.value)))
        if tree.func.attr in _METHODS:
            arguments = [_value(argument, lookup) for argument in tree.args]
            if any(isinstance(argument, int) and argument > _MAX_RESULT for argument in arguments):
                raise LookupError("width")
            return getattr(str(_value(tree.func.value, lookup)), tree.func.attr)(*arguments)
    raise LookupError("call")


def _formatted(left: Any, right: Any) -> Any:
    """`%` on texts with short widths; a width of a million would be an attack, not a file name."""
    if isinstance(left, str) and (len(left) > _MAX_RESULT or any(len(digits) > 3 for digits in _numbers(left))):
        raise LookupError("width")
    return left % right


def _numbers(text: str) -> Iterator[str]:
    yield from "".join(letter if letter.isdigit() else " " for letter in text).split()


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _MAX_RESULT:
        raise LookupError("too long")
    return value


def _dotted(tree: ast.expr) -> list[str]:
    names: list[str] = []
    while isinstance(tree, ast.Attribute):
        names.append(tree.attr)
        tree = tree.value
    if not isinstance(tree, ast.Name):
        raise LookupError("name")
    return [tree.id, *reversed(names)]
