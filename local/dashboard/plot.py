"""The plot of one graph: its lines or bars, its limits, and the bands behind them."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from local.dashboard.body import Graph, Limit
from local.dashboard.legend import LegendEntry
from local.dashboard.page import Page

SMALL = 8.5
"""Points of the small text."""
PALE, EDGE, GRID, WARNING = "#687078", "#d5dbdb", "#eaeded", "#d13212"
FAR = 3
"""A limit this many times above all values is written, not drawn, because it would flatten them."""


class Plot:
    """The plot of a graph's entries, over the page's bands."""

    def __init__(self, axes: Axes, graph: Graph, drawn: Sequence[LegendEntry], page: Page) -> None:
        self._axes = axes
        self._graph = graph
        self._drawn = drawn
        self._page = page

    def draw(self) -> None:
        """Draw the plot."""
        began = self._page.start
        for band in self._page.bands:
            self._axes.axvspan(band.start - began, band.end - began, color=band.colour, linewidth=0)
        right = self._axes.twinx() if any(each.series.right for each in self._drawn) else None
        top = self._draw_lines(right)
        drawn = [self._draw_limit(limit, top) for limit in self._graph.limits]
        self._dress(self._axes, max([top, *drawn]))
        self._axes.grid(axis="y", color=GRID, linewidth=0.8)
        self._axes.set_axisbelow(True)
        if right:
            self._dress(right, max(self._values(right=True)))

    def _draw_lines(self, right: Axes | None) -> float:
        """Draw the lines; return the highest value of the left axis."""
        floor: dict[float, float] = {}
        for each in self._drawn:
            points = sorted((moment - self._page.start, value) for moment, value in each.series.points.items())
            axes = right if right and each.series.right else self._axes
            if self._graph.stacked:
                floor = _draw_bars(axes, points, floor, each.colour)
            else:
                style = "--" if each.series.right else "-"
                axes.plot(*zip(*points, strict=True), style, color=each.colour, marker="o", markersize=3, clip_on=False)
        return max([0.0, *floor.values(), *self._values(right=False)])

    def _draw_limit(self, limit: Limit, most: float) -> float:
        """Draw the limit; return the height of the drawing."""
        far = limit.value > FAR * most
        text = f"{limit.label}: {limit.value:,.0f}" + (", far above" if far else "")
        self._axes.set_title(text, loc="right", fontsize=SMALL, color=WARNING, pad=4)
        if far:
            return 0
        self._axes.axhline(limit.value, color=WARNING, linewidth=1, linestyle=":")
        return limit.value

    def _dress(self, axes: Axes, most: float) -> None:
        axes.set_xlim(-0.6, self._page.seconds - 0.4)
        axes.set_ylim(0, 1.08 * most or 1)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter("{x:.0f} s")
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.tick_params(labelsize=SMALL, colors=PALE, length=0, pad=2)
        for name, spine in axes.spines.items():
            spine.set_visible(name == "bottom")
            spine.set_color(EDGE)

    def _values(self, *, right: bool) -> list[float]:
        return [value for each in self._drawn if each.series.right == right for value in each.series.points.values()]


def _draw_bars(
    axes: Axes, points: Sequence[tuple[float, float]], floor: Mapping[float, float], colour: str
) -> dict[float, float]:
    """Draw the areas on top of `floor`; return their upper edge."""
    for moment, value in points:
        axes.bar(moment, value, 0.8, floor.get(moment, 0), color=colour)
    return {**floor, **{moment: floor.get(moment, 0) + value for moment, value in points}}
