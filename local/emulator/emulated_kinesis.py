"""Corrects ministack's Kinesis (1.5.33), within the emulator's own process.

- It reads CBOR only if another package is installed, and then answers with texts where the SDKs for Java expect bytes,
  and with seconds where they expect milliseconds.
- Iterators live for five minutes, every GetRecords makes one, and every request walks through all of them.
- Every request copies all records of its stream. Once some records are older than the retention, the iterators of
  their shard point that many records too far.
- It knows a stream's resource policy, which its CloudFormation doesn't. Neither enforces it.
"""

import base64
import json
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import takewhile
from operator import itemgetter
from typing import Any

from ministack.services import kinesis  # type: ignore[import-untyped]  # it ships no types

from local.emulator import cbor

CBOR, JSON = "application/x-amz-cbor-1.1", "application/x-amz-json-1.1"
LATE = 60.0
"""Seconds that a record may outlive its retention, because forgetting some costs a look at all iterators."""

type KinesisAnswer = tuple[int, dict[str, str], Any]
type KinesisHandler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[KinesisAnswer]]


def mend() -> None:
    """Correct ministack for as long as this process runs."""
    kinesis.handle_request = speaking_cbor(kinesis.handle_request)
    kinesis._expire_iterators = forget_iterators  # noqa: SLF001 -- there is no setting for it
    kinesis._expire_records = forget_records  # noqa: SLF001 -- the same


def speaking_cbor(handle: KinesisHandler) -> KinesisHandler:
    """Make the handler, which knows JSON, take CBOR, too; SubscribeToShard still streams JSON."""

    async def handle_both(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> KinesisAnswer:
        if not headers.get("content-type", "").startswith(CBOR):
            return await handle(method, path, headers, body, query)
        try:
            asked = json.dumps(cbor.decode(body), default=_plain).encode()
        except (cbor.NotCbor, TypeError) as exc:
            told = {"__type": "SerializationException", "message": str(exc)}
            return HTTPStatus.BAD_REQUEST, {"Content-Type": CBOR}, cbor.encode(told)
        status, answered, content = await handle(method, path, headers | {"content-type": JSON}, asked, query)
        if not isinstance(content, bytes):
            return status, answered, content
        return status, answered | {"Content-Type": CBOR}, cbor.encode(json.loads(content, object_hook=_typed))

    return handle_both


def _plain(value: object) -> object:
    """JSON's form of bytes and times."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.timestamp()
    raise TypeError("a value that no member of Kinesis has")


def _typed(members: dict[str, Any]) -> dict[str, Any]:
    """The members, with bytes and times where the API has them."""

    def typed(name: str, value: object) -> object:
        match value:
            case str() if name == "Data":
                return base64.b64decode(value)
            case int() | float() if name.endswith("Timestamp"):
                return datetime.fromtimestamp(value, UTC)
        return value

    return {name: typed(name, value) for name, value in members.items()}


def forget_iterators() -> None:
    """Forget the iterators whose five minutes are over: they come first, so one look at the others is enough."""
    iterators = kinesis._shard_iterators._data  # noqa: SLF001 -- of every account and region
    oldest = time.time() - kinesis.ITERATOR_EXPIRY_SECONDS
    for token, _ in list(takewhile(lambda each: each[1]["created_at"] < oldest, iterators.items())):
        del iterators[token]


def forget_records(stream: dict[str, Any]) -> None:
    """Forget the records past their stream's retention; each iterator still points to the same record."""
    oldest = time.time() - stream["RetentionPeriodHours"] * 3600
    arrived = itemgetter("ApproximateArrivalTimestamp")
    for shard_id, shard in stream["shards"].items():
        records = shard["records"]
        if records and arrived(records[0]) < oldest - LATE:
            count = bisect_left(records, oldest, key=arrived)
            del records[:count]
            _move_back(count, stream["StreamARN"], shard_id)


def _move_back(count: int, stream_arn: str, shard_id: str) -> None:
    for iterator in kinesis._shard_iterators._data.values():  # noqa: SLF001 -- as above
        if (iterator["stream_arn"], iterator["shard_id"]) == (stream_arn, shard_id):
            iterator["position"] = max(0, iterator["position"] - count)


def _put_policy(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    arn = properties["ResourceArn"]
    kinesis._put_resource_policy(  # noqa: SLF001 -- what the API itself calls
        {"ResourceARN": arn, "Policy": json.dumps(properties["ResourcePolicy"])}
    )
    return arn, {}


def _delete_policy(arn: str, _properties: dict[str, Any]) -> None:
    kinesis._delete_resource_policy({"ResourceARN": arn})  # noqa: SLF001 -- the same


RESOURCE_POLICY = {"create": _put_policy, "delete": _delete_policy}
"""What CloudFormation does for a stream's resource policy; an update puts the new one."""
