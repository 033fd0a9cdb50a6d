"""What a mapping makes of records: by which rule, which events, and what the function would say of them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord
from personalize_relay.events import Origin, SubSequence, dotted
from personalize_relay.framing import unframe
from personalize_relay.mapping import MEMBERS, Mapping
from personalize_relay.names import CONTRACT, MARK
from personalize_relay.parsing import parse
from personalize_relay_cli.checking.checks import trackers
from personalize_relay_cli.input.reading import Line

_STREAM = "relay map try"


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One payload, and what becomes of it."""

    line: Line
    sub_sequence: SubSequence
    payload: dict[str, Any] | None
    """None where it can't be read."""
    rule: str | None = None
    """The name of the rule that it is for, if there is one."""
    events: tuple[dict[str, Any], ...] = ()
    rejections: tuple[str, ...] = ()
    """For each event that would be rejected, or for the payload, the reason and the detail."""

    @property
    def place(self) -> str:
        """Where it stands: the file, the line, and its place in that."""
        return f"{self.line.file}:{self.line.number}" + (f" {dotted(self.sub_sequence)}" if self.sub_sequence else "")

    @property
    def dropped(self) -> bool:
        """Whether its rule drops it."""
        return not self.events and not self.rejections


class MappingTrial:
    """Tries a mapping on records that are taken to arrive at a time, in epoch seconds, and counts."""

    def __init__(self, mapping: Mapping, arrival: float) -> None:
        self._mapping = mapping
        self._origin = Origin(stream=_STREAM, shard_id="", sequence_number="0", arrival=arrival)
        self._trackers = trackers(None, ())
        self.payloads = self.events = self.rejected = 0
        self.dropped: Counter[str] = Counter()
        """By rule."""

    def run(self, lines: Iterable[Line]) -> Iterator[Tried]:
        """What becomes of each payload of the lines."""
        for line in lines:
            bad: dict[SubSequence, list[str]] = {}
            for each in parse(line.data, self._origin, self._trackers, self._mapping).rejections:
                bad.setdefault(each.sub_sequence, []).append(f"{each.reason}: {each.detail}")
            for payload in unframe(line.data, self._mapping.rows).payloads:
                rejections = tuple(bad.get(payload.sub_sequence, ()))
                yield self._counted(self._tried(line, payload.sub_sequence, payload.value, rejections))

    def _tried(self, line: Line, place: SubSequence, value: object, rejections: tuple[str, ...]) -> Tried:
        if not isinstance(value, dict):
            return Tried(line=line, sub_sequence=place, payload=None, rejections=rejections)
        rule, events = self._mapped(value)
        return Tried(line=line, sub_sequence=place, payload=value, rule=rule, events=events, rejections=rejections)

    def _mapped(self, payload: dict[str, Any]) -> tuple[str | None, tuple[dict[str, Any], ...]]:
        """The rule's name and the events; nothing of what can't be mapped, for which the parser has a rejection."""
        if payload.get(MARK) == CONTRACT:
            return None, (payload,)
        try:
            rule = self._mapping.rule(payload).name
        except InvalidRecord:
            return None, ()
        try:
            made = self._mapping.map(payload).events
        except InvalidRecord:
            return rule, ()
        events = (event for event in made if isinstance(event, dict))
        return rule, tuple({name: event[name] for name in MEMBERS if name in event} for event in events)

    def _counted(self, tried: Tried) -> Tried:
        self.payloads += 1
        self.events += len(tried.events)
        self.rejected += len(tried.rejections)
        if tried.dropped and tried.rule:
            self.dropped[tried.rule] += 1
        return tried
