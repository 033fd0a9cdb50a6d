"""The tracker that events go to: given, read from a parameter, or made with all that it needs."""

import json

import pytest
from aws_cdk.assertions import Template

from infra.interactions import FIELDS, interactions_schema
from tests.infra.conftest import Synthesize
from tests.infra.templates import only


@pytest.fixture(scope="module")
def shop(synthesize: Synthesize) -> Template:
    """A dataset group of a domain, with a field of its own."""
    return synthesize(
        stage="dev",
        trackingId=None,
        datasetGroup="shop",
        datasetGroupDomain="ECOMMERCE",
        interactionFields="DEVICE:string",
    )


def test_an_empty_account_gets_a_tracker_and_a_dataset_for_it(shop: Template) -> None:
    group, _ = only(shop, "AWS::Personalize::DatasetGroup", {"Name": "shop"})
    schema_id, schema = only(shop, "AWS::Personalize::Schema")
    dataset_id, dataset = only(shop, "AWS::Personalize::Dataset")
    tracker_id, tracker = only(shop, "AWS::Personalize::EventTracker")
    within = {"Fn::GetAtt": [group, "DatasetGroupArn"]}
    assert dataset["Properties"]["DatasetGroupArn"] == tracker["Properties"]["DatasetGroupArn"] == within
    assert dataset["Properties"]["SchemaArn"] == {"Fn::GetAtt": [schema_id, "SchemaArn"]}
    assert tracker["DependsOn"] == [dataset_id]
    shop.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": {"TRACKING_ID": {"Fn::GetAtt": [tracker_id, "TrackingId"]}}}},
    )
    assert json.loads(schema["Properties"]["Schema"]) == interactions_schema({"DEVICE": "string"})


def test_a_domain_is_that_of_the_group_and_of_its_schema(shop: Template, synthesize: Synthesize) -> None:
    """Without one the group is a custom one, and so is its schema."""
    custom = synthesize(stage="dev", trackingId=None, datasetGroup="shop")
    for kind in ("AWS::Personalize::DatasetGroup", "AWS::Personalize::Schema"):
        assert only(shop, kind)[1]["Properties"]["Domain"] == "ECOMMERCE"
        assert "Domain" not in only(custom, kind)[1]["Properties"]


def test_a_field_of_text_is_categorical_and_no_other_is() -> None:
    """Else Personalize leaves it out of training; of its own fields none may be."""
    written = interactions_schema({"DEVICE": "string", "PRICE": "float"})["fields"]
    assert written[-2:] == [
        {"name": "DEVICE", "type": ["null", "string"], "categorical": True},
        {"name": "PRICE", "type": ["null", "float"]},
    ]
    assert [each.keys() for each in written[:-2]] == len(FIELDS) * [{"name", "type"}]


def test_every_member_of_an_event_has_its_field() -> None:
    """With the types that Personalize asks for."""
    types = {each["name"]: each["type"] for each in interactions_schema({})["fields"]}
    required = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}
    reserved = {"EVENT_VALUE": "float", "IMPRESSION": "string", "RECOMMENDATION_ID": "string"}
    reserved |= {"EVENT_ATTRIBUTION_SOURCE": "string"}
    assert types == required | {name: ["null", kind] for name, kind in reserved.items()}


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
