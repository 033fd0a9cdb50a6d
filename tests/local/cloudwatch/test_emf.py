"""Log lines become the metrics that they say, and no others."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.cloudwatch.emf import data_of


def line(metrics: list[dict[str, str]], dimensions: list[list[str]], **members: object) -> str:
    directive = {"Namespace": "Shop", "Dimensions": dimensions, "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": 1_790_000_000_250, "CloudWatchMetrics": [directive]}, **members})


def entries(text: str) -> list[dict[str, Any]]:
    return [dict(datum.entry) for datum in data_of(text)]


def test_a_line_says_names_values_units_dimensions_and_the_moment() -> None:
    metrics = [{"Name": "Sold", "Unit": "Count"}, {"Name": "Wait"}]
    text = line(metrics, [["service"]], service="till", Sold=[2.0, 3.0], Wait=7, other=1)
    assert {datum.namespace for datum in data_of(text)} == {"Shop"}
    usual = {
        "Dimensions": [{"Name": "service", "Value": "till"}],
        "Timestamp": datetime.fromtimestamp(1_790_000_000.25, UTC),
    }
    assert entries(text) == [
        {"MetricName": "Sold", "Values": [2.0, 3.0], "Unit": "Count", **usual},
        {"MetricName": "Wait", "Values": [7], "Unit": "None", **usual},
    ]


def test_each_set_of_dimensions_is_a_metric_of_its_own() -> None:
    text = line([{"Name": "Sold"}], [["service"], ["service", "place"], []], service="till", place="hall", Sold=1)
    assert [[each["Value"] for each in entry["Dimensions"]] for entry in entries(text)] == [
        ["till"],
        ["till", "hall"],
        [],
    ]


def test_a_metric_without_a_value_is_left_out() -> None:
    assert entries(line([{"Name": "Sold"}], [[]])) == []


@pytest.mark.parametrize("text", ["START RequestId: _aws", '{"level": "INFO", "message": "_aws"}', '["_aws"]', "{_aws"])
def test_other_lines_have_none(text: str) -> None:
    assert entries(text) == []
