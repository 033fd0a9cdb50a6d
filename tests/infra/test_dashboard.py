"""The dashboard shows what is measured: a well-formed body, no overlap, and only metrics that are really emitted."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import combinations, pairwise
from threading import Thread
from typing import Any

import pytest
from aws_cdk.assertions import Template

from local.personalize.server import PersonalizeFake
from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric, quarantined_for, unit
from personalize_relay.settings import Settings
from tests.infra.evaluation import MetricAlarm
from tests.infra.templates import only
from tests.simulation.world import click, record
from tests.test_handler import Invocation

type Widget = dict[str, Any]
type Emitted = dict[str, str]
"""Units of metrics by name."""

COLUMNS = 24
SERVICE = "personalize-relay-prod"


class Bucket(BaseHTTPRequestHandler):
    """An S3 that takes everything."""

    def do_PUT(self) -> None:
        """Take an object."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The endpoint of the bucket."""
    with HTTPServer(("127.0.0.1", 0), Bucket) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def body(prod: Template) -> dict[str, Any]:
    """The dashboard's body, with the names of resources in place of what refers to them."""
    return _body(prod)


def _body(template: Template) -> dict[str, Any]:
    _, dashboard = only(template, "AWS::CloudWatch::Dashboard")
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else re.sub(r"\W", "", json.dumps(part)) for part in parts)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def widgets(body: dict[str, Any]) -> list[Widget]:
    """The body's widgets."""
    found: list[Widget] = body["widgets"]
    return found


@pytest.fixture(scope="module")
def shown(widgets: list[Widget]) -> list[dict[str, str]]:
    """Each metric of a graph, its names resolved."""
    return [dict(each) for widget in widgets for each in _metrics(widget)]


def _metrics(widget: Widget) -> Iterator[dict[str, str]]:
    """CloudWatch's short form of a metric: namespace, name, dimension, value, options; or an expression."""
    for array in widget["properties"].get("metrics", []):
        *names, options = array if isinstance(array[-1], dict) else [*array, {}]
        if "expression" in options:
            assert not names
            continue
        namespace, name, dimension, value = names
        yield {"namespace": namespace, "name": name, "dimension": dimension, "value": value}


@pytest.fixture(scope="module")
def emitted(bucket: str) -> Emitted:
    """What real invocations of the handler count: a good and a bad batch, a bug, and a bucket out of reach."""
    good = [record(number, click()) for number in range(3)]
    bad = [record(7, b"bad"), record(8, b"7"), record(9, click(sessionId="null"))]
    broken = record(10, click())
    broken["kinesis"]["sequenceNumber"] = "broken"
    names = {"POWERTOOLS_SERVICE_NAME": SERVICE}
    with PersonalizeFake() as personalize:
        runs = [
            Invocation({"Records": [*good, *bad]}, personalize, **names, AWS_ENDPOINT_URL_S3=bucket),
            Invocation({"Records": [broken]}, personalize, **names),
            Invocation({"Records": bad}, personalize, **names),
        ]
    lines = [line for run in runs for line in run.lines if "_aws" in line]
    assert len(lines) >= len(runs), "one each, and one for each failure as it happens"
    assert {line["service"] for line in lines} == {SERVICE}
    described = [each for line in lines for each in line["_aws"]["CloudWatchMetrics"]]
    assert {each["Namespace"] for each in described} == {"PersonalizeRelay"}
    assert all(each["Dimensions"] == [["service"]] for each in described)
    return {metric["Name"]: metric["Unit"] for each in described for metric in each["Metrics"]}


def test_widgets_do_not_overlap(widgets: list[Widget]) -> None:
    """None covers another or stands out of the page."""
    for one in widgets:
        assert one["x"] + one["width"] <= COLUMNS
        assert min(one["x"], one["y"], one["width"] - 1, one["height"] - 1) >= 0
    for one, other in combinations(widgets, 2):
        apart = (
            *(one["x"] + one["width"] <= other["x"], other["x"] + other["width"] <= one["x"]),
            *(one["y"] + one["height"] <= other["y"], other["y"] + other["height"] <= one["y"]),
        )
        assert any(apart), (one, other)


def test_periods_are_those_that_the_limits_are_drawn_for(body: dict[str, Any]) -> None:
    """Else CloudWatch fits them to the stretch that is shown, and the quota of five minutes stands over each minute."""
    assert body["periodOverride"] == "inherit"


def test_three_questions_are_answered_in_order(widgets: list[Widget]) -> None:
    """Each by the graphs below it, over the whole width."""
    questions = [widget for widget in widgets if widget["type"] == "text"]
    assert [re.split(r"\W+", each["properties"]["markdown"])[1:4] for each in questions] == [
        ["Is", "data", "flowing"],
        ["What", "is", "failing"],
        ["What", "does", "it"],
    ]
    tops = [each["y"] for each in questions]
    assert tops == sorted(tops)
    for top, bottom in pairwise([*tops, max(each["y"] for each in widgets) + 1]):
        assert _fill_their_rows([widget for widget in widgets if top < widget["y"] < bottom])


def _fill_their_rows(widgets: list[Widget]) -> bool:
    rows = Counter[int]()
    for widget in widgets:
        rows[widget["y"]] += widget["width"]
    return set(rows.values()) == {COLUMNS}


def test_the_metrics_of_another_accounts_stream_leave_no_gap(shared: Template, prod: Template) -> None:
    """They are not there to be drawn; all else is."""
    drawn = [
        {(each["namespace"], each["name"]) for widget in _body(template)["widgets"] for each in _metrics(widget)}
        for template in (prod, shared)
    ]
    assert {namespace for namespace, _ in drawn[0] - drawn[1]} == {"AWS/Kinesis"}
    assert "AWS/Kinesis" not in {namespace for namespace, _ in drawn[1]}
    assert _fill_their_rows(_body(shared)["widgets"])


def test_every_metric_of_the_function_is_shown(shown: list[dict[str, str]]) -> None:
    """With one for each reason: what is quarantined can be told apart at a glance."""
    names = {each["name"] for each in shown if each["namespace"] == "PersonalizeRelay"}
    assert names == {*Metric, *(quarantined_for(reason) for reason in Reason)}


def test_metrics_are_those_that_the_function_emits(
    prod: Template, shown: list[dict[str, str]], emitted: Emitted
) -> None:
    """Name, unit and dimension of each that an alarm or the dashboard names; no line would stay empty for ever."""
    alarms = [MetricAlarm(body["Properties"]) for body in prod.find_resources("AWS::CloudWatch::Alarm").values()]
    read = {key for alarm in alarms for key in alarm.reads} | {tuple(each.values()) for each in shown}
    ours = {(name, dimension, value) for namespace, name, dimension, value in read if namespace == "PersonalizeRelay"}
    assert {(dimension, value) for _, dimension, value in ours} == {("service", SERVICE)}
    reasons = {quarantined_for(reason) for reason in Reason}
    assert {
        "QuarantinedInvalidJson",
        "QuarantinedNotAnObject",
        "QuarantinedPlaceholderText",
    } <= emitted.keys() & reasons
    assert {name for name, _, _ in ours} - reasons == emitted.keys() - reasons
    assert emitted == {name: unit(name) for name in emitted}
    _, function = only(prod, "AWS::Lambda::Function")
    assert (
        Settings.from_env(function["Properties"]["Environment"]["Variables"] | {"QUARANTINE_BUCKET": "b"}).service
        == SERVICE
    )


def test_other_metrics_are_known_by_the_resources_of_the_stack(prod: Template, shown: list[dict[str, str]]) -> None:
    """A graph of another function or stream would look just as well."""
    kinds = {
        "FunctionName": ("AWS/Lambda", "AWS::Lambda::Function"),
        "EventSourceMappingUUID": ("AWS/Lambda", "AWS::Lambda::EventSourceMapping"),
        "StreamName": ("AWS/Kinesis", "AWS::Kinesis::Stream"),
    }
    others = [each for each in shown if each["namespace"] != "PersonalizeRelay"]
    assert {each["dimension"] for each in others} == kinds.keys()
    for each in others:
        namespace, kind = kinds[each["dimension"]]
        assert each["namespace"] == namespace
        assert only(prod, kind)[0] in each["value"]


def test_every_alarm_is_on_the_dashboard(prod: Template, widgets: list[Widget]) -> None:
    """Whoever is paged sees which it was."""
    (states,) = [widget for widget in widgets if widget["type"] == "alarm"]
    alarms = prod.find_resources("AWS::CloudWatch::Alarm")
    assert len(states["properties"]["alarms"]) == len(alarms)
    assert all(any(name in arn for arn in states["properties"]["alarms"]) for name in alarms)
