"""CloudWatch's evaluation of an alarm, as far as the stack's alarms go: anything else in one is refused."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloudwatch.metric_math import Points, compute

type Key = tuple[str, str, str, str]
"""Namespace, metric name, and the name and value of the one dimension; a value that refers is JSON."""
type Samples = Mapping[int, Sequence[float]]
"""What a service reported, by minute."""
type World = Mapping[Key, Samples]

STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Average": lambda samples: sum(samples) / len(samples),
}

MISSING = {"notBreaching": False, "breaching": True}
"""Whether a period without a value is a breaching one."""


class Unsupported(Exception):
    """An alarm that uses what this evaluation doesn't know."""


def key(metric: Mapping[str, Any]) -> Key:
    """A metric's identity, as a template writes it."""
    (dimension,) = metric["Dimensions"]
    return metric["Namespace"], metric["MetricName"], dimension["Name"], named(dimension["Value"])


def named(value: object) -> str:
    """A dimension's value: text, or JSON where it refers to a resource."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class MetricAlarm:
    """One alarm of a template."""

    properties: Mapping[str, Any]
    fills_what_never_was: bool = True
    """Whether FILL makes values of a metric that never had one, which nothing documents."""

    def states(self, world: World, minutes: range) -> list[bool]:
        """Whether it is on, at the end of each period."""
        if self.properties["ComparisonOperator"] != "GreaterThanThreshold":
            raise Unsupported(self.properties["ComparisonOperator"])
        missing = MISSING[self.properties["TreatMissingData"]]
        threshold = self.properties["Threshold"]
        values = self.values(world, minutes)
        breaching = [missing if value is None else value > threshold for value in values]
        last, enough = self.properties["EvaluationPeriods"], self.properties["DatapointsToAlarm"]
        return [sum(breaching[max(0, end - last) : end]) >= enough for end in range(1, len(breaching) + 1)]

    def values(self, world: World, minutes: range) -> list[float | None]:
        """What is compared with the threshold, for each period."""
        periods = list(_periods(minutes, self.period))
        if "Metrics" not in self.properties:
            samples = world.get(key(self.properties), {})
            return [_value(self.properties["Statistic"], samples, period) for period in periods]
        (expression,) = [query["Expression"] for query in self._queries if query["ReturnData"]]
        if not self.fills_what_never_was and not any(world.get(metric) for metric in self.reads):
            return [None] * len(periods)
        found = compute(expression, self._inputs(world, periods), [period.start for period in periods])
        if len(found) < len(periods):  # nobody can tell what an absent metric would come to: it must be filled
            raise Unsupported(expression)
        return list(found.values())

    @property
    def period(self) -> int:
        """The length of its periods, in minutes."""
        stats = [query["MetricStat"]["Period"] for query in self._queries if "MetricStat" in query]
        (seconds,) = set(stats or [self.properties["Period"]])
        return int(seconds) // 60

    @property
    def reads(self) -> set[Key]:
        """The metrics that it depends on."""
        stats = [query["MetricStat"]["Metric"] for query in self._queries if "MetricStat" in query]
        return {key(metric) for metric in stats or [self.properties]}

    @property
    def _queries(self) -> list[dict[str, Any]]:
        return list(self.properties.get("Metrics", []))

    def _inputs(self, world: World, periods: Iterable[range]) -> dict[str, Points]:
        stats = {query["Id"]: query["MetricStat"] for query in self._queries if "MetricStat" in query}
        return {name: dict(_points(stat, world, periods)) for name, stat in stats.items()}


def _periods(minutes: range, length: int) -> Iterable[range]:
    return (range(start, start + length) for start in range(minutes.start, minutes.stop, length))


def _points(stat: Mapping[str, Any], world: World, periods: Iterable[range]) -> Iterator[tuple[float, float]]:
    samples = world.get(key(stat["Metric"]), {})
    for period in periods:
        value = _value(stat["Stat"], samples, period)
        if value is not None:
            yield period.start, value


def _value(statistic: str, samples: Samples, period: range) -> float | None:
    told = [sample for minute in period for sample in samples.get(minute, ())]
    return STATISTICS[statistic](told) if told else None
