"""Pack a session's events into one record, in ways that docs/events.md says the relay reads."""

import gzip
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from local.demo import kpl

type EventMembers = dict[str, Any]

_OTHER_NAMES = {"sentAt": "TIMESTAMP"}
"""A column of Personalize's interactions schema whose name differs from the member's in more than spelling."""


def text(value: object) -> bytes:
    """JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()


def lines(events: Sequence[EventMembers]) -> bytes:
    """An event a line."""
    return b"\n".join(map(text, events))


def _gzip(events: Sequence[EventMembers]) -> bytes:
    return gzip.compress(lines(events), mtime=0)


def _aggregate(events: Sequence[EventMembers]) -> bytes:
    return kpl.aggregate([text(each) for each in events])


def _misspelt(events: Sequence[EventMembers]) -> bytes:
    return lines([{_column(name): value for name, value in each.items()} for each in events])


def _column(name: str) -> str:
    """The name as a data warehouse would write it: `SESSION_ID`."""
    return _OTHER_NAMES.get(name) or re.sub(r"(?=[A-Z])", "_", name).upper()


PACKED: dict[str, Callable[[Sequence[EventMembers]], bytes]] = {
    "a list": text,
    "lines": lines,
    "gzip": _gzip,
    "a KPL aggregate": _aggregate,
    "names of columns": _misspelt,
}
"""The ways of packing; the sub-sequence of an event is its place in the list."""
