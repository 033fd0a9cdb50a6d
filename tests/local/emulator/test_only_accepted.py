"""What the emulator takes without making anything of it: alarms on metric math, and Personalize."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.emulator.emulator import Emulator

USUAL = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}
PLAIN = USUAL | {"Namespace": "N", "MetricName": "M", "Period": 60, "Statistic": "Sum"}
FORMULA = USUAL | {"Metrics": [{"Id": "e", "Expression": "1 + 1"}]}


class Stack:
    """A stack that a test makes and changes."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self._cloudformation = emulator.client("cloudformation")
        self._name = name

    def create(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> None:
        """Make it."""
        self._cloudformation.create_stack(StackName=self._name, TemplateBody=_template(resources, outputs))
        self._cloudformation.get_waiter("stack_create_complete").wait(StackName=self._name, WaiterConfig={"Delay": 1})

    def update(self, resources: dict[str, Any]) -> None:
        """Change it."""
        self._cloudformation.update_stack(StackName=self._name, TemplateBody=_template(resources, None))
        self._cloudformation.get_waiter("stack_update_complete").wait(StackName=self._name, WaiterConfig={"Delay": 1})

    def delete(self) -> None:
        """Delete it."""
        self._cloudformation.delete_stack(StackName=self._name)
        self._cloudformation.get_waiter("stack_delete_complete").wait(StackName=self._name, WaiterConfig={"Delay": 1})

    @property
    def outputs(self) -> dict[str, str]:
        """Its outputs."""
        (stack,) = self._cloudformation.describe_stacks(StackName=self._name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def _template(resources: dict[str, Any], outputs: dict[str, Any] | None) -> str:
    return json.dumps({"Resources": resources, "Outputs": outputs or {}})


@pytest.fixture
def stack(emulator: Emulator, name: str) -> Iterator[Stack]:
    """A stack's name, and no stack afterwards."""
    made = Stack(emulator, name.replace("_", "-"))
    yield made
    made.delete()


def alarms(emulator: Emulator) -> dict[str, float]:
    """The thresholds of the alarms that are there, by the names that the stack gave them."""
    cloudwatch = emulator.client("cloudwatch")
    return {
        each["AlarmName"].split("-")[-2]: each["Threshold"] for each in cloudwatch.describe_alarms()["MetricAlarms"]
    }


def alarm(properties: dict[str, Any], threshold: int) -> dict[str, Any]:
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties | {"Threshold": threshold}}


def test_an_alarm_can_be_updated_whether_it_is_emulated_or_not(emulator: Emulator, stack: Stack) -> None:
    """And become the other kind: one that is emulated is there afterwards, one that isn't is not."""
    stack.create({"A": alarm(PLAIN, 1), "B": alarm(PLAIN, 1), "C": alarm(FORMULA, 1), "D": alarm(FORMULA, 1)})
    assert alarms(emulator) == {"A": 1, "B": 1}
    stack.update({"A": alarm(PLAIN, 2), "B": alarm(FORMULA, 2), "C": alarm(PLAIN, 2), "D": alarm(FORMULA, 2)})
    assert alarms(emulator) == {"A": 2, "C": 2}
    assert emulator.only_accepted() == {"AWS::CloudWatch::Alarm": 2}
    stack.delete()
    assert alarms(emulator) == {}


def test_a_tracker_has_an_id_and_its_dataset_group_an_arn(emulator: Emulator, stack: Stack) -> None:
    """What a template reads of Personalize's resources is there, and nobody believes that they are emulated."""
    group = {"Fn::GetAtt": ["Group", "DatasetGroupArn"]}
    resources = {
        "Group": {"Type": "AWS::Personalize::DatasetGroup", "Properties": {"Name": "shop"}},
        "Tracker": {"Type": "AWS::Personalize::EventTracker", "Properties": {"Name": "t", "DatasetGroupArn": group}},
    }
    outputs = {"Group": {"Value": group}, "Tracker": {"Value": {"Fn::GetAtt": ["Tracker", "TrackingId"]}}}
    stack.create(resources, outputs)
    assert stack.outputs["Group"].startswith("arn:aws:personalize:us-east-1:")
    assert stack.outputs["Tracker"].startswith("not-emulated-")
    assert emulator.only_accepted() == {"AWS::Personalize::DatasetGroup": 1, "AWS::Personalize::EventTracker": 1}


def test_an_alarm_goes_by_its_own_metric_alone(emulator: Emulator, name: str) -> None:
    """Two stages count under one name: the trouble of one is not the other's."""
    cloudwatch = emulator.client("cloudwatch")
    for stage in ("dev", "prod"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{name}-{stage}",
            Namespace=name,
            MetricName="M",
            Dimensions=[{"Name": "service", "Value": stage}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
            Threshold=0,
        )
    cloudwatch.put_metric_data(
        Namespace=name,
        MetricData=[{"MetricName": "M", "Value": 1, "Dimensions": [{"Name": "service", "Value": "dev"}]}],
    )
    found = cloudwatch.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"]
    assert {each["AlarmName"]: each["StateValue"] for each in found} == {
        f"{name}-dev": "ALARM",
        f"{name}-prod": "INSUFFICIENT_DATA",
    }
