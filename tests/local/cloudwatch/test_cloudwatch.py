"""What a function logs and what its mapping counts are in CloudWatch, each once."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import pytest
from botocore.exceptions import EndpointConnectionError

from local.cloudwatch.publisher import CloudWatch
from local.emulator.clients import ClientFactory
from local.emulator.emulator import Emulator
from local.mapping.invocation import InvocationOutcome, InvocationResult
from local.mapping.mapping import EventSourceMapping
from local.mapping.metrics import MappingMetrics
from local.mapping.settings import MappingSettings
from tests.local.mapping.test_event_source_mapping import FAILED, QUICK, SOON, run
from tests.local.relay import Relay, build

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

type Sums = dict[str, tuple[float, float]]
"""Sums and the numbers of samples, by the metric's name."""


def shop_line(service: str, sold: int) -> str:
    """A log line in the embedded metric format."""
    directive = {"Namespace": "Shop", "Dimensions": [["service"]], "Metrics": [{"Name": "Sold"}]}
    mark = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": mark, "service": service, "Sold": sold})


def write(emulator: Emulator, group: str, *lines: str) -> None:
    """Add a stream with these lines to a log group."""
    logs, stream = emulator.client("logs"), str(uuid4())
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": now, "message": line} for line in lines]
    )


def sums(emulator: Emulator, namespace: str, dimension: Mapping[str, str]) -> Sums:
    """What CloudWatch has in a namespace under this dimension."""
    cloudwatch = emulator.client("cloudwatch")
    now = datetime.now(UTC)
    found: Sums = {}
    for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]:
        if {each["Name"]: each["Value"] for each in metric["Dimensions"]} == dimension:
            (point,) = cloudwatch.get_metric_statistics(
                Namespace=namespace,
                MetricName=metric["MetricName"],
                Dimensions=metric["Dimensions"],
                StartTime=now - timedelta(days=1),
                EndTime=now + timedelta(days=1),
                Period=10 * 365 * 86_400,
                Statistics=["Sum", "SampleCount"],
            )["Datapoints"]
            found[metric["MetricName"]] = (point["Sum"], point["SampleCount"])
    return found


def publish(relay: Relay, mapping: EventSourceMapping) -> None:
    """Publish twice: the second time there is nothing left."""
    cloudwatch = CloudWatch(relay.emulator.client, f"/aws/lambda/{relay.name}", mapping.counted)
    cloudwatch.publish()
    cloudwatch.publish()


def test_a_stream_and_its_mapping_are_counted_under_their_names(emulator: Emulator, name: str) -> None:
    relay = build(emulator, name, {"MaximumRetryAttempts": 1, "DestinationConfig": FAILED})
    relay.put({"n": 0}, {"n": 1, "fails": 99}, {"n": 2})
    mapping = run(relay)
    publish(relay, mapping)
    stream = sums(emulator, "AWS/Kinesis", {"StreamName": name})
    assert stream["IncomingRecords"] == (3, 3)
    assert stream["IncomingBytes"][0] == sum(map(len, ('{"n": 0}', '{"n": 1, "fails": 99}', '{"n": 2}')))
    assert stream["GetRecords.IteratorAgeMilliseconds"][1] > 1
    function = sums(emulator, "AWS/Lambda", {"FunctionName": name})
    invocations = len(mapping.invocations)
    assert {metric: count for metric, (_, count) in function.items()} == dict.fromkeys(
        ["Invocations", "Errors", "Throttles", "Duration", "IteratorAge", "ConcurrentExecutions"], invocations
    )
    assert function["Invocations"][0] == function["ConcurrentExecutions"][0] == invocations
    assert 0 < function["IteratorAge"][0] < SOON * 1000 * invocations
    (given_up,) = mapping.discards
    assert sums(emulator, "AWS/Lambda", {"EventSourceMappingUUID": relay.mapping}) == {
        "OnFailureDestinationDeliveredEventCount": (given_up.count, 1)
    }


def test_only_what_no_destination_was_there_for_is_dropped(emulator: Emulator, name: str) -> None:
    relay = build(emulator, name, {"MaximumRetryAttempts": 0})
    relay.put({"n": 0, "fails": 99})
    publish(relay, run(relay))
    assert sums(emulator, "AWS/Lambda", {"EventSourceMappingUUID": relay.mapping}) == {"DroppedEventCount": (1, 1)}


def test_a_destination_that_takes_nothing_is_counted(emulator: Emulator, name: str) -> None:
    missing = {"OnFailure": {"Destination": f"arn:aws:s3:::{name.replace('_', '-')[:40]}"}}
    relay = build(emulator, name, {"MaximumRetryAttempts": 0, "DestinationConfig": missing})
    relay.put({"n": 0, "fails": 99})
    with EventSourceMapping(relay.mapping, emulator.client, QUICK) as mapping:
        assert mapping.wait_until(lambda: mapping.counters.destination_failures > 2, SOON)
    publish(relay, mapping)
    failures = sums(emulator, "AWS/Lambda", {"FunctionName": name})["DestinationDeliveryFailures"]
    assert failures == (mapping.counters.destination_failures, mapping.counters.destination_failures)
    assert not sums(emulator, "AWS/Lambda", {"EventSourceMappingUUID": relay.mapping})


def test_a_throttled_attempt_has_no_age_and_runs_nothing(emulator: Emulator, name: str) -> None:
    relay = build(emulator, name, {})
    emulator.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    relay.put({"n": 0})
    with EventSourceMapping(relay.mapping, emulator.client, QUICK) as mapping:
        assert mapping.wait_until(lambda: mapping.counters.not_invoked > 2, SOON)
    publish(relay, mapping)
    assert not {"IteratorAge", "ConcurrentExecutions"} & sums(emulator, "AWS/Lambda", {"FunctionName": name}).keys()


def test_each_line_becomes_a_metric_once_while_the_log_grows(emulator: Emulator, name: str) -> None:
    """And a log that isn't there yet breaks nothing."""
    group = f"/shop/{name}"
    with CloudWatch(emulator.client, group, list) as cloudwatch:
        cloudwatch.publish()
        emulator.client("logs").create_log_group(logGroupName=group)
        for sold in range(5):
            write(emulator, group, "START", shop_line(name, sold), shop_line(name, 100))
            cloudwatch.publish()
        # More than a request may hold.
        write(emulator, group, *[shop_line(name, 1)] * 2500)
        cloudwatch.publish()
    assert sums(emulator, "Shop", {"service": name}) == {"Sold": (10 + 500 + 2500, 10 + 2500)}


def test_it_publishes_by_itself_until_it_is_stopped(emulator: Emulator, name: str) -> None:
    group, until = f"/shop/{name}", time.monotonic() + SOON
    emulator.client("logs").create_log_group(logGroupName=group)
    with CloudWatch(emulator.client, group, list, pause=0.01):
        write(emulator, group, shop_line(name, 1))
        while not (found := sums(emulator, "Shop", {"service": name})):
            assert time.monotonic() < until, "not published in time"
        assert found == {"Sold": (1, 1)}
    write(emulator, group, shop_line(name, 1))
    assert sums(emulator, "Shop", {"service": name}) == {"Sold": (1, 1)}


def test_what_could_not_be_published_is_published_later(emulator: Emulator, name: str) -> None:
    """CloudWatch is away for a while; the log and the stream are not."""
    relay = build(emulator, name, {})
    relay.put({"n": 0}, {"n": 1})
    mapping = run(relay)
    group = f"/shop/{name}"
    emulator.client("logs").create_log_group(logGroupName=group)
    write(emulator, group, shop_line(name, 1))
    with Emulator() as other:
        clients = {"logs": emulator.client("logs"), "cloudwatch": other.client("cloudwatch")}
        cloudwatch = CloudWatch(cast("ClientFactory", clients.__getitem__), group, mapping.counted)
        other.stop()
        for _ in range(2):
            with pytest.raises(EndpointConnectionError):
                cloudwatch.publish()
        other.start()
        cloudwatch.publish()
        assert sums(other, "AWS/Kinesis", {"StreamName": name})["IncomingRecords"] == (2, 2)
        assert sums(other, "Shop", {"service": name}) == {"Sold": (1, 1)}


def test_what_is_counted_has_the_units_of_aws() -> None:
    """Ages are milliseconds and bytes are bytes, or the thresholds of alarms mean something else."""
    settings = MappingSettings(uuid="m", stream_arn="a:b:c:d:e:stream/s", function_arn="a:b:c:d:e:function:f")
    counted = MappingMetrics()
    arrived: RecordTypeDef = {
        "SequenceNumber": "1",
        "Data": b"sold",
        "PartitionKey": "k",
        "ApproximateArrivalTimestamp": datetime.now(UTC) - timedelta(seconds=5),
    }
    counted.read([arrived], at_tip=False)
    counted.read([], at_tip=True)
    counted.read([], at_tip=False)
    counted.invoked(InvocationOutcome(result=InvocationResult.SUCCEEDED), counted.invoking(), age=2)
    found = {datum.entry["MetricName"]: datum.entry for datum in counted.take(settings)}
    assert found["GetRecords.IteratorAgeMilliseconds"]["StatisticValues"]["SampleCount"] == 2
    assert {name: (entry["Unit"], entry["StatisticValues"]["Maximum"]) for name, entry in found.items()} == {
        "IncomingRecords": ("Count", 1),
        "IncomingBytes": ("Bytes", 4),
        "GetRecords.IteratorAgeMilliseconds": ("Milliseconds", pytest.approx(5000, abs=500)),
        "IteratorAge": ("Milliseconds", 2000),
        "ConcurrentExecutions": ("Count", 1),
    }
    assert not counted.take(settings)


def test_a_stream_that_idles_has_an_age_twice_a_minute() -> None:
    """Or CloudWatch would fill up in the days that nothing happens."""
    settings = MappingSettings(uuid="m", stream_arn="a:b:c:d:e:stream/s", function_arn="a:b:c:d:e:function:f")
    counted = MappingMetrics()
    for _ in range(1000):
        counted.read([], at_tip=True)
    ((name, samples),) = ((each.entry["MetricName"], each.entry["StatisticValues"]) for each in counted.take(settings))
    assert (name, samples["SampleCount"]) == ("GetRecords.IteratorAgeMilliseconds", 1)
