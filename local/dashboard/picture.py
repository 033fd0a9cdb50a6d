"""Draws a dashboard, with matplotlib: import this only where a picture is wanted, it takes a second."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from textwrap import wrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from local.dashboard.body import Graph, Heading, Limit, Series, States, Widget

COLUMN, ROW = 0.78, 0.68
"""Inches of a step of the grid."""
MARGIN, HEADER = 0.2, 0.8
"""Inches around the grid, and of what is above it."""
LINE = 0.165
"""Inches from one line of small text to the next."""
SMALL, LETTER = 7.5, 0.061
"""Points, and the inches that a letter of it takes."""
INK, PALE, EDGE, PAGE, WARNING = "#16191f", "#687078", "#d5dbdb", "#f2f3f3", "#d13212"
COLOURS = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"),
    *("#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5", "#c49c94", "#f7b6d2", "#c7c7c7", "#dbdb8d", "#9edae5"),
)
STATES = {"OK": "#1d8102", "ALARM": WARNING}
FAR = 6
"""A limit this many times above all values is told rather than drawn: it would press them to the ground."""


def save(widgets: Sequence[Widget], title: str, start: int, end: int, paths: Sequence[Path]) -> None:
    """Draw the widgets over this stretch of Unix time, once into each file, by its suffix: .svg, .png.

    The texts of an SVG are kept as text.
    """
    columns = max(each.x + each.width for each in widgets)
    rows = max(each.y + each.height for each in widgets)
    figure = Figure(figsize=(columns * COLUMN + 2 * MARGIN, rows * ROW + HEADER + MARGIN), facecolor=PAGE)
    began = datetime.fromtimestamp(start, UTC)
    _write(figure, (MARGIN, 0.32), title, size=15, weight="bold")
    _write(figure, (MARGIN, 0.6), f"{end - start} s from {began:%Y-%m-%d %H:%M:%S} UTC, a value a second", size=9)
    for widget in widgets:
        _Panel(figure, widget, start, end).draw()
    with mpl.rc_context({"svg.fonttype": "none"}):
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=110)


def _write(figure: Figure, at: tuple[float, float], text: str, *, size: float = SMALL, **style: str) -> None:
    """Write at so many inches from the left and the top."""
    width, height = figure.get_size_inches()
    color, font = style.get("color", INK), {name: value for name, value in style.items() if name != "color"}
    figure.text(at[0] / width, 1 - at[1] / height, text, color=color, va="center", fontsize=size, fontdict=font)


class _Panel:
    """One widget, as a card on the page; its measures are in inches."""

    def __init__(self, figure: Figure, widget: Widget, start: int, end: int) -> None:
        self._figure = figure
        self._content = widget.content
        self._start, self._end = start, end
        self._left, self._top = MARGIN + widget.x * COLUMN + 0.05, HEADER + widget.y * ROW + 0.05
        self._width, self._height = widget.width * COLUMN - 0.1, widget.height * ROW - 0.1

    def draw(self) -> None:
        match self._content:
            case Heading(title):
                _write(self._figure, (self._left + 0.05, self._top + 0.28), title, size=13, weight="bold")
            case States() as states:
                self._card(states.title)
                self._draw_states(states)
            case Graph() as graph:
                self._card(graph.title)
                self._draw_graph(graph)

    def _card(self, title: str) -> None:
        card = self._axes(0, 0, self._width, self._height)
        card.set_xticks([])
        card.set_yticks([])
        card.patch.set_facecolor("white")
        for spine in card.spines.values():
            spine.set_color(EDGE)
        self._text(0.12, 0.2, title, size=10, weight="bold")

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        across, down = self._figure.get_size_inches()
        x, y = self._left + left, self._top + top + height
        return self._figure.add_axes((x / across, 1 - y / down, width / across, height / down))

    def _text(self, left: float, top: float, text: str, *, size: float = SMALL, **style: str) -> None:
        _write(self._figure, (self._left + left, self._top + top), text, size=size, **style)

    def _draw_states(self, states: States) -> None:
        lines = -(-len(states.alarms) // 2)
        for place, (name, state) in enumerate(states.alarms.items()):
            left, top = 0.15 + place // lines * self._width / 2, 0.6 + place % lines * 1.8 * LINE
            self._mark(left, top, STATES.get(state, "#aab7b8"), f"{_short(name)}: {_said(state)}")

    def _draw_graph(self, graph: Graph) -> None:
        shown = [each for each in graph.series if each.points]
        missing = _missing(graph.series, int((self._width - 0.3) / LETTER))
        below = 0.2 + (-(-len(shown) // 2) + len(missing)) * LINE
        top = self._height - below if shown else self._height / 2
        for place, (series, colour) in enumerate(zip(shown, cycle(COLOURS), strict=False)):
            left = 0.15 + place % 2 * (self._width - 0.2) / 2
            self._mark(left, top + (place // 2 + 0.5) * LINE, colour, _legend(series))
        for line, text in enumerate(missing):
            self._text(0.15, top + below - 0.13 - (len(missing) - line - 0.5) * LINE, text, color=PALE, style="italic")
        if shown:
            axes = self._axes(0.52, 0.46, self._width - 1.0, top - 0.46 - 0.3)
            _Plot(axes, graph, shown, self._end - self._start).draw(self._start)

    def _mark(self, left: float, top: float, colour: str, text: str) -> None:
        self._text(left, top, "\u25a0", size=9, color=colour)
        self._text(left + 0.15, top, text)


class _Plot:
    """The plot of a graph's series that have points, over so many seconds."""

    def __init__(self, axes: Axes, graph: Graph, shown: Sequence[Series], seconds: int) -> None:
        self._axes = axes
        self._graph = graph
        self._shown = shown
        self._seconds = seconds

    def draw(self, start: int) -> None:
        """Draw it, beginning at a moment of Unix time."""
        right = self._axes.twinx() if any(series.right for series in self._shown) else None
        floor: dict[float, float] = {}
        for series, colour in zip(self._shown, cycle(COLOURS), strict=False):
            points = sorted((moment - start, value) for moment, value in series.points.items())
            axes = right if right and series.right else self._axes
            if self._graph.stacked:
                floor = _draw_bars(axes, points, floor, colour)
            else:
                style = "--" if series.right else "-"
                axes.plot(*zip(*points, strict=True), style, color=colour, marker="o", markersize=4.5, clip_on=False)
        most = max([0.0, *floor.values(), *_values(self._shown, right=False)])
        drawn = [self._draw_limit(limit, most) for limit in self._graph.limits]
        self._dress(self._axes, max([most, *drawn]))
        self._axes.grid(axis="y", color="#eaeded", linewidth=0.8)
        self._axes.set_axisbelow(True)
        if right:
            self._dress(right, max(_values(self._shown, right=True)))

    def _draw_limit(self, limit: Limit, most: float) -> float:
        """Returns the height of what was drawn."""
        far = limit.value > FAR * most
        text = f"{limit.label}: {limit.value:,.0f}" + (", far above" if far else "")
        self._axes.set_title(text, loc="right", fontsize=SMALL, color=WARNING, pad=5)
        if far:
            return 0
        self._axes.axhline(limit.value, color=WARNING, linewidth=1, linestyle=":")
        return limit.value

    def _dress(self, axes: Axes, most: float) -> None:
        axes.set_xlim(-0.6, self._seconds - 0.4)
        axes.set_ylim(0, 1.08 * most or 1)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.xaxis.set_major_formatter("{x:.0f} s")
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.tick_params(labelsize=SMALL, colors=PALE, length=0)
        for name, spine in axes.spines.items():
            spine.set_visible(name == "bottom")
            spine.set_color(EDGE)


def _draw_bars(
    axes: Axes, points: Sequence[tuple[float, float]], floor: Mapping[float, float], colour: str
) -> dict[float, float]:
    """Draw them upon the floor; returns the new one."""
    for moment, value in points:
        axes.bar(moment, value, 0.8, floor.get(moment, 0), color=colour)
    return {**floor, **{moment: floor.get(moment, 0) + value for moment, value in points}}


def _values(shown: Sequence[Series], *, right: bool) -> list[float]:
    return [value for series in shown if series.right == right for value in series.points.values()]


def _legend(series: Series) -> str:
    """Its label, with what it comes to over all the time where that can be told."""
    label = series.label + (" (right)" if series.right else "")
    match series.statistic:
        case "Sum":
            return f"{label}: {sum(series.points.values()):,.0f}"
        case "Maximum":
            return f"{label}: {max(series.points.values()):,.0f}"
        case _:
            return label


def _missing(series: Sequence[Series], width: int) -> list[str]:
    """What has no points, and why, in lines of so many letters."""
    reasons = dict.fromkeys(each.missing for each in series if not each.points)
    said = (f"{why}: {', '.join(s.label for s in series if not s.points and s.missing == why)}" for why in reasons)
    return [line for each in said for line in wrap(each, width)]


def _said(state: str) -> str:
    return state if state in STATES else state.lower().replace("_", " ")


def _short(name: str) -> str:
    """What the stack calls an alarm, without what CloudFormation and the CDK put around it."""
    found = re.search(r"Alarms(\w+?)[0-9A-F]{8}(-|$)", name)
    return found[1] if found else name
