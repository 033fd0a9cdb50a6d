"""The mapping and what only a scripted stream can show: resharding, expired iterators, an invocation under way."""

import io
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from local.clients import ClientFactory
from local.event_source_mapping import EventSourceMapping
from local.mapping_settings import MappingError
from local.pace import Pace

SOON = 20.0
QUICK = Pace(poll_seconds=0.01, discover_seconds=0.02, first_backoff=0.01)
PARENT, ADJACENT, CHILD = "shardId-000000000000", "shardId-000000000001", "shardId-000000000002"


@dataclass
class Shard:
    """Records by their sequence numbers, and how the shard came to be."""

    numbers: list[int]
    parents: Sequence[str] = ()
    closed: bool = False


@dataclass
class ScriptedStream:
    """A Kinesis client of one stream whose shards the test changes as it likes."""

    shards: dict[str, Shard]
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The shards and types of every iterator that was asked for."""
    expire_once: bool = False

    def get_paginator(self, _: str) -> "ScriptedStream":
        """Stand in for the paginator too."""
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        """All shards on one page."""
        names = ("ParentShardId", "AdjacentParentShardId")
        shards = self.shards.items()
        return [{"Shards": [{"ShardId": name, **dict(zip(names, s.parents, strict=False))} for name, s in shards]}]

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        """An iterator that says where it points."""
        shard, kind = asked["ShardId"], asked["ShardIteratorType"]
        self.asked.append((shard, kind))
        numbers = self.shards[shard].numbers
        after = int(asked.get("StartingSequenceNumber", -1))
        place = len(numbers) if kind == "LATEST" else sum(number <= after for number in numbers)
        return {"ShardIterator": f"{shard}/{place}"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803 -- boto3's names
        """One page."""
        if self.expire_once:
            self.expire_once = False
            raise ClientError({"Error": {"Code": "ExpiredIteratorException"}}, "GetRecords")
        name, place = ShardIterator.split("/")
        shard = self.shards[name]
        numbers = shard.numbers[int(place) : int(place) + Limit]
        end = int(place) + len(numbers)
        answer = {"Records": [_record(number) for number in numbers], "MillisBehindLatest": 0}
        return answer if shard.closed and end == len(shard.numbers) else answer | {"NextShardIterator": f"{name}/{end}"}


def _record(number: int) -> dict[str, Any]:
    arrival = datetime.now(UTC)
    return {
        "SequenceNumber": str(number),
        "PartitionKey": "k",
        "Data": b"",
        "ApproximateArrivalTimestamp": arrival,
    }


@dataclass
class ScriptedFunction:
    """A Lambda client of one function, which is a Python callable, and its mapping."""

    handler: Callable[[list[int]], None]
    settings: Mapping[str, Any] = field(default_factory=dict)
    saw: list[int] = field(default_factory=list)

    def get_event_source_mapping(self, **_: str) -> dict[str, Any]:
        """The mapping."""
        arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
        return {"UUID": "u", "EventSourceArn": arn, "FunctionArn": "f", "BatchSize": 1, **self.settings}

    def get_function_configuration(self, **_: str) -> dict[str, str]:
        """The function's role."""
        return {"Role": "r"}

    def invoke(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 -- text and bytes
        """Call it."""
        numbers = [int(record["kinesis"]["sequenceNumber"]) for record in json.loads(asked["Payload"])["Records"]]
        self.handler(numbers)
        self.saw += numbers
        return {"ResponseMetadata": {"RequestId": "q"}, "StatusCode": 200, "Payload": io.BytesIO(b"null")}


def mapping_of(stream: ScriptedStream, function: ScriptedFunction) -> EventSourceMapping:
    clients = {"kinesis": stream, "lambda": function}
    return EventSourceMapping("u", cast("ClientFactory", clients.__getitem__), QUICK)


def nothing(_: list[int]) -> None:
    """Succeed."""


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
    with pytest.raises(MappingError, match=named):
        mapping_of(ScriptedStream({}), ScriptedFunction(nothing, settings))
