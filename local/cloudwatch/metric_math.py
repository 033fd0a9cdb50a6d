"""CloudWatch's metric math, as far as arithmetic goes; the emulator computes none."""

import ast
import operator
from collections.abc import Callable, Mapping

type Points = Mapping[float, float]
"""Values by moment, in Unix time."""

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class UnknownExpression(Exception):
    """An expression with something in it that isn't computed here; the message is that part."""


def compute(expression: str, series: Mapping[str, Points]) -> Points:
    """The values of an expression over series, by their ids.

    As in CloudWatch a moment has no value where one of the series has none, or where it would be divided by 0.
    """
    try:
        formula = ast.parse(expression, mode="eval").body
    except SyntaxError as exc:
        raise UnknownExpression(expression) from exc
    return _points(formula, series)


def _points(node: ast.expr, series: Mapping[str, Points]) -> Points:
    match node:
        case ast.Name(name) if name in series:
            return series[name]
        case ast.BinOp(left, operation, ast.Constant(int() | float() as number)) if type(operation) in _OPERATORS:
            points = _points(left, series)
            return _combined(operation, points, dict.fromkeys(points, float(number)))
        case ast.BinOp(ast.Constant(int() | float() as number), operation, right) if type(operation) in _OPERATORS:
            points = _points(right, series)
            return _combined(operation, dict.fromkeys(points, float(number)), points)
        case ast.BinOp(left, operation, right) if type(operation) in _OPERATORS:
            return _combined(operation, _points(left, series), _points(right, series))
    raise UnknownExpression(ast.unparse(node))


def _combined(operation: ast.operator, left: Points, right: Points) -> Points:
    moments = [each for each in left if each in right and not (isinstance(operation, ast.Div) and right[each] == 0)]
    return {each: _OPERATORS[type(operation)](left[each], right[each]) for each in moments}
