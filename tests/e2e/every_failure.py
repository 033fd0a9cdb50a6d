"""A record of every reason for which one is set aside, on the deployed relay."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord

from local.demo.clickstream import BAD, REFUSED_ITEM
from local.demo.kpl import aggregate
from local.personalize.answers import REFUSED_EVENT, HttpAnswer
from local.personalize.faults import Fault, any_event
from local.system import System
from personalize_relay.errors import Reason
from personalize_relay.events import Origin, Rejection
from personalize_relay.framing import MAX_INFLATED
from personalize_relay.quarantine import Quarantine
from personalize_relay.records import Record
from tests.e2e.conftest import Relay, retries
from tests.e2e.crash.sitecustomize import MARKER
from tests.packing import text
from tests.simulation.world import record

TOO_LARGE = HttpAnswer(status=413)
"""An answer that PutEvents's model doesn't know."""
UNREADABLE = {
    "cut off",
    "not UTF-8",
    "a bare value",
    "blank",
    "half compressed",
    "aggregated",
    "no data",
    "no base64",
    "a bomb",
}
"""The kinds of records that no transform can mend."""


def bad_records(relay: Relay) -> Iterator[tuple[str, str, bytes]]:
    """One record of each kind that can be made: its kind, its reason and its data, full of canaries."""
    for kind, (data, reason) in BAD.items():
        yield kind, reason, data.replace(b"session-bad", b"canary-session").replace(b"item-001", b"canary-item")
    deep: Any = "canary"
    for _ in range(40):
        deep = {"canary": deep}
    yield "deep", "too_deep", json.dumps(relay.event(0, eventId=None, properties=deep)).encode()
    yield "a NUL", "invalid_character", json.dumps(relay.event(0, eventId=None, itemId="canary\0")).encode()
    huge = json.dumps(relay.event(0, eventId=None, eventValue=1)).replace('"eventValue": 1', '"eventValue": 1e999')
    yield "huge", "invalid_number", huge.encode()
    yield "no data", "empty_record", b""
    refused = relay.event(0, eventId=None, itemId="canary-too-large")
    yield "too large", "refused_by_personalize", json.dumps(refused).encode()
    yield "a bomb", "too_large", gzip.compress(bytes(MAX_INFLATED + 1))
    about = relay.event(0, eventId=None, itemId=None)
    yield "two spellings", "ambiguous_member", text(about | {"ITEM_ID": "canary-1", "item-id": "canary-2"})
    yield "an envelope", "foreign_format", text(about | {"canary": {"itemId": "canary"}})
    several = [relay.event(0), relay.event(0, eventId=None, eventType=None)]
    yield "one of several", "missing_member", aggregate([text(each) for each in several])
    many = [{"eventType": "click", "sentAt": 1_790_000_000 + number} for number in range(501)]
    yield "many", "too_many_events", json.dumps({"sessionId": "canary-session", "eventList": many}).encode()


def quarantine_what_the_stream_cant_bring(relay: Relay) -> list[str]:
    """By the function's own quarantine: what takes too long, what Kinesis never holds, what needs a mapping."""
    aged, broken, unmapped = (
        record(number, relay.event(0, eventId=f"canary-event-{number}"), arrival=time.time()) for number in (1, 2, 3)
    )
    broken["kinesis"]["data"] = "!!"
    store = Store(relay.system)
    quarantine = Quarantine(store, prefix="quarantine/", now=lambda: datetime.now(UTC))
    reasons = [Reason.FAILED_REPEATEDLY, Reason.INVALID_BASE64, Reason.NOT_MAPPED]
    ids = ["canary-event-1", None, None]
    quarantine.write(
        [
            (
                Record.read(KinesisStreamRecord(each)),
                [Rejection(index=None, event_id=event_id, reason=reason, detail="as the function says it")],
            )
            for each, event_id, reason in zip([aged, broken, unmapped], ids, reasons, strict=True)
        ]
    )
    return [str(reason) for reason in reasons]


class Store:
    """The stack's bucket, as an ObjectStore."""

    def __init__(self, system: System) -> None:
        self._s3, self._bucket = system.client("s3"), system.bucket

    def put(self, key: str, body: bytes) -> None:
        """See ObjectStore."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)


class EveryFailure:
    """A record of each kind of bad, and one that killed the function until Lambda gave it up."""

    def __init__(self, relay: Relay) -> None:
        withdrawn = any_event(lambda event: event.get("itemId") == REFUSED_ITEM)
        relay.personalize.inject(Fault(REFUSED_EVENT, when=withdrawn))
        too_large = any_event(lambda event: event.get("itemId") == "canary-too-large")
        relay.personalize.inject(Fault(TOO_LARGE, when=too_large))
        made = list(bad_records(relay))
        self.reasons = Counter(reason for _, reason, _ in made)
        self.mendable = [kind for kind, _, _ in made if kind not in UNREADABLE]
        self._stream = relay.system.stream
        with retries(relay.system, 1):
            (self.crashed,) = relay.put(self._deadly(), key="canary-another-key")
            # The good event first: a tracker that only ever refused would be doubted instead.
            _, *numbers = relay.put(relay.event(0), *(data for _, _, data in made))
            relay.settle()
        self.numbers = dict(zip([kind for kind, _, _ in made], numbers, strict=True))
        relay.personalize.forget()
        relay.personalize.clear()
        self._shard = relay.quarantined[0]["source"]["shardId"]
        self.reasons.update(quarantine_what_the_stream_cant_bring(relay))

    @property
    def event_ids(self) -> set[str]:
        """The ids that all events which can be mended must have but for one of the record that killed."""
        single = {self.event_id(kind) for kind in self.mendable if kind not in {"many", "one of several"}}
        several = {self.event_id("one of several", None, 1)} | {self.event_id("many", index) for index in range(501)}
        return single | several | {"canary-event-x", "canary-event-1", "canary-event-3"}

    def event_id(self, kind: str, index: int | None = None, *place: int) -> str:
        """The id by the original position."""
        number = self.numbers[kind]
        return Origin(stream=self._stream, shard_id=self._shard, sequence_number=number, arrival=0).event_id(
            place, index
        )

    @staticmethod
    def _deadly() -> dict[str, Any]:
        kills = {"eventType": "click", "eventId": "canary-event-x", "properties": {"a": MARKER.decode()}}
        second = {"eventType": "click", "sentAt": 1_790_000_002}
        about = {"sessionId": "canary-session", "userId": "canary-user"}
        return about | {"eventList": [kills | {"sentAt": 1_790_000_001}, second]}
