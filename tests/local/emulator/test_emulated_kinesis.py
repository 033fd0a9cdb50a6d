"""The emulator's Kinesis, as far as it is put right: CBOR, and what it keeps while it runs for days."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from ministack.services import kinesis  # type: ignore[import-untyped]  # it ships no types

from local.emulator import cbor, emulated_kinesis
from local.emulator.emulator import Emulator

DATA = b"\x00\xff\n{}"
TARGET = "Kinesis_20131202."
HOURS = 24


def ask(emulator: Emulator, operation: str, body: bytes) -> tuple[int, str | None, dict[str, Any]]:
    """Ask as an SDK for Java does; returns the status, the content's type, and the content."""
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=20)
    connection.request(
        "POST", "/", body, {"Content-Type": emulated_kinesis.CBOR, "X-Amz-Target": f"{TARGET}{operation}"}
    )
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Type"), cast("dict[str, Any]", cbor.decode(content))


def answered(emulator: Emulator, operation: str, **asked: object) -> dict[str, Any]:
    """What it answers to a request that it takes."""
    status, kind, content = ask(emulator, operation, cbor.encode(asked))
    assert (status, kind) == (200, emulated_kinesis.CBOR)
    return content


def test_what_is_put_in_cbor_is_read_in_json(emulator: Emulator, name: str) -> None:
    client = emulator.client("kinesis")
    answered(emulator, "CreateStream", StreamName=name, ShardCount=1)
    one = answered(emulator, "PutRecord", StreamName=name, PartitionKey="k", Data=DATA)
    several = answered(
        emulator, "PutRecords", StreamName=name, Records=[{"Data": each, "PartitionKey": "k"} for each in (b"", DATA)]
    )
    (shard,) = client.list_shards(StreamName=name)["Shards"]
    iterator = client.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    read = client.get_records(ShardIterator=iterator)["Records"]
    assert [each["Data"] for each in read] == [DATA, b"", DATA]
    assert [each["SequenceNumber"] for each in read] == [each["SequenceNumber"] for each in (one, *several["Records"])]
    assert several["FailedRecordCount"] == 0


def test_what_is_put_in_json_is_read_in_cbor(emulator: Emulator, name: str) -> None:
    """Bytes as bytes, and times to the millisecond: a stream is read from a moment on."""
    client = emulator.client("kinesis")
    client.create_stream(StreamName=name, ShardCount=1)
    client.put_record(StreamName=name, Data=DATA, PartitionKey="k")
    summary = answered(emulator, "DescribeStreamSummary", StreamName=name)["StreamDescriptionSummary"]
    (shard,) = answered(emulator, "ListShards", StreamName=name)["Shards"]
    now = datetime.now(UTC)
    place = {"StreamName": name, "ShardId": shard["ShardId"], "ShardIteratorType": "AT_TIMESTAMP"}
    read = {
        ago: answered(
            emulator,
            "GetRecords",
            ShardIterator=answered(emulator, "GetShardIterator", **place, Timestamp=now - ago)["ShardIterator"],
        )["Records"]
        for ago in (timedelta(minutes=1), timedelta(minutes=-1))
    }
    (record,) = read[timedelta(minutes=1)]
    assert read[timedelta(minutes=-1)] == []
    assert record["Data"] == DATA
    assert abs(record["ApproximateArrivalTimestamp"] - now) < timedelta(minutes=1)
    assert abs(summary["StreamCreationTimestamp"] - now) < timedelta(minutes=1)
    assert (summary["StreamName"], summary["OpenShardCount"]) == (name, 1)


def test_a_map_without_a_length_is_taken(emulator: Emulator, name: str) -> None:
    """The SDKs write no other."""
    body = b"\xbf" + b"".join(map(cbor.encode, ("StreamName", name, "ShardCount", 1))) + b"\xff"
    assert ask(emulator, "CreateStream", body)[0] == 200
    assert emulator.client("kinesis").describe_stream(StreamName=name)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (cbor.encode({"StreamName": "no such stream"}), "ResourceNotFoundException"),
        (b"\xff", "SerializationException"),
        (b"{}", "SerializationException"),
        (b"", "SerializationException"),
        (cbor.encode({"StreamName": datetime(2026, 11, 24, tzinfo=UTC)}), "ResourceNotFoundException"),
    ],
)
def test_a_refusal_is_in_cbor_too(emulator: Emulator, body: bytes, kind: str) -> None:
    status, content_type, content = ask(emulator, "DescribeStreamSummary", body)
    assert (status, content_type, content["__type"]) == (400, emulated_kinesis.CBOR, kind)


class Kinesis:
    """The emulator's Kinesis within this process, so that a test may turn its records and iterators old."""

    def __init__(self) -> None:
        emulated_kinesis.mend()
        self._ask("CreateStream", StreamName="s", ShardCount=2)
        self.first, self.second = (each["ShardId"] for each in self._ask("ListShards", StreamName="s")["Shards"])

    def put(self, data: str, hash_key: int = 0) -> None:
        """Write a record, to the first shard if nothing else is said."""
        self._ask("PutRecord", StreamName="s", Data=data, PartitionKey="k", ExplicitHashKey=str(hash_key))

    def iterator(self, shard: str, kind: str = "TRIM_HORIZON") -> str:
        """A place in a shard."""
        return str(
            self._ask("GetShardIterator", StreamName="s", ShardId=shard, ShardIteratorType=kind)["ShardIterator"]
        )

    def read(self, iterator: str) -> tuple[list[str], str]:
        """The data from there on, and the next place."""
        answer = self._ask("GetRecords", ShardIterator=iterator)
        return [each["Data"] for each in answer["Records"]], answer["NextShardIterator"]

    def turn_old(self, shard: str, hours: float) -> None:
        """Have all that a shard holds arrived so much earlier."""
        for record in kinesis._streams["s"]["shards"][shard]["records"]:  # noqa: SLF001 - its only clock is the world's
            record["ApproximateArrivalTimestamp"] -= hours * 3600

    @property
    def iterators(self) -> dict[Any, Any]:
        """All that it keeps."""
        return cast("dict[Any, Any]", kinesis._shard_iterators._data)  # noqa: SLF001 - the same

    def _ask(self, operation: str, **asked: object) -> dict[str, Any]:
        headers = {"x-amz-target": f"{TARGET}{operation}"}
        status, _, body = asyncio.run(kinesis.handle_request("POST", "/", headers, json.dumps(asked).encode(), {}))
        assert status == 200, body
        return cast("dict[str, Any]", json.loads(body))


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kinesis]:
    """One of this test's own."""
    for each in ("handle_request", "_expire_iterators", "_expire_records"):
        monkeypatch.setattr(kinesis, each, getattr(kinesis, each))  # put back afterwards
    yield Kinesis()
    kinesis.reset()


class Counted(dict[Any, Any]):
    """A dict that counts what is looked at."""

    looked_at = 0

    def items(self) -> Any:  # noqa: ANN401 - as a dict has it
        """Each, counted."""
        for each in list(super().items()):
            self.looked_at += 1
            yield each


def test_a_reader_of_days_leaves_five_minutes_of_iterators_behind(own: Kinesis) -> None:
    """And no request looks at those that it doesn't forget."""
    iterator = own.iterator(own.first)
    for _ in range(100):
        iterator = own.read(iterator)[1]
    assert len(own.iterators) == 101
    for each in list(own.iterators.values())[:90]:
        each["created_at"] -= kinesis.ITERATOR_EXPIRY_SECONDS
    kinesis._shard_iterators._data = counted = Counted(own.iterators)  # noqa: SLF001 - no other way to see it
    own.read(iterator)
    assert len(own.iterators) == 12
    assert counted.looked_at == 91
    own.read(iterator)
    assert counted.looked_at == 92


def test_what_is_past_the_retention_is_gone_and_nobody_skips_what_follows(own: Kinesis) -> None:
    """A reader goes on where it stood, in the middle of what was forgotten, at its end, and in another shard."""
    for number in range(4):
        own.put(f"old{number}")
    own.put("far1", 2**128 - 1)
    middle, other = own.iterator(own.first), own.iterator(own.second)
    tip = own.read(middle)[1]
    own.turn_old(own.first, HOURS + 1)
    for number in range(6):
        own.put(f"new{number}")
    assert own.read(tip)[0] == own.read(middle)[0] == [f"new{number}" for number in range(6)]
    assert own.read(own.iterator(own.first))[0] == [f"new{number}" for number in range(6)]
    assert own.read(other)[0] == ["far1"]


def test_what_is_within_the_retention_stays(own: Kinesis) -> None:
    own.put("kept")
    own.turn_old(own.first, HOURS - 0.01)
    own.put("new0")
    assert own.read(own.iterator(own.first))[0] == ["kept", "new0"]
