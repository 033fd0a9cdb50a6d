"""The tests that a mapping holds: an input, and the expected events, or why there are none.

The expected events are the results of the expressions; a test also fails if the contract's rules would reject them.
"""

from collections.abc import Collection
from typing import Any

import msgspec

from personalize_relay import parsing
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Origin, Trackers
from personalize_relay.mapping import MEMBERS, Mapped, Mapping
from personalize_relay.tables import Table, kind

EXPECTATIONS = ("event", "events", "reason", "dropped")
# The arrival is the end of time, so that no test ever fails because its `sentAt` is too far ahead.
_ORIGIN = Origin(stream="test", shard_id="", sequence_number="0", arrival=253402300799.0)


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """One test, with exactly one expectation."""

    __test__ = False  # tells pytest that this class is not a test

    name: str
    input: str
    events: tuple[dict[str, Any], ...] | None = None
    several: bool = False
    """Whether the expected events were given as a list."""
    reason: Reason | None = None
    dropped: str | None = None


def read(table: Table, name: str, drops: Collection[str]) -> Test:
    """The test in a table; raises MappingError. `drops` names the rules that drop."""
    table.refuse_others(("name", "input", *EXPECTATIONS))
    text = table.text("input")
    if text is None:
        raise table.at("input", "is missing: add what stands on the stream, as input = '''…'''")
    expected = [key for key in EXPECTATIONS if key in table.values]
    if len(expected) != 1:
        has = f"{len(expected)} expectations ({' and '.join(expected)})" if expected else "no expectation"
        raise table.wrong(f"has {has}: give it one of {', '.join(EXPECTATIONS)}")
    return Test(name=name, input=text, **_expectation(table, expected[0], drops))


def _expectation(table: Table, key: str, drops: Collection[str]) -> dict[str, Any]:
    if key == "event":
        return {"events": (_event(table.table(key)),)}
    if key == "events":
        listed = tuple(_event(each) for each in table.tables(key))
        if not listed:
            raise table.at(key, "is empty: list the events, or expect a reason")
        return {"events": listed, "several": True}
    text = table.text(key)
    if key == "reason":
        if text not in set(Reason):
            raise table.at(key, f'is none of the relay\'s: "{text}"; docs/events.md lists them')
        return {"reason": Reason(text)}
    if text not in drops:
        raise table.at(key, f"names no rule that drops: {', '.join(drops) or 'there is none'}")
    return {"dropped": text}


def _event(table: Table) -> dict[str, Any]:
    table.refuse_others(MEMBERS)
    for key, value in table.values.items():
        if kind(value).startswith("a date"):
            raise table.at(key, "is a date of TOML's, which JSON doesn't have: put it in quotes")
    return table.values


def failure(test: Test, mapping: Mapping) -> str | None:
    """The result that differs from the expected one, with the test's own data; None if the test passes."""
    value = _payload(test.input, mapping)
    if value is None:
        return "its input is neither a JSON object nor a row of the columns: write it as it stands on the stream"
    try:
        mapped = mapping.map(value)
    except InvalidRecord as bad:
        return None if test.reason is bad.reason else f"expected {_expected(test)}, but it is rejected: {bad}"
    return _difference(test, mapped, mapping)


def _payload(text: str, mapping: Mapping) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return mapping.rows(text) if mapping.rows else None
    return value if isinstance(value, dict) else None


def _difference(test: Test, mapped: Mapped, mapping: Mapping) -> str | None:
    if mapped.dropped is not None:
        came = f'the rule "{mapped.dropped}" drops it'
        return None if test.dropped == mapped.dropped else f"expected {_expected(test)}, but {came}"
    bad = _rejection(test, mapped, mapping)
    if test.reason:
        came = f"it is rejected: {bad}" if bad else f"it becomes {_made(mapped)}"
        return None if bad and bad.reason is test.reason else f"expected {_expected(test)}, but {came}"
    if test.events is None or len(test.events) != len(mapped.events) or test.several is not mapped.several:
        return f"expected {_expected(test)}, but it becomes {_made(mapped)}"
    for expected, came_out in zip(test.events, mapped.events, strict=True):
        if isinstance(came_out, InvalidRecord):
            return f"expected {_expected(test)}, but the relay rejects it: {came_out}"
        for name in MEMBERS:
            if expected.get(name) != came_out.get(name):
                return f"expected {name} {_text(expected.get(name))}, but it becomes {_text(came_out.get(name))}"
    return f"expected {_expected(test)}, but the relay rejects it: {bad}" if bad else None


def _rejection(test: Test, mapped: Mapped, mapping: Mapping) -> InvalidRecord | None:
    """Why the function would refuse the mapping's events, whatever its trackers are."""
    named = (event.get("trackingId") for event in mapped.events if isinstance(event, dict))
    trackers = Trackers(default="test", allowed=frozenset(each for each in named if isinstance(each, str)))
    parsed = parsing.parse(test.input.encode(), _ORIGIN, trackers, mapping)
    return next((InvalidRecord(each.reason, each.detail) for each in parsed.rejections), None)


def _expected(test: Test) -> str:
    if test.events is not None:
        return _text(test.events if test.several else test.events[0])
    return f"the reason {test.reason}" if test.reason else f'the rule "{test.dropped}" to drop it'


def _made(mapped: Mapped) -> str:
    made = [None if isinstance(event, InvalidRecord) else event for event in mapped.events]
    return _text(made if mapped.several else made[0])


def _text(value: object) -> str:
    return "none" if value is None else msgspec.json.encode(value).decode()
