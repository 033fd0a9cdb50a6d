"""What a line becomes on the stream: data, the partition key that keeps its order, and how many events that is.

Without a mapping a line is sent as it is, under the contract's names; with one, what the mapping makes of it. Lines
whose events are for one addressee can share a record, as a request with an `eventList`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from personalize_relay import members, payloads
from personalize_relay.contract import ADDRESSEE
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.framing import unframe
from personalize_relay.mapping import Mapping
from personalize_relay.names import CONTRACT, MARK
from personalize_relay.parsing import CONTROL_MESSAGE
from personalize_relay.reshaping import contract
from personalize_relay_cli.sending.event_ids import Stamper
from personalize_relay_cli.sending.respelling import respelled

_OF_A_REQUEST = frozenset({*ADDRESSEE, MARK})

type Addressee = tuple[str | None, str | None, str | None, str]
"""The mark, tracker, user and session of an event: events of one can share a request."""


@dataclass(frozen=True, slots=True)
class Content:
    """A line as a record of the stream, to be sent unless it is empty or bad."""

    data: bytes
    """A payload, or several, a line each."""
    key: str
    events: int
    addressee: Addressee | None = None
    """Whom all its events are for; None where they must not share a record with those of another content."""
    filtered: tuple[str, ...] = ()
    """For each payload that the mapping drops, the rule that does."""
    bad: InvalidRecord | None = None
    """Why there is nothing to send."""

    @property
    def is_dropped(self) -> bool:
        """Whether the mapping drops all of it."""
        return not self.events and not self.bad


def content(payload: bytes, key: str) -> Content:
    """A payload of one event that keeps the contract, under a key that is known."""
    return Content(payload, key, 1, _addressee(payload, payloads.decode(payload)))


def as_given(data: bytes, stamper: Stamper | None) -> Content:
    """A line as it is, but for the names of members, its events stamped by the stamper if there is one."""
    try:
        decoded = payloads.decode(data)
    except InvalidRecord:
        return Content(data, _hash(data), 1)
    named_data, named = respelled(data, decoded)
    stamped = stamper.stamp(named_data, named) if stamper else named_data
    return Content(stamped, _session(named) or _hash(data), _count(named), _addressee(stamped, named))


def by_mapping(data: bytes, stamper: Stamper | None, mapping: Mapping) -> Content:
    """The events that a mapping makes, each marked as one of the contract, so that no other mapping touches it."""
    framed = unframe(data, mapping.rows)
    filtered = [CONTROL_MESSAGE] * framed.control
    made: list[dict[str, Any]] = []
    try:
        for payload in framed.payloads:
            events, dropped = _made(payload.value, mapping)
            made += events
            filtered += dropped
        record = b"\n".join(_written(event, stamper) for event in made)
    except InvalidRecord as bad:
        return Content(b"", "", 0, bad=bad)
    key = (_session(made[0]) if made else None) or _hash(data)
    addressee = _addressee(record, {MARK: CONTRACT} | made[0]) if len(made) == 1 else None
    return Content(record, key, sum(map(_count, made)), addressee, tuple(filtered))


def as_one(contents: Sequence[Content]) -> bytes:
    """The data of a record that contents of one addressee share: what they say of it once, and their events in order.

    A content that is alone stays as it is, to the byte; of several, each event does but for its addressee.
    """
    if len(contents) == 1:
        return contents[0].data
    request: dict[str, msgspec.Raw] = {}
    events: list[msgspec.Raw | dict[str, msgspec.Raw]] = []
    for content in contents:
        event = _taken_apart(content.data)
        listed = bytes(event.pop("eventList", b""))
        request |= {name: event.pop(name) for name in _OF_A_REQUEST & event.keys()}
        events += (msgspec.json.decode(listed, type=list[msgspec.Raw]) if listed.startswith(b"[") else []) or [event]
    return msgspec.json.encode(request | {"eventList": events})


def _taken_apart(payload: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(payload, type=dict[str, msgspec.Raw])


def _addressee(data: bytes, payload: dict[str, Any]) -> Addressee | None:
    """Whom a payload's events are for, if they may stand in an `eventList` with others."""
    listed = payload.get("eventList")
    if members.absent(listed):
        events = [payload]
    elif isinstance(listed, list) and payload.keys() <= _OF_A_REQUEST | {"eventList"}:
        events = listed
        if any(not isinstance(each, dict) or not each.keys().isdisjoint(ADDRESSEE) for each in events):
            return None
    else:
        return None
    # In a list each event must have its time.
    if any(members.absent(each.get("sentAt")) for each in events):
        return None
    mark = payload.get(MARK)
    try:
        tracker, user, session = (_identity(name, payload.get(name)) for name in ("trackingId", "userId", "sessionId"))
        if b"\\ud" in data or b"\\uD" in data:
            _taken_apart(data)  # an unpaired surrogate keeps it from that
    except (InvalidRecord, ValueError):
        return None
    return (mark, tracker, user, session) if session and (mark is None or mark == CONTRACT) else None


def _identity(name: str, value: object) -> str | None:
    return None if members.absent(value) else members.identity(name, value)


def _made(value: Any, mapping: Mapping) -> tuple[list[dict[str, Any]], list[str]]:  # noqa: ANN401 - whatever JSON may hold
    """The events of a payload, and the rule that drops it."""
    if isinstance(value, InvalidRecord):
        raise value
    if value.get(MARK) == CONTRACT:
        return [contract(value)], []
    mapped = mapping.map(value)
    return [_good(event) for event in mapped.events], [] if mapped.dropped is None else [mapped.dropped]


def _good(made: dict[str, Any] | InvalidRecord) -> dict[str, Any]:
    if isinstance(made, InvalidRecord):
        raise made
    return made


def _written(event: dict[str, Any], stamper: Stamper | None) -> bytes:
    data = _encoded({MARK: CONTRACT} | event)
    return stamper.stamp(data, event) if stamper else data


def _encoded(event: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(event)
    except (ValueError, OverflowError):
        pass  # an unpaired surrogate, which JSON may escape, or a number that no double holds
    try:
        return json.dumps(event, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as exc:
        raise InvalidRecord(Reason.INVALID_NUMBER, "a number is out of range") from exc


def _session(event: dict[str, Any]) -> str | None:
    """The session, else the user, as the function takes them; None where there is neither."""
    for name in ("sessionId", "userId"):
        value = event.get(name)
        if members.absent(value):
            continue
        try:
            return members.text(name, value)
        except InvalidRecord:
            continue
    return None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _count(event: dict[str, Any]) -> int:
    listed = event.get("eventList")
    return len(listed) if isinstance(listed, list) else 1
