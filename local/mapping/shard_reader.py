"""Reads one shard in order, from a starting position to its end."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.emulator.clients import error_code
from local.mapping.settings import MappingSettings

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.literals import ShardIteratorTypeType
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

_PAGE = 10_000  # GetRecords' own maximum


@dataclass(frozen=True, slots=True)
class StartingPosition:
    """Where to begin: a shard iterator type, with its timestamp if it takes one."""

    kind: "ShardIteratorTypeType"
    timestamp: datetime | None = None


TRIM_HORIZON = StartingPosition("TRIM_HORIZON")


def starting_position(settings: MappingSettings) -> StartingPosition:
    """The mapping's own starting position, for the shards that existed when it began."""
    kinds: dict[str, ShardIteratorTypeType] = {
        "TRIM_HORIZON": "TRIM_HORIZON",
        "LATEST": "LATEST",
        "AT_TIMESTAMP": "AT_TIMESTAMP",
    }
    return StartingPosition(kinds[settings.starting_position], settings.starting_timestamp)


class ShardReader:
    """Reads a shard in order; returns no record twice, and leaves none out.

    `at_tip` says whether the last read found nothing and nothing was left to find; `ended` whether the shard is closed
    and read to its end, or gone.
    """

    def __init__(self, kinesis: "KinesisClient", stream_arn: str, shard_id: str, start: StartingPosition) -> None:
        self._kinesis = kinesis
        self._stream_arn = stream_arn
        self._shard_id = shard_id
        self._start = start
        self._iterator: str | None = None
        self._last_read: str | None = None
        self.at_tip = False
        self.ended = False
        self.failures = 0

    def read(self, limit: int) -> "list[RecordTypeDef]":
        """Up to `limit` more records; a failed request is counted and returns none, and the next read repeats it."""
        try:
            answer = self._kinesis.get_records(ShardIterator=self._current(), Limit=min(limit, _PAGE))
        except (BotoCoreError, ClientError) as exc:
            self._take_failure(exc)
            return []
        records = answer["Records"]
        self._iterator = answer.get("NextShardIterator")
        self.ended = self._iterator is None
        self.at_tip = not records and not answer.get("MillisBehindLatest")
        if records:
            self._last_read = records[-1]["SequenceNumber"]
        return records

    def _current(self) -> str:
        if self._iterator is None:
            self._iterator = self._new_iterator()
        return self._iterator

    def _new_iterator(self) -> str:
        ask = self._kinesis.get_shard_iterator
        stream, shard = self._stream_arn, self._shard_id
        if self._last_read is not None:
            answer = ask(
                StreamARN=stream,
                ShardId=shard,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=self._last_read,
            )
        elif self._start.timestamp is not None:
            answer = ask(
                StreamARN=stream, ShardId=shard, ShardIteratorType=self._start.kind, Timestamp=self._start.timestamp
            )
        else:
            answer = ask(StreamARN=stream, ShardId=shard, ShardIteratorType=self._start.kind)
        return answer["ShardIterator"]

    def _take_failure(self, failure: Exception) -> None:
        self.failures += 1
        self.at_tip = False
        # An iterator lives for five minutes, less than a blocked shard may wait.
        if error_code(failure) == "ExpiredIteratorException":
            self._iterator = None
        if error_code(failure) == "ResourceNotFoundException":
            self.ended = True
