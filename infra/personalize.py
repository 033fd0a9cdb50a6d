"""The Personalize side, for an account that has none: from nothing to recorded interactions with one deployment.

Making and recording is all: solutions, campaigns and what they cost are their owner's.
"""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk.aws_personalize import CfnDataset, CfnDatasetGroup, CfnEventTracker, CfnSchema
from constructs import Construct

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


class PersonalizeTracker(Construct):
    """A dataset group with an interactions dataset, and the event tracker that fills it: custom, or a domain's."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        domain: str | None,
        fields: Mapping[str, str],
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        group = CfnDatasetGroup(self, "Group", name=name, domain=domain)
        schema = CfnSchema(
            self,
            "Schema",
            name=f"{name}-interactions",
            domain=domain,
            schema=json.dumps(interactions_schema(fields)),
        )
        dataset = CfnDataset(
            self,
            "Interactions",
            name=f"{name}-interactions",
            dataset_type="Interactions",
            dataset_group_arn=group.attr_dataset_group_arn,
            schema_arn=schema.attr_schema_arn,
        )
        tracker = CfnEventTracker(
            self, "Tracker", name=f"{name}-tracker", dataset_group_arn=group.attr_dataset_group_arn
        )
        # A tracker makes an interactions dataset of its own where there is none.
        tracker.add_resource_dependency(dataset)
        for resource in (group, schema, dataset, tracker):
            resource.apply_removal_policy(removal_policy)
        self.tracking_id = tracker.attr_tracking_id


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
