"""The regions that a stack may go to are those in which CloudFormation has Personalize's resources."""

import json
from importlib.resources import files
from typing import Any

from botocore.session import Session

from infra.regions import REGIONS, WITH_TRACKERS

PROVIDERS = files("cfnlint") / "data" / "schemas" / "providers"


def kinds() -> dict[str, set[str]]:
    """The resource types of each region, as cfn-lint has them.

    Of a region that it knows nothing of it has those of us-east-1: such a one is left out.
    """
    found = {
        path.name.removesuffix(".json"): set(json.loads(path.read_text()))
        for path in PROVIDERS.iterdir()
        if path.name.count("-") >= 2
    }
    return {name: types for name, types in found.items() if name == "us-east-1" or types != found["us-east-1"]}


def test_the_regions_are_those_with_the_resources() -> None:
    """An event tracker isn't made in each region that has dataset groups."""
    known = kinds()
    assert len(known) > 30
    assert set(WITH_TRACKERS) == {name for name, types in known.items() if "AWS::Personalize::EventTracker" in types}
    assert set(REGIONS) == {name for name, types in known.items() if "AWS::Personalize::DatasetGroup" in types}


def test_the_sdk_knows_personalize_in_the_same_regions() -> None:
    session = Session()
    partitions = {session.get_partition_for_region(region) for region in REGIONS}
    known = {name for partition in partitions for name in session.get_available_regions("personalize", partition)}
    assert known == set(REGIONS)


def test_the_stack_is_synthesized_for_the_partitions_of_these_regions(context: dict[str, Any]) -> None:
    session = Session()
    partitions = {session.get_partition_for_region(region) for region in REGIONS}
    assert set(context["@aws-cdk/core:target-partitions"]) == partitions
