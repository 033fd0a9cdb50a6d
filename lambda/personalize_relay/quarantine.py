"""Store records that have rejected events, whole and with the reasons, in S3: one object an invocation.

docs/events.md, "Quarantined records", describes a line's format.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from personalize_relay.errors import DeliveryError, error_code
from personalize_relay.events import Rejection, dotted
from personalize_relay.records import Record

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SCHEMA = "personalize-relay.quarantine/2"
LONGEST_WRITE = 4.0
"""Seconds of two attempts of at most 2 s each, which fit into the margin that the engine keeps for them."""


class ObjectStore(Protocol):
    """Keeps an object durably."""

    def put(self, key: str, body: bytes) -> None:
        """Return once the object is stored; raises DeliveryError if it can't be stored."""


class Quarantine:
    """Writes records with rejected events to a store; `now` gives the time, with a zone."""

    def __init__(self, store: ObjectStore, *, prefix: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._prefix = prefix
        self._now = now

    def write(self, entries: Sequence[tuple[Record, Sequence[Rejection]]]) -> None:
        """Store the records in one object; raises DeliveryError if that fails.

        The same records give the same key, so redelivered records overwrite themselves.
        """
        described = [_describe(record, rejections) for record, rejections in entries]
        key = self._prefix + _key([record for record, _ in entries], hashlib.sha256(msgspec.json.encode(described)))
        written_at = self._now().isoformat()
        lines = [{"schema": SCHEMA, "quarantinedAt": written_at, **each} for each in described]
        self._store.put(key, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


class S3Store:
    """Objects in an S3 bucket; the client is built for the first object, because most invocations have none."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client | None = None

    def put(self, key: str, body: bytes) -> None:
        """See ObjectStore."""
        # Slow to import, and most invocations store nothing.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            self._client = self._client or _s3_client()
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/x-ndjson")
        except ClientError as exc:
            code = error_code(exc.response["Error"]["Code"])
            raise DeliveryError(f"S3 refused the quarantine object: {code}") from exc
        except (BotoCoreError, ValueError) as exc:  # a ValueError: the environment's endpoint is not a URL
            raise DeliveryError(f"the quarantine object did not reach S3: {type(exc).__name__}") from exc


def _s3_client() -> "S3Client":
    import boto3  # noqa: PLC0415 - as above
    from botocore.config import Config  # noqa: PLC0415 - as above

    # These make LONGEST_WRITE in all.
    client: S3Client = boto3.client(
        "s3", config=Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})
    )
    return client


def _describe(record: Record, rejections: Sequence[Rejection]) -> dict[str, Any]:
    return {
        "reason": rejections[0].reason,
        "source": {
            "streamArn": record.stream_arn,
            "shardId": record.shard_id,
            "sequenceNumber": record.sequence_number,
            "partitionKey": record.partition_key,
            "approximateArrivalTimestamp": record.arrival,
        },
        "rejected": [
            {
                "subSequence": dotted(each.sub_sequence) if each.sub_sequence else None,
                "index": each.index,
                "eventId": each.event_id,
                "reason": each.reason,
                "detail": each.detail,
            }
            for each in rejections
        ],
        "data": record.data,
    }


def _key(records: Sequence[Record], content: "hashlib._Hash") -> str:
    first, last = records[0], records[-1]
    arrived = datetime.fromtimestamp(first.arrival, UTC)
    return (
        f"{arrived:year=%Y/month=%m/day=%d/hour=%H}/"
        f"{first.stream}-{first.shard_id}-{first.sequence_number}-{last.sequence_number}-{content.hexdigest()[:16]}.jsonl"
    )
