"""Records of a shard, as they are drawn, and what each of their events should come to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.demo import kpl
from tests import packing
from tests.simulation.world import ARRIVAL, Place, click, record

SESSIONS = ("one", "two", "three")
POISON = "poison"
"""An event type that keeps the record contract and that the scripted API rejects."""


@dataclass(frozen=True)
class Packed:
    """Some payloads in one record, or in a part of one: `how`, one of HOWS, and what that is wrapped in."""

    how: str
    parts: tuple["Kind", ...]
    wrapper: str | None = None


type Kind = str | Packed
"""What a record holds: one of KINDS, or several."""

_MEMBERS: dict[str, dict[str, Any]] = {
    "click": {},
    "login": {"userId": "user"},
    "bad": {"eventType": "null"},
    "poison": {"eventType": POISON},
}
"""Of the kinds that are one event, what makes them so; an event type makes it a bad one."""
KINDS = (*_MEMBERS, "broken", "request", "control")
HOWS = ("aggregate", "lines", "array", "logs")


@dataclass(frozen=True)
class Sent:
    """One event that the test put on the stream, or a payload that can't be read."""

    session: str
    bad: bool
    place: Place
    event_id: str | None


class Stream:
    """Records on a shard, and what each of their events should come to; every event has an item id of its own."""

    def __init__(self, start: int, step: int, kinds: Sequence[Kind]) -> None:
        self.records: list[dict[str, Any]] = []
        self.sent: dict[str, Sent] = {}
        """By item id, in the order of the stream."""
        self.whole: dict[str, list[str]] = {}
        """The item ids in each record, by sequence number."""
        self._payloads = 0
        for number, kind in enumerate(kinds):
            self._add(start + number * step, kind)

    def _add(self, sequence_number: int, kind: Kind) -> None:
        before = len(self.sent)
        self.records.append(record(sequence_number, self._data(kind, str(sequence_number), ())))
        self.whole[str(sequence_number)] = list(self.sent)[before:]

    def _data(self, kind: Kind, number: str, sub: tuple[int, ...]) -> bytes:
        if isinstance(kind, str):
            self._payloads += 1
            return _Payload(self.sent, SESSIONS[self._payloads % len(SESSIONS)], number, sub).data(kind)
        places = [(*sub, index) for index in range(len(kind.parts))] if len(kind.parts) > 1 else [sub]
        parts = [self._data(each, number, place) for each, place in zip(kind.parts, places, strict=True)]
        data = _joined(kind.how, parts)
        return packing.WRAPPERS[kind.wrapper](data) if kind.wrapper else data


class _Payload:
    """Makes a payload of some kind, and notes what its events should come to."""

    def __init__(self, sent: dict[str, Sent], session: str, number: str, sub: tuple[int, ...]) -> None:
        self._sent = sent
        self._session = session
        self._number = number
        self._sub = ".".join(map(str, sub)) or None

    def data(self, kind: str) -> bytes:
        match kind:
            case "broken":
                return self._broken()
            case "control":
                return packing.text({"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "message": "CWL"}]})
            case "request":
                return packing.text(self._request())
            case _:
                members = _MEMBERS[kind]
                return packing.text(self._event(bad="eventType" in members, **members))

    def _request(self) -> dict[str, Any]:
        bad: dict[int, dict[str, Any]] = {3: {"properties": {"timestamp": 1}}, 7: {"eventType": POISON}}
        events = [self._event(index, bad=index in bad, **bad.get(index, {})) for index in range(12)]
        return {"sessionId": self._session, "eventList": events}

    def _event(self, index: int | None = None, *, bad: bool = False, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        stands = ["clicks", "shardId-000000000000", self._number, self._sub, index]
        item = self._note(index, bad=bad, event_id=":".join(str(each) for each in stands if each is not None))
        return click(self._session, itemId=item, sentAt=ARRIVAL - 1000 + len(self._sent), **members)

    def _broken(self) -> bytes:
        self._note(None, bad=True, event_id=None)
        return json.dumps(click(self._session)).encode()[:-9]

    def _note(self, index: int | None, *, bad: bool, event_id: str | None) -> str:
        item = f"item-{len(self._sent)}"
        self._sent[item] = Sent(self._session, bad, (self._number, self._sub, index), event_id)
        return item


def _joined(how: str, parts: list[bytes]) -> bytes:
    """Pack as asked, or where that can't hold such parts, in what can."""
    text = all(part.isascii() for part in parts)
    if how == "logs" and text:
        return packing.log_messages(parts)
    if how == "array" and text and all(part.endswith((b"}", b"]")) and b"\n" not in part for part in parts):
        return b"[" + b",".join(parts) + b"]"
    if how == "lines" and text and not any(b"\n" in part for part in parts):
        return b"\n".join(parts)
    return kpl.aggregate(parts)
