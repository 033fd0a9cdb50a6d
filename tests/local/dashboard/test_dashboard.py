"""A dashboard's body and CloudWatch's values make the picture, and what is missing is said in it."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from local.dashboard.body import NO_DATA, NOT_COMPUTED, NOT_EMULATED, Graph, Key, Series, States, Widget, keys, widgets
from local.dashboard.legend import MOST_NAMED, entries, others, undrawn
from local.dashboard.page import Band, Page

ROOT = Path(__file__).parents[3]
TILL = ("service", "till")
SOLD, LOST = Key("Shop", "Sold", (TILL,), "Sum"), Key("Shop", "Lost", (TILL,), "Sum")
WAIT, MEAN = Key("Shop", "Wait", (TILL,), "Maximum"), Key("Shop", "Wait", (TILL,), "Average")
START = 1_790_000_000


def graph(title: str, *metrics: list[Any], x: int = 0, **properties: object) -> dict[str, Any]:
    usual = {"view": "timeSeries", "title": title, "stacked": False, "metrics": list(metrics)}
    return {"type": "metric", "x": x, "y": 1, "width": 6, "height": 6, "properties": usual | properties}


def read(*widget: dict[str, Any], states: dict[str, str] | None = None) -> list[Widget]:
    values = {SOLD: {START + 1.0: 20.0, START + 2.0: 10.0}, WAIT: {START + 1.0: 400.0}}
    return widgets({"widgets": list(widget)}, values, states or {}, 1)


def only_graph(widget: dict[str, Any]) -> Graph:
    (found,) = read(widget)
    assert isinstance(found.content, Graph)
    return found.content


def test_what_is_read_is_what_the_body_names_each_once() -> None:
    body = {
        "widgets": [
            {"type": "text", "properties": {"markdown": "# Sales"}},
            graph("Sales", ["Shop", "Sold", *TILL, {"stat": "Sum"}], ["Shop", "Wait", *TILL, {"stat": "Maximum"}]),
            graph(
                "Again", ["Shop", "Sold", *TILL, {"stat": "Sum"}], ["Shop", "Wait", *TILL], [{"expression": "a / b"}]
            ),
        ]
    }
    assert keys(body) == [SOLD, WAIT, MEAN]


def test_a_line_has_its_values_or_says_why_it_has_none() -> None:
    found = only_graph(
        graph(
            "Sales",
            ["Shop", "Sold", *TILL, {"stat": "Sum"}],
            ["Shop", "Lost", *TILL, {"stat": "Sum", "yAxis": "right"}],
            [{"expression": "sold / 2", "label": "half"}],
            [{"expression": "SEARCH('{Shop}', 'Sum')", "label": "found"}],
            ["Shop", "Sold", *TILL, {"stat": "Sum", "id": "sold", "visible": False}],
        )
    )
    assert [(each.label, list(each.points.values()), each.right) for each in found.series] == [
        ("Sold", [20.0, 10.0], False),
        ("Lost", [], True),
        ("half", [10.0, 5.0], False),
        ("found", [], False),
    ]
    assert [each.missing for each in found.series if not each.points] == [NO_DATA, NOT_COMPUTED]


@pytest.mark.parametrize(("statistic", "limit"), [("Sum", 1000), ("Maximum", 300_000)])
def test_the_limit_of_a_sum_is_one_for_the_period_that_is_shown(statistic: str, limit: float) -> None:
    annotations = {"horizontal": [{"value": 300_000, "label": "quota"}]}
    found = only_graph(graph("Sales", ["Shop", "Sold", *TILL, {"stat": statistic}], annotations=annotations))
    assert [each.value for each in found.limits] == [limit]


def test_an_alarm_that_cloudwatch_does_not_know_is_not_called_ok() -> None:
    arns = [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}" for name in ("late", "lost")]
    properties = {"title": "Alarms", "alarms": arns}
    (found,) = read(
        {"type": "alarm", "x": 0, "y": 0, "width": 6, "height": 6, "properties": properties}, states={"late": "ALARM"}
    )
    assert found.content == States("Alarms", {"late": "ALARM", "lost": NOT_EMULATED})


def test_the_picture_says_what_it_shows_and_what_it_does_not(tmp_path: Path) -> None:
    """Titles, labels with what they come to, limits too far above to be drawn, and metrics without data."""
    from local.dashboard.picture import save  # noqa: PLC0415 - takes seconds to import, which no other test needs

    late = {"horizontal": [{"value": 300_000, "label": "late"}]}
    sold, lost = ["Shop", "Sold", *TILL, {"stat": "Sum"}], ["Shop", "Lost", *TILL, {"stat": "Sum"}]
    wait = ["Shop", "Wait", *TILL, {"stat": "Maximum", "yAxis": "right"}]
    drawn = read(
        {"type": "text", "x": 0, "y": 0, "width": 24, "height": 1, "properties": {"markdown": "## Is it open?"}},
        graph("Sales", sold, lost, wait, annotations=late),
        graph("Stacked", sold, sold, x=6, stacked=True),
        graph("Losses", lost, x=12),
    )
    files = [tmp_path / "new" / f"shop.{kind}" for kind in ("svg", "png")]
    save(drawn, Page("The shop", START, START + 4, [Band("the till is stuck", START + 1, START + 2, "#ffeecc")]), files)
    texts = {text.text for text in ElementTree.parse(files[0]).iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314 - our own
    assert texts >= {
        *("The shop", "1 to 2 s: the till is stuck", "Is it open?", "Sales", "Stacked", "Losses"),
        *("Sold: 30", "Wait, max (right): 400", "late: 1,000, far above", "no data: Lost"),
    }
    assert files[1].read_bytes().startswith(b"\x89PNG")


def sums(totals: dict[str, float], *, stacked: bool = False) -> Graph:
    """A graph of sums that come to these."""
    lines = [Series(label=label, points={START: value}, statistic="Sum") for label, value in totals.items()]
    return Graph(title="Sales", series=lines, limits=[], stacked=stacked)


def test_a_sum_of_nothing_is_said_and_not_drawn() -> None:
    """A line on the ground hides others, and says no more."""
    found = sums({"Sold": 3, "Returned": 0, "Lost": 0})
    assert [each.words for each in entries(found)] == ["Sold: 3"]
    assert undrawn(found, 80) == ["none: Returned, Lost"]


def test_of_many_lines_the_largest_are_named_and_the_others_are_summed_up() -> None:
    many = {f"SoldAt{hour:02}": hour + 1.0 for hour in range(24)}
    drawn = entries(sums(many, stacked=True))
    named = [each.words for each in drawn if each.words]
    assert named == [f"{hour}: {hour + 1}" for hour in range(24 - MOST_NAMED, 24)]
    left = range(1, 25 - MOST_NAMED)
    assert others(drawn) == f"{len(left)} others: {sum(left)}"
    assert len({each.colour for each in drawn if not each.words}) == 1


def test_what_is_not_drawn_takes_few_lines_below_what_is() -> None:
    """And all that it needs on a graph of its own; a long name is parted at its capitals."""
    silent = [Series(label=f"EventsLostOnTheWayInTheHour{hour}", points={}) for hour in range(9)]
    alone = undrawn(Graph(title="", series=silent, limits=[], stacked=False), 24)
    assert all(len(line) <= 24 for line in alone)
    assert "".join(alone).replace(" ", "").count("EventsLostOnTheWay") == 9
    beside = undrawn(Graph(title="", series=[*silent, *sums({"Sold": 1}).series], limits=[], stacked=False), 24)
    assert len(beside) == 2
    assert beside[-1].endswith("…")


@pytest.mark.slow  # imports the demo afresh
def test_only_who_draws_waits_for_matplotlib() -> None:
    code = "import local.demo.__main__, local.serve, sys; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert run.stdout == "False\n"
