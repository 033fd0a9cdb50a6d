"""Compare the clients: the whole handler on one batch, each client in a process of its own, one server for both.

    make bench

The server is the Personalize stand-in with a set latency, without TLS and without checking signatures; it shares the
machine, and serves some thousand calls a second at most, so the faster client's figures are a lower bound.
"""

import base64
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
CLIENTS = ("boto3", "curl")
WORKLOADS = {"dense": (10_000, 400), "sparse": (1_000, 950)}
"""Records, and the sessions they are spread over."""
IN_FLIGHT = 32
LATENCY = 0.02
INVOCATIONS = 5
"""Per client and workload, after one that is not counted."""


def main() -> None:
    """Measure and print a table a workload."""
    console = Console()
    words = [sys.executable, "-m", "local.personalize", "--unsigned", "--latency", str(LATENCY)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own server
        try:
            assert server.stdout  # noqa: S101 - for the type checker: it was asked for
            endpoint = server.stdout.readline().strip()
            for workload in WORKLOADS:
                console.print(_table(workload, {client: _measured(client, workload, endpoint) for client in CLIENTS}))
        finally:
            server.terminate()
            server.communicate()


def _measured(client: str, workload: str, endpoint: str) -> dict[str, float]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT / "lambda"), str(ROOT)]),
        "PUT_EVENTS_CLIENT": client,
        "MAX_IN_FLIGHT": str(IN_FLIGHT),
        "TRACKING_ID": "tracker",
        "QUARANTINE_BUCKET": "none",
        "LOG_LEVEL": "WARNING",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": endpoint,
    }
    words = [sys.executable, "-m", "bench.clients", workload]
    run = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - itself
    measured: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return measured


def measure(workload: str) -> dict[str, float]:
    """Run the handler on the workload, in this process; medians."""
    began = time.perf_counter()
    from personalize_relay.handler import handler  # noqa: PLC0415 - its import is measured

    imported = time.perf_counter() - began
    records, sessions = WORKLOADS[workload]
    event = {"Records": [_record(number, sessions) for number in range(records)]}
    context = cast("LambdaContext", _context())
    handler(event, context)
    wall, cpu = zip(*[_timed(lambda: handler(event, context)) for _ in range(INVOCATIONS)], strict=True)
    return {
        "import, s": imported,
        "events/s": records / statistics.median(wall),
        "CPU per event, µs": statistics.median(cpu) / records * 1e6,
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _timed(work: Any) -> tuple[float, float]:  # noqa: ANN401 - any call
    wall, cpu = time.perf_counter(), time.process_time()
    assert work() == {"batchItemFailures": []}  # noqa: S101 - a figure of a failed run is none
    return time.perf_counter() - wall, time.process_time() - cpu


def _context() -> SimpleNamespace:
    named = {"function_name": "bench", "memory_limit_in_mb": 512, "invoked_function_arn": "", "aws_request_id": ""}
    return SimpleNamespace(**named, get_remaining_time_in_millis=lambda: 60_000)


def _record(number: int, sessions: int) -> dict[str, Any]:
    click = {
        "sessionId": f"session-{number % sessions}",
        "userId": f"user-{number % sessions}",
        "eventType": "click",
        "itemId": f"item-{number}",
        "sentAt": 1_780_000_000 + number,
        "properties": {"device": "phone"},
    }
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": click["sessionId"],
            "sequenceNumber": str(10**55 + number),
            "data": base64.b64encode(json.dumps(click).encode()).decode(),
            "approximateArrivalTimestamp": 1_790_000_000.0,
        },
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-000000000000:{10**55 + number}",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/bench",
    }


def _table(workload: str, measured: dict[str, dict[str, float]]) -> Table:
    records, sessions = WORKLOADS[workload]
    title = f"{workload}: {records:,} records of {sessions} sessions, {LATENCY * 1000:.0f} ms, {IN_FLIGHT} in flight"
    table = Table("", *CLIENTS, "ratio", title=title)
    for name in measured["curl"]:
        boto3, curl = (measured[client][name] for client in CLIENTS)
        table.add_row(name, f"{boto3:,.2f}", f"{curl:,.2f}", f"{curl / boto3:.2f}")
    return table


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure(sys.argv[1])) + "\n")
    else:
        main()
