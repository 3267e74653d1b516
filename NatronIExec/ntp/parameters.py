"""What a parameter is at a time, as far as that is certain without running Natron.

Constants and keyframes are exact. Of expressions only arithmetic on numbers, `frame`, a few functions of `math` and
`node.param.get()` on other parameters is understood; everything else is `Unsure`, and the caller assumes the worst.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from NatronIExec.ntp.curves import value_at
from NatronIExec.ntp.node_graph import Graph, Placed
from NatronIExec.ntp.ntp_reader import Key, Knob

_MAX_EXPRESSION = 500
_MAX_DEPTH = 20
#: No frame, offset or choice is larger; beyond it (infinity, not a number) a value says nothing.
_MAX_NUMBER = 1e9

_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "float": float,
    "floor": math.floor,
    "int": int,
    "max": max,
    "min": min,
    "round": round,
    "sin": math.sin,
    "sqrt": math.sqrt,
}
_CONSTANTS = {"pi": math.pi, "e": math.e, "True": True, "False": False}


class Unsure(Exception):
    """A value cannot be known here; never leaves the scan."""


class Values:
    """Reads parameters of a graph. Results are floats; booleans are 0 and 1, choices their position."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        #: What never changes, None for a default; most parameters are asked for every frame.
        self._constant: dict[tuple[str, str, int], float | None] = {}

    def number(self, placed: Placed, name: str, time: float, default: float, dimension: int = 0) -> float:
        """Raises Unsure when an expression or an odd value leaves it open."""
        key = (placed.name, name, dimension)
        if key in self._constant:
            known = self._constant[key]
            return default if known is None else known
        found = self._number(placed, name, time, default, dimension, 0)
        if found is not default and not abs(found) <= _MAX_NUMBER:
            raise Unsure(name)
        if self.is_constant(placed, name):
            self._constant[key] = None if found is default else found
        return found

    def flag(self, placed: Placed, name: str, time: float, default: bool) -> bool:
        return self.number(placed, name, time, float(default)) != 0

    def choice(self, placed: Placed, name: str, time: float, options: Sequence[str], default: int) -> str:
        """The id of the chosen option. A saved id (`ChoiceLabel`) counts more than the position, as in Natron."""
        found = self._graph.resolve(placed, name)
        if found and not self.is_animated(found[1]):
            wanted = found[1].choice.lower()
            if wanted in options:
                return wanted
        at = int(self.number(placed, name, time, default))
        if not 0 <= at < len(options):
            raise Unsure(name)
        return options[at]

    def text(self, placed: Placed, name: str, default: str = "") -> str:
        found = self._graph.resolve(placed, name)
        return found[1].text if found else default

    def animation(self, placed: Placed, name: str) -> tuple[Key, ...] | None:
        """The keyframes of the first dimension, None when there are none. Raises Unsure for an expression."""
        found = self._graph.resolve(placed, name)
        if found is None or not found[1].values:
            return None
        value = found[1].values[0]
        if value.expression:
            raise Unsure(name)
        return value.keys or None

    def has_expression(self, placed: Placed, name: str) -> bool:
        found = self._graph.resolve(placed, name)
        return found is not None and any(value.expression for value in found[1].values)

    def curves(self, placed: Placed, name: str) -> tuple[tuple[Key, ...], ...]:
        """The curves of a parametric parameter; none when it has its default."""
        found = self._graph.resolve(placed, name)
        return found[1].curves if found else ()

    def is_animated(self, knob: Knob) -> bool:
        return any(value.keys or value.expression for value in knob.values)

    def is_constant(self, placed: Placed, name: str) -> bool:
        found = self._graph.resolve(placed, name)
        return found is None or not self.is_animated(found[1])

    def _number(self, placed: Placed, name: str, time: float, default: float, dimension: int, depth: int) -> float:
        found = self._graph.resolve(placed, name)
        if found is None:
            return default
        holder, knob = found
        if dimension >= len(knob.values):
            return default
        value = knob.values[dimension]
        if value.expression:
            number = self._expression(holder, value.expression, value.returns, time, depth)
            if knob.type == "Double":
                return number
            # KnobImpl.h pyObjectToType: a whole number is cut off, not rounded
            return float(number != 0) if knob.type == "Bool" else float(math.trunc(number))
        if value.keys:
            number = value_at(value.keys, time)
            if knob.type == "Bool":
                return float(number >= 0.5)
            return number if knob.type == "Double" else float(math.floor(number + 0.5))
        try:
            return float(value.text)
        except ValueError:
            raise Unsure(name) from None

    def _expression(self, placed: Placed, text: str, returns: bool, time: float, depth: int) -> float:
        if len(text) > _MAX_EXPRESSION or depth > _MAX_DEPTH:
            raise Unsure(text[:40])
        source = text.strip()
        if returns:
            if not source.startswith("ret") or "\n" in source:
                raise Unsure(text)
            source = source[3:].lstrip().lstrip("=").strip()
        try:
            tree = ast.parse(source, mode="eval")
            result = float(self._evaluate(placed, tree.body, time, depth + 1))
        except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
            raise Unsure(text) from None
        if not math.isfinite(result):
            raise Unsure(text)
        return result

    def _evaluate(self, placed: Placed, tree: ast.expr, time: float, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise Unsure("depth")
        if isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)):
            return tree.value
        if isinstance(tree, ast.Name):
            if tree.id == "frame":
                return time if time != int(time) else int(time)
            if tree.id in _CONSTANTS:
                return _CONSTANTS[tree.id]
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.USub, ast.UAdd)):
            inner = self._evaluate(placed, tree.operand, time, depth + 1)
            return -inner if isinstance(tree.op, ast.USub) else inner
        if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
            left = self._evaluate(placed, tree.left, time, depth + 1)
            right = self._evaluate(placed, tree.right, time, depth + 1)
            return _OPERATORS[type(tree.op)](left, right)
        if isinstance(tree, ast.Call) and not tree.keywords:
            return self._call(placed, tree, time, depth)
        raise Unsure(ast.dump(tree)[:80])

    def _call(self, placed: Placed, tree: ast.Call, time: float, depth: int) -> Any:
        if isinstance(tree.func, ast.Name) and tree.func.id in _FUNCTIONS:
            arguments = [self._evaluate(placed, argument, time, depth + 1) for argument in tree.args]
            return _FUNCTIONS[tree.func.id](*arguments)
        names = _dotted(tree.func)
        if len(names) >= 3 and names[-1] in ("get", "getValue") and not tree.args:
            other = self._graph.named(placed, names[:-2])
            found = self._graph.resolve(other, names[-2]) if other else None
            if other is None or found is None or len(found[1].values) != 1:
                raise Unsure(".".join(names))
            return self._number(other, names[-2], time, 0.0, 0, depth + 1)
        raise Unsure("call")


def _dotted(tree: ast.expr) -> list[str]:
    names: list[str] = []
    at = tree
    while isinstance(at, ast.Attribute):
        names.append(at.attr)
        at = at.value
    if not isinstance(at, ast.Name):
        return []
    return [at.id, *reversed(names)]
