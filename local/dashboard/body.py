"""The deployed dashboard, with CloudWatch's data for each of its widgets.

The body follows "Dashboard body structure and syntax" in CloudWatch's API reference, as far as the stack uses it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from local.cloudwatch.metric_math import Points, UnknownExpression, compute

_PERIOD = 300
"""Seconds of a period if a widget doesn't set one."""
_OF = {"Sum": "", "Maximum": ", max"}
"""The words after a metric's name, if a line has no label."""
NOT_EMULATED = "not emulated"
NO_DATA, NOT_COMPUTED = "no data", "not computed here"


class Key(NamedTuple):
    """The metric behind a line of a graph; dimensions are names and values."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line of a graph."""

    label: str
    points: Points
    statistic: str = ""
    """The statistic of a period's samples; empty for an expression."""
    missing: str = NO_DATA
    """Why the line has no points, if it has none."""
    right: bool = False
    """Whether the line uses the right axis."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line."""

    label: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A widget of metrics; its limit is for the period that the graph shows."""

    title: str
    series: Sequence[Series]
    limits: Sequence[Limit]
    stacked: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """A widget of text."""

    title: str


@dataclass(frozen=True, slots=True)
class States:
    """A widget of alarms: the state of each, by the alarm's name."""

    title: str
    alarms: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget:
    """A place on the dashboard's grid of 24 columns, and its content."""

    x: int
    y: int
    width: int
    height: int
    content: Heading | Graph | States


def keys(body: Mapping[str, Any]) -> list[Key]:
    """The metrics that the dashboard reads, each once."""
    arrays = (array for widget in body["widgets"] for array in widget["properties"].get("metrics", []))
    return list(dict.fromkeys(key for key, _ in map(_read_metric, arrays) if key))


def widgets(
    body: Mapping[str, Any], values: Mapping[Key, Points], states: Mapping[str, str], period: int
) -> list[Widget]:
    """The body's widgets, with these values, one for each `period` of seconds, and these states of alarms, by name."""

    def content(kind: str, properties: Mapping[str, Any]) -> Heading | Graph | States:
        match kind:
            case "text":
                return Heading(properties["markdown"].lstrip("# "))
            case "alarm":
                names = [arn.rpartition(":alarm:")[2] for arn in properties["alarms"]]
                return States(properties["title"], {name: states.get(name, NOT_EMULATED) for name in names})
            case _:
                return _graph(properties, values, period)

    place = ("x", "y", "width", "height")
    return [
        Widget(**{side: each[side] for side in place}, content=content(each["type"], each["properties"]))
        for each in body["widgets"]
    ]


def _graph(properties: Mapping[str, Any], values: Mapping[Key, Points], period: int) -> Graph:
    read = [_read_metric(array) for array in properties["metrics"]]
    by_id = {options["id"]: values.get(key, {}) for key, options in read if key and "id" in options}
    sums = all(key is None or key.statistic == "Sum" for key, options in read if options.get("yAxis") != "right")
    # A limit for a sum over five minutes is smaller for a sum over a second.
    whole = properties.get("period", _PERIOD) if sums else period
    lines = properties.get("annotations", {}).get("horizontal", [])
    return Graph(
        title=properties["title"],
        series=[_series(key, options, values, by_id) for key, options in read if options.get("visible", True)],
        limits=[Limit(line["label"], line["value"] * period / whole) for line in lines],
        stacked=properties["stacked"],
    )


def _series(
    key: Key | None, options: Mapping[str, Any], values: Mapping[Key, Points], by_id: Mapping[str, Points]
) -> Series:
    right = options.get("yAxis") == "right"
    if key:
        of = _OF.get(key.statistic, f", {key.statistic.lower()}")
        points = values.get(key, {})
        return Series(label=options.get("label", key.name + of), points=points, statistic=key.statistic, right=right)
    label = options.get("label", options["expression"])
    try:
        return Series(label=label, points=compute(options["expression"], by_id), right=right)
    except UnknownExpression:
        return Series(label=label, points={}, missing=NOT_COMPUTED, right=right)


def _read_metric(array: Sequence[Any]) -> tuple[Key | None, dict[str, Any]]:
    """A metric in the body's short form: namespace, name, dimensions, options; no key if it is an expression."""
    *names, options = array if isinstance(array[-1], dict) else [*array, {}]
    if not names:
        return None, options
    namespace, name, *rest = names
    dimensions = tuple(zip(rest[::2], rest[1::2], strict=True))
    return Key(namespace, name, dimensions, options.get("stat", "Average")), options
