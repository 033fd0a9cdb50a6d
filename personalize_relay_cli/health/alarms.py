"""The alarms of a stack: which are on, and which can't be looked at."""

from dataclasses import dataclass
from typing import Any

import msgspec

from personalize_relay_cli.deployment import ClientFactory

NOT_EMULATED = "not-emulated-"
"""How the physical id of a resource begins that the local system's emulator accepted and made nothing of."""
_KINDS = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
_MOST_NAMES = 100
"""Names that DescribeAlarms takes at once."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that is on."""

    name: str
    says: str
    """Its description: how urgent it is, what is the matter, and where the runbook has it."""
    since: str


class AlarmStates(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stack's alarms."""

    on: tuple[Alarm, ...]
    watched: int
    """How many there are in CloudWatch."""
    gone: tuple[str, ...]
    """Names of those that the stack made and CloudWatch doesn't have."""
    not_emulated: int
    """How many of them the emulator makes nothing of."""


def alarms(client: ClientFactory, stack: str) -> AlarmStates:
    """The alarms that the stack made, whatever others have names like theirs."""
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    made = [each for page in pages for each in page["StackResourceSummaries"] if each["ResourceType"] in _KINDS]
    ids = [str(each.get("PhysicalResourceId", "")) for each in made]
    names = [name for name in ids if name and not name.startswith(NOT_EMULATED)]
    found = _described(client("cloudwatch"), names)
    return AlarmStates(
        on=tuple(_on(stack, each) for each in found if each["StateValue"] == "ALARM"),
        watched=len(found),
        gone=tuple(sorted({*names} - {each["AlarmName"] for each in found})),
        not_emulated=sum(name.startswith(NOT_EMULATED) for name in ids),
    )


def _described(cloudwatch: Any, names: list[str]) -> list[dict[str, Any]]:  # noqa: ANN401 - a boto3 client
    found: list[dict[str, Any]] = []
    for first in range(0, len(names), _MOST_NAMES):
        pages = cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=names[first : first + _MOST_NAMES], AlarmTypes=["CompositeAlarm", "MetricAlarm"]
        )
        for page in pages:
            found += [*page.get("CompositeAlarms", []), *page.get("MetricAlarms", [])]
    return found


def _on(stack: str, described: dict[str, Any]) -> Alarm:
    name = str(described["AlarmName"]).removeprefix(f"{stack}-")
    return Alarm(name, described.get("AlarmDescription", ""), f"{described['StateUpdatedTimestamp']:%Y-%m-%dT%H:%M}Z")
