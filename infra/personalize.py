"""The Personalize side, for an account that has none yet: one deployment, and Personalize records interactions.

Solutions, campaigns and their costs stay with the account's owner.
"""

import json
from collections.abc import Mapping

from aws_cdk import RemovalPolicy
from aws_cdk.aws_personalize import CfnDataset, CfnDatasetGroup, CfnEventTracker, CfnSchema
from constructs import Construct

from .interactions import interactions_schema


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
        # If there is no interactions dataset, a tracker makes one of its own.
        tracker.add_resource_dependency(dataset)
        for resource in (group, schema, dataset, tracker):
            resource.apply_removal_policy(removal_policy)
        self.tracking_id = tracker.attr_tracking_id
