"""The metrics of a deployed relay over a window, each beside what it was in the window before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric, quarantined_for
from personalize_relay.settings import Settings
from personalize_relay_cli.deployment import Deployment

PERIOD = 60
"""Seconds that a datapoint stands for."""
INCOMING = "IncomingRecords"
ITERATOR_AGE = "IteratorAge"
FUNCTION_ERRORS = "Errors"
GIVEN_UP = "OnFailureDestinationDeliveredEventCount"
DROPPED = "DroppedEventCount"
NOT_STORED = "DestinationDeliveryFailures"

_GREATEST = {ITERATOR_AGE, Metric.DELIVERY_LAG}
"""What a sum would say nothing of."""
_ONLY_WHEN_IT_HAPPENS = {
    Metric.EVENTS_QUARANTINED,
    Metric.QUARANTINE_WRITE_ERRORS,
    Metric.INTERNAL_ERRORS,
    *map(quarantined_for, Reason),
}
"""What the function counts only where there is something: it is 0 without data, as long as others have some."""
_COUNTED = (
    Metric.RECORDS_RECEIVED,
    Metric.RECORDS_REPORTED,
    Metric.EVENTS_RECEIVED,
    Metric.EVENTS_DELIVERED,
    Metric.EVENTS_SHADOWED,
    Metric.EVENTS_FILTERED,
    Metric.EVENTS_QUARANTINED,
    Metric.EVENTS_UNDELIVERED,
    Metric.CALLS,
    Metric.THROTTLES,
    Metric.CONFIGURATION_ERRORS,
    Metric.QUARANTINE_WRITE_ERRORS,
    Metric.INTERNAL_ERRORS,
    Metric.UNKNOWN_MEMBERS,
    Metric.RENAMED_MEMBERS,
    Metric.DELIVERY_LAG,
)
"""What is read of the function's own metrics, beside one for each reason."""
_NAMESPACE = next(str(field.default) for field in fields(Settings) if field.name == "metrics_namespace")


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric and where CloudWatch has it; `name` is CloudWatch's own."""

    namespace: str
    name: str
    dimension: str
    of: str

    @property
    def statistic(self) -> str:
        """How its datapoints are put together."""
        return "Maximum" if self.name in _GREATEST else "Sum"


@dataclass(frozen=True, slots=True)
class Figure:
    """What a metric came to in a window and in the one before; None where CloudWatch has no data, which is not 0."""

    value: float | None = None
    before: float | None = None


def signals(deployment: Deployment) -> list[Signal]:
    """All that is read, by the dimensions that the alarms and the dashboard read it by."""
    function, mapping = deployment.output("FunctionName"), deployment.output("EventSourceMappingId")
    return [
        Signal("AWS/Kinesis", INCOMING, "StreamName", deployment.output("StreamName")),
        *(Signal("AWS/Lambda", name, "FunctionName", function) for name in (ITERATOR_AGE, FUNCTION_ERRORS, NOT_STORED)),
        *(Signal("AWS/Lambda", name, "EventSourceMappingUUID", mapping) for name in (GIVEN_UP, DROPPED)),
        *(Signal(_NAMESPACE, name, "service", deployment.stack) for name in (*_COUNTED, *map(quarantined_for, Reason))),
    ]


def arriving(deployment: Deployment) -> Signal:
    """What tells that records come, as the alarm on it has it."""
    if deployment.stream.startswith("arn:"):
        return Signal(_NAMESPACE, Metric.RECORDS_RECEIVED, "service", deployment.stack)
    return Signal("AWS/Kinesis", INCOMING, "StreamName", deployment.output("StreamName"))


def read(cloudwatch: Any, wanted: Sequence[Signal], window: timedelta, now: datetime) -> dict[str, Figure]:  # noqa: ANN401 - a boto3 client
    """Each signal's figure, by its name; the window ends with the minute that `now` lies in, and is whole minutes."""
    end = datetime.fromtimestamp((now.timestamp() // PERIOD + 1) * PERIOD, UTC)
    middle = end - window
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_query(number, signal) for number, signal in enumerate(wanted)],
        StartTime=middle - window,
        EndTime=end,
    )
    points: dict[str, list[tuple[datetime, float]]] = {}
    for result in (result for page in pages for result in page["MetricDataResults"]):
        points.setdefault(result["Id"], []).extend(zip(result["Timestamps"], result["Values"], strict=True))
    found = {signal.name: _figure(signal, points.get(_id(number), []), middle) for number, signal in enumerate(wanted)}
    received = found.get(Metric.RECORDS_RECEIVED, Figure())
    return {name: _with_zeros(name, figure, received) for name, figure in found.items()}


def events_a_call(figures: Mapping[str, Figure]) -> Figure:
    """How full the PutEvents calls were."""
    delivered, calls = figures[Metric.EVENTS_DELIVERED], figures[Metric.CALLS]
    return Figure(_ratio(delivered.value, calls.value), _ratio(delivered.before, calls.before))


def _query(number: int, signal: Signal) -> dict[str, Any]:
    metric = {
        "Namespace": signal.namespace,
        "MetricName": signal.name,
        "Dimensions": [{"Name": signal.dimension, "Value": signal.of}],
    }
    return {
        "Id": _id(number),
        "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": signal.statistic},
    }


def _id(number: int) -> str:
    return f"m{number}"


def _figure(signal: Signal, points: Iterable[tuple[datetime, float]], middle: datetime) -> Figure:
    after: list[float] = []
    before: list[float] = []
    for at, value in points:
        (before if at < middle else after).append(value)
    together = max if signal.statistic == "Maximum" else sum
    return Figure(*(float(together(values)) if values else None for values in (after, before)))


def _with_zeros(name: str, figure: Figure, received: Figure) -> Figure:
    if name not in _ONLY_WHEN_IT_HAPPENS:
        return figure
    return Figure(_or_zero(figure.value, received.value), _or_zero(figure.before, received.before))


def _or_zero(value: float | None, received: float | None) -> float | None:
    return 0.0 if value is None and received is not None else value


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
