"""The mapping when it is updated or deleted while it is at work."""

import threading

import pytest

from tests.local.mapping.scripted import PARENT, SOON, ScriptedFunction, ScriptedStream, Shard, mapping_of, nothing


def test_an_update_is_followed_from_where_the_mapping_stands() -> None:
    """What is read and not yet taken goes on under the new settings, in order; nothing is left out or read again."""
    entered, go_on = threading.Event(), threading.Event()
    batches: list[list[int]] = []

    def hold_the_first(numbers: list[int]) -> None:
        batches.append(numbers)
        if numbers == [1]:
            entered.set()
            assert go_on.wait(SOON)

    stream = ScriptedStream({PARENT: Shard([1, 2, 3, 4, 5])})
    function = ScriptedFunction(hold_the_first, {"BatchSize": 1})
    with mapping_of(stream, function) as mapping:
        assert entered.wait(SOON)
        function.settings = {"BatchSize": 2}
        assert mapping.wait_until(lambda: mapping.settings.batch_size == 2, SOON)
        go_on.set()
        assert mapping.wait_until_drained(SOON)
    assert batches == [[1], [2, 3], [4, 5]]
    assert mapping.counters.acknowledged == mapping.counters.read == 5
    assert stream.asked == [(PARENT, "TRIM_HORIZON")]


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1)])
def test_an_update_of_the_parallelization_loses_and_repeats_nothing(before: int, after: int) -> None:
    """Records wait in other backlogs then, and each key's still in order."""
    entered, go_on = threading.Event(), threading.Event()

    def hold(_: list[int]) -> None:
        entered.set()
        assert go_on.wait(SOON)

    stream = ScriptedStream({PARENT: Shard(list(range(1, 9)))})
    function = ScriptedFunction(hold, {"ParallelizationFactor": before})
    with mapping_of(stream, function) as mapping:
        assert entered.wait(SOON)
        function.settings = {"ParallelizationFactor": after}
        assert mapping.wait_until(lambda: mapping.settings.parallelization == after, SOON)
        go_on.set()
        assert mapping.wait_until_drained(SOON)
    assert function.saw == list(range(1, 9))


def test_a_deleted_mapping_reads_no_more() -> None:
    """What it had under way is settled; what comes later stays in the stream."""
    stream, function = ScriptedStream({PARENT: Shard([1])}), ScriptedFunction(nothing)
    with mapping_of(stream, function) as mapping:
        assert mapping.wait_until_drained(SOON)
        function.deleted = True
        assert mapping.wait_until(lambda: mapping.deleted, SOON)
        stream.shards[PARENT].numbers.append(2)
    assert function.saw == [1]
