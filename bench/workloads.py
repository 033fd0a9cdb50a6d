"""What the contestants are given: Lambda events of Kinesis records, each with one click."""

import base64
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

type LambdaEvent = dict[str, Any]
type Handler = Callable[[LambdaEvent, LambdaContext], Any]
"""What Lambda calls; as a type alone, so that no contestant has to load what only another needs."""

FIRST_CLICK = 1_780_000_000


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """Records spread evenly over sessions, and the API they are sent to."""

    name: str
    records: int
    sessions: int
    latency: float
    """Seconds that the API takes to answer."""
    in_flight: int
    """Calls that may be under way at once."""
    slow_part: int = 1
    """The slow contestants are given one record of so many, of as many fewer sessions."""

    @property
    def title(self) -> str:
        """The workload in words."""
        spread = f"{self.records:,} records of {self.sessions:,} sessions"
        return f"{self.name}: {spread}, {self.latency * 1000:.0f} ms, {self.in_flight} in flight"

    def event(self, records: int) -> LambdaEvent:
        """A Lambda event of so many records, just arrived; a session has as many of them as in the whole workload."""
        now = time.time()
        sessions = max(1, round(self.sessions * records / self.records))
        return {"Records": [_record(number, number % sessions, now) for number in range(records)]}


DENSE = Workload(name="Dense", records=10_000, sessions=400, latency=0.02, in_flight=32)
SPARSE = Workload(name="Sparse", records=1_000, sessions=950, latency=0.02, in_flight=64)
SPARSE_AND_SLOW = Workload(name="Sparse, slow API", records=1_000, sessions=950, latency=0.1, in_flight=64)
WORKLOADS = (DENSE, SPARSE, SPARSE_AND_SLOW)
AT_SHARES = (
    Workload(name="Dense", records=3_000, sessions=400, latency=0.02, in_flight=32, slow_part=4),
    Workload(name="Sparse", records=500, sessions=500, latency=0.02, in_flight=64, slow_part=4),
)
"""Smaller, for a share of a core takes its time."""
GROWING = tuple(
    Workload(name="Growing", records=records, sessions=max(1, records // 25), latency=0.02, in_flight=32)
    for records in (10, 100, 1_000, 10_000)
)
"""The same density at each size."""


def _record(number: int, session: int, arrival: float) -> LambdaEvent:
    click = {
        "sessionId": f"session-{session}",
        "userId": f"user-{session}",
        "eventId": f"event-{number}",
        "eventType": "click",
        "itemId": f"item-{number}",
        "sentAt": FIRST_CLICK + number,
        "properties": {"device": "phone"},
    }
    position = 10**55 + number
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": click["sessionId"],
            "sequenceNumber": str(position),
            "data": base64.b64encode(msgspec.json.encode(click)).decode(),
            "approximateArrivalTimestamp": arrival,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{position}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/relay",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/bench",
    }
