"""Compile a JMESPath tree to closures: paths, literals, choices and comparisons take a tenth of the interpreter's time.

The rare nodes of a mapping (slices, `*` of objects, order, `&`) go to jmespath's own interpreter. A closure gives the
same result as the interpreter for any JSON value; a property test holds it to that.
"""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from personalize_relay import functions, paths, projections
from personalize_relay.functions import OWN, Functions
from personalize_relay.paths import Node
from personalize_relay.projections import NUMBERS, Expression, is_false


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
    return paths.path((node["value"],))


def _chain(closures: Closures, node: Node) -> Expression:
    names = paths.names(node)
    if names:
        return paths.path(names)
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
    groups = [list(group) for _, group in groupby(_choices(node), paths.owner)]
    *choices, last = [
        closures.of(group[0]) if len(group) == 1 else paths.first(list(map(paths.names, group))) for group in groups
    ]
    if not choices:
        return last

    def either(value: object) -> object:
        for choice in choices:
            found = choice(value)
            if found or type(found) in NUMBERS:
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
        return right(value) if found or type(found) in NUMBERS else found

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
        if equal and left["type"] == "field":
            return paths.has(left["value"], text)
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


def _type(of: Expression, call: Expression) -> Expression:
    def kind(value: object) -> object:
        return _TYPES.get(type(of(value))) or call(value)

    return kind


def _contains(whole: Expression, part: Expression, call: Expression) -> Expression:
    def contains(value: object) -> object:
        where, what = whole(value), part(value)
        if type(where) is list or (type(where) is str and type(what) is str):
            return what in where
        return call(value)

    return contains


def _one_of(texts: frozenset[str], part: Expression, call: Expression) -> Expression:
    """Whether a value is one of some fixed texts; they are no list for the value null, as in JMESPath."""

    def one_of(value: object) -> object:
        if value is None:
            return call(value)
        what = part(value)
        return type(what) is str and what in texts

    return one_of


def _starts_with(whole: Expression, part: Expression, call: Expression) -> Expression:
    def starts_with(value: object) -> object:
        where, what = whole(value), part(value)
        return where.startswith(what) if type(where) is str and type(what) is str else call(value)

    return starts_with


_TYPES = {str: "string", dict: "object", list: "array", bool: "boolean", int: "number", float: "number"}
"""JMESPath's names of the types that `type` is asked for most."""
_QUICK: dict[str, Callable[..., Expression]] = {"type": _type, "contains": _contains, "starts_with": _starts_with}
"""JMESPath functions that conditions call often; for a value that they can't take, JMESPath's own raises the error."""


def _call(closures: Closures, node: Node) -> Expression:
    name, children = node["value"], node["children"]
    if any(child["type"] == "expref" for child in children):
        return closures.interpreted(node)
    arguments = tuple(map(closures.of, children))
    if name not in OWN:
        return _standard(closures, name, children, arguments)
    own: Callable[..., Any] = closures.functions.hash if name == "hash" else getattr(functions, name)
    if len(arguments) == 1:
        (only,) = arguments
        return lambda value: own(only(value))
    if len(arguments) == 2:  # noqa: PLR2004 - the usual calls, without a list of arguments
        first, second = arguments
        return lambda value: own(first(value), second(value))
    return lambda value: own(*[argument(value) for argument in arguments])


def _standard(closures: Closures, name: str, children: list[Node], arguments: tuple[Expression, ...]) -> Expression:
    function: Callable[..., Any] = closures.functions.call_function

    def call(value: object) -> object:
        return function(name, [argument(value) for argument in arguments])

    if name == "contains" and children[0]["type"] == "multi_select_list":
        entries = children[0]["children"]
        if all(entry["type"] == "literal" and type(entry["value"]) is str for entry in entries):
            return _one_of(frozenset(entry["value"] for entry in entries), arguments[1], call)
    return _QUICK[name](*arguments, call) if name in _QUICK else call


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
