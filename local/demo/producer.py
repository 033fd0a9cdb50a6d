"""Writes the sample to the stream with the command's own writer: each key in order, refused records again."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from local.demo.clickstream import SampleRecord
from local.demo.reconciliation import StreamPosition
from personalize_relay_cli.sending.contents import Content
from personalize_relay_cli.sending.put_records import Writer, put_records

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

LONGEST_REFUSAL = 30.0
"""Seconds for which the stream may take nothing."""


def produce(
    kinesis: "KinesisClient", stream: str, records: Sequence[SampleRecord]
) -> Iterator[tuple[SampleRecord, StreamPosition]]:
    """Write the records, and yield the stream position of each; raises Problem if that fails."""
    placed: list[tuple[SampleRecord, StreamPosition]] = []
    writer = Writer[SampleRecord](
        put_records(kinesis, stream),
        lambda entry, answer: placed.append(
            (entry.of[0], StreamPosition(stream, answer["ShardId"], answer["SequenceNumber"]))
        ),
        packing=False,
        give_up_after=LONGEST_REFUSAL,
    )
    for record in records:
        writer.add(Content(record.data, record.partition_key, len(record.events)), record)
    while writer:
        writer.send()
        yield from placed
        placed.clear()
