"""Compile a JMESPath tree to closures: paths, literals, choices and comparisons take a tenth of the interpreter's time.

The rare nodes of a mapping (slices, `*` of objects, order, `&`) go to jmespath's own interpreter. A closure gives the
same result as the interpreter for any JSON value; a property test holds it to that.
"""

from collections.abc import Callable
from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from personalize_relay import functions, projections
from personalize_relay.functions import OWN, Functions
from personalize_relay.projections import Expression, is_false

type Node = dict[str, Any]
"""A node of jmespath's tree: its type, its value, its children."""


class Closures:
    """Makes closures that call these functions."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self._interpreter: Any = TreeInterpreter(Options(custom_functions=functions))

    def of(self, node: Node) -> Expression:
        """The closure of a tree."""
        make = _MAKERS.get(node["type"])
        return make(self, node) if make else self.interpreted(node)

    def interpreted(self, node: Node) -> Expression:
        """The interpreter's function for a tree."""
        visit = self._interpreter.visit
        return lambda value: visit(node, value)


def _field(_closures: Closures, node: Node) -> Expression:
    return _path((node["value"],))


def _chain(closures: Closures, node: Node) -> Expression:
    names = _names(node)
    if names:
        return _path(names)
    first, *others = map(closures.of, node["children"])

    def chain(value: object) -> object:
        found = first(value)
        for each in others:
            found = each(found)
        return found

    return chain


def _index(_closures: Closures, node: Node) -> Expression:
    place = node["value"]

    def index(value: object) -> object:
        return value[place] if type(value) is list and -len(value) <= place < len(value) else None

    return index


def _literal(_closures: Closures, node: Node) -> Expression:
    literal = node["value"]
    return lambda _value: literal


def _current(_closures: Closures, _node: Node) -> Expression:
    return lambda value: value


def _or(closures: Closures, node: Node) -> Expression:
    *choices, last = map(closures.of, _choices(node))

    def either(value: object) -> object:
        for choice in choices:
            found = choice(value)
            if found is not None and not is_false(found):
                return found
        return last(value)

    return either


def _choices(node: Node) -> list[Node]:
    """The operands of `a || b || c`, which is `(a || b) || c`."""
    if node["type"] != "or_expression":
        return [node]
    return [choice for child in node["children"] for choice in _choices(child)]


def _and(closures: Closures, node: Node) -> Expression:
    left, right = map(closures.of, node["children"])

    def both(value: object) -> object:
        found = left(value)
        return found if is_false(found) else right(value)

    return both


def _not(closures: Closures, node: Node) -> Expression:
    (negated,) = map(closures.of, node["children"])
    return lambda value: is_false(negated(value))


def _comparator(closures: Closures, node: Node) -> Expression:
    left, right = node["children"]
    if node["value"] not in {"eq", "ne"}:
        return closures.interpreted(node)
    equal = node["value"] == "eq"
    one = closures.of(left)
    if right["type"] == "literal" and type(right["value"]) is str:  # the usual case; and no text equals a boolean
        text = right["value"]
        return (lambda value: one(value) == text) if equal else (lambda value: one(value) != text)
    other = closures.of(right)
    return lambda value: _are_equal(one(value), other(value)) is equal


def _are_equal(one: object, other: object) -> bool:
    """Whether two values are equal in JSON; in Python, `1 == True`."""
    return one == other and (type(one) is bool) is (type(other) is bool)


def _hash(closures: Closures, node: Node) -> Expression:
    children = {child["value"]: child["children"][0] for child in node["children"]}
    if all(child["type"] == "field" for child in children.values()):
        return _picked(tuple((name, child["value"]) for name, child in children.items()))
    members = tuple((name, closures.of(child)) for name, child in children.items())
    return lambda value: None if value is None else {name: member(value) for name, member in members}


def _picked(fields: tuple[tuple[str, str], ...]) -> Expression:
    """The fields of an object, each under a name."""

    def picked(value: object) -> object:
        if type(value) is dict:
            return {name: value.get(field) for name, field in fields}
        return None if value is None else {name: None for name, _ in fields}

    return picked


def _list(closures: Closures, node: Node) -> Expression:
    children = node["children"]
    if all(child["type"] == "literal" for child in children):  # as in most conditions
        fixed = [child["value"] for child in children]
        return lambda value: None if value is None else fixed
    entries = tuple(map(closures.of, children))
    return lambda value: None if value is None else [entry(value) for entry in entries]


def _list_maker(make: Callable[..., Expression]) -> Callable[[Closures, Node], Expression]:
    """A maker for nodes that treat all their children alike."""
    return lambda closures, node: make(*map(closures.of, node["children"]))


def _contains(whole: Expression, part: Expression, call: Expression) -> Expression:
    def contains(value: object) -> object:
        where, what = whole(value), part(value)
        if type(where) is list or (type(where) is str and type(what) is str):
            return what in where
        return call(value)

    return contains


def _starts_with(whole: Expression, part: Expression, call: Expression) -> Expression:
    def starts_with(value: object) -> object:
        where, what = whole(value), part(value)
        return where.startswith(what) if type(where) is str and type(what) is str else call(value)

    return starts_with


_QUICK: dict[str, Callable[..., Expression]] = {"contains": _contains, "starts_with": _starts_with}
"""JMESPath functions that conditions call often; for a value that they can't take, JMESPath's own raises the error."""


def _call(closures: Closures, node: Node) -> Expression:
    name, children = node["value"], node["children"]
    if any(child["type"] == "expref" for child in children):
        return closures.interpreted(node)
    arguments = tuple(map(closures.of, children))
    if name not in OWN:
        function: Callable[..., Any] = closures.functions.call_function

        def call(value: object) -> object:
            return function(name, [argument(value) for argument in arguments])

        return _QUICK[name](*arguments, call) if name in _QUICK else call
    own: Callable[..., Any] = closures.functions.hash if name == "hash" else getattr(functions, name)
    if len(arguments) == 1:
        (only,) = arguments
        return lambda value: own(only(value))
    if len(arguments) == 2:  # noqa: PLR2004 - as of a path
        first, second = arguments
        return lambda value: own(first(value), second(value))
    return lambda value: own(*[argument(value) for argument in arguments])


def _names(node: Node) -> tuple[str, ...]:
    """The fields of a plain path, outermost first; none if the path holds anything else."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return ()
    parts = [_names(child) for child in node["children"]]
    return tuple(name for part in parts for name in part) if all(parts) else ()


def _path(names: tuple[str, ...]) -> Expression:
    if len(names) == 1:
        (only,) = names
        return lambda value: value.get(only) if type(value) is dict else None
    if len(names) == 2:  # noqa: PLR2004 - the most usual path, without a loop
        return _pair(*names)

    def path(value: object) -> object:
        for name in names:
            if type(value) is not dict:
                return None
            value = value.get(name)
        return value

    return path


def _pair(outer: str, inner: str) -> Expression:
    def pair(value: object) -> object:
        found = value.get(outer) if type(value) is dict else None
        return found.get(inner) if type(found) is dict else None

    return pair


_MAKERS: dict[str, Callable[[Closures, Node], Expression]] = {
    "field": _field,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "projection": _list_maker(projections.projection),
    "filter_projection": _list_maker(projections.filtered),
    "flatten": _list_maker(projections.flattened),
    "literal": _literal,
    "current": _current,
    "identity": _current,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "comparator": _comparator,
    "multi_select_dict": _hash,
    "multi_select_list": _list,
    "function_expression": _call,
}
"""The maker for each type of node; the interpreter takes the others."""
