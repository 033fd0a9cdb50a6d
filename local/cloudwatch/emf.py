"""The embedded metric format: log lines of which CloudWatch makes metrics."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from local.cloudwatch.statistics import Datum

MARK = "_aws"
"""The member that marks a line of this format."""


def data_of(line: str) -> Iterator[Datum]:
    """The metrics of a log line: namespace, dimensions, names, units, values and moment.

    A line that isn't in this format has none. A metric that the line announces without a value is left out.
    """
    try:
        document = json.loads(line)
    except ValueError:
        return
    if not isinstance(document, dict) or MARK not in document:
        return
    moment = datetime.fromtimestamp(document[MARK]["Timestamp"] / 1000, UTC)
    for directive in document[MARK]["CloudWatchMetrics"]:
        for dimensions in directive["Dimensions"]:
            yield from _data(document, directive, dimensions, moment)


def _data(
    document: dict[str, Any], directive: dict[str, Any], dimensions: list[str], moment: datetime
) -> Iterator[Datum]:
    for metric in directive["Metrics"]:
        if (value := document.get(metric["Name"])) is None:
            continue
        yield Datum(
            directive["Namespace"],
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": name, "Value": document[name]} for name in dimensions],
                "Timestamp": moment,
                "Values": value if isinstance(value, list) else [value],
                "Unit": metric.get("Unit", "None"),
            },
        )
