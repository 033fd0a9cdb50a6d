"""Compare the relay with what boto3, aiohttp and awscrt can do, side by side, on this machine.

    make bench

It needs Linux, for its cores and figures.
One server stands in for Personalize over TLS, with a set latency. Every contestant is a whole handler in its own
process; if the machine has two cores, the server and the contestant have one each. Writes bench/results.md.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench import cold_start, reading, report
from bench.at_shares import compare_at_shares
from bench.contestants import CONTESTANTS, RELAY
from bench.cpu_share import NoControlGroup
from bench.side_by_side import compare
from bench.workloads import AT_SHARES, GROWING, WORKLOADS

RESULTS = Path(__file__).with_name("results.md")
INVOCATIONS = 5
COLD_STARTS = 15

PREFACE = """\
# Results of `make bench`

{machine}; {date}.

- Every contestant is a whole handler in its own process: it takes a Lambda event, and returns the partial batch
  response.
- Figures are medians of {invocations} invocations, after one that doesn't count; the contestants take turns.
- One server (Granian, TLS, HTTP/1.1 with keep-alive) answers them all, after the latency named. It has one core, the
  contestant the other; "server busy" is the share of its core that it used.
- The benchmark checks that each event arrives exactly once.
- CPU is the contestant's, user and system.
- The floor is calls / in flight x latency.
- At a share of a core, only the contestant is in a control group with a CPU quota for each 20 ms. It imports, builds
  and warms up with a whole core, as on Lambda. The contestants take turns; those with a single invocation come last.
  All but awscrt and the relay on curl are slow, so they get a quarter of the records, from a quarter of the sessions;
  this lowers their memory.
- "Of what the share allows" compares events/s with the rate that the share allows at the CPU per event that the same
  process needed with a whole core. Above 100 %, an event cost less CPU than with a whole core.

| | |
|---|---|
| boto3, one by one | Powertools' BatchProcessor makes a call a record; fewer records, because it is slow |
| boto3, in threads | Powertools' AsyncBatchProcessor makes a call a record, in as many threads as calls in flight |
| boto3, grouped | requests of up to ten events of a session, in as many threads: boto3 at its best, ratio 1 |
| aiohttp, grouped | aiohttp makes the same requests on one event loop; botocore's SigV4Auth signs them |
| awscrt, grouped | the AWS SDKs' runtime in C makes and signs the same requests |
| relay on boto3 | this handler with `PUT_EVENTS_CLIENT=boto3` |
| relay on curl | this handler with `PUT_EVENTS_CLIENT=curl`, the default |

The grouped contestants only group and send: they check no event, retry only what boto3 retries by itself, and neither
log nor count.
"""


def main() -> None:
    """Measure, print and write."""
    with RESULTS.open("w") as file:
        for part in parts():
            print(part, flush=True)  # noqa: T201 - a command's output
            print(part, file=file, flush=True)


def parts() -> Iterator[str]:
    """The report's parts, each as soon as it is measured."""
    machine = report.machine(len(os.sched_getaffinity(0)))
    yield PREFACE.format(machine=machine, date=datetime.now(UTC).date(), invocations=INVOCATIONS)
    for workload in WORKLOADS:
        yield report.comparison(workload, compare(workload, CONTESTANTS, INVOCATIONS))
    yield from at_shares()
    yield report.cold_starts(cold_start.measure(COLD_STARTS))
    yield report.reading(reading.measure())
    yield report.growth(compare(size, [RELAY], INVOCATIONS)[RELAY] for size in GROWING)


def at_shares() -> Iterator[str]:
    """The parts that show where a function lives, or one that says why there are none."""
    try:
        for workload in AT_SHARES:
            yield report.at_shares(workload, compare_at_shares(workload, CONTESTANTS))
    except NoControlGroup as exc:
        yield report.no_shares(str(exc))


if __name__ == "__main__":
    main()
