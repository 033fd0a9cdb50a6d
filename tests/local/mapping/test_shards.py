"""The mapping and what only a scripted stream can show: resharding, expired iterators, an invocation under way."""

import threading
from typing import Any

import pytest

from local.mapping.clock import Pauses
from local.mapping.settings import UnsupportedMapping
from tests.local.mapping.scripted import (
    ADJACENT,
    CHILD,
    PARENT,
    SOON,
    ScriptedFunction,
    ScriptedStream,
    Shard,
    mapping_of,
    nothing,
)


@pytest.mark.parametrize("parents", [(PARENT,), (PARENT, ADJACENT)])
def test_a_child_shard_waits_until_its_parents_are_drained(parents: tuple[str, ...]) -> None:
    """After a split or a merge no record of a child overtakes one of a parent that is still failing."""
    entered, go_on = threading.Event(), threading.Event()

    def hold_the_second(numbers: list[int]) -> None:
        if numbers == [2]:
            entered.set()
            assert go_on.wait(SOON)

    old = {name: Shard([1, 2, 3] if name == PARENT else [], closed=True) for name in parents}
    stream = ScriptedStream(old | {CHILD: Shard([4, 5], parents)})
    function = ScriptedFunction(hold_the_second)
    with mapping_of(stream, function) as mapping:
        assert entered.wait(SOON)
        assert CHILD not in dict(stream.asked)
        go_on.set()
        assert mapping.wait_until_drained(SOON)
        assert mapping.wait_until(lambda: mapping.counters.acknowledged == 5, SOON)
    assert function.saw == [1, 2, 3, 4, 5]


def test_a_later_shard_is_read_from_its_beginning() -> None:
    """LATEST holds for the shards of the start alone: what a reshard brings is read whole."""
    stream = ScriptedStream({PARENT: Shard([1])})
    function = ScriptedFunction(nothing, {"StartingPosition": "LATEST"})
    with mapping_of(stream, function) as mapping:
        assert mapping.wait_until_drained(SOON)
        stream.shards[PARENT].closed = True
        stream.shards[CHILD] = Shard([2], [PARENT])
        assert mapping.wait_until(lambda: mapping.counters.acknowledged == 1, SOON)
    assert function.saw == [2]
    assert stream.asked == [(PARENT, "LATEST"), (CHILD, "TRIM_HORIZON")]


def test_an_expired_iterator_loses_and_repeats_nothing() -> None:
    """Reading goes on behind the last record that was read."""
    stream = ScriptedStream({PARENT: Shard([1, 2])})
    function = ScriptedFunction(nothing)
    with mapping_of(stream, function) as mapping:
        assert mapping.wait_until_drained(SOON)
        stream.expire_once = True
        stream.shards[PARENT].numbers.append(3)
        assert mapping.wait_until_drained(SOON)
    assert function.saw == [1, 2, 3]
    assert stream.asked == [(PARENT, "TRIM_HORIZON"), (PARENT, "AFTER_SEQUENCE_NUMBER")]


def test_a_shard_with_nothing_in_it_is_read_no_sooner_than_its_pace_says() -> None:
    """But at once for whoever waits until it is drained: once, and again after each read that found something."""
    hourly = Pauses(poll_seconds=3600, discover_seconds=3600)
    stream, function = ScriptedStream({PARENT: Shard([1])}), ScriptedFunction(nothing)
    with mapping_of(stream, function, hourly) as mapping:
        for number in (2, 3, 4):
            assert mapping.wait_until_drained(SOON)
            reads = stream.reads
            stream.shards[PARENT].numbers.append(number)
            assert mapping.wait_until_drained(SOON)
            assert stream.reads - reads == 2
    assert function.saw == [1, 2, 3, 4]


def test_what_idles_asks_as_often_as_lambda() -> None:
    """Once a second, or the emulator takes a core for nothing."""
    assert Pauses().poll_seconds == 1
    assert Pauses().discover_seconds >= 1


def test_stopping_waits_for_the_invocation_under_way() -> None:
    """What the function is at work on is settled before `stop` returns."""
    entered, go_on = threading.Event(), threading.Event()

    def hold(_: list[int]) -> None:
        entered.set()
        assert go_on.wait(SOON)

    mapping = mapping_of(ScriptedStream({PARENT: Shard([1])}), ScriptedFunction(hold))
    mapping.start()
    assert entered.wait(SOON)
    stopping = threading.Thread(target=mapping.stop)
    stopping.start()
    stopping.join(0.1)
    assert stopping.is_alive()
    go_on.set()
    stopping.join(SOON)
    assert (stopping.is_alive(), mapping.counters.acknowledged, mapping.unacknowledged) == (False, 1, 0)


def test_what_a_thread_dies_of_reaches_the_waiting_test() -> None:
    """A mapping that broke says so instead of letting its caller wait."""

    def break_down(_: list[int]) -> None:
        raise ZeroDivisionError

    mapping = mapping_of(ScriptedStream({PARENT: Shard([1])}), ScriptedFunction(break_down))
    mapping.start()
    with pytest.raises(ZeroDivisionError):
        mapping.wait_until_drained(SOON)
    with pytest.raises(ZeroDivisionError):
        mapping.stop()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "FilterCriteria"),
        ({"TumblingWindowInSeconds": 1}, "TumblingWindowInSeconds"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sns:us-east-1:000000000000:t"}}}, "sns"),
    ],
)
def test_a_setting_that_is_not_imitated_is_refused(settings: dict[str, Any], named: str) -> None:
    """Nothing is left out silently: the mapping is not made, and the message names the setting."""
    with pytest.raises(UnsupportedMapping, match=named):
        mapping_of(ScriptedStream({}), ScriptedFunction(nothing, settings))
