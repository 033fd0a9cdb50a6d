"""Read the usual event at once: flat, in the contract's own names, without a fault.

The rules are those of `members.py`, without the book-keeping of faults, spellings and payloads that most events don't
need. What this file doesn't take, `framing.py` and `contract.py` read; what it takes, they would read alike.
"""

import msgspec

from personalize_relay import members
from personalize_relay.errors import InvalidRecord
from personalize_relay.events import Event, Interaction, Origin, Parsed, Source
from personalize_relay.members import identity
from personalize_relay.names import MARK

MOST_BYTES = 65_536
"""The most bytes to decode here: they can't hold enough values to matter."""


class _Plain(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    session_id: str | int
    event_type: str | int
    sent_at: int | float | str | None = None
    event_id: str | int | None = None
    user_id: str | int | None = None
    item_id: str | int | None = None
    recommendation_id: str | int | None = None
    event_value: float | str | None = None
    properties: dict[str, str | int | float | bool | None] | str | None = None
    impression: list[str | int] | None = None
    mark: str | None = msgspec.field(default=None, name=MARK)


_decode = msgspec.json.Decoder(_Plain).decode


def read(data: bytes, origin: Origin, tracking_id: str) -> Parsed | None:
    """The event that is all of a record's data; None if framing and contract must read it."""
    if len(data) > MOST_BYTES:
        return None
    try:
        return Parsed(interactions=(_interaction(_decode(data), origin, Source(origin.position), tracking_id),))
    except (ValueError, RecursionError, InvalidRecord):
        return None


def take(event: object, origin: Origin, source: Source, tracking_id: str) -> Interaction | None:
    """The event that an object is, from its place in the stream; None if the contract must look, or it is no object."""
    try:
        return _interaction(msgspec.convert(event, _Plain), origin, source, tracking_id)
    except (ValueError, InvalidRecord):
        return None


def _interaction(given: _Plain, origin: Origin, source: Source, tracking_id: str) -> Interaction:
    sent_at, value = given.sent_at, given.event_value
    if sent_at is None and source.index is not None:  # several events need a time each
        raise ValueError
    return Interaction(
        event=Event(
            event_id=_optional("eventId", given.event_id) or origin.event_id(source.sub_sequence, source.index),
            event_type=identity("eventType", given.event_type),
            sent_at=origin.arrival if sent_at is None else members.sent_at("sentAt", sent_at, origin.arrival),
            event_value=None if value is None else members.number("eventValue", value),
            item_id=_optional("itemId", given.item_id),
            properties=members.properties("properties", given.properties) if given.properties else None,
            recommendation_id=_optional("recommendationId", given.recommendation_id),
            impression=members.impression("impression", given.impression) if given.impression else None,
        ),
        source=source,
        tracking_id=tracking_id,
        user_id=_optional("userId", given.user_id),
        session_id=identity("sessionId", given.session_id),
        arrival=origin.arrival,
        sent_at_given=sent_at is not None,
    )


def _optional(name: str, value: str | int | None) -> str | None:
    return None if value is None or value == "" else identity(name, value)
