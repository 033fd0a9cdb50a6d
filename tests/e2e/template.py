"""What the deployed template names: the emulator makes nothing of some of its alarms, so that it can't be asked."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from local.emulator.clients import ClientFactory

type Name = tuple[str, str, str, str]
"""Namespace, metric, and the name and the value of its dimension."""


def named_metrics(client: ClientFactory, stack: str = "personalize-relay-dev") -> set[Name]:
    """Every metric that the dashboard or an alarm of the stack names."""
    cloudformation = client("cloudformation")
    template: Any = cloudformation.get_template(StackName=stack)["TemplateBody"]
    resources = (template if isinstance(template, dict) else json.loads(template))["Resources"].values()
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    summaries = [summary for page in pages for summary in page["StackResourceSummaries"]]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in summaries}
    alarms = [each for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    (dashboard,) = [
        each["PhysicalResourceId"] for each in summaries if each["ResourceType"] == "AWS::CloudWatch::Dashboard"
    ]
    body = client("cloudwatch").get_dashboard(DashboardName=dashboard)["DashboardBody"]
    return {*_of_alarms(alarms, physical), *_of_dashboard(json.loads(body))}


def _of_alarms(node: object, physical: Mapping[str, str]) -> Iterator[Name]:
    """Wherever an alarm names a metric: in its properties, or in those of a query."""
    match node:
        case {"MetricName": name, "Namespace": namespace, "Dimensions": [{"Name": dimension, "Value": value}]}:
            yield namespace, name, dimension, _resolved(value, physical)
        case dict():
            for inner in node.values():
                yield from _of_alarms(inner, physical)
        case list():
            for inner in node:
                yield from _of_alarms(inner, physical)


def _resolved(value: object, physical: Mapping[str, str]) -> str:
    match value:
        case {"Ref": logical} | {"Fn::GetAtt": [logical, "Id"]}:
            return physical[logical]
        case _:
            return str(value)


def _of_dashboard(body: Mapping[str, Any]) -> Iterator[Name]:
    for array in (array for widget in body["widgets"] for array in widget["properties"].get("metrics", [])):
        if isinstance(array[0], str):  # else it is an expression
            namespace, name, dimension, value = array[:4]
            yield namespace, name, dimension, value
