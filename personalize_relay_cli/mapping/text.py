"""Show presets, the tests of a mapping, and what it makes of records; of a record nothing but what is revealed."""

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from personalize_relay.names import MARK
from personalize_relay_cli.mapping.trial import MappingTrial, Tried
from personalize_relay_cli.printing import counted, shown

_KINDS = {
    str: "text",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "list",
    dict: "object",
    type(None): "null",
}
_GAP = 3


def presets(descriptions: Mapping[str, str]) -> Iterator[str]:
    """A line for each preset."""
    width = max(map(len, descriptions), default=0)
    return (f"{name:<{width}}  {description}" for name, description in descriptions.items())


def tests(failures: Mapping[str, str | None]) -> Iterator[str]:
    """A line for each test, by its name, with what is wrong where it fails, and how many they are."""
    for name, wrong in failures.items():
        yield f"FAILED  {shown(name)}: {shown(wrong)}" if wrong else f"ok      {shown(name)}"
    failed = sum(wrong is not None for wrong in failures.values())
    yield ""
    yield f"{len(failures)} tests, {failed} failed"


def tried(each: Tried, *, reveal: bool, width: int) -> Iterator[str]:
    """A payload on the left, what becomes of it on the right."""
    yield f"{each.place}: {_became(each)}"
    yield from (f"  {rejection}" for rejection in each.rejections)
    left = _revealed([each.payload]) if reveal else _shape(each.payload)
    right = _revealed(each.events) if reveal else [line for event in each.events for line in _filled(event)]
    if each.payload is not None:
        yield from _side_by_side(left, right, width)
    yield ""


def summary(trial: MappingTrial) -> str:
    """How many of what there were."""
    said = f"dropped {trial.dropped.total()}" + (f" ({counted(trial.dropped)})" if trial.dropped else "")
    return f"payloads {trial.payloads}, events {trial.events}, {said}, rejected {trial.rejected}"


def tried_json(each: Tried, *, reveal: bool) -> dict[str, Any]:
    """The same, for JSON."""
    return {
        "file": each.line.file,
        "line": each.line.number,
        "subSequence": list(each.sub_sequence),
        "rule": each.rule,
        "dropped": each.dropped,
        "rejections": list(each.rejections),
        "events": [_sayable(event) if reveal else _kinds(event) for event in each.events],
    } | ({"payload": _sayable(each.payload)} if reveal else {})


def kind(value: object) -> str:
    """What JSON calls a value."""
    return _KINDS.get(type(value), "null")


def _kinds(event: dict[str, Any]) -> dict[str, str]:
    return {name: kind(value) for name, value in event.items() if name != MARK}


def _became(each: Tried) -> str:
    if each.payload is None or (each.rejections and not each.events):
        return "rejected" + (f' by "{each.rule}"' if each.rule else "")
    if each.dropped:
        return f'dropped by "{each.rule}"'
    said = "1 event" if len(each.events) == 1 else f"{len(each.events)} events"
    said += f' by "{each.rule}"' if each.rule else ", unmapped"
    return said + (f", {len(each.rejections)} rejected" if each.rejections else "")


def _shape(payload: dict[str, Any] | None) -> list[str]:
    """How many members there are, and of which kinds: their names are the record's."""
    kinds = [kind(value) for value in (payload or {}).values()]
    return [f"an object of {len(kinds)}:", *(f"  {kinds.count(each)} {each}" for each in dict.fromkeys(kinds))]


def _filled(event: dict[str, Any]) -> list[str]:
    """The members of the contract that are filled, and with which kind of value."""
    first, *others = (f"{name}: {its}" for name, its in _kinds(event).items())
    return [f"- {first}", *(f"  {other}" for other in others)]


def _revealed(values: Sequence[object]) -> list[str]:
    dumped = (json.dumps(_sayable(value), indent=2, ensure_ascii=False) for value in values)
    return [shown(line) for each in dumped for line in each.splitlines()]


def _sayable(value: object) -> object:
    """The value, but for numbers that no double holds: Python won't write the one that stands for them."""
    if isinstance(value, dict):
        return {name: _sayable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_sayable(each) for each in value]
    return "a number out of range" if isinstance(value, int) and abs(value) > sys.float_info.max else value


def _side_by_side(left: Sequence[str], right: Sequence[str], width: int) -> Iterator[str]:
    half = max((width - _GAP) // 2, 20)
    columns = [[part for line in side for part in _wrapped(line, half)] for side in (left, right)]
    for one, other in zip_longest(*columns, fillvalue=""):
        yield f"  {one:<{half - 2}}{'':<{_GAP}}{other}".rstrip()


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width - 2, drop_whitespace=False, subsequent_indent="    ") or [""]
