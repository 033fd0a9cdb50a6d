"""What a shard asks of Personalize and what the relay costs: the tables of docs/operations.md.

`make docs` writes them.
"""

import math
import re
import sys
from pathlib import Path

from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric

RESULTS = Path(__file__).with_name("results.md")
RECORDS_PER_SECOND = 1000
"""What a shard takes."""
QUOTA = 1000
"""PutEvents calls a second for a dataset group."""
EVENTS_A_CALL = 10
WINDOWS = (1, 2, 5)
GAPS = (1, 2, 5, 10, 30, 60)
MEMORY_GB = 0.5
FULL_CORE_GB = 1769 / 1024
"""The memory at which Lambda gives a function one whole core."""
BATCH = 1000
LOG_BYTES = 3000
"""What an invocation logs: the line, the metrics, Lambda's own lines."""
ALARM_METRICS = 25
"""The metrics of all alarms: what CloudWatch bills."""
# US East, list prices as known in January 2025, in dollars.
GB_SECOND = 0.0000133334
MILLION_REQUESTS = 0.20
LOG_GB = 0.50
STREAM_GB_IN, STREAM_GB_OUT, STREAM_GB_MONTH, STREAM_HOUR = 0.08, 0.04, 0.10, 0.04
CUSTOM_METRIC, ALARM_METRIC, COMPOSITE_ALARM, DASHBOARD = 0.30, 0.10, 0.50, 3.00
MILLION_TRACES = 5.00
ENDPOINT_HOUR = 0.01
KEY = 1.00
HOURS = 730


def calls(gap: float, window: float) -> float:
    """Calls a second for a full shard whose sessions have an event each `gap` seconds, at random.

    In a window a session has events as of a Poisson distribution, and needs a call for each ten begun.
    """
    mean = window / gap
    needed = sum(_more_than(EVENTS_A_CALL * full, mean) for full in range(math.ceil(mean / EVENTS_A_CALL) + 5))
    return RECORDS_PER_SECOND * gap * needed / window


def _more_than(events: int, mean: float) -> float:
    return 1 - math.fsum(math.exp(-mean) * mean**count / math.factorial(count) for count in range(events + 1))


def windows() -> str:
    """The table of windows and gaps."""
    rows = [
        "| a session's events come every | " + " | ".join(f"window {window} s" for window in WINDOWS) + " |",
        "|---|" + "---|" * len(WINDOWS),
    ]
    rows += [f"| {gap} s | " + " | ".join(_cell(gap, window) for window in WINDOWS) + " |" for gap in GAPS]
    return "\n".join(rows)


def _cell(gap: float, window: float) -> str:
    needed = calls(gap, window)
    return f"{RECORDS_PER_SECOND / needed:.2f} events, {needed:.0f}/s, {needed / QUOTA:.0%}"


def measured(workload: str) -> tuple[float, float]:
    """Seconds of waiting and of processor for an event, of the last column of a table in results.md."""
    table = RESULTS.read_text().partition(f"## {workload}:")[2].partition("## ")[0]
    figures = {
        name: float(value.replace(",", ""))
        for name, value in re.findall(r"^\| ([^|]+?) +\|.*\| +([\d.,]+) \|$", table, re.MULTILINE)
    }
    return figures["latency floor, s"] / figures["events"], figures["CPU per event, µs"] / 1e6


def function_cost(workload: str) -> float:
    """Lambda's price of a million events: what is waited, and what is computed with the share of a core there is."""
    waiting, computing = measured(workload)
    seconds = 1e6 * (waiting + computing * FULL_CORE_GB / MEMORY_GB)
    return seconds * MEMORY_GB * GB_SECOND + 1e6 / BATCH * MILLION_REQUESTS / 1e6


def costs() -> str:
    """The table of what a million events cost."""
    gigabytes = 1e6 * 1024 / 1024**3
    kept = gigabytes * 24 / HOURS  # the first of the two days is free
    rows = [
        ("Lambda, where a call holds 8.3 events and takes 20 ms", function_cost("Dense")),
        ("Lambda, where a call holds 1.05 events and takes 100 ms", function_cost("Sparse, slow API")),
        ("Logs of 1,000 batches", 1e6 / BATCH * LOG_BYTES / 1024**3 * LOG_GB),
        (
            "Kinesis on-demand, records of up to 1 KB, in, out and kept for two days",
            gigabytes * (STREAM_GB_IN + STREAM_GB_OUT) + kept * STREAM_GB_MONTH,
        ),
    ]
    return _priced("a million events", rows)


def monthly() -> str:
    """The table of what a month costs without a single event, and with every metric."""
    least = len(Metric) - len({Metric.EVENTS_QUARANTINED, Metric.QUARANTINE_WRITE_ERRORS, Metric.INTERNAL_ERRORS})
    most = len(Metric) + len(Reason)
    rows = [
        ("Kinesis on-demand stream", STREAM_HOUR * HOURS),
        (f"{least} custom metrics, in a month without failures", least * CUSTOM_METRIC),
        (f"{most} custom metrics, in a month with every reason", most * CUSTOM_METRIC),
        (f"Alarms, {ALARM_METRICS} metrics and one composite", ALARM_METRICS * ALARM_METRIC + COMPOSITE_ALARM),
        ("Dashboard", DASHBOARD),
        ("X-Ray, a trace a second, as it samples a busy shard", 3600 * HOURS / 1e6 * MILLION_TRACES),
        ("Endpoint for PutEvents in two zones, with `vpc`", 2 * HOURS * ENDPOINT_HOUR),
        ("Key, with `customerKey`", KEY),
    ]
    return _priced("a month", rows)


def _priced(what: str, rows: list[tuple[str, float]]) -> str:
    return "\n".join([f"| {what} | $ |", "|---|---:|", *(f"| {name} | {price:.3g} |" for name, price in rows)])


def main(document: Path) -> None:
    """Put the tables in the place of those that begin like them."""
    tables = {table.partition("\n")[0]: table for table in (windows(), costs(), monthly())}
    blocks = document.read_text().split("\n\n")
    document.write_text("\n\n".join(tables.get(block.partition("\n")[0], block) for block in blocks))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
