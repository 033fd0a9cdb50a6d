"""Reads the shards of a stream from one time to another, closed ones, too, and leaves other readers their share."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from personalize_relay_cli.replaying.records import Replayed, replayed

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.type_defs import GetRecordsOutputTypeDef

PAUSE = 0.5
"""Seconds between two reads of a shard: it takes five a second from all readers, and the mapping makes one."""
MOST_THROTTLED = 60
"""Reads in a row that a shard may refuse, a second apart."""
_THROTTLED = "ProvisionedThroughputExceededException"
_EXPIRED = "ExpiredIteratorException"
"""An iterator lives for five minutes: less than a batch may take that is tried again."""


class Shard(NamedTuple):
    """A shard, and those that it was made of."""

    shard_id: str
    parents: frozenset[str]


class Stream:
    """The stream of an ARN; `wait` lets seconds pass."""

    def __init__(self, kinesis: "KinesisClient", arn: str, wait: Callable[[float], object]) -> None:
        self._kinesis = kinesis
        self.arn = arn
        self._wait = wait

    def keeps(self) -> float:
        """For how many seconds after its arrival it keeps a record."""
        summary = self._kinesis.describe_stream_summary(StreamARN=self.arn)["StreamDescriptionSummary"]
        return summary["RetentionPeriodHours"] * 3600.0

    def shards(self) -> list[Shard]:
        """All that may hold records, open and closed."""
        pages = self._kinesis.get_paginator("list_shards").paginate(StreamARN=self.arn)
        return [_shard(each) for page in pages for each in page["Shards"]]

    def pages(self, shard_id: str, since: float, until: float) -> Iterator[list[Replayed]]:
        """The records of a shard that arrived in that time, in order, up to its end or to where it is now."""
        last: str | None = None
        iterator: str | None = self._iterator(shard_id, since, last)
        while iterator:
            answer = self._read(iterator)
            if answer is None:
                iterator = self._iterator(shard_id, since, last)
                continue
            records = [replayed(each, shard_id, self.arn) for each in answer["Records"]]
            taken = [each for each in records if since <= each.arrival < until]
            if taken:
                last = taken[-1].sequence_number
                yield taken
            if (records and records[-1].arrival >= until) or not answer.get("MillisBehindLatest"):
                return
            iterator = answer.get("NextShardIterator")
            self._wait(PAUSE)

    def _read(self, iterator: str) -> "GetRecordsOutputTypeDef | None":
        """The next records; None where the iterator has expired."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - slow to import

        for attempt in range(MOST_THROTTLED + 1):
            try:
                return self._kinesis.get_records(ShardIterator=iterator)
            except ClientError as exc:
                code = exc.response["Error"]["Code"]
                if code == _EXPIRED:
                    return None
                if code != _THROTTLED or attempt == MOST_THROTTLED:
                    raise
                self._wait(1.0)
        return None

    def _iterator(self, shard_id: str, since: float, last: str | None) -> str:
        start: dict[str, Any] = (
            {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": datetime.fromtimestamp(since, UTC)}
            if last is None
            else {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": last}
        )
        answer = self._kinesis.get_shard_iterator(StreamARN=self.arn, ShardId=shard_id, **start)
        return answer["ShardIterator"]


def _shard(listed: Any) -> Shard:  # noqa: ANN401 - as ListShards answers
    parents = {listed.get("ParentShardId"), listed.get("AdjacentParentShardId")} - {None}
    return Shard(listed["ShardId"], frozenset(parents))


def generations(shards: Sequence[Shard]) -> Iterator[list[Shard]]:
    """The shards, each after those it was made of: what is in one generation may go at once."""
    waiting = {each.shard_id: each for each in shards}
    while waiting:
        ready = [each for each in waiting.values() if not each.parents & waiting.keys()]
        yield ready
        for each in ready:
            del waiting[each.shard_id]
