"""The words below a graph: its lines with their totals, and the lines that have nothing to draw."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, takewhile
from textwrap import wrap

from local.dashboard.body import Graph, Series

COLOURS = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf"),
    *("#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5", "#c49c94", "#f7b6d2", "#dbdb8d", "#9edae5"),
)
OTHERS = "#c7c7c7"
"""The colour of the lines that the legend doesn't name."""
MOST_NAMED = 6
"""How many lines of a graph the legend names: the largest."""
MOST_WRAPPED = 2
"""How many lines of text name the series that are not drawn, if others are."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A line of a graph, with its colour and its words; a line without words is one of the others."""

    series: Series
    colour: str
    words: str


def entries(graph: Graph) -> list[LegendEntry]:
    """The lines that are drawn, in the graph's order."""
    drawn = [each for each in graph.series if each.points and not is_zero(each)]
    named = sorted(drawn, key=_total, reverse=True)[:MOST_NAMED] if len(drawn) > MOST_NAMED + 1 else drawn
    shared = _shared(graph)
    colours = iter(cycle(COLOURS))
    return [
        LegendEntry(each, next(colours), _words(each, shared)) if each in named else LegendEntry(each, OTHERS, "")
        for each in drawn
    ]


def others(drawn: Sequence[LegendEntry]) -> str:
    """The total of the lines without words; empty if there are none."""
    nameless = [each.series for each in drawn if not each.words]
    return f"{len(nameless)} others: {sum(map(_total, nameless)):,.0f}" if nameless else ""


def undrawn(graph: Graph, width: int) -> list[str]:
    """The series that are not drawn, and why, in lines of `width` letters; only a few lines if others are drawn."""
    most = MOST_WRAPPED if entries(graph) else None
    said = (f"{why}: {', '.join(names)}" for why, names in _reasons(graph, _shared(graph)))
    return [line for each in said for line in wrap(_parted(each, width), width, max_lines=most, placeholder=" …")]


def is_zero(series: Series) -> bool:
    """Whether the series is a sum that stays 0."""
    return series.statistic == "Sum" and bool(series.points) and not any(series.points.values())


def _parted(text: str, width: int) -> str:
    """The text, with a space before each capital of a word that is too long for a line."""
    return " ".join(re.sub(r"(?<!^)(?=[A-Z])", " ", word) if len(word) > width else word for word in text.split())


def _reasons(graph: Graph, shared: int) -> Iterator[tuple[str, list[str]]]:
    zero = [each.label[shared:] for each in graph.series if is_zero(each)]
    if zero:
        yield "none", zero
    for why in dict.fromkeys(each.missing for each in graph.series if not each.points):
        yield why, [each.label[shared:] for each in graph.series if not each.points and each.missing == why]


def _shared(graph: Graph) -> int:
    """How many letters all labels of a stack begin with, because the title already says them."""
    labels = [each.label for each in graph.series] if graph.stacked else []
    shared = sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*labels, strict=False)))
    return shared if all(len(label) > shared for label in labels) else 0


def _total(series: Series) -> float:
    return sum(series.points.values())


def _words(series: Series, shared: int) -> str:
    """The label, with the total over the whole time if there is one."""
    label = series.label[shared:] + (" (right)" if series.right else "")
    match series.statistic:
        case "Sum":
            return f"{label}: {_total(series):,.0f}"
        case "Maximum":
            return f"{label}: {max(series.points.values()):,.0f}"
        case _:
            return label
