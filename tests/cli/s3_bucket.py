"""A bucket in memory with the calls of boto3's S3 client that `relay failed` makes, conditional puts included."""

# ruff: noqa: N803 - its arguments have AWS's names

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from local.mapping.backlog import Discard, FailureCondition
from local.mapping.invocation import InvokeAnswer, StreamRecord, event_of, payload_of
from local.mapping.on_failure import describe, object_key
from local.mapping.settings import MappingSettings
from personalize_relay.events import Trackers
from personalize_relay.mapping import Mapping
from personalize_relay.quarantine import Quarantine
from personalize_relay.records import Record
from tests.simulation.world import ARRIVAL, TRACKER, Bucket, record

NAME = "bucket"
STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
SHARD = "shardId-000000000000"
TRACKERS = Trackers(default=TRACKER, allowed=frozenset({"other"}))
KEYS_A_PAGE = 2


class NoSuchKey(ClientError):
    """As boto3 raises it."""


class S3:
    """The bucket; `calls` are its reads and writes, `before_put` is run once, before the next write."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKey)

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.versions: dict[str, dict[str, bytes]] = {}
        """The bodies that each key had and has, by the version's id; those of delete markers are missing."""
        self.modified: dict[str, datetime] = {}
        self.calls: list[tuple[str, str]] = []
        self.before_put: Callable[[], object] | None = None

    def put(self, key: str, body: bytes, modified: float = ARRIVAL + 60) -> None:
        """Store an object, as somebody else."""
        self.objects[key] = body
        self.versions.setdefault(key, {})[f"v{sum(map(len, self.versions.values()))}-{key}"] = body
        self.modified[key] = datetime.fromtimestamp(modified, UTC)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """See boto3."""
        self._call("get", Bucket, Key)
        if Key not in self.objects:
            raise NoSuchKey({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        body = self.objects[Key]
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": etag(body)}

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes,
        IfNoneMatch: str | None = None,
        IfMatch: str | None = None,
    ) -> dict[str, Any]:
        """See boto3."""
        meanwhile, self.before_put = self.before_put, None
        if meanwhile:
            meanwhile()
        self._call("put", Bucket, Key)
        if IfMatch and Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "PutObject")
        if (IfNoneMatch and Key in self.objects) or (IfMatch and IfMatch != etag(self.objects[Key])):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.put(Key, Body)
        return {"ETag": etag(Body)}

    def delete_object(
        self, *, Bucket: str, Key: str, IfMatch: str | None = None, VersionId: str | None = None
    ) -> dict[str, Any]:
        """See boto3."""
        self._call("delete", Bucket, Key)
        if VersionId is not None:
            del self.versions[Key][VersionId]
        elif IfMatch != etag(self.objects[Key]):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "DeleteObject")
        else:
            del self.objects[Key]
        return {}

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 - as boto3's
        """See boto3."""
        return SimpleNamespace(paginate=self._list_versions) if operation == "list_object_versions" else self

    def _list_versions(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        self._call("versions", Bucket, Prefix)
        for key in [key for key in self.versions if key.startswith(Prefix)]:
            yield {"Versions": [{"Key": key, "VersionId": version} for version in self.versions[key]]}

    def paginate(
        self,
        *,
        Bucket: str,
        Prefix: str,
        StartAfter: str = "",
        Delimiter: str = "",
    ) -> Iterator[dict[str, Any]]:
        """See boto3."""
        self._call("list", Bucket, StartAfter or Prefix)
        keys = sorted(key for key in self.objects if key.startswith(Prefix) and key > StartAfter)
        parts = [key.removeprefix(Prefix).partition(Delimiter) if Delimiter else (key, "", "") for key in keys]
        under = sorted({Prefix + first + slash for first, slash, _ in parts if slash})
        plain = [key for key, (_, slash, _) in zip(keys, parts, strict=True) if not slash]
        for start in range(0, len(plain) + 1, KEYS_A_PAGE):
            page = plain[start : start + KEYS_A_PAGE]
            contents = [
                {"Key": key, "LastModified": self.modified[key], "Size": len(self.objects[key])} for key in page
            ]
            yield {"Contents": contents, "CommonPrefixes": [] if start else [{"Prefix": each} for each in under]}

    def reads(self) -> list[str]:
        """The keys read so far, without ledgers."""
        return [key for what, key in self.calls if what == "get" and not key.startswith("redriven/")]

    def ledgers(self) -> dict[str, Any]:
        """The ledgers, by source."""
        read = (json.loads(body) for key, body in self.objects.items() if key.startswith("redriven/"))
        return {each["source"]: each for each in read}

    def _call(self, what: str, bucket: str, key: str) -> None:
        assert bucket == NAME
        self.calls.append((what, key))


def etag(body: bytes) -> str:
    """An ETag, quoted as S3's are."""
    return f'"{hashlib.md5(body).hexdigest()}"'  # noqa: S324 - S3's own


def quarantine(
    s3: S3, *data: bytes | dict[str, Any], first: int = 1, arrival: float = ARRIVAL, mapping: Mapping | None = None
) -> str:
    """Store records as the function does, by the function's own code; returns the key."""
    store = Bucket()
    read = [Record.read(record(number, each, arrival=arrival)) for number, each in enumerate(data, first)]
    entries = [(each, each.parse(TRACKERS, mapping).rejections) for each in read]
    assert all(rejections for _, rejections in entries), "a record of these is good"
    Quarantine(store, prefix="quarantine/", now=lambda: datetime.fromtimestamp(arrival + 1, UTC)).write(entries)
    ((key, body),) = store.objects.items()
    s3.put(key, body, arrival + 60)
    return key


def quarantined_by_0_1(s3: S3, *given: tuple[bytes, list[dict[str, Any]]], first: int = 1) -> str:
    """Store records as version 0.1 did, each with what it said of its rejected events; returns the key."""
    lines = [
        {
            "schema": "personalize-relay.quarantine/1",
            "quarantinedAt": "2026-09-21T12:00:00+00:00",
            "reason": rejected[0]["reason"],
            "source": {
                "streamArn": STREAM_ARN,
                "shardId": SHARD,
                "sequenceNumber": str(number),
                "subSequence": None,
                "partitionKey": "partition-key",
                "approximateArrivalTimestamp": ARRIVAL,
            },
            "rejected": rejected,
            "data": base64.b64encode(data).decode(),
        }
        for number, (data, rejected) in enumerate(given, first)
    ]
    span = f"{first}-{first + len(lines) - 1}-{'0' * 16}"
    key = f"quarantine/year=2026/month=09/day=21/hour=14/clicks-{SHARD}-{span}.jsonl"
    s3.put(key, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    return key


def give_up(s3: S3, *data: bytes | dict[str, Any], first: int = 101, arrival: float = ARRIVAL) -> str:
    """Store a batch as Lambda does, by the local mapping's own code; returns the key."""
    settings = MappingSettings(uuid="1-2-3", stream_arn=STREAM_ARN, function_arn="arn:aws:lambda:::function:relay")
    records = tuple(_stream_record(number, each, arrival) for number, each in enumerate(data, first))
    now = datetime.fromtimestamp(arrival + 60, UTC)
    discard = Discard(records, FailureCondition.RETRIES, 5, InvokeAnswer())
    document = describe(settings, SHARD, discard, now) | {"payload": payload_of(records)}
    key = object_key(settings.uuid, SHARD, now)
    s3.put(key, json.dumps(document).encode(), arrival + 60)
    return key


def _stream_record(number: int, data: bytes | dict[str, Any], arrival: float) -> StreamRecord:
    event = event_of(
        shard_id=SHARD,
        sequence_number=str(number),
        partition_key="partition-key",
        data=data if isinstance(data, bytes) else json.dumps(data).encode(),
        timestamp=arrival,
        stream_arn=STREAM_ARN,
        role_arn="arn:aws:iam::123456789012:role/relay",
    )
    return StreamRecord(str(number), "partition-key", arrival, arrival, event)


def payload(line: bytes) -> bytes:
    """The original bytes that a quarantine line holds."""
    return base64.b64decode(json.loads(line)["data"])
