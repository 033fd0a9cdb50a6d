"""A record of the stream as Lambda hands it to a function, and batches of them that an invocation can take.

The members are those of "Using Lambda to process records from Amazon Kinesis Data Streams", but for
`invokeIdentityArn`: here it is somebody else who invokes.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from personalize_relay_cli.problems import Problem

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

OPENING, CLOSING = '{"Records":[', "]}"
MAX_BYTES = 6 * 1024 * 1024 - len(OPENING) - len(CLOSING)
"""Of the records of an invocation, with a comma after each."""


class Replayed(msgspec.Struct, frozen=True):
    """A record, written as the function gets it."""

    sequence_number: str
    arrival: float
    """Epoch seconds, to the millisecond, as Lambda has it."""
    event: str


def replayed(record: "RecordTypeDef", shard_id: str, stream_arn: str) -> Replayed:
    """A record of a shard."""
    number, arrival = record["SequenceNumber"], round(record["ApproximateArrivalTimestamp"].timestamp(), 3)
    event = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": number,
            "data": base64.b64encode(record["Data"]).decode("ascii"),
            "approximateArrivalTimestamp": arrival,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{number}",
        "eventName": "aws:kinesis:record",
        "awsRegion": stream_arn.split(":")[3],
        "eventSourceARN": stream_arn,
    }
    return Replayed(number, arrival, json.dumps(event, separators=(",", ":")))


def batches(records: Sequence[Replayed], most: int) -> Iterator[list[Replayed]]:
    """The records in order, in batches of at most so many that an invocation can take."""
    batch: list[Replayed] = []
    size = 0
    for each in records:
        length = len(each.event) + 1
        if length > MAX_BYTES:
            raise Problem(f"the record {each.sequence_number} is too large for an invocation: no function can take it")
        if batch and (len(batch) == most or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += length
    if batch:
        yield batch


def payload(batch: Sequence[Replayed]) -> str:
    """What the function is invoked with."""
    return OPENING + ",".join(each.event for each in batch) + CLOSING
