"""The entry point as Lambda runs it: a process of its own, an environment, an event."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.personalize.answers import DENIED
from local.personalize.faults import Fault
from local.personalize.server import PersonalizeFake
from tests import canaries
from tests.canaries import CANARY
from tests.simulation.world import click, record

pytestmark = pytest.mark.slow  # each starts the function in a process

ROOT = Path(__file__).parents[1]

# Lambda's own JSON logging sets the root logger up before the handler loads, at the level its settings say.
INVOKE = """
import gc, json, logging, sys, time
logging.basicConfig(level=logging.DEBUG)
sys.path.insert(0, "lambda")
from personalize_relay.handler import handler
end = time.monotonic() + 4

class Context:
    function_name, memory_limit_in_mb, invoked_function_arn, aws_request_id = "relay", 512, "arn", "request"

    def get_remaining_time_in_millis(self):
        return int((end - time.monotonic()) * 1000)

def collections():
    return sum(each["collections"] for each in gc.get_stats())

event, before = json.load(sys.stdin), collections()
print("ANSWER", json.dumps(handler(event, Context())))
print("COLLECTIONS", collections() - before)
"""


@pytest.fixture
def personalize() -> Iterator[PersonalizeFake]:
    """The service, on loopback."""
    with PersonalizeFake() as running:
        yield running


class Invocation:
    """One invocation in a fresh sandbox, and all that it printed."""

    def __init__(self, event: Mapping[str, Any], personalize: PersonalizeFake, **environment: str) -> None:
        usual = {
            "TRACKING_ID": "tracker",
            "QUARANTINE_BUCKET": "bucket",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint,
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
            "PATH": os.environ["PATH"],
        }
        run = subprocess.run(  # noqa: S603 - our own handler
            [sys.executable, "-c", INVOKE],
            input=json.dumps(event),
            env={name: value for name, value in {**usual, **environment}.items() if value},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.output = run.stdout + run.stderr
        self.answer = next(
            (json.loads(line[7:]) for line in run.stdout.splitlines() if line.startswith("ANSWER ")), None
        )
        self.collections = [int(line[12:]) for line in run.stdout.splitlines() if line.startswith("COLLECTIONS ")]
        self.lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]

    @property
    def metrics(self) -> Counter[str]:
        """The metrics of all EMF lines, added up."""
        totals: Counter[str] = Counter()
        for line in self.lines:
            if "_aws" in line:
                names = [metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
                totals.update({name: sum(line[name]) if isinstance(line[name], list) else line[name] for name in names})
        return totals


def test_a_batch_is_delivered_counted_and_logged_in_one_line(personalize: PersonalizeFake) -> None:
    batch = [record(n, click(f"s{n % 2}")) for n in range(30)]
    got = Invocation({"Records": batch}, personalize)
    assert got.answer == {"batchItemFailures": []}
    assert personalize.accepted_count == 30
    assert got.metrics["EventsDelivered"] == 30
    assert got.metrics["PutEventsCalls"] == 4
    assert min(got.metrics[name] for name in ("DeliveryLag", "EventAge", "PutEventsLatency", "PeakMemory")) > 0
    (line,) = [line for line in got.lines if "message" in line]
    assert line["counts"]["EventsDelivered"] == 30


def test_the_garbage_collector_rests_while_a_batch_is_relayed(personalize: PersonalizeFake) -> None:
    batch = [record(n, click(f"s{n % 100}")) for n in range(3000)]
    got = Invocation({"Records": batch}, personalize, SHADOW="true")
    assert got.metrics["EventsShadowed"] == 3000
    assert got.collections == [0]


def test_a_bucket_out_of_reach_means_the_bad_record_comes_again(personalize: PersonalizeFake) -> None:
    got = Invocation({"Records": [record(1, click()), record(2, b"bad")]}, personalize)
    assert got.answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert got.metrics["QuarantineWriteErrors"] >= 1
    assert personalize.accepted_count == 1


def test_denied_access_is_counted_and_everything_reported(personalize: PersonalizeFake) -> None:
    personalize.inject(Fault(DENIED))
    got = Invocation({"Records": [record(1, click()), record(2, b"bad")]}, personalize)
    assert got.answer == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
    assert got.metrics["ConfigurationErrors"] == 2, "at once, and after a rest of a second"


@pytest.mark.parametrize("mapping", ["", "segment"])
def test_nothing_of_a_record_is_logged_even_at_the_most_talkative(personalize: PersonalizeFake, mapping: str) -> None:
    """However it is packed: not with every logger at DEBUG, nor with Powertools' switches for logging events set."""
    good, bad = canaries.good(), canaries.bad()
    data = [*canaries.framed(good), *canaries.framed(bad)]
    batch = [record(number, each) for number, each in enumerate(data)]
    for each in batch:
        each["kinesis"]["partitionKey"] = CANARY
    broken = record(len(batch), data[0])
    broken["kinesis"]["approximateArrivalTimestamp"] = CANARY
    settings = {"LOG_LEVEL": "DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT": "true", "MAPPING": mapping}
    got = Invocation({"Records": [*batch, broken]}, personalize, **settings)
    assert got.answer
    assert got.metrics["EventsReceived"] > 5 * len(good + bad)
    assert got.metrics["EventsDelivered"] > 5 * len(good) or mapping
    assert CANARY not in got.output
    encoded = [each["kinesis"]["data"] for each in batch]
    assert not [data for data in encoded if data in got.output]


@pytest.mark.parametrize("name", ["TRACKING_ID", "QUARANTINE_BUCKET"])
def test_a_missing_setting_stops_the_function_at_its_start_and_is_named(
    personalize: PersonalizeFake, name: str
) -> None:
    got = Invocation({"Records": [record(1, click())]}, personalize, **{name: ""})
    assert got.answer is None
    assert f"ConfigurationError: {name} must be set" in got.output
    assert personalize.call_count == 0


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": [{"body": CANARY}]}, {"source": CANARY}])
def test_an_event_of_another_service_is_refused(personalize: PersonalizeFake, event: dict[str, Any]) -> None:
    got = Invocation(event, personalize)
    assert got.answer is None
    assert "map a Kinesis stream to this function" in got.output
    assert CANARY not in got.output


def test_a_failure_of_the_relay_itself_says_where_and_not_what(personalize: PersonalizeFake) -> None:
    broken = record(1, click())
    broken["kinesis"]["sequenceNumber"] = CANARY
    got = Invocation({"Records": [broken]}, personalize)
    assert got.answer is None
    assert "RuntimeError: the relay failed: ValueError at " in got.output
    assert CANARY not in got.output
    assert got.metrics["InternalErrors"] == 1
