"""The bench runs, each contestant relays every event once, and the report has what was measured."""

import pytest

from bench import cold_start, report
from bench.contestants import BASELINE, CONTESTANTS, RELAY
from bench.side_by_side import Result, compare
from bench.workloads import Workload

SMALL = Workload(name="Small", records=60, sessions=3, latency=0.001, in_flight=4)


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    """One invocation of each contestant; it would have raised if an event had not arrived exactly once."""
    return compare(SMALL, CONTESTANTS, 1)


def test_grouping_needs_as_few_calls_in_the_others_as_in_the_relay(results: dict[str, Result]) -> None:
    """The baselines would not be fair otherwise."""
    assert {name: result.calls for name, result in results.items()} == {
        "one_call_a_record": 50,
        "one_call_a_record_in_threads": 60,
        BASELINE: 6,
        "aiohttp": 6,
        "awscrt": 6,
        "relay_with_boto3": 6,
        RELAY: 6,
    }


def test_the_comparison_has_a_column_a_contestant(results: dict[str, Result]) -> None:
    text = report.comparison(SMALL, results)
    assert "Small: 60 records of 3 sessions, 1 ms, 4 in flight" in text
    assert all(contestant.title in text for contestant in CONTESTANTS.values())
    for row in ("events/s", "CPU per event, µs", "peak memory, MB", "latency floor, s", "wall / floor"):
        assert row in text


def test_growth_has_a_row_a_size(results: dict[str, Result]) -> None:
    assert "| 60 " in report.growth([results[RELAY]])


def test_a_cold_start_of_each_kind_is_measured() -> None:
    seconds = cold_start.measure(1)
    assert seconds.keys() == cold_start.STARTS.keys()
    assert all(title in report.cold_starts(seconds) for title in seconds)
