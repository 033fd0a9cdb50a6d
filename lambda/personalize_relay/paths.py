"""Plain paths as closures: the member that a path leads to, and the first of an object's members that is true."""

from collections.abc import Mapping
from typing import Any

from personalize_relay.projections import NUMBERS, Expression

type Node = dict[str, Any]
"""A node of jmespath's tree: its type, its value, its children."""


def names(node: Node) -> tuple[str, ...]:
    """The fields of a plain path, outermost first; none if the path holds anything else."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return ()
    parts = [names(child) for child in node["children"]]
    return tuple(name for part in parts for name in part) if all(parts) else ()


def owner(node: Node) -> tuple[str, ...] | int:
    """The names of the path to the object whose member a node is; for no plain path, a number that only it has."""
    path = names(node)
    return path[:-1] if path else id(node)


def path(steps: tuple[str, ...]) -> Expression:
    """The member that a path leads to, null if there is none; without steps, the value itself."""
    if len(steps) == 1:
        (only,) = steps
        return lambda value: value.get(only) if type(value) is dict else None
    if len(steps) == 2:  # noqa: PLR2004 - the most usual path, without a loop
        return _pair(*steps)

    def reached(value: object) -> object:
        for step in steps:
            if type(value) is not dict:
                return None
            value = value.get(step)
        return value

    return reached


def _pair(outer: str, inner: str) -> Expression:
    def pair(value: object) -> object:
        found = value.get(outer) if type(value) is dict else None
        return found.get(inner) if type(found) is dict else None

    return pair


def of_owners(plain: Mapping[str, tuple[str, ...]]) -> tuple[tuple[Expression, tuple[tuple[str, str], ...]], ...]:
    """Group paths by the object that they end in, so that it is found once: how to find it, and each name's field."""
    owners: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for name, steps in plain.items():
        owners.setdefault(steps[:-1], []).append((name, steps[-1]))
    return tuple((path(steps), tuple(fields)) for steps, fields in owners.items())


def has(field: str, text: str) -> Expression:
    """Whether a member is a text."""
    return lambda value: type(value) is dict and value.get(field) == text


def first(choices: list[tuple[str, ...]]) -> Expression:
    """The first of some members of one object that is true, or else the last of them; the object is found once."""
    steps = choices[0][:-1]
    whole = path(steps) if steps else None
    *fields, last = [choice[-1] for choice in choices]

    def chosen(value: object) -> object:
        members = whole(value) if whole else value
        if type(members) is not dict:
            return None
        for field in fields:
            found = members.get(field)
            if found or type(found) in NUMBERS:
                return found
        return members.get(last)

    return chosen
