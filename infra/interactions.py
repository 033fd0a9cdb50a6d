"""The schema of an interactions dataset that the stack makes."""

from collections.abc import Mapping
from typing import Any

FIELDS: dict[str, str | list[str]] = {
    "USER_ID": "string",
    "ITEM_ID": "string",
    "TIMESTAMP": "long",
    "EVENT_TYPE": "string",
    "EVENT_VALUE": ["null", "float"],
    "IMPRESSION": ["null", "string"],
    "RECOMMENDATION_ID": ["null", "string"],
    "EVENT_ATTRIBUTION_SOURCE": ["null", "string"],
}
"""The fields of an interactions schema that PutEvents' own members fill; properties fill those added to them.

Required and reserved with these types by "Custom datasets and schemas" in the Amazon Personalize developer guide. The
pages of the domains require and reserve the same, but for EVENT_ATTRIBUTION_SOURCE, which they don't mention. No page
says whether `metricAttribution` of PutEvents is kept where the schema has no such field: with it, it has its place.
"""
DOMAINS = ("ECOMMERCE", "VIDEO_ON_DEMAND")
MOST_FIELDS = 5
"""Metadata fields beside the reserved ones: "Amazon Personalize endpoints and quotas"."""


def interactions_schema(fields: Mapping[str, str]) -> dict[str, Any]:
    """The Avro schema of interactions with further fields, by name and type, each of which an event may leave out.

    The form is that of "Creating schema JSON files" and of the example in "Item interactions dataset schema
    requirements" in the Amazon Personalize developer guide.
    """
    own = [{"name": name, "type": kind} for name, kind in FIELDS.items()]
    return {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": own + [_optional(name, kind) for name, kind in fields.items()],
        "version": "1.0",
    }


def _optional(name: str, kind: str) -> dict[str, Any]:
    """A field that may be null; text counts in training only where it is called categorical."""
    field = {"name": name, "type": ["null", kind]}
    return field | {"categorical": True} if kind == "string" else field
