"""The regions that have Amazon Personalize, and those where CloudFormation makes its event trackers.

tests/infra/test_regions.py compares them with the resource types that cfn-lint knows in each region.
"""

WITH_TRACKERS = (
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *("eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"),
)
"""Regions in which a stack may make an event tracker."""
REGIONS = (*WITH_TRACKERS, "cn-north-1")
"""Regions that have Personalize."""
