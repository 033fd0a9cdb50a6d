"""Samples of metrics on their way to CloudWatch, gathered into a statistic set for each second."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef


@dataclass(frozen=True, slots=True)
class Datum:
    """An entry of a PutMetricData request, and the namespace of that request."""

    namespace: str
    entry: "MetricDatumTypeDef"


@dataclass(frozen=True, slots=True)
class MetricKey:
    """A metric as CloudWatch knows it, without the value of its one dimension."""

    namespace: str
    name: str
    dimension: str
    unit: "StandardUnitType" = "Count"


@dataclass(slots=True)
class _Samples:
    count: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.least, self.most = min(self.least, value), max(self.most, value)


class SampleTally:
    """Takes samples from any thread, and returns each once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[tuple[MetricKey, int], _Samples] = {}

    def add(self, metric: MetricKey, value: float, at: float) -> None:
        """Count a sample of this moment, in Unix time."""
        with self._lock:
            self._seconds.setdefault((metric, int(at)), _Samples()).add(value)

    def take(self, values: Mapping[str, str]) -> Iterator[Datum]:
        """The samples since the last call, for these values of the dimensions."""
        with self._lock:
            seconds, self._seconds = self._seconds, {}
        for (metric, second), samples in seconds.items():
            yield _datum(metric, values[metric.dimension], second, samples)


def _datum(metric: MetricKey, value: str, second: int, samples: _Samples) -> Datum:
    return Datum(
        metric.namespace,
        {
            "MetricName": metric.name,
            "Dimensions": [{"Name": metric.dimension, "Value": value}],
            "Timestamp": datetime.fromtimestamp(second, UTC),
            "StatisticValues": {
                "SampleCount": samples.count,
                "Sum": samples.total,
                "Minimum": samples.least,
                "Maximum": samples.most,
            },
            "Unit": metric.unit,
        },
    )
