"""The tracker that events go to: given, read from a parameter, or made with all that it needs."""

import json

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.templates import only


def test_an_empty_account_gets_a_tracker_and_a_dataset_for_it(synthesize: Synthesize) -> None:
    template = synthesize(stage="dev", trackingId=None, datasetGroup="shop", interactionFields="DEVICE:string")
    group, _ = only(template, "AWS::Personalize::DatasetGroup", {"Name": "shop"})
    schema_id, schema = only(template, "AWS::Personalize::Schema")
    dataset_id, dataset = only(template, "AWS::Personalize::Dataset")
    tracker_id, tracker = only(template, "AWS::Personalize::EventTracker")
    within = {"Fn::GetAtt": [group, "DatasetGroupArn"]}
    assert dataset["Properties"]["DatasetGroupArn"] == tracker["Properties"]["DatasetGroupArn"] == within
    assert dataset["Properties"]["SchemaArn"] == {"Fn::GetAtt": [schema_id, "SchemaArn"]}
    assert tracker["DependsOn"] == [dataset_id]
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": {"TRACKING_ID": {"Fn::GetAtt": [tracker_id, "TrackingId"]}}}},
    )
    fields = {field["name"]: field["type"] for field in json.loads(schema["Properties"]["Schema"])["fields"]}
    assert fields["DEVICE"] == ["null", "string"]
    assert [fields[name] for name in ("USER_ID", "ITEM_ID", "TIMESTAMP")] == ["string", "string", "long"]


@pytest.mark.parametrize(
    ("stage", "deletion", "replacement"), [("dev", "Delete", "Delete"), ("prod", "RetainExceptOnCreate", "Retain")]
)
def test_recorded_interactions_outlive_the_prod_stack(
    synthesize: Synthesize, stage: str, deletion: str, replacement: str
) -> None:
    """And a switch to another tracker; but a first deployment that fails leaves no name taken for the next."""
    template = synthesize(stage=stage, trackingId=None, datasetGroup="shop").to_json()["Resources"].values()
    bodies = [body for body in template if body["Type"].startswith("AWS::Personalize::")]
    assert len(bodies) == 4
    assert {(body["DeletionPolicy"], body["UpdateReplacePolicy"]) for body in bodies} == {(deletion, replacement)}


def test_a_parameter_is_read_at_each_deployment(synthesize: Synthesize) -> None:
    template = synthesize(stage="dev", trackingId=None, trackingIdParameter="/shop/tracking-id")
    parameters = template.find_parameters("*", {"Type": "AWS::SSM::Parameter::Value<String>"})
    (name,) = (name for name, body in parameters.items() if body["Default"] == "/shop/tracking-id")
    template.has_resource_properties(
        "AWS::Lambda::Function", {"Environment": {"Variables": {"TRACKING_ID": {"Ref": name}}}}
    )


def test_a_tracker_that_is_given_needs_nothing_made(synthesize: Synthesize) -> None:
    assert not synthesize(stage="prod").find_resources("AWS::Personalize::DatasetGroup")
