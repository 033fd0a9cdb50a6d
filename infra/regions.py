"""Where Amazon Personalize is, and where CloudFormation makes its event trackers.

As the resource types that CloudFormation has in each region say, which tests/infra/test_regions.py reads in cfn-lint.
"""

WITH_TRACKERS = (
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *("eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"),
)
"""Regions in which a stack may make an event tracker."""
REGIONS = (*WITH_TRACKERS, "cn-north-1")
"""Regions that have Personalize."""
