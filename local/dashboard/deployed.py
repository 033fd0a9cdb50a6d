"""Reads the deployed dashboard, and CloudWatch's data for it."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.cloudwatch.metric_math import Points
from local.dashboard.body import Key, Widget, keys, widgets
from local.emulator.clients import ClientFactory

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef, MetricStatTypeDef, MetricTypeDef


def read(client: ClientFactory, stack: str, start: int, end: int, period: int) -> list[Widget]:
    """The widgets of a stack's dashboard, over this stretch of Unix time, with a value every `period` seconds."""
    cloudwatch = client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName=_name(client, stack))["DashboardBody"])
    values = _values(cloudwatch, keys(body), start, end, period)
    return widgets(body, values, dict(_states(cloudwatch)), period)


def _name(client: ClientFactory, stack: str) -> str:
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    (name,) = [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::CloudWatch::Dashboard"
    ]
    return name


def _values(
    cloudwatch: "CloudWatchClient", wanted: Sequence[Key], start: int, end: int, period: int
) -> dict[Key, Points]:
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_query(f"m{place}", key, period) for place, key in enumerate(wanted)],
        StartTime=datetime.fromtimestamp(start, UTC),
        EndTime=datetime.fromtimestamp(end, UTC),
        ScanBy="TimestampAscending",
    )
    values: dict[Key, dict[float, float]] = {key: {} for key in wanted}
    for result in (result for page in pages for result in page["MetricDataResults"]):
        moments = (moment.timestamp() for moment in result["Timestamps"])
        values[wanted[int(result["Id"][1:])]] |= dict(zip(moments, result["Values"], strict=True))
    return dict(values)


def _query(name: str, key: Key, period: int) -> "MetricDataQueryTypeDef":
    metric: MetricTypeDef = {
        "Namespace": key.namespace,
        "MetricName": key.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
    }
    stat: MetricStatTypeDef = {"Metric": metric, "Period": period, "Stat": key.statistic}
    return {"Id": name, "MetricStat": stat}


def _states(cloudwatch: "CloudWatchClient") -> Iterator[tuple[str, str]]:
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
        for alarm in page["MetricAlarms"]:
            yield alarm["AlarmName"], alarm["StateValue"]
        for composite in page["CompositeAlarms"]:
            yield composite["AlarmName"], composite["StateValue"]
