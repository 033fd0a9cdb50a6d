"""Read a record's data: the interactions that PutEvents takes, and the rejections, each with all its faults.

Pure: no clock, environment, I/O or log. The same data at the same stream position always gives the same result.
"""

from typing import Any

from personalize_relay import framing, plain
from personalize_relay.contract import MAX_EVENTS_PER_RECORD, Reader
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Interaction, Origin, Parsed, Rejection, Source, Trackers
from personalize_relay.framing import Payload
from personalize_relay.mapping import Mapped, Mapping
from personalize_relay.names import CONTRACT, MARK

CONTROL_MESSAGE = "CONTROL_MESSAGE"
"""The type of a record by which CloudWatch Logs only tests the way; counted as if a rule of that name dropped it."""


def parse(data: bytes, origin: Origin, trackers: Trackers, mapping: Mapping | None = None) -> Parsed:
    """Parse all payloads of a record's data; a bad event takes none of its neighbours with it."""
    if mapping is None:
        return plain.read(data, origin, trackers.default) or parse_any(data, origin, trackers)
    value = framing.single(data, mapping.rows)
    if value is None or value.get(MARK) == CONTRACT:
        return parse_any(data, origin, trackers, mapping)
    return _parse_mapped(value, origin, trackers, mapping)


def _parse_mapped(value: dict[str, Any], origin: Origin, trackers: Trackers, mapping: Mapping) -> Parsed:
    """Parse an object that is all of a record's data: at once if no event of it has a fault, or by the reader."""
    try:
        mapped = mapping.map(value)
    except InvalidRecord as bad:
        return rejected(bad)
    usual = _usual(mapped, origin, trackers.default)
    if usual:
        return Parsed(interactions=usual)
    reader = Reader(origin, trackers)
    _take(reader, mapped, origin)
    return reader.parsed(0)


def _usual(mapped: Mapped, origin: Origin, tracking_id: str) -> tuple[Interaction, ...]:
    """The events that a mapping made, by the short way; none if one of them must take the reader's."""
    if not mapped.several:
        usual = plain.take(mapped.events[0], origin, Source(origin.position), tracking_id) if mapped.events else None
        return (usual,) if usual else ()
    taken: list[Interaction] = []
    for place, event in enumerate(mapped.events):
        usual = plain.take(event, origin, Source(origin.position, index=place), tracking_id)
        if usual is None:
            return ()
        taken.append(usual)
    return tuple(taken)


def parse_any(data: bytes, origin: Origin, trackers: Trackers, mapping: Mapping | None = None) -> Parsed:
    """The same, whatever the record holds."""
    framed = framing.unframe(data, mapping.rows if mapping else None)
    reader = Reader(origin, trackers)
    reader.filtered += [CONTROL_MESSAGE] * framed.control
    for payload in framed.payloads:
        reader.sub_sequence = payload.sub_sequence
        try:
            _read(reader, payload, origin, mapping)
        except InvalidRecord as bad:
            reader.reject(bad)
        if reader.is_full:
            return rejected(
                InvalidRecord(Reason.TOO_MANY_EVENTS, f"the record holds more than {MAX_EVENTS_PER_RECORD:,} events"),
                framed.inflated,
            )
    return reader.parsed(framed.inflated)


def rejected(bad: InvalidRecord, inflated: int = 0) -> Parsed:
    """The result of a record that is rejected as a whole."""
    whole = Rejection(index=None, event_id=None, reason=bad.reason, detail=bad.detail)
    return Parsed(rejections=(whole,), inflated=inflated)


def _read(reader: Reader, payload: Payload, origin: Origin, mapping: Mapping | None) -> None:
    value = payload.value
    if isinstance(value, InvalidRecord):
        reader.reject(value)
        return
    # `relay produce` and `relay failed redrive` send events of the contract, whatever else is on the stream.
    if mapping is None or value.get(MARK) == CONTRACT:
        reader.read(value)
    else:
        _take(reader, mapping.map(value), origin)


def _take(reader: Reader, mapped: Mapped, origin: Origin) -> None:
    """Take what a mapping made of a payload."""
    if mapped.dropped is not None:
        reader.filtered.append(mapped.dropped)
    for place, event in enumerate(mapped.events):
        index = place if mapped.several else None
        if isinstance(event, InvalidRecord):
            reader.reject(event, index, origin.event_id(reader.sub_sequence, index))
        else:
            reader.read_event(event, index, alone=len(mapped.events) == 1)
