"""JMESPath's operations on the entries of a list, as closures: project, filter, flatten; and its idea of truth."""

from collections.abc import Callable
from typing import Any

type Expression = Callable[[Any], Any]
"""Takes a JSON value, and gives what an expression finds in it."""


NUMBERS = frozenset({int, float})
"""The types of numbers, which are all true to JMESPath, even 0."""


def is_false(value: object) -> bool:
    """Whether a value is false to JMESPath: empty, null or false, but never a number.

    Where every payload passes, `found or type(found) in NUMBERS` says the contrary without the time of a call.
    """
    return not value and type(value) not in NUMBERS


def projection(listed: Expression, projected: Expression) -> Expression:
    """The results from each entry, without the nulls; null if there is no list."""

    def project(value: object) -> object:
        entries = listed(value)
        if type(entries) is not list:
            return None
        return [found for found in map(projected, entries) if found is not None]

    return project


def filtered(listed: Expression, projected: Expression, matches: Expression) -> Expression:
    """The results from each entry that matches, without the nulls; null if there is no list."""

    def keep(value: object) -> object:
        entries = listed(value)
        if type(entries) is not list:
            return None
        kept: list[object] = []
        for entry in entries:
            answer = matches(entry)
            if answer or type(answer) in NUMBERS:
                found = projected(entry)
                if found is not None:
                    kept.append(found)
        return kept

    return keep


def flattened(listed: Expression) -> Expression:
    """A list with the entries of its lists in their place; null if there is no list."""

    def flatten(value: object) -> object:
        entries = listed(value)
        if type(entries) is not list:
            return None
        return [each for entry in entries for each in (entry if type(entry) is list else (entry,))]

    return flatten
