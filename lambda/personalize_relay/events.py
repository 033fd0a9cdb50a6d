"""The content of a record, once it is read: interactions that PutEvents takes, and rejections that each say why.

The structs hold nothing that could refer back to them, so `gc=False` spares the garbage collector from following tens
of thousands of them, again and again, while a batch is read.
"""

import hashlib

import msgspec

from personalize_relay.errors import Reason
from personalize_relay.members import LIMITS


class MetricAttribution(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Where a metric event came from; a member of the PutEvents API."""

    event_attribution_source: str


class Event(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
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


type SubSequence = tuple[int, ...]
"""A payload's number in a record of several, from the outermost layer in; empty for a record of one payload."""


class Source(msgspec.Struct, frozen=True, gc=False, order=True, cache_hash=True):
    """Where in its shard an event came from; sources sort in stream order."""

    sequence_number: int
    sub_sequence: SubSequence = ()
    index: int | None = None
    """The event's place in its payload's list; None for a payload that is one event."""


class Interaction(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One valid event, with the request members it goes out under and where it came from."""

    source: Source
    tracking_id: str
    user_id: str | None
    session_id: str
    arrival: float
    """When its record reached the stream, in epoch seconds."""
    event: Event
    sent_at_given: bool
    """False if the producer gave no `sentAt`, so that it is the record's arrival."""


class Rejection(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One event that can't be delivered, or a whole payload (index None); `detail` holds nothing of it."""

    sub_sequence: SubSequence = ()
    index: int | None
    event_id: str | None
    reason: Reason
    """The reason of its first fault."""
    detail: str
    """The details of all its faults."""


class Origin(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Where and when a record reached its stream: the only part of the outside world that parsing sees."""

    stream: str
    shard_id: str
    sequence_number: str
    arrival: float
    """Approximate arrival in the stream, in epoch seconds."""

    @property
    def position(self) -> int:
        """The sequence number as an integer: as text, "9" would come after "10"."""
        return int(self.sequence_number)

    def event_id(self, sub_sequence: SubSequence, index: int | None) -> str:
        """The id of an event whose producer gave none: its place in the stream, the same at every redelivery."""
        parts = [self.stream, self.shard_id, self.sequence_number]
        if sub_sequence:
            parts.append(dotted(sub_sequence))
        if index is not None:
            parts.append(str(index))
        return shortened(":".join(parts))


class Trackers(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Which event trackers an event may go to."""

    default: str
    allowed: frozenset[str] = frozenset()


class Parsed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Everything that a record holds: each of its events is in one of the first three."""

    interactions: tuple[Interaction, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    filtered: tuple[str, ...] = ()
    """For each payload that the mapping drops, the rule that drops it."""
    unknown_members: int = 0
    """How many members the contract doesn't know; they are not sent."""
    renamed_members: int = 0
    """How many members were taken under another spelling of their name."""
    inflated: int = 0
    """How many bytes the record inflated to."""

    @property
    def count(self) -> int:
        """The number of events; a payload that is rejected whole, or dropped, counts as one."""
        return len(self.interactions) + len(self.rejections) + len(self.filtered)


def shortened(event_id: str) -> str:
    """The id itself, or its SHA-256 in hex if it is too long for an id."""
    return event_id if len(event_id) <= LIMITS["eventId"][1] else hashlib.sha256(event_id.encode()).hexdigest()


def dotted(sub_sequence: SubSequence) -> str:
    """A sub-sequence in writing: `3`, or `3.0` for a payload within a payload."""
    return ".".join(map(str, sub_sequence))
