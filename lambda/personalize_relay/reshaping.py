"""Unwrap events: from other spellings of their members, from DynamoDB's types, from a list within a list."""

from collections.abc import Callable
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.names import ATTRIBUTION_MEMBERS, EVENT_MEMBERS, FLAT_MEMBERS, meant, respelt

MOST_COPIED = 100_000
"""The most members of all entries that `unwind` makes: a wide entry costs more than a narrow one."""

_number_of: Callable[[str], int | float] = msgspec.json.Decoder(int | float).decode


def contract(value: Any) -> Any:  # noqa: ANN401 - JSON may be anything
    """An object with its members, and those of its `eventList`, under the contract's names; other values unchanged."""
    if type(value) is not dict:
        return value
    named = _named(value, FLAT_MEMBERS)
    listed = named.get("eventList")
    if type(listed) is not list:
        return named
    return named | {"eventList": [_named(each, EVENT_MEMBERS) if type(each) is dict else each for each in listed]}


def _named(value: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The contract's members as `respelt` names them, but quicker if no two of them mean the same."""
    if value.keys() <= known:
        return value
    named: dict[str, Any] = {}
    for spelling, each in value.items():
        name = spelling if spelling in known else meant(spelling)
        if name is None:
            continue
        if name in named or name in ATTRIBUTION_MEMBERS:
            return respelt(value, known)[0]
        if name in known:
            named[name] = each
    return named


def untyped(image: Any) -> Any:  # noqa: ANN401 - as above
    """A DynamoDB image's attributes without their types: `{"itemId": {"S": "i-1"}}` is `{"itemId": "i-1"}`."""
    if image is None:
        return None
    if type(image) is not dict:
        raise _not_an_image()
    return {name: _untyped(attribute) for name, attribute in image.items()}


def _untyped(attribute: Any) -> Any:  # noqa: ANN401 - as above
    if type(attribute) is not dict or len(attribute) != 1:
        raise _not_an_image()
    (kind,) = attribute
    value = attribute[kind]
    match kind:
        case "S" | "BOOL" | "B" | "SS" | "BS":
            return value
        case "N":
            return _number(value)
        case "NULL":
            return None
        case "M":
            return untyped(value)
        case "L" if type(value) is list:
            return [_untyped(each) for each in value]
        case "NS" if type(value) is list:
            return [_number(each) for each in value]
    raise _not_an_image()


def _number(digits: object) -> int | float:
    try:
        return _number_of(digits if type(digits) is str else "")
    except ValueError as exc:
        raise _not_an_image() from exc


def _not_an_image() -> InvalidRecord:
    return InvalidRecord(Reason.NOT_MAPPED, "untyped() was given what is no image of DynamoDB")


def unwind(entries: Any, path: Any, name: Any) -> Any:  # noqa: ANN401 - as above
    """Repeat each entry for each member of the list at a path in it, with that member under `name`.

    An entry without such a list, or with an empty list, stays as it is.
    """
    if type(entries) is not list:
        return entries
    steps = path.split(".")
    unwound: list[Any] = []
    copied = 0
    for entry in entries:
        listed = _listed(entry, steps)
        if listed:
            copied += len(listed) * len(entry)
            if copied > MOST_COPIED:
                raise InvalidRecord(Reason.TOO_MANY_EVENTS, f"unwind() makes over {MOST_COPIED} members of the entries")
            unwound += [{**entry, name: each} for each in listed]
        else:
            unwound.append(entry)
    return unwound


def _listed(entry: Any, steps: list[str]) -> list[Any]:  # noqa: ANN401 - as above
    """The list at a path in an entry; empty if there is none."""
    found = entry
    for step in steps:
        found = found.get(step) if type(found) is dict else None
    return found if type(found) is list else []
