"""The contestants, each a whole Lambda handler in a process of its own.

    python -m bench.contestants NAME

takes the workload as a line of JSON on standard input, then a line for each invocation it is to make, and answers each
invocation with a line of figures. It ends when its standard input does.
"""

import os
import sys
import time
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TextIO, cast

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from bench.workloads import Handler, Workload


class Contestant(msgspec.Struct, frozen=True, kw_only=True):
    """One way to relay a batch."""

    title: str
    build: str = ""
    """The function that builds its handler, `module:name`; empty for the relay."""
    most_records: int = sys.maxsize
    """How many of the workload's records it is given: few where each takes long."""
    slow: bool = False
    """Whether it is given but a part of the records where the workload says so."""
    at_a_share: int = 5
    """How many of its invocations count at a share of a core: one where each takes long and little hangs on it."""
    at_once: bool = True
    """Whether it has more than one call in flight."""
    put_events_client: str = ""
    """The relay's client; empty for what isn't the relay."""

    def records(self, workload: Workload) -> int:
        """How many of the workload's records it is given."""
        return min(workload.records, self.most_records) // (workload.slow_part if self.slow else 1)

    def in_flight(self, workload: Workload) -> int:
        """How many calls it has in flight at most."""
        return workload.in_flight if self.at_once else 1


BASELINE = "grouped_by_session"
RELAY = "relay_with_curl"
CONTESTANTS = {
    "one_call_a_record": Contestant(
        title="boto3, one by one",
        build="bench.baselines:one_call_a_record",
        most_records=50,
        slow=True,
        at_a_share=1,
        at_once=False,
    ),
    "one_call_a_record_in_threads": Contestant(
        title="boto3, in threads",
        build="bench.baselines:one_call_a_record_in_threads",
        most_records=500,
        slow=True,
        at_a_share=1,
    ),
    BASELINE: Contestant(title="boto3, grouped", build="bench.baselines:grouped_by_session", slow=True),
    "aiohttp": Contestant(title="aiohttp, grouped", build="bench.with_aiohttp:grouped_by_session", slow=True),
    "awscrt": Contestant(title="awscrt, grouped", build="bench.with_awscrt:grouped_by_session"),
    "relay_with_boto3": Contestant(title="relay on boto3", put_events_client="boto3", slow=True, at_a_share=1),
    RELAY: Contestant(title="relay on curl", put_events_client="curl"),
}


class Measured(msgspec.Struct, frozen=True):
    """What one invocation took: seconds, seconds, MB."""

    wall: float
    cpu: float
    peak_memory: float
    """Of the process so far."""


def _handler(name: str, workload: Workload) -> Handler:
    """Import and build only what this contestant needs: its memory is measured."""
    module, _, build = CONTESTANTS[name].build.partition(":")
    if module != "bench.with_awscrt":
        hide_awscrt()
    if not module:
        from personalize_relay.handler import handler  # noqa: PLC0415

        return handler
    return cast("Handler", getattr(import_module(module), build)(workload.in_flight))


def hide_awscrt() -> None:
    """Have botocore go without awscrt, as it does on Lambda: where it is installed, botocore loads it."""
    sys.modules["awscrt"] = cast("ModuleType", None)


def compete(name: str, answers: TextIO) -> None:
    """Make an invocation for each line of standard input."""
    workload = msgspec.json.decode(sys.stdin.readline(), type=Workload)
    handler = _handler(name, workload)
    event = workload.event(CONTESTANTS[name].records(workload))
    named = {"function_name": "bench", "memory_limit_in_mb": 512, "invoked_function_arn": "", "aws_request_id": ""}
    context = cast("LambdaContext", SimpleNamespace(**named, get_remaining_time_in_millis=lambda: 900_000))
    for _line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        response = handler(event, context)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert response == {"batchItemFailures": []}, response  # noqa: S101 - a figure of a failed run is none
        figures = Measured(wall, cpu, _peak_memory())
        print(msgspec.json.encode(figures).decode(), file=answers, flush=True)


def _peak_memory() -> float:
    # Not getrusage, which begins with the peak of the process that this one was forked from.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    # The relay logs and prints its metrics to standard output.
    with os.fdopen(os.dup(1), "w") as figures, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        compete(sys.argv[1], figures)
