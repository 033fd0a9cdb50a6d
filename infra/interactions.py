"""The schema of the interactions dataset that the stack creates."""

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
"""The fields of an interactions schema that PutEvents' own members fill; `properties` fill all other fields.

"Custom datasets and schemas" in the Amazon Personalize developer guide requires and reserves them, with these types.
The pages of the domains do the same, but don't mention EVENT_ATTRIBUTION_SOURCE. No page says whether Personalize keeps
the `metricAttribution` of PutEvents if the schema lacks this field, so the schema has it.
"""
DOMAINS = ("ECOMMERCE", "VIDEO_ON_DEMAND")
MOST_FIELDS = 5
"""Metadata fields besides the reserved ones: "Amazon Personalize endpoints and quotas"."""


def interactions_schema(fields: Mapping[str, str]) -> dict[str, Any]:
    """The Avro schema of interactions with more fields, by name and type, each of which an event may leave out.

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
    """A field that may be null; Personalize trains on text only if the field is categorical."""
    field = {"name": name, "type": ["null", kind]}
    return field | {"categorical": True} if kind == "string" else field
