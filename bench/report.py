"""The measurements in Markdown's tables, which read well on a terminal, too."""

import platform
from collections.abc import Callable, Iterable, Mapping

from bench.at_shares import SHARES, Shared
from bench.cold_start import Start
from bench.contestants import BASELINE
from bench.side_by_side import Medians
from bench.workloads import Workload

MICRO = 1e6


def machine(cores: int) -> str:
    """What kind of machine this is; not which."""
    return f"{cores} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def comparison(workload: Workload, results: Mapping[str, Medians]) -> str:
    """A column a contestant; ratios against boto3 at its best."""
    rows = [[name, *map(figure, results.values())] for name, figure in _figures(results[BASELINE]).items()]
    return _table(workload.title, ["", *(result.title for result in results.values())], rows)


def _figures(baseline: Medians) -> dict[str, Callable[[Medians], str]]:
    return {
        "events": lambda each: f"{each.records:,}",
        "events/s": lambda each: f"{each.events_a_second:,.0f}",
        "ratio": lambda each: f"{each.events_a_second / baseline.events_a_second:.2f}",
        "CPU per event, µs": lambda each: f"{each.cpu_an_event * MICRO:,.0f}",
        "ratio ": lambda each: f"{each.cpu_an_event / baseline.cpu_an_event:.3f}",
        "calls": lambda each: f"{each.calls:,.0f}",
        "events a call": lambda each: f"{each.records / each.calls:.2f}",
        "latency floor, s": lambda each: f"{each.floor:.3f}",
        "wall, s": lambda each: f"{each.wall:.3f}",
        "wall / floor": lambda each: f"{each.wall / each.floor:.2f}",
        "peak memory, MB": lambda each: f"{each.peak_memory:.0f}",
        "server busy": lambda each: f"{each.server_cpu / each.wall:.0%}",
    }


def at_shares(workload: Workload, results: Mapping[float, Mapping[str, Shared]]) -> str:
    """A table a share, each with a column a contestant; ratios against boto3 at its best."""
    return "\n".join(
        _table(
            f"At {share} of a core, as a function of {SHARES[share]} MB has. {workload.title}",
            ["", *(each.limited.title for each in by_name.values())],
            [[name, *map(figure, by_name.values())] for name, figure in _shared_figures(by_name[BASELINE]).items()],
        )
        for share, by_name in results.items()
    )


def _shared_figures(baseline: Shared) -> dict[str, Callable[[Shared], str]]:
    rate, peak = baseline.limited.events_a_second, baseline.limited.peak_memory
    return {
        "events": lambda each: f"{each.limited.records:,}",
        "invocations": lambda each: f"{each.invocations}",
        "events/s": lambda each: f"{each.limited.events_a_second:,.0f}",
        "ratio": lambda each: f"{each.limited.events_a_second / rate:.2f}",
        "CPU per event, µs": lambda each: f"{each.limited.cpu_an_event * MICRO:,.0f}",
        "with a whole core, µs": lambda each: f"{each.whole.cpu_an_event * MICRO:,.0f}",
        "of what the share allows": lambda each: f"{each.used:.0%}",
        "peak memory, MB": lambda each: f"{each.limited.peak_memory:.0f}",
        "ratio ": lambda each: f"{each.limited.peak_memory / peak:.2f}",
    }


def no_shares(missing: str) -> str:
    """The one sentence of a machine where a process cannot be held to a share of a core."""
    return f"## At a share of a core\n\nNot measured: this machine has no control group with a CPU quota, {missing}.\n"


def reading(seconds: Mapping[str, float]) -> str:
    """A row for each way that an event may be packed or written; ratios against the usual one."""
    usual = list(seconds.values())[1]
    rows = [[name, f"{each * MICRO:.1f}", f"{each / usual:.2f}"] for name, each in seconds.items()]
    return _table(
        "Reading an event, from the record's base64 to the interaction: CPU", ["", "µs an event", "ratio"], rows
    )


def cold_starts(starts: Mapping[str, Start]) -> str:
    """A row a start; ratios against the first."""
    baseline = next(iter(starts.values()))
    rows = [
        [title, *(f"{each * 1000:.0f}" for each in start), f"{start.cpu / baseline.cpu:.3f}"]
        for title, start in starts.items()
    ]
    headings = ["", "ms", "CPU, ms", "ratio of CPU"]
    return _table("Cold start: import and first build, in a fresh interpreter", headings, rows)


def growth(results: Iterable[Medians]) -> str:
    """A row a size."""
    rows = [
        [
            f"{result.records:,}",
            f"{result.wall:.3f}",
            f"{result.cpu * 1000:.1f}",
            f"{result.cpu_an_event * MICRO:.0f}",
            f"{result.peak_memory:.0f}",
        ]
        for result in results
    ]
    columns = ["events", "wall, s", "CPU, ms", "CPU per event, µs", "peak memory, MB"]
    return _table("Growth: the relay on curl, 25 events a session, 20 ms, 32 in flight", columns, rows)


def _table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown: text at the left, then figures at the right."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        " | ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))])
        for first, *rest in [columns, rule, *rows]
    ]
    return "\n".join([f"## {title}", "", *(f"| {line} |" for line in lines), ""])
