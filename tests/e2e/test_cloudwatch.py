"""The deployed relay's metrics are the ones that its alarms and its dashboard name, and the dashboard shows them."""

import base64
import io
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from local.dashboard.body import Graph, Heading, States, Widget
from local.dashboard.deployed import read
from local.demo.clickstream import reasons, sample
from local.demo.run import PICTURES, Demo
from local.mapping.invocation import InvocationOutcome, InvocationResult
from local.mapping.metrics import MappingMetrics
from local.system import System
from personalize_relay.errors import Reason
from personalize_relay.metrics import quarantined_for, unit
from tests.e2e.template import Name, named_metrics
from tests.e2e.versions import function_set

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricOutputTypeDef
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

NAMESPACE = "PersonalizeRelay"
SAMPLE = sample(sessions=50)
"""A sixth of the demo's own, with as many bad records of each kind."""


@dataclass(frozen=True)
class Run:
    """What the system has been through, the stretch of Unix time that it took, and what the demo printed."""

    system: System
    printed: str
    start: int
    end: int

    def widgets(self) -> list[Widget]:
        """The dashboard over this time."""
        return read(self.system.client, self.system.stack, self.start, self.end, 1)


@pytest.fixture(scope="module")
def run(system: System) -> Run:
    """The demo, a bad record that no bucket takes, and one that is a bug's own."""
    start = int(time.time())
    console = Console(file=io.StringIO(), width=120)
    Demo(system, console, SAMPLE).run(swallow=False)
    system.personalize.clear()
    functions = system.client("lambda")
    functions.invoke(FunctionName=system.function, Payload=json.dumps({"Records": [_record("broken", b"{}")]}))
    with function_set(system, {"QUARANTINE_BUCKET": "a-bucket-that-is-not-there"}):
        functions.invoke(FunctionName=system.function, Payload=json.dumps({"Records": [_record("1", b"bad")]}))
    system.cloudwatch.publish()
    assert isinstance(console.file, io.StringIO)
    return Run(system, console.file.getvalue(), start, int(time.time()) + 1)


def _record(number: str, data: bytes) -> dict[str, Any]:
    """A record as the function gets it."""
    return {
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-000000000000:{number}",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/none",
        "kinesis": {
            "sequenceNumber": number,
            "partitionKey": "k",
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": time.time(),
        },
    }


@pytest.fixture(scope="module")
def named(run: Run) -> set[Name]:
    """Every metric that the dashboard or an alarm names."""
    return named_metrics(run.system.client)


def metrics(system: System, namespace: str) -> "Sequence[MetricOutputTypeDef]":
    """What CloudWatch has in a namespace."""
    return system.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]


def name_of(metric: "MetricOutputTypeDef") -> Name:
    (dimension,) = metric["Dimensions"]
    return metric["Namespace"], metric["MetricName"], dimension["Name"], dimension["Value"]


def point(system: System, metric: "MetricOutputTypeDef") -> dict[str, Any]:
    """All that CloudWatch ever got of a metric."""
    now = datetime.now(UTC)
    (found,) = system.client("cloudwatch").get_metric_statistics(
        Namespace=metric["Namespace"],
        MetricName=metric["MetricName"],
        Dimensions=metric["Dimensions"],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(days=1),
        Period=10 * 365 * 86_400,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return dict(found)


def test_every_metric_that_an_alarm_or_the_dashboard_names_is_emitted(run: Run, named: set[Name]) -> None:
    """Names, units and dimensions; of the reasons for quarantine, those that the clickstream has."""
    emitted = metrics(run.system, NAMESPACE)
    of_reasons = {quarantined_for(reason) for reason in Reason}
    ours = {each for each in named if each[0] == NAMESPACE}
    assert {each for each in ours if each[1] not in of_reasons} == {
        name_of(each) for each in emitted if each["MetricName"] not in of_reasons
    }
    seen = {name_of(each) for each in emitted if each["MetricName"] in of_reasons}
    assert seen <= ours
    assert {name for _, name, _, _ in seen} >= {quarantined_for(Reason(reason)) for reason in reasons(SAMPLE)}
    for each in emitted:
        assert point(run.system, each)["Unit"] == unit(each["MetricName"]), each


def test_each_line_of_the_log_is_in_cloudwatch_once(run: Run) -> None:
    """Sums and numbers of samples are those of the function's log."""
    logged: Counter[str] = Counter()
    samples: Counter[str] = Counter()
    run.system.cloudwatch.publish()
    for line in map(json.loads, (line for line in run.system.log() if line.startswith('{"_aws"'))):
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            logged[metric["Name"]] += sum(line[metric["Name"]])
            samples[metric["Name"]] += len(line[metric["Name"]])
    points = {each["MetricName"]: point(run.system, each) for each in metrics(run.system, NAMESPACE)}
    assert {name: each["Sum"] for name, each in points.items()} == logged
    assert {name: each["SampleCount"] for name, each in points.items()} == samples


def test_what_is_counted_of_the_mapping_and_the_stream_is_what_the_template_names(run: Run, named: set[Name]) -> None:
    """Whatever can be counted is counted here, with the deployed names."""
    counted = MappingMetrics()
    record: RecordTypeDef = {
        "SequenceNumber": "1",
        "Data": b"",
        "PartitionKey": "k",
        "ApproximateArrivalTimestamp": datetime.now(UTC),
    }
    counted.read([record], at_tip=True)
    counted.invoked(InvocationOutcome(result=InvocationResult.SUCCEEDED), counted.invoking(), age=1)
    counted.discarded(1, "key")
    counted.discarded(1, "")
    counted.destination_failed()
    names = {
        (datum.namespace, datum.entry["MetricName"], dimension["Name"], dimension["Value"])
        for datum in counted.take(run.system.mapping.settings)
        for dimension in datum.entry["Dimensions"]
    }
    assert len(names) == 8
    assert names <= named


def test_each_question_of_the_dashboard_has_data_after_a_run(run: Run) -> None:
    """In their order, each with the graphs below it."""
    answered: dict[str, int] = {}
    for widget in sorted(run.widgets(), key=lambda each: (each.y, each.x)):
        if isinstance(widget.content, Heading):
            question = widget.content.title
            answered[question] = 0
        elif isinstance(widget.content, Graph):
            answered[question] += sum(bool(each.points) for each in widget.content.series)
    assert [question.split()[:3] for question in answered] == [
        ["Is", "data", "flowing,"],
        ["What", "is", "failing,"],
        ["What", "does", "it"],
    ]
    assert all(answered.values()), answered


def test_the_dashboard_shows_what_the_function_counted(run: Run) -> None:
    """Metric math included: events a call lie between none and the ten that a call may hold."""
    graphs = {each.content.title: each.content for each in run.widgets() if isinstance(each.content, Graph)}
    (share,) = graphs["Events a call"].series
    assert share.points
    assert all(0 < value <= 10 for value in share.points.values())
    shown = {each.label: sum(each.points.values()) for each in graphs["Records and events"].series}
    events = reasons(SAMPLE)
    assert shown["IncomingRecords"] == len(SAMPLE)
    assert shown["EventsQuarantined"] == sum(events.values())


def test_the_demo_draws_a_picture_with_every_title_and_every_alarm_and_says_where(run: Run) -> None:
    widgets = run.widgets()
    assert all(path.stat().st_mtime >= run.start for path in PICTURES)
    assert all(path.name in run.printed for path in PICTURES)
    document = ElementTree.parse(PICTURES[0])  # noqa: S314 - our own
    texts = [text.text or "" for text in document.iter("{http://www.w3.org/2000/svg}text")]
    assert {each.content.title for each in widgets} <= set(texts)
    (states,) = [each.content for each in widgets if isinstance(each.content, States)]
    said = set(re.findall(r"\w+", " ".join(texts)))
    alarms = [re.search(r"Alarms(\w+?)[0-9A-F]{8}", name) for name in states.alarms]
    assert {found[1] for found in alarms if found} <= said
    assert sum(found is not None for found in alarms) == len(states.alarms) > 10
