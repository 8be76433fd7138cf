"""The formula by which a grader of several makes one score of theirs: arithmetic over their names, nothing else."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["computed"]

_OPERATORS: Final[Mapping[type[ast.AST], Callable[..., float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
}
_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {"min": min, "max": max, "abs": abs}
#: A formula longer than this is none.
_LONGEST = 2000


def computed(formula: str, scores: Mapping[str, float]) -> float | None:
    """What a formula gives for the scores by name, None when it cannot be computed."""
    if len(formula) > _LONGEST:
        return None
    try:
        return float(_value(ast.parse(formula.strip(), mode="eval").body, scores))
    except (SyntaxError, ValueError, TypeError, ZeroDivisionError, OverflowError, KeyError, RecursionError):
        return None


def _value(node: ast.expr, scores: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name):
        return scores[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, scores), _value(node.right, scores))
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_value(node.operand, scores))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        result: float = _FUNCTIONS[node.func.id](*(_value(each, scores) for each in node.args))
        return result
    raise ValueError("no arithmetic")
