"""What soon cures itself delays a batch by little more than it lasted, whatever time an invocation has.

Over HTTP, with the handler in a process of its own; that of a long outage stands in tests/simulation/test_rests.py.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from local.personalize.answers import DENIED
from local.personalize.faults import Fault
from local.personalize.server import PersonalizeFake
from tests.simulation.world import click, record

pytestmark = pytest.mark.slow  # each lasts as long as an outage

ROOT = Path(__file__).parents[1]
LIMITS = (10, 60, 900)
"""Seconds that an invocation may have."""
STUCK = 30.0
"""Seconds after which a sandbox is ended, so that a test fails that would wait for it."""
RECORDS = [record(number, click(f"s{number % 20}")) for number in range(100)]

SANDBOX = """
import json, sys, time
sys.path.insert(0, "lambda")
from personalize_relay.handler import handler

class Context:
    function_name, memory_limit_in_mb, invoked_function_arn, aws_request_id = "relay", 512, "arn", "request"

    def __init__(self):
        self.end = time.monotonic() + float(sys.argv[1])

    def get_remaining_time_in_millis(self):
        return int((self.end - time.monotonic()) * 1000)

print("READY")
for line in sys.stdin:
    print("ANSWER", json.dumps(handler(json.loads(line), Context())))
"""


class Bucket(ThreadingHTTPServer):
    """An S3 endpoint on loopback that answers 503 for so many seconds from the first request, and then keeps the keys.

    From the first request: how long the function takes to build its client is not what is measured.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Putting)
        self.away = 0.0
        """Seconds."""
        self.keys: list[str] = []
        self.refused = 0
        self.first: float | None = None
        """When the first request came, on the monotonic clock."""

    def refuses(self) -> bool:
        """Whether a request that has just come is refused."""
        now = time.monotonic()
        if self.first is None:
            self.first = now
        away = now < self.first + self.away
        self.refused += away
        return away

    @property
    def endpoint(self) -> str:
        """The URL to give to a client as its endpoint."""
        return f"http://127.0.0.1:{self.server_port}"


class Putting(BaseHTTPRequestHandler):
    """Answers PutObject."""

    server: Bucket
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Keep the object's key, or refuse it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        away = self.server.refuses()
        if not away:
            self.server.keys.append(self.path)
        self.send_response(503 if away else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


class Sandbox:
    """The handler in a process of its own, which does one invocation after the other, each with so many seconds."""

    def __init__(self, limit: int, personalize: PersonalizeFake, bucket: Bucket) -> None:
        environment = {
            "TRACKING_ID": "tracker",
            "QUARANTINE_BUCKET": "bucket",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint,
            "AWS_ENDPOINT_URL_S3": bucket.endpoint,
            "PATH": os.environ["PATH"],
        }
        self.personalize, self.bucket = personalize, bucket
        # Unbuffered, as Lambda's runtime sets it.
        command = [sys.executable, "-u", "-c", SANDBOX, str(limit)]
        self._process = subprocess.Popen(  # noqa: S603 - our own handler
            command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._watchdog = threading.Timer(STUCK, self._process.kill)

    def __enter__(self) -> Self:
        self._watchdog.start()
        self.read(lambda line: line.startswith("READY"))
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.communicate()

    def begin(self, records: Sequence[dict[str, Any]]) -> None:
        """Begin an invocation."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"Records": records}) + "\n")
        self._process.stdin.flush()

    def read(self, wanted: Callable[[str], bool]) -> str:
        """The next such line of what it prints, as soon as it comes."""
        assert self._process.stdout
        for line in self._process.stdout:
            if wanted(line):
                return line
        raise AssertionError("the sandbox has ended without it")

    def invoke(self, records: Sequence[dict[str, Any]]) -> list[str]:
        """Do an invocation; returns the sequence numbers that it reports."""
        self.begin(records)
        answer = self.read(lambda line: line.startswith("ANSWER ")).removeprefix("ANSWER ")
        return [each["itemIdentifier"] for each in json.loads(answer)["batchItemFailures"]]

    def settle(self, records: Sequence[dict[str, Any]]) -> float:
        """Invoke as the mapping does until nothing is reported; returns the seconds that it took."""
        began = time.monotonic()
        while records:
            lowest = min(map(int, self.invoke(records)), default=None)
            records = [] if lowest is None else [each for each in records if number_of(each) >= lowest]
        return time.monotonic() - began


def number_of(each: dict[str, Any]) -> int:
    return int(each["kinesis"]["sequenceNumber"])


@contextmanager
def sandbox(limit: int) -> Iterator[Sandbox]:
    """A warm sandbox, with a service and a bucket of its own."""
    with PersonalizeFake() as personalize, Bucket() as bucket:
        serving = threading.Thread(target=bucket.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            with Sandbox(limit, personalize, bucket) as warm:
                yield warm
        finally:
            bucket.shutdown()
            serving.join()


def at_each_limit(live: Callable[[Sandbox], float]) -> dict[int, float]:
    """The seconds that something takes, by the time of an invocation; all at once, as it mostly rests."""

    def seconds(limit: int) -> float:
        with sandbox(limit) as warm:
            return live(warm)

    with ThreadPoolExecutor(len(LIMITS)) as pool:
        return dict(zip(LIMITS, pool.map(seconds, LIMITS), strict=True))


def test_after_one_denied_call_all_is_delivered_within_three_seconds() -> None:
    """Credentials or a policy that had not reached every server."""

    def live(warm: Sandbox) -> float:
        warm.personalize.inject(Fault(DENIED, times=1))
        seconds = warm.settle(RECORDS)
        assert warm.personalize.accepted_count == len(RECORDS)
        return seconds

    took = at_each_limit(live)
    assert max(took.values()) <= 3, took


def test_a_batch_is_settled_soon_after_a_bucket_that_was_away_for_five_seconds() -> None:
    """Good records are delivered, and bad ones stored in one object."""
    bad = {3, 50, 99}
    batch = [record(number, b"bad") if number in bad else RECORDS[number] for number in range(len(RECORDS))]

    def live(warm: Sandbox) -> float:
        warm.bucket.away = 5
        warm.settle(batch)
        assert warm.bucket.refused
        assert len(set(warm.bucket.keys)) == 1
        assert warm.personalize.accepted_count == len(RECORDS) - len(bad)
        assert warm.bucket.first
        return time.monotonic() - warm.bucket.first

    took = at_each_limit(live)
    assert max(took.values()) <= 15, took


def test_after_three_seconds_of_denied_access_all_is_delivered_soon() -> None:
    def live(warm: Sandbox) -> float:
        warm.personalize.inject(Fault(DENIED, seconds=3))
        seconds = warm.settle(RECORDS)
        assert warm.personalize.accepted_count == len(RECORDS)
        return seconds

    took = at_each_limit(live)
    assert max(took.values()) <= 15, took


def test_denied_access_is_counted_as_it_happens_and_not_at_the_end_of_the_invocation() -> None:
    """An alarm that waits for a quarter of an hour is none."""
    denied: list[float] = []

    def happens(_request: object) -> bool:
        denied.append(time.monotonic())
        return True

    with sandbox(900) as warm:
        warm.personalize.inject(Fault(DENIED, when=happens))
        warm.begin(RECORDS)
        line = warm.read(lambda line: "ConfigurationErrors" in line or line.startswith("ANSWER "))
        seen = time.monotonic()
    assert json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] == "ConfigurationErrors"
    assert seen - denied[0] < 1
