"""Turn one payload into interactions that PutEvents takes, and rejections that each say why.

Pure: no clock, environment, I/O or log. The same payload at the same stream position always gives the same result.
The contract is docs/events.md.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from personalize_relay import members, payloads
from personalize_relay.errors import InvalidRecord, Reason

MAX_EVENTS_PER_PAYLOAD = 500
REQUEST_MEMBERS = frozenset({"trackingId", "userId", "sessionId", "eventList"})
EVENT_MEMBERS = frozenset(
    {
        "eventId",
        "eventType",
        "eventValue",
        "itemId",
        "properties",
        "sentAt",
        "recommendationId",
        "impression",
        "metricAttribution",
    }
)
FLAT_MEMBERS = REQUEST_MEMBERS | EVENT_MEMBERS
"""Of a payload that is one event."""


class MetricAttribution(msgspec.Struct, frozen=True, rename="camel"):
    """Where a metric event came from; a member of the PutEvents API."""

    event_attribution_source: str


class Event(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """One event of a PutEvents request, member for member as the API names them; `sent_at` in epoch seconds."""

    event_id: str
    event_type: str
    sent_at: float
    event_value: float | None = None
    item_id: str | None = None
    properties: str | None = None
    recommendation_id: str | None = None
    impression: tuple[str, ...] | None = None
    metric_attribution: MetricAttribution | None = None


class Source(msgspec.Struct, frozen=True, order=True):
    """Where in its shard an event came from; sources sort in stream order."""

    sequence_number: int
    index: int | None = None
    """The event's place in its payload's `eventList`; None for a payload that is one event, or as a whole."""


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One valid event, with the request members it goes out under and where it came from."""

    source: Source
    tracking_id: str
    user_id: str | None
    session_id: str
    arrival: float
    """When its record reached the stream, epoch seconds."""
    event: Event
    sent_at_given: bool
    """False where `sentAt` is the record's arrival, for want of the producer's."""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """One event that can't be delivered, or a whole payload (index None); `detail` holds nothing of it."""

    index: int | None
    event_id: str | None
    reason: Reason
    detail: str


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a payload reached its stream: all of the outside world that parsing sees."""

    stream: str
    shard_id: str
    sequence_number: str
    arrival: float
    """Approximate arrival in the stream, epoch seconds."""

    def event_id(self, index: int | None) -> str:
        """The id of an event whose producer gave none: its stream position, the same at every redelivery."""
        position = f"{self.stream}:{self.shard_id}:{self.sequence_number}"
        position = position if index is None else f"{position}:{index}"
        if len(position) <= members.LIMITS["eventId"][1]:
            return position
        return hashlib.sha256(position.encode()).hexdigest()


class Trackers(msgspec.Struct, frozen=True, kw_only=True):
    """Which event trackers an event may go to."""

    default: str
    allowed: frozenset[str] = frozenset()


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """All that a payload holds: every event of it is in `interactions` or in `rejections`."""

    interactions: tuple[Interaction, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    unknown_members: int = 0
    """Members that the contract doesn't know; they are not sent."""

    @property
    def count(self) -> int:
        """How many events that is, good and bad; a payload that is rejected whole counts as one."""
        return len(self.interactions) + len(self.rejections)


class _Addressee(msgspec.Struct, frozen=True, kw_only=True):
    tracking_id: str
    user_id: str | None
    session_id: str


def parse(payload: bytes, origin: Origin, trackers: Trackers) -> Parsed:
    """Parse a payload of one event, or of a PutEvents request; a bad event takes none of its neighbours with it."""
    try:
        outer = payloads.decode(payload)
        event_list = _event_list(outer)
        addressee = _addressee(outer, trackers)
    except InvalidRecord as bad:
        return reject(bad)
    alone = event_list is None or len(event_list) == 1
    interactions, rejections = [], []
    for index, each in [(None, outer)] if event_list is None else enumerate(event_list):
        try:
            interactions.append(_interaction(each, index, addressee, origin, alone=alone))
        except InvalidRecord as bad:
            rejections.append(_rejection(each, index, origin, bad))
    unknown = _count_unknown_members(outer, event_list)
    return Parsed(interactions=tuple(interactions), rejections=tuple(rejections), unknown_members=unknown)


def reject(bad: InvalidRecord) -> Parsed:
    """The result of a payload that is rejected as a whole."""
    return Parsed(rejections=(Rejection(index=None, event_id=None, reason=bad.reason, detail=bad.detail),))


def _count_unknown_members(outer: dict[str, Any], event_list: list[Any] | None) -> int:
    if event_list is None:
        return 0 if outer.keys() <= FLAT_MEMBERS else len(outer.keys() - FLAT_MEMBERS)  # seldom the slow way
    events = [each for each in event_list if isinstance(each, dict)]
    return len(outer.keys() - REQUEST_MEMBERS) + sum(len(each.keys() - EVENT_MEMBERS) for each in events)


def _event_list(outer: dict[str, Any]) -> list[Any] | None:
    """The payload's `eventList`, or None when the payload is itself one event."""
    listed = outer.get("eventList")
    if listed is None:
        return None
    if not isinstance(listed, list):
        raise InvalidRecord(Reason.WRONG_TYPE, "eventList must be a list of events")
    if not listed:
        raise InvalidRecord(Reason.WRONG_LENGTH, "eventList has no events")
    if len(listed) > MAX_EVENTS_PER_PAYLOAD:
        raise InvalidRecord(
            Reason.TOO_MANY_EVENTS, f"eventList has {len(listed)} events, may have {MAX_EVENTS_PER_PAYLOAD}"
        )
    return listed


def _addressee(outer: dict[str, Any], trackers: Trackers) -> _Addressee:
    tracking_id = _optional(outer, "trackingId", members.text) or trackers.default
    if tracking_id != trackers.default and tracking_id not in trackers.allowed:
        raise InvalidRecord(
            Reason.TRACKER_NOT_ALLOWED, "trackingId is neither TRACKING_ID nor one of ALLOWED_TRACKING_IDS"
        )
    return _Addressee(
        tracking_id=tracking_id,
        user_id=_optional(outer, "userId", members.identity),
        session_id=_required(outer, "sessionId", members.identity),
    )


def _interaction(
    value: object, index: int | None, addressee: _Addressee, origin: Origin, *, alone: bool
) -> Interaction:
    if not isinstance(value, dict):
        raise InvalidRecord(Reason.NOT_AN_OBJECT, "an entry of eventList must be an object")
    return Interaction(
        event=_event(value, index, origin, alone=alone),
        source=Source(int(origin.sequence_number), index),
        tracking_id=addressee.tracking_id,
        user_id=addressee.user_id,
        session_id=addressee.session_id,
        arrival=origin.arrival,
        sent_at_given=value.get("sentAt") is not None,
    )


def _rejection(value: object, index: int | None, origin: Origin, bad: InvalidRecord) -> Rejection:
    event_id = _claimed_id(value) or origin.event_id(index)
    return Rejection(index=index, event_id=event_id, reason=bad.reason, detail=bad.detail)


def _event(value: dict[str, Any], index: int | None, origin: Origin, *, alone: bool) -> Event:
    members.check_nesting("the event", value)
    sent_at = value.get("sentAt")
    if sent_at is None and not alone:
        # With one arrival for all, Personalize would keep one of two events whose properties are equal.
        raise InvalidRecord(Reason.MISSING_MEMBER, "sentAt is missing: required where eventList has several events")
    sent_at = origin.arrival if sent_at is None else members.sent_at("sentAt", sent_at, origin.arrival)
    source = _optional(value, "metricAttribution", members.attribution_source)
    return Event(
        event_id=_optional(value, "eventId", members.text) or origin.event_id(index),
        event_type=_required(value, "eventType", members.identity),
        sent_at=sent_at,
        event_value=_optional(value, "eventValue", members.number),
        item_id=_optional(value, "itemId", members.text),
        properties=_optional(value, "properties", members.properties),
        recommendation_id=_optional(value, "recommendationId", members.text),
        impression=_optional(value, "impression", members.impression),
        metric_attribution=None if source is None else MetricAttribution(source),
    )


def _optional[T](value: dict[str, Any], name: str, rule: Callable[[str, object], T]) -> T | None:
    given = value.get(name)
    return None if given is None else rule(name, given)


def _required[T](value: dict[str, Any], name: str, rule: Callable[[str, object], T]) -> T:
    given = value.get(name)
    if given is None:
        raise InvalidRecord(Reason.MISSING_MEMBER, f"{name} is missing")
    return rule(name, given)


def _claimed_id(value: object) -> str | None:
    """The id that a rejected event came with, if that at least is valid."""
    try:
        return _optional(value, "eventId", members.text) if isinstance(value, dict) else None
    except InvalidRecord:
        return None
