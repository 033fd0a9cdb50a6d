"""What the grouped baselines share: a batch's clicks by session, the requests of a session, and a request's JSON."""

import base64
from collections.abc import Iterator
from itertools import batched
from typing import NamedTuple

import msgspec

from bench.workloads import LambdaEvent

TRACKING_ID = "tracker"
MAX_EVENTS = 10
"""What PutEvents takes in a call."""


class Click(NamedTuple):
    """A record's sequence number, and the click in it."""

    number: str
    event: LambdaEvent


type ClickGroup = tuple[Click, ...]
"""Up to ten clicks of a session, in order: what one call takes."""


def sessions(event: LambdaEvent) -> list[list[ClickGroup]]:
    """The requests of each session, in order; a session's next call may begin when the one before has ended."""
    clicks: dict[str, list[Click]] = {}
    for record in event["Records"]:
        click = msgspec.json.decode(base64.b64decode(record["kinesis"]["data"]))
        clicks.setdefault(click["sessionId"], []).append(Click(record["kinesis"]["sequenceNumber"], click))
    return [list(batched(session, MAX_EVENTS, strict=False)) for session in clicks.values()]


def numbers(request: ClickGroup) -> Iterator[str]:
    """The sequence numbers of a request's records."""
    return (click.number for click in request)


def response(failed: list[str]) -> LambdaEvent:
    """Lambda's partial batch response, which reports these sequence numbers."""
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def body(request: ClickGroup) -> bytes:
    """The body of the PutEvents call."""
    first = request[0].event
    events = [
        {
            "eventId": click.event["eventId"],
            "eventType": click.event["eventType"],
            "itemId": click.event["itemId"],
            "sentAt": click.event["sentAt"],
            "properties": msgspec.json.encode(click.event["properties"]).decode(),
        }
        for click in request
    ]
    return msgspec.json.encode(
        {"trackingId": TRACKING_ID, "userId": first["userId"], "sessionId": first["sessionId"], "eventList": events}
    )
