"""Which of the records that are set aside a command works on, and the events of a record that it is about."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from personalize_relay.contract import ADDRESSEE
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Origin, SubSequence, dotted
from personalize_relay.framing import Payload
from personalize_relay.mapping import Mapping
from personalize_relay.members import absent
from personalize_relay.names import CONTRACT, FLAT_MEMBERS, MARK, meant, respelt
from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.recovery.set_aside import EventPosition, FailureCause, SetAside

ERASED = {"messageType": "CONTROL_MESSAGE", "logEvents": []}
"""Keeps the place of what was erased from among others: the function reads it as a message that holds no event."""

_NO_MAPPING = "the function reads these by a mapping that is a file: give it as --mapping FILE"

type Payloads = dict[str | None, Payload]


class PayloadEvent(msgspec.Struct, frozen=True):
    """What a payload comes to: one of its events, flat, or why there is none."""

    index: int | None = None
    """Its place in `eventList`, or among those that a mapping makes; None: it is all of the payload."""
    event: dict[str, Any] | None = None
    several: bool = False
    """Whether its payload holds others: then its `sentAt` can't be the arrival, which is the same for all."""
    dropped: bool = False
    """Whether the mapping filters it, so that there is no event."""
    not_mapped: str | None = None
    """The function's word for why its mapping makes no event of it."""


class Piece(PayloadEvent, frozen=True, kw_only=True):
    """One event that is set aside; or a record that no event can be read from (`event` None)."""

    record: SetAside
    sub_sequence: SubSequence
    cause: FailureCause

    @property
    def reason(self) -> str:
        """Why it is set aside."""
        return self.cause.reason

    @property
    def position(self) -> EventPosition:
        """What names it in its object."""
        number = self.record.origin.sequence_number
        return f"{number}:{dotted(self.sub_sequence)}" if self.sub_sequence else number, self.index


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; what is None or empty excludes nothing. Times of arrival in epoch seconds."""

    since: float | None = None
    until: float | None = None
    reasons: frozenset[str] = frozenset()
    shard: str | None = None
    sequence_number: str | None = None
    tracker: str | None = None
    default_tracker: str | None = None
    """The tracker of events that name none; needed with `tracker`."""
    mapping: Mapping | None = None
    """What makes events of payloads that aren't of the contract."""
    lacks_mapping: bool = False
    """Whether the function has one that isn't known here."""

    def causes(self, record: SetAside) -> tuple[FailureCause, ...]:
        """Those of a record's causes that are asked for; none where the record isn't."""
        if not self._is_asked_for(record.origin):
            return ()
        causes = tuple(cause for cause in record.causes if not self.reasons or cause.reason in self.reasons)
        if self.tracker is None or not causes:
            return causes
        places = self._payloads(record)
        return tuple(cause for cause in causes if _of(cause, places))

    def pieces(self, record: SetAside) -> Iterator[Piece]:
        """The events of a record that are asked for, in order."""
        causes = self.causes(record)
        payloads = self._payloads(record) if causes else {}
        for cause in causes:
            for payload in _of(cause, payloads) or _lost(cause):
                yield from self._pieces(record, cause, payload)

    def covers(self, arrival: float) -> bool:
        """Whether a record of this arrival may be asked for."""
        return (self.since is None or arrival >= self.since) and (self.until is None or arrival < self.until)

    def _is_asked_for(self, origin: Origin) -> bool:
        return (
            self.covers(origin.arrival)
            and self.shard in {None, origin.shard_id}
            and self.sequence_number in {None, origin.sequence_number}
        )

    def _payloads(self, record: SetAside) -> Payloads:
        """Those of a record that may be asked for, by their places as they are written."""
        return {
            dotted(payload.sub_sequence) or None: payload
            for payload in record.payloads(self.mapping.rows if self.mapping else None)
            if self._is_for_tracker(payload.value)
        }

    def _is_for_tracker(self, value: object) -> bool:
        """Whether a payload names the tracker that is asked for; what can't be read names none."""
        if self.tracker is None:
            return True
        if not isinstance(value, dict):
            return False
        mapping = self.mapping_of(value)
        if mapping is None:
            return self._is_tracker_of(_named(value))
        return any(each.event is not None and self._is_tracker_of(each.event) for each in events_made(mapping, value))

    def _is_tracker_of(self, event: dict[str, Any]) -> bool:
        return self.tracker is None or self.tracker == (event.get("trackingId") or self.default_tracker)

    def mapping_of(self, payload: dict[str, Any]) -> Mapping | None:
        """What makes events of a payload; None for one of the contract. Raises Misuse where it isn't known here."""
        if payload.get(MARK) == CONTRACT:
            return None
        if self.lacks_mapping:
            raise Misuse(_NO_MAPPING)
        return self.mapping

    def _pieces(self, record: SetAside, cause: FailureCause, payload: Payload) -> Iterator[Piece]:
        for each in self._made(payload.value, cause.index):
            made = msgspec.structs.asdict(each)
            yield Piece(**made, record=record, sub_sequence=payload.sub_sequence, cause=cause)

    def _made(self, value: dict[str, Any] | InvalidRecord, index: int | None) -> Iterable[PayloadEvent]:
        """What a payload comes to at an index, or (None) all of it."""
        if isinstance(value, InvalidRecord):
            return [PayloadEvent(index)]
        mapping = self.mapping_of(value)
        if mapping is None:
            return _given(value, index)
        chosen = _chosen(events_made(mapping, value), index)
        return [each for each in chosen if each.event is None or self._is_tracker_of(each.event)]


def _of(cause: FailureCause, payloads: Payloads) -> list[Payload]:
    """The payloads that a cause is of: the one in its place, or all of a record that is set aside whole."""
    if cause.sub_sequence is None:
        return list(payloads.values())
    return [payloads[cause.sub_sequence]] if cause.sub_sequence in payloads else []


def _lost(cause: FailureCause) -> list[Payload]:
    """A payload that can't be found in its place, as in rows that only a mapping reads: it is named all the same."""
    if cause.sub_sequence is None:
        return []
    place = tuple(map(int, cause.sub_sequence.split(".")))
    return [Payload(place, InvalidRecord(Reason.INVALID_JSON, "the record has no payload in this place"))]


def events_made(mapping: Mapping, payload: dict[str, Any]) -> list[PayloadEvent]:
    """All that a mapping makes of a payload."""
    try:
        mapped = mapping.map(payload)
    except InvalidRecord as bad:
        return [PayloadEvent(not_mapped=bad.reason)]
    if mapped.dropped is not None:
        return [PayloadEvent(dropped=True)]
    several = len(mapped.events) > 1
    return [
        PayloadEvent(place if mapped.several else None, not_mapped=event.reason, several=several)
        if isinstance(event, InvalidRecord)
        else PayloadEvent(place if mapped.several else None, event, several=several)
        for place, event in enumerate(mapped.events)
    ]


def _chosen(made: list[PayloadEvent], index: int | None) -> list[PayloadEvent]:
    """That of the index, or all; where the mapping makes no such event any more, that it doesn't."""
    if index is None or any(each.event is None and each.index is None for each in made):
        return made
    return [each for each in made if each.index == index] or [PayloadEvent(index, not_mapped=Reason.NOT_MAPPED)]


def _given(value: dict[str, Any], index: int | None) -> Iterator[PayloadEvent]:
    """The same for a payload of the contract."""
    given = _named(value)
    listed = given.get("eventList")
    if not isinstance(listed, list) or not listed:
        yield PayloadEvent(event=given)
        return
    request: dict[str, Any] = {name: given[name] for name in ADDRESSEE if not absent(given.get(name))}
    for place, event in enumerate(listed):
        if index in {None, place} and event != ERASED:
            flat = _flat(_named(event), request) if isinstance(event, dict) else None
            yield PayloadEvent(place, flat, several=len(listed) > 1)


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """The members by the contract's names, as far as the function would take them for those."""
    try:
        return respelt(given, FLAT_MEMBERS)[0]
    except InvalidRecord:  # two spellings of one: the others are not in doubt
        said = Counter(meant(name) for name in given)
        return {member if (member := meant(name)) and said[member] == 1 else name: each for name, each in given.items()}


def _flat(event: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The event beside its request's members, which count before its own."""
    return {name: value for name, value in event.items() if name != "eventList"} | request
