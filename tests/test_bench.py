"""The bench runs, each contestant relays every event once, and the report has what was measured."""

from pathlib import Path

import msgspec
import pytest

from bench import cold_start, report
from bench.at_shares import SHARES, Shared, compare_at_shares
from bench.contestants import BASELINE, CONTESTANTS, RELAY
from bench.cpu_share import CpuGroup, NoControlGroup, cpu_group, version_1, version_2
from bench.side_by_side import Medians, compare
from bench.workloads import Workload

pytestmark = pytest.mark.slow  # each runs a measurement

SMALL = Workload(name="Small", records=60, sessions=3, latency=0.001, in_flight=4)
IN_PARTS = Workload(name="In parts", records=60, sessions=12, latency=0.001, in_flight=4, slow_part=4)


@pytest.fixture(scope="module")
def results() -> dict[str, Medians]:
    """One invocation of each contestant; it would have raised if an event had not arrived exactly once."""
    return compare(SMALL, CONTESTANTS, 1)


def test_grouping_needs_as_few_calls_in_the_others_as_in_the_relay(results: dict[str, Medians]) -> None:
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


def test_the_comparison_has_a_column_a_contestant(results: dict[str, Medians]) -> None:
    text = report.comparison(SMALL, results)
    assert "Small: 60 records of 3 sessions, 1 ms, 4 in flight" in text
    assert all(contestant.title in text for contestant in CONTESTANTS.values())
    for row in ("events/s", "CPU per event, µs", "peak memory, MB", "latency floor, s", "wall / floor"):
        assert row in text


def test_growth_has_a_row_a_size(results: dict[str, Medians]) -> None:
    assert "| 60 " in report.growth([results[RELAY]])


@pytest.mark.whole
def test_a_cold_start_of_each_kind_is_measured() -> None:
    starts = cold_start.measure(1)
    assert starts.keys() == cold_start.STARTS.keys()
    assert all(start.cpu > 0 for start in starts.values())
    assert all(title in report.cold_starts(starts) for title in starts)


def test_a_part_of_a_workload_has_as_many_records_a_session() -> None:
    """A slow contestant's requests would not be as full as the others' otherwise."""
    part = CONTESTANTS[BASELINE].records(IN_PARTS)
    sessions = [record["kinesis"]["partitionKey"] for record in IN_PARTS.event(part)["Records"]]
    assert (len(sessions), len(set(sessions))) == (15, 3)


def test_a_contestant_is_measured_at_a_share_of_a_core() -> None:
    """Only where the machine lets us make a control group."""
    try:
        by_name = compare_at_shares(IN_PARTS, [BASELINE, RELAY], [0.5])[0.5]
    except NoControlGroup as exc:
        pytest.skip(str(exc))
    assert {name: each.limited.records for name, each in by_name.items()} == {BASELINE: 15, RELAY: 60}


def test_a_group_is_removed_even_after_an_interrupt() -> None:
    """Only where the machine lets us make one."""
    made = []

    def interrupted() -> None:
        with cpu_group() as group:
            made.append(group.folder)
            raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    except NoControlGroup as exc:
        pytest.skip(str(exc))
    assert not made[0].exists()


def test_what_a_share_allows_is_what_it_does_at_the_cpu_of_a_whole_core(results: dict[str, Medians]) -> None:
    whole = msgspec.structs.replace(results[RELAY], records=100, cpu=0.1)
    limited = msgspec.structs.replace(whole, wall=2.5)
    shared = Shared(share=0.05, invocations=1, limited=limited, whole=whole)
    assert shared.allowed == pytest.approx(50)
    assert shared.used == pytest.approx(0.8)


def test_the_report_has_a_table_a_share(results: dict[str, Medians]) -> None:
    by_name = {name: Shared(share=0.5, invocations=1, limited=result, whole=result) for name, result in results.items()}
    text = report.at_shares(SMALL, dict.fromkeys(SHARES, by_name))
    for share, memory in SHARES.items():
        assert f"## At {share} of a core, as a function of {memory} MB has. Small: 60 records" in text
    for row in ("events/s", "CPU per event, µs", "of what the share allows", "peak memory, MB"):
        assert text.count(f"| {row}") == len(SHARES)


def test_a_machine_without_control_groups_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NoControlGroup, match=r"cgroup\.subtree_control") as none, cpu_group(tmp_path):
        pass
    assert report.no_shares(str(none.value)).count(f"{none.value}.") == 1


def test_a_machine_whose_groups_have_no_cpu_says_so(tmp_path: Path) -> None:
    (tmp_path / "cgroup.subtree_control").write_text("memory pids\n")
    with pytest.raises(NoControlGroup, match="does not name cpu"), cpu_group(tmp_path):
        pass


def test_a_machine_where_no_group_can_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    with pytest.raises(NoControlGroup, match="no group can be made"), cpu_group(tmp_path, name="cpu.cfs_quota_us"):
        pass


def test_a_quota_is_written_as_version_1_has_it_and_taken_back(tmp_path: Path) -> None:
    group = CpuGroup(tmp_path, version_1)
    with group.limited(0.07):
        assert (tmp_path / "cpu.cfs_period_us").read_text() == "20000"
        assert (tmp_path / "cpu.cfs_quota_us").read_text() == "1400"
    assert (tmp_path / "cpu.cfs_quota_us").read_text() == "-1"


def test_a_quota_is_written_as_version_2_has_it_and_taken_back(tmp_path: Path) -> None:
    group = CpuGroup(tmp_path, version_2)
    with group.limited(0.29):
        assert (tmp_path / "cpu.max").read_text() == "5800 20000"
    assert (tmp_path / "cpu.max").read_text() == "max 20000"
