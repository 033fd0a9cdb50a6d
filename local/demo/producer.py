"""Write the sample to the stream as a good producer does: full PutRecords calls, and again what they turn away."""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from local.demo.clickstream import SampleRecord
from local.demo.reconciliation import Position

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

MAX_RECORDS_PER_CALL = 500
MAX_ATTEMPTS = 5


class NotProduced(Exception):
    """Kinesis turned records away again and again; the message says how many."""


def produce(
    kinesis: "KinesisClient", stream: str, records: Sequence[SampleRecord]
) -> Iterator[tuple[SampleRecord, Position]]:
    """Write the records in order, and yield where each came to stand."""
    for chunk in batched(records, MAX_RECORDS_PER_CALL, strict=False):
        yield from _put(kinesis, stream, chunk)


def _put(
    kinesis: "KinesisClient", stream: str, records: Sequence[SampleRecord]
) -> Iterator[tuple[SampleRecord, Position]]:
    for _ in range(MAX_ATTEMPTS):
        entries: list[PutRecordsRequestEntryTypeDef] = [
            {"Data": record.data, "PartitionKey": record.partition_key} for record in records
        ]
        answers = kinesis.put_records(StreamName=stream, Records=entries)["Records"]
        turned_away = []
        for record, answer in zip(records, answers, strict=True):
            if "SequenceNumber" in answer:
                yield record, Position(stream, answer["ShardId"], answer["SequenceNumber"])
            else:
                turned_away.append(record)
        if not turned_away:
            return
        records = turned_away
    raise NotProduced(f"the stream {stream} turned {len(records)} records away, {MAX_ATTEMPTS} times over")
