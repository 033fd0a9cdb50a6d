"""Figures of a window beside the one before; what CloudWatch has no data of is not 0."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric, quarantined_for
from personalize_relay_cli.deployment import Deployment
from personalize_relay_cli.health import readings
from personalize_relay_cli.health.readings import Figure, Signal

NOW = datetime(2026, 11, 24, 9, 30, 20, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


class CloudWatch:
    """Has these points, by metric and by how many minutes ago; each comes on a page of its own."""

    def __init__(self, points: Mapping[str, Mapping[int, float]]) -> None:
        self._points = points
        self.asked: dict[str, Any] = {}

    def get_paginator(self, _operation: str) -> "CloudWatch":
        """The only one asked for: get_metric_data."""
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - what boto3 takes
        """Each point on a page of its own."""
        self.asked = asked
        for query in asked["MetricDataQueries"]:
            name = query["MetricStat"]["Metric"]["MetricName"]
            for minutes, value in self._points.get(name, {}).items():
                at = NOW.replace(second=0) - timedelta(minutes=minutes)
                yield {"MetricDataResults": [{"Id": query["Id"], "Timestamps": [at], "Values": [value]}]}


def read(cloudwatch: CloudWatch, *names: str) -> dict[str, Figure]:
    wanted = {*names, Metric.RECORDS_RECEIVED}
    return readings.read(cloudwatch, [Signal("n", name, "service", "s") for name in sorted(wanted)], WINDOW, NOW)


def test_counts_are_added_up_by_window_to_the_minute() -> None:
    """The window is the minute that has begun and the 14 before it."""
    cloudwatch = CloudWatch({"EventsDelivered": {0: 1, 14: 2, 15: 4, 29: 8}})
    assert read(cloudwatch, "EventsDelivered")["EventsDelivered"] == Figure(3, 12)
    assert cloudwatch.asked["StartTime"] == datetime(2026, 11, 24, 9, 1, tzinfo=UTC)
    assert cloudwatch.asked["EndTime"] == datetime(2026, 11, 24, 9, 31, tzinfo=UTC)


@pytest.mark.parametrize("name", [readings.ITERATOR_AGE, Metric.DELIVERY_LAG])
def test_of_ages_the_greatest_counts(name: str) -> None:
    assert read(CloudWatch({name: {0: 5, 1: 7, 20: 3}}), name)[name] == Figure(7, 3)


def test_no_data_is_not_0() -> None:
    found = read(CloudWatch({"EventsDelivered": {0: 0}}), "EventsDelivered", readings.GIVEN_UP)
    assert found["EventsDelivered"] == Figure(0, None)
    assert found[readings.GIVEN_UP] == Figure(None, None)


@pytest.mark.parametrize(
    "name",
    [
        *(Metric.EVENTS_QUARANTINED, Metric.INTERNAL_ERRORS, quarantined_for(Reason.INVALID_JSON)),
    ],
)
def test_what_the_function_counts_only_when_it_happens_is_0_while_it_counts_records(name: str) -> None:
    assert read(CloudWatch({"RecordsReceived": {0: 3}}), name)[name] == Figure(0, None)
    assert read(CloudWatch({"RecordsReceived": {0: 3}, name: {0: 2}}), name)[name] == Figure(2, None)


def test_events_a_call_has_no_value_without_calls() -> None:
    figures: dict[str, Figure] = {Metric.EVENTS_DELIVERED: Figure(30, 0), Metric.CALLS: Figure(4, 0)}
    assert readings.events_a_call(figures) == Figure(7.5, None)


def test_every_reason_is_read() -> None:
    outputs = {name: name for name in ("FunctionName", "EventSourceMappingId", "StreamName")}
    read = {each.name: each for each in readings.signals(Outputs("dev", outputs))}
    assert {quarantined_for(reason) for reason in Reason} <= read.keys()
    assert read["EventsDelivered"] == Signal("PersonalizeRelay", "EventsDelivered", "service", "personalize-relay-dev")


class Outputs(Deployment):
    """A deployment whose outputs are known."""

    def __init__(self, stage: str, outputs: dict[str, str]) -> None:
        super().__init__(stage, _no_client)
        self.outputs = outputs

    def output(self, name: str) -> str:
        """An output."""
        return self.outputs[name]


def _no_client(service: str) -> None:
    raise AssertionError(service)
