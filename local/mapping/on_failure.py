"""A mapping's on-failure destination: the document about records that are given up, and where it goes.

Document and key follow "Retain discarded batch records for a Kinesis Data Streams event source in Lambda". Members
that the guide leaves open are as AWS filled them in LocalStack's recorded runs: no responseContext if the age decided,
functionError null if the function itself reported the failure, a count of at least 1.
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Protocol

from local.emulator.clients import ClientFactory
from local.mapping.backlog import Discard, FailureCondition
from local.mapping.invocation import StreamRecord, payload_of
from local.mapping.settings import MappingSettings, UnsupportedMapping


class Destination(Protocol):
    """Stores records that are given up."""

    def store(self, shard_id: str, discard: Discard, now: datetime) -> str:
        """Store them, and return where; raises what its client raises."""


def destination_of(settings: MappingSettings, client: ClientFactory) -> Destination | None:
    """The mapping's destination, or None; raises UnsupportedMapping for one that isn't imitated."""
    arn = settings.destination_arn
    if not arn:
        return None
    service, name = arn.split(":")[2], arn.split(":")[5]
    if service == "s3":
        return BucketDestination(settings, name, client)
    if service == "sqs":
        return Queue(settings, name, client)
    raise UnsupportedMapping(f"the on-failure destination {arn} is not imitated: use an S3 bucket or an SQS queue")


class BucketDestination:
    """An S3 bucket gets the whole invocation, records included."""

    def __init__(self, settings: MappingSettings, name: str, client: ClientFactory) -> None:
        self._settings = settings
        self._name = name
        self._s3 = client("s3")

    def store(self, shard_id: str, discard: Discard, now: datetime) -> str:
        """Store it as an object of its own; returns the key."""
        key = object_key(self._settings.uuid, shard_id, now)
        # The guide: the original invocation record as an escaped JSON string.
        document = describe(self._settings, shard_id, discard, now) | {"payload": payload_of(discard.records)}
        self._s3.put_object(Bucket=self._name, Key=key, Body=json.dumps(document).encode())
        return key


class Queue:
    """An SQS queue gets the document about the batch, but not its records."""

    def __init__(self, settings: MappingSettings, name: str, client: ClientFactory) -> None:
        self._settings = settings
        self._name = name
        self._sqs = client("sqs")

    def store(self, shard_id: str, discard: Discard, now: datetime) -> str:
        """Send it; returns the message's id."""
        url = self._sqs.get_queue_url(QueueName=self._name)["QueueUrl"]
        body = json.dumps(describe(self._settings, shard_id, discard, now))
        return self._sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]


def describe(settings: MappingSettings, shard_id: str, discard: Discard, now: datetime) -> dict[str, object]:
    """The invocation record without the payload."""
    first, last = discard.records[0], discard.records[-1]
    answer = discard.answer
    response = answer and {
        "statusCode": answer.status_code,
        "executedVersion": answer.executed_version,
        "functionError": answer.function_error,
    }
    return {
        "requestContext": {
            "requestId": answer.request_id if answer else str(uuid.uuid4()),
            "functionArn": settings.function_arn,
            "condition": str(discard.condition),
            "approximateInvokeCount": max(1, discard.invocations),
        },
        **({"responseContext": response} if discard.condition is FailureCondition.RETRIES else {}),
        "version": "1.0",
        "timestamp": _text(now),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": _arrival(first),
            "approximateArrivalOfLastRecord": _arrival(last),
            "batchSize": len(discard.records),
            "streamArn": settings.stream_arn,
        },
    }


def object_key(mapping: str, shard_id: str, now: datetime) -> str:
    """The key of one invocation record; no two are equal."""
    return f"aws/lambda/{mapping}/{shard_id}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"


def _arrival(record: StreamRecord) -> str:
    return _text(datetime.fromtimestamp(record.timestamp, UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
