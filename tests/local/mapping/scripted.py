"""A stream, a function and a mapping that do what a test says, for what no emulator shows."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from botocore.exceptions import ClientError

from local.emulator.clients import ClientFactory
from local.mapping.clock import Pauses
from local.mapping.mapping import EventSourceMapping

SOON = 20.0
QUICK = Pauses(poll_seconds=0.01, discover_seconds=0.02, first_backoff=0.01)
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
    reads: int = 0

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
        self.reads += 1
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
    deleted: bool = False
    """Whether the mapping is gone."""

    def get_event_source_mapping(self, **_: str) -> dict[str, Any]:
        """The mapping."""
        if self.deleted:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetEventSourceMapping")
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


def mapping_of(stream: ScriptedStream, function: ScriptedFunction, pace: Pauses | None = QUICK) -> EventSourceMapping:
    clients = {"kinesis": stream, "lambda": function}
    return EventSourceMapping("u", cast("ClientFactory", clients.__getitem__), pace)


def nothing(_: list[int]) -> None:
    """Succeed."""
