"""Draws a dashboard with matplotlib. The import takes a second, so import this only for a picture.

The grid's steps are small compared with the text, so that one can read a page as wide as a README.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image  # matplotlib's own way to write a PNG

from local.dashboard.body import Graph, Heading, States, Widget
from local.dashboard.legend import OTHERS, entries, others, undrawn
from local.dashboard.page import Page
from local.dashboard.plot import EDGE, PALE, SMALL, WARNING, Plot

COLUMN, ROW = 0.42, 0.48
"""Inches: the width and the height of the grid's steps."""
MARGIN, HEADER, BAND = 0.15, 0.72, 0.2
"""Inches: around the grid, of the head above it, and of a band's line in the head."""
LINE, LETTER = 0.155, 0.069
"""Inches: from one line of small text to the next, and of a letter in it."""
INK, PAGE = "#16191f", "#f2f3f3"
STATES = {"ALARM": WARNING, "OK": "#1d8102"}
DPI = 144
COLOURS = 128
"""The colours of a PNG: those of the lines, and enough in between for the edges of letters."""


def save(widgets: Sequence[Widget], page: Page, paths: Sequence[Path]) -> None:
    """Draw the widgets on a page, into each file in the format of its suffix: .svg, .png.

    An SVG keeps its texts as text.
    """
    columns = max(each.x + each.width for each in widgets)
    rows = max(each.y + each.height for each in widgets)
    header = HEADER + len(page.bands) * BAND
    figure = Figure(figsize=(columns * COLUMN + 2 * MARGIN, rows * ROW + header + MARGIN), facecolor=PAGE)
    _draw_header(figure, page)
    for widget in widgets:
        _Panel(figure, widget, page, header).draw()
    with mpl.rc_context({"svg.fonttype": "none"}):
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=DPI)
            if path.suffix == ".png":
                _thin(path)


def _thin(path: Path) -> None:
    """Save a PNG again with as few colours as it needs, which halves the file."""
    with Image.open(path) as drawn:
        drawn.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def _draw_header(figure: Figure, page: Page) -> None:
    began = datetime.fromtimestamp(page.start, UTC)
    _write(figure, (MARGIN, 0.28), page.title, size=14, weight="bold")
    _write(figure, (MARGIN, 0.54), f"{page.seconds} s from {began:%Y-%m-%d %H:%M:%S} UTC, a value a second", size=9.5)
    for number, band in enumerate(page.bands):
        top = HEADER + (number + 0.2) * BAND
        _write(figure, (MARGIN, top), "\u25a0", size=14, color=band.colour)
        lasts = f"{band.start - page.start:.0f} to {band.end - page.start:.0f} s"
        _write(figure, (MARGIN + 0.2, top), f"{lasts}: {band.label}", size=9.5)


def _write(figure: Figure, at: tuple[float, float], text: str, *, size: float = SMALL, **style: str) -> None:
    """Write text at `at`, in inches from the left and the top."""
    width, height = figure.get_size_inches()
    color, font = style.get("color", INK), {name: value for name, value in style.items() if name != "color"}
    figure.text(at[0] / width, 1 - at[1] / height, text, color=color, va="center", fontsize=size, fontdict=font)


class _Panel:
    """One widget, as a card on the page; lengths are in inches."""

    def __init__(self, figure: Figure, widget: Widget, page: Page, header: float) -> None:
        self._figure = figure
        self._content = widget.content
        self._page = page
        self._left, self._top = MARGIN + widget.x * COLUMN + 0.04, header + widget.y * ROW + 0.04
        self._width, self._height = widget.width * COLUMN - 0.08, widget.height * ROW - 0.08
        self._letters = int((self._width - 0.2) / LETTER)

    def draw(self) -> None:
        match self._content:
            case Heading(title):
                _write(self._figure, (self._left, self._top + 0.24), title, size=12, weight="bold")
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
        self._text(0.1, 0.17, title, size=9.5, weight="bold")

    def _axes(self, left: float, top: float, width: float, height: float) -> Axes:
        across, down = self._figure.get_size_inches()
        x, y = self._left + left, self._top + top + height
        return self._figure.add_axes((x / across, 1 - y / down, width / across, height / down))

    def _text(self, left: float, top: float, text: str, *, size: float = SMALL, **style: str) -> None:
        _write(self._figure, (self._left + left, self._top + top), text, size=size, **style)

    def _draw_states(self, states: States) -> None:
        top = 0.45
        for state in sorted(set(states.alarms.values()), key=lambda each: (each not in STATES, each)):
            names = ", ".join(_short(name) for name, its in states.alarms.items() if its == state)
            lines = wrap(f"{_said(state)}: {names}", self._letters - 2)
            self._mark(0.1, top, STATES.get(state, OTHERS), lines[0])
            for number, line in enumerate(lines[1:], 1):
                self._text(0.25, top + number * LINE, line)
            top += (len(lines) + 0.5) * LINE

    def _draw_graph(self, graph: Graph) -> None:
        drawn = entries(graph)
        words = [(each.colour, each.words) for each in drawn if each.words]
        words += [(OTHERS, others(drawn))] if others(drawn) else []
        columns = 2 if all(len(text) < self._letters // 2 - 1 for _, text in words) else 1
        told = undrawn(graph, self._letters)
        lines = -(-len(words) // columns)
        top = self._height - 0.08 - (lines + len(told)) * LINE if drawn else self._height / 2
        for place, (colour, text) in enumerate(words):
            column, line = divmod(place, lines)
            self._mark(0.1 + column * (self._width - 0.1) / 2, top + (line + 0.5) * LINE, colour, text)
        for line, text in enumerate(told, lines):
            self._text(0.1, top + (line + 0.5) * LINE, text, color=PALE, style="italic")
        if drawn:
            margins = 0.42 + (0.4 if any(each.series.right for each in drawn) else 0.12)
            axes = self._axes(0.42, 0.42, self._width - margins, top - 0.42 - 0.24)
            Plot(axes, graph, drawn, self._page).draw()

    def _mark(self, left: float, top: float, colour: str, text: str) -> None:
        self._text(left, top, "\u25a0", size=10, color=colour)
        self._text(left + 0.15, top, text)


def _said(state: str) -> str:
    return state if state in STATES else state.lower().replace("_", " ")


def _short(name: str) -> str:
    """The stack's own name for an alarm, without the additions of CloudFormation and the CDK."""
    found = re.search(r"Alarms(\w+?)[0-9A-F]{8}(-|$)", name)
    return found[1] if found else name
