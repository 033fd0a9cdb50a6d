"""Say what a payload looks like that isn't an event of the contract: in our own words, never in the payload's."""

from collections.abc import Mapping
from typing import Any

from personalize_relay.members import absent
from personalize_relay.names import meant

TELLING = ("sessionId", "userId", "eventType", "itemId")
"""The members by which an object beside an event is part of the event, or the event itself."""

_INNER = "metadata"
SYSTEMS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("a DynamoDB stream record", "dynamodb", frozenset({"dynamodb", "eventName"})),
    ("a record of AWS DMS", "dms", frozenset({"metadata.record-type"})),
    ("an event of EventBridge", "eventbridge", frozenset({"detail-type", "detail"})),
    ("a CloudEvent", "cloudevents", frozenset({"specversion", "type", "source"})),
    ("a RudderStack event", "rudderstack", frozenset({"messageId", "type", "rudderId"})),
    ("a Segment event", "segment", frozenset({"messageId", "type", "timestamp"})),
    ("a Snowplow event", "snowplow", frozenset({"event_id", "collector_tstamp"})),
    ("an Amplitude event", "amplitude", frozenset({"event_type", "insert_id"})),
    ("an mParticle batch", "mparticle", frozenset({"events", "mpid"})),
    ("a row of a GA4 export", "ga4", frozenset({"event_name", "event_timestamp"})),
    ("a record of Fluent Bit or Fluentd", "fluent", frozenset({"log", "container_id"})),
    ("a record of Fluent Bit or Fluentd", "fluent", frozenset({"log", "source"})),
)
"""The system, the preset that reads its payloads, and the names that tell: the payload's own, and in `metadata`."""


def seen(payload: Mapping[str, Any]) -> str:
    """What a payload looks like that has no event in the contract's place; empty if nothing tells."""
    if known := system(payload):
        return known
    for value in payload.values():
        if isinstance(value, Mapping) and (found := held(value)):
            return envelope(found)
    return ""


def system(payload: Mapping[str, Any]) -> str:
    """The system whose event the payload looks like, and the preset for it; empty if nothing tells."""
    names = set(payload)  # a set compares with another in a tenth of the time that a dictionary's names take
    if isinstance(inner := payload.get(_INNER), Mapping):
        names |= {f"{_INNER}.{name}" for name in inner}
    for what, preset, telling in SYSTEMS:
        if telling <= names:
            return f"looks like {what}: set `mapping` to `{preset}`"
    return ""


def held(inner: Mapping[str, Any]) -> list[str]:
    """The telling members of an object, in any spelling."""
    there = {meant(name) for name, value in inner.items() if not absent(value)}
    return [name for name in TELLING if name in there]


def envelope(found: list[str]) -> str:
    """Say that an object in the payload holds members of the event."""
    listed = " and ".join(f"`{name}`" for name in found)
    return f"an envelope: an object one level down holds {listed}; send the event alone, or set `mapping`"
