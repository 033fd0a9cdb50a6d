"""What is set aside is whole, says why, and overwrites itself when it comes again."""

import base64
import json
from datetime import UTC, datetime

from personalize_relay.errors import Reason
from personalize_relay.events import Rejection
from personalize_relay.quarantine import Quarantine
from personalize_relay.records import Record
from tests.simulation.world import ARRIVAL, Bucket, record

WHOLE = Rejection(index=None, event_id=None, reason=Reason.INVALID_JSON, detail="the payload is not JSON: character 0")
THIRD = Rejection(
    sub_sequence=(3, 0), index=2, event_id="e2", reason=Reason.WRONG_TYPE, detail="itemId is a list, must be a string"
)


def entry(sequence_number: int, *rejections: Rejection) -> tuple[Record, tuple[Rejection, ...]]:
    return Record.read(record(sequence_number, b"\xffdata")), rejections


def quarantine(bucket: Bucket, day: int = 21) -> Quarantine:
    return Quarantine(bucket, prefix="quarantine/", now=lambda: datetime(2026, 9, day, 12, tzinfo=UTC))


def test_a_line_holds_the_record_whole_with_its_source_and_reasons() -> None:
    bucket = Bucket()
    quarantine(bucket).write([entry(41, WHOLE), entry(42, THIRD)])
    first, second = bucket.lines()
    assert first == {
        "schema": "personalize-relay.quarantine/2",
        "quarantinedAt": "2026-09-21T12:00:00+00:00",
        "reason": "invalid_json",
        "source": {
            "streamArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks",
            "shardId": "shardId-000000000000",
            "sequenceNumber": "41",
            "partitionKey": "partition-key",
            "approximateArrivalTimestamp": ARRIVAL,
        },
        "rejected": [
            {
                "subSequence": None,
                "index": None,
                "eventId": None,
                "reason": "invalid_json",
                "detail": "the payload is not JSON: character 0",
            }
        ],
        "data": base64.b64encode(b"\xffdata").decode(),
    }
    assert second["rejected"][0] == {
        "subSequence": "3.0",
        "index": 2,
        "eventId": "e2",
        "reason": "wrong_type",
        "detail": "itemId is a list, must be a string",
    }


def test_the_key_tells_the_hour_of_arrival_and_the_range_of_records() -> None:
    bucket = Bucket()
    quarantine(bucket).write([entry(41, WHOLE), entry(42, THIRD)])
    (key,) = bucket.objects
    assert key.startswith("quarantine/year=2026/month=09/day=21/hour=14/clicks-shardId-000000000000-41-42-")
    assert key.endswith(".jsonl")


def test_the_same_records_later_overwrite_themselves() -> None:
    bucket = Bucket()
    quarantine(bucket).write([entry(41, WHOLE)])
    quarantine(bucket, day=22).write([entry(41, WHOLE)])
    assert len(bucket.objects) == 1
    assert bucket.lines()[0]["quarantinedAt"].startswith("2026-09-22")


def test_other_contents_of_the_same_range_do_not() -> None:
    bucket = Bucket()
    quarantine(bucket).write([entry(41, WHOLE)])
    quarantine(bucket).write([entry(41, THIRD)])
    assert len(bucket.objects) == 2


def test_every_line_is_json_on_its_own() -> None:
    bucket = Bucket()
    quarantine(bucket).write([entry(number, WHOLE) for number in range(3)])
    (body,) = bucket.objects.values()
    assert [json.loads(line)["source"]["sequenceNumber"] for line in body.splitlines()] == ["0", "1", "2"]
