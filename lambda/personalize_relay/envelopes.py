"""Tell what a payload is that isn't an event of the contract: in our own words, never in the payload's."""

from collections.abc import Mapping
from typing import Any

from personalize_relay.names import meant

TELLING = ("sessionId", "userId", "eventType", "itemId")
"""The members that make an object beside an event a part of it, or the event itself."""

SYSTEMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("a DynamoDB stream record", "dynamodb", ("dynamodb", "eventName")),
    ("a record of AWS DMS", "dms", ("metadata.record-type",)),
    ("an event of EventBridge", "eventbridge", ("detail-type", "detail")),
    ("a CloudEvent", "cloudevents", ("specversion", "type", "source")),
    ("a RudderStack event", "rudderstack", ("messageId", "type", "rudderId")),
    ("a Segment event", "segment", ("messageId", "type", "timestamp")),
    ("a Snowplow event", "snowplow", ("event_id", "collector_tstamp")),
    ("an Amplitude event", "amplitude", ("event_type", "insert_id")),
    ("an mParticle batch", "mparticle", ("events", "mpid")),
    ("a row of a GA4 export", "ga4", ("event_name", "event_timestamp")),
    ("a record of Fluent Bit or Fluentd", "fluent", ("log", "container_id")),
    ("a record of Fluent Bit or Fluentd", "fluent", ("log", "source")),
)
"""What a payload looks like, the preset of a mapping that reads it, and the members that tell."""


def seen(payload: Mapping[str, Any]) -> str:
    """What a payload looks like that has no event where the contract has it; empty where nothing tells."""
    if known := system(payload):
        return known
    for value in payload.values():
        if isinstance(value, Mapping) and (found := held(value)):
            return envelope(found)
    return ""


def system(payload: Mapping[str, Any]) -> str:
    """The system whose event a payload looks like, and the preset for it; empty where nothing tells."""
    for what, preset, telling in SYSTEMS:
        if all(_holds(payload, path) for path in telling):
            return f"looks like {what}: set `mapping` to `{preset}`"
    return ""


def held(inner: Mapping[str, Any]) -> list[str]:
    """The telling members that an object has, in whatever spelling."""
    there = {meant(name) for name in inner}
    return [name for name in TELLING if name in there]


def envelope(found: list[str]) -> str:
    """Say that an object in the payload holds what belongs to the event."""
    listed = " and ".join(f"`{name}`" for name in found)
    return f"an envelope: an object one level down holds {listed}; send the event alone, or set `mapping`"


def _holds(payload: Mapping[str, Any], path: str) -> bool:
    inner: Any = payload
    for name in path.split("."):
        if not isinstance(inner, Mapping) or name not in inner:
            return False
        inner = inner[name]
    return True
