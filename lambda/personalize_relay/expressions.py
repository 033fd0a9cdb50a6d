"""Read the JMESPath expressions of a mapping, and find their faults before the first payload comes."""

from collections.abc import Iterable, Iterator
from typing import Any

from jmespath.exceptions import EmptyExpressionError, IncompleteExpressionError, LexerError, ParseError
from jmespath.parser import Parser

from personalize_relay import functions
from personalize_relay.closures import Closures
from personalize_relay.functions import ANY_NUMBER, OWN, Functions
from personalize_relay.paths import Node, names
from personalize_relay.projections import Expression

_SHOWN = 40
"""The most characters of an expression that a message repeats."""
_CUT_OFF = "is not JMESPath, as it ends too soon: complete it"


class WrongExpression(ValueError):
    """An expression's fault and what to do, as the end of a sentence that begins with its place."""


class Expressions:
    """Compiles expressions that may call these functions."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._closures = Closures(functions)

    def compiled(self, text: str) -> Expression:
        """The expression as a function; raises WrongExpression."""
        tree = parsed(text)
        for node in _nodes(tree):
            if node["type"] == "function_expression":
                self._check_call(node["value"], node["children"])
        return self._closures.of(tree)

    def _check_call(self, name: str, arguments: list[Node]) -> None:
        if name not in self._functions.FUNCTION_TABLE:
            there = ", ".join([*OWN, *sorted(self._functions.FUNCTION_TABLE.keys() - OWN.keys())])
            raise WrongExpression(f"calls {name}(), which there is not: use one of {there}")
        fewest, most = self._takes(name)
        if not fewest <= len(arguments) <= most:
            takes = {fewest: f"{fewest}", fewest + 1: f"{fewest} or {most}"}.get(most, f"{fewest} or more")
            raise WrongExpression(f"gives {name}() {len(arguments)} arguments: give it {takes}")
        if name == "epoch":
            _check_zones(arguments[1:])
        if name == "hash" and not self._functions.salt:
            raise WrongExpression("calls hash(), but there is no salt: set `mappingSalt`, and keep it secret")

    def _takes(self, name: str) -> tuple[int, int]:
        if name in OWN:
            return OWN[name]
        signature = self._functions.FUNCTION_TABLE[name]["signature"]
        return len(signature), ANY_NUMBER if signature[-1].get("variadic") else len(signature)


def parsed(text: str) -> Node:
    """The tree of an expression; raises WrongExpression if the text is not JMESPath."""
    try:
        tree: Any = Parser().parse(text).parsed
    except EmptyExpressionError as exc:
        raise WrongExpression("is empty: write a JMESPath expression, or leave it out") from exc
    except IncompleteExpressionError as exc:
        raise WrongExpression(_CUT_OFF) from exc
    except LexerError as exc:
        raise WrongExpression(_not_jmespath(text, exc.lexer_position)) from exc
    except ParseError as exc:
        raise WrongExpression(_not_jmespath(text, exc.lex_position)) from exc
    except RecursionError as exc:
        raise WrongExpression("is nested too deep to be read: make it shorter") from exc
    except Exception as exc:  # the parser trips over some texts that are not JMESPath
        raise WrongExpression("is not JMESPath: jmespath.org has a tutorial") from exc
    return dict(tree)


def takes_whole(text: str) -> bool:
    """Whether an expression's result may hold the value itself, not only parts of it: whether `@` occurs in it.

    Raises WrongExpression.
    """
    return any(node["type"] == "current" for node in _nodes(parsed(text)))


def plain_path(text: str) -> tuple[str, ...]:
    """The fields of an expression that is a plain path, outermost first; none of any other. Raises WrongExpression."""
    return names(parsed(text))


def fields(texts: Iterable[str]) -> frozenset[str] | None:
    """The names of all members in some expressions; None if one of them may need members that it doesn't name.

    Raises WrongExpression.
    """
    nodes = [node for text in texts for node in _nodes(parsed(text))]
    if any(node["type"] in {"current", "value_projection"} for node in nodes):
        return None
    return frozenset(node["value"] for node in nodes if node["type"] == "field")


def _not_jmespath(text: str, position: int) -> str:
    rest = text[position : position + _SHOWN]
    if not rest:
        return _CUT_OFF
    return f"is not JMESPath at character {position + 1}, before {rest}: mend it, fixed texts go in single quotes"


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):  # the children of a slice are numbers
            yield from _nodes(child)


def _check_zones(arguments: list[Node]) -> None:
    for node in arguments:
        name = node["value"] if node["type"] == "literal" else None
        if not isinstance(name, str):
            raise WrongExpression("gives epoch() a zone that is no fixed text: write one such as 'Europe/Berlin'")
        try:
            functions.zone(name)
        except ValueError as exc:
            raise WrongExpression(
                f"names {name}, which is no time zone: write one such as 'Europe/Berlin' or '+01:00'"
            ) from exc
