"""The part of CloudWatch's metric math that the stack's alarms and dashboard use; the emulator computes none.

Operators and functions as in "Using math expressions with CloudWatch metrics" in CloudWatch's user guide.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping

type Points = Mapping[float, float]
"""Values by moment, in Unix time."""
type _Value = Callable[[float], float | None]
"""Returns the value at a moment, if there is one."""

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


class UnknownExpression(Exception):
    """An expression with a part that isn't computed here; the message is that part."""


def compute(expression: str, series: Mapping[str, Points], moments: Iterable[float] | None = None) -> Points:
    """The values of an expression over series, by their ids, at `moments` or wherever one of the series has a value.

    As in CloudWatch, there is no value where an unfilled series has none, or where the expression divides by 0.
    """
    try:
        formula = ast.parse(expression, mode="eval").body
    except SyntaxError as exc:
        raise UnknownExpression(expression) from exc
    if moments is None:
        moments = sorted({moment for points in series.values() for moment in points})
    value = _read(formula, series)
    found = {moment: value(moment) for moment in moments}
    return {moment: value for moment, value in found.items() if value is not None}


def _read(node: ast.expr, series: Mapping[str, Points]) -> _Value:
    match node:
        case ast.Constant(int() | float() as number):
            return lambda _moment: number
        case ast.Name(name) if name in series:
            return series[name].get
        case ast.BinOp(left, sign, right) | ast.Compare(left, [sign], [right]) if type(sign) in _OPERATORS:
            return _combined(_OPERATORS[type(sign)], _read(left, series), _read(right, series))
        case ast.Call(ast.Name("IF"), [condition, then, otherwise], []):
            return _chosen(*(_read(each, series) for each in (condition, then, otherwise)))
        case ast.Call(ast.Name("FILL"), [filled, ast.Constant(int() | float() as number)], []):
            return _filled(_read(filled, series), number)
    raise UnknownExpression(ast.unparse(node))


def _combined(operation: Callable[[float, float], float], left: _Value, right: _Value) -> _Value:
    def value(moment: float) -> float | None:
        one, other = left(moment), right(moment)
        if one is None or other is None or (operation is operator.truediv and other == 0):
            return None
        return operation(one, other)

    return value


def _chosen(condition: _Value, then: _Value, otherwise: _Value) -> _Value:
    def value(moment: float) -> float | None:
        holds = condition(moment)
        return None if holds is None else (then if holds else otherwise)(moment)

    return value


def _filled(series: _Value, number: float) -> _Value:
    def value(moment: float) -> float | None:
        found = series(moment)
        return number if found is None else found

    return value
