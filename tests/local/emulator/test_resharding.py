"""The emulator's shards, split and merged: nothing of a closed one is lost, and nothing more goes to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.emulator.emulator import Emulator

MOST = 2**128 - 1


class Stream:
    """A stream of four shards in the emulator, written to at chosen hash keys."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self.name = name
        self.client: Any = emulator.client("kinesis")
        self.client.create_stream(StreamName=name, ShardCount=4)

    def put(self, data: str, hash_key: int) -> None:
        """Write one record."""
        self.client.put_record(StreamName=self.name, Data=data, PartitionKey="k", ExplicitHashKey=str(hash_key))

    def shards(self) -> dict[str, dict[str, Any]]:
        """Every shard by its id, as ListShards tells it."""
        return {each["ShardId"]: each for each in self.client.list_shards(StreamName=self.name)["Shards"]}

    def opened(self) -> list[str]:
        """The ids of those that take records."""
        found = self.shards().items()
        return [shard for shard, told in found if "EndingSequenceNumber" not in told["SequenceNumberRange"]]

    def read(self, shard: str) -> tuple[list[str], str | None]:
        """All that a shard holds from its beginning, and the iterator behind it."""
        place = {"StreamName": self.name, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        iterator = self.client.get_shard_iterator(**place)["ShardIterator"]
        answer = self.client.get_records(ShardIterator=iterator)
        return [each["Data"].decode() for each in answer["Records"]], answer.get("NextShardIterator")


@pytest.fixture
def stream(emulator: Emulator, name: str) -> Iterator[Stream]:
    """One of this test's own."""
    made = Stream(emulator, name)
    yield made
    made.client.delete_stream(StreamName=name)


def test_closed_shards_are_read_to_their_end_and_their_children_take_what_comes(stream: Stream) -> None:
    """Doubled and halved again: each record is read once, in the shard that was open when it was written."""
    first = stream.opened()
    written = []
    for target in (8, 4):
        stream.put(f"low {target}", 0)
        stream.put(f"high {target}", MOST)
        written += [f"low {target}", f"high {target}"]
        before = stream.opened()
        answer = stream.client.update_shard_count(
            StreamName=stream.name, TargetShardCount=target, ScalingType="UNIFORM_SCALING"
        )
        assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (len(before), target)
        assert len(stream.opened()) == target
        assert not set(before) & set(stream.opened())
        assert all(stream.read(shard)[1] is None for shard in before)
    stream.put("last", MOST)
    shards = stream.shards()
    assert [len(shards), len(stream.opened())] == [4 + 8 + 4, 4]
    read = {shard: stream.read(shard)[0] for shard in shards}
    assert sorted(name for names in read.values() for name in names) == sorted([*written, "last"])
    assert read[first[0]] == ["low 8"]
    assert read[stream.opened()[-1]] == ["last"]
    summary = stream.client.describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 4


def test_a_child_names_its_parents(stream: Stream) -> None:
    """One after a split, two after a merge: a reader takes a child on once they are read."""
    one, two, *_ = stream.opened()
    stream.client.split_shard(StreamName=stream.name, ShardToSplit=one, NewStartingHashKey="1000")
    left, right = stream.opened()[-2:]
    assert [stream.shards()[each]["ParentShardId"] for each in (left, right)] == [one, one]
    stream.client.merge_shards(StreamName=stream.name, ShardToMerge=right, AdjacentShardToMerge=two)
    merged = stream.shards()[stream.opened()[-1]]
    assert (merged["ParentShardId"], merged["AdjacentParentShardId"]) == (right, two)


def test_a_closed_shard_that_holds_more_than_a_page_goes_on(stream: Stream) -> None:
    """The iterator behind the first page leads to the second, and no further."""
    shard = stream.opened()[0]
    for number in range(3):
        stream.put(str(number), 0)
    stream.client.split_shard(StreamName=stream.name, ShardToSplit=shard, NewStartingHashKey="1000")
    place = {"StreamName": stream.name, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    page = stream.client.get_records(ShardIterator=stream.client.get_shard_iterator(**place)["ShardIterator"], Limit=2)
    rest = stream.client.get_records(ShardIterator=page["NextShardIterator"], Limit=2)
    assert [each["Data"] for each in (*page["Records"], *rest["Records"])] == [b"0", b"1", b"2"]
    assert "NextShardIterator" not in rest


@pytest.mark.parametrize("target", [3, 5, 16])
def test_another_number_is_refused_and_changes_nothing(stream: Stream, target: int) -> None:
    before = stream.shards()
    with pytest.raises(stream.client.exceptions.ClientError, match="doubles or halves 4 shards"):
        stream.client.update_shard_count(StreamName=stream.name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
    assert stream.shards() == before


def test_a_closed_shard_is_neither_split_nor_merged(stream: Stream) -> None:
    one, two, *_ = stream.opened()
    stream.client.merge_shards(StreamName=stream.name, ShardToMerge=one, AdjacentShardToMerge=two)
    before = stream.shards()
    with pytest.raises(stream.client.exceptions.ClientError, match="is closed"):
        stream.client.split_shard(StreamName=stream.name, ShardToSplit=one, NewStartingHashKey="1000")
    with pytest.raises(stream.client.exceptions.ClientError, match="is closed"):
        stream.client.merge_shards(StreamName=stream.name, ShardToMerge=stream.opened()[-1], AdjacentShardToMerge=two)
    assert stream.shards() == before
