"""The relay in a world of its own: virtual time, a scripted PutEvents, a bucket in memory, and Lambda's batches.

Only the edges are simulated: the code between a Lambda event and a PutEvents request is the product's.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.typing import LambdaContext

from personalize_relay import mapping
from personalize_relay.clients import Answer
from personalize_relay.delivery import Delivery
from personalize_relay.errors import DeliveryError
from personalize_relay.events import Trackers
from personalize_relay.processor import RelayProcessor
from personalize_relay.quarantine import Quarantine
from personalize_relay.requests import Request

ARRIVAL = 1_790_000_000.0
BEGINNING = 1000.0
"""What the clock shows when a world begins, at ARRIVAL."""
LATENCY = 0.02
TRACKER = "tracker"


OK = Answer(200)

type Place = tuple[str, str | None, int | None]
"""Of an event: its record's sequence number, its payload's place in that, and its own in its payload."""


class Clock:
    """Virtual time, in seconds; only waiting moves it."""

    def __init__(self) -> None:
        self.now = BEGINNING

    def __call__(self) -> float:
        """The time."""
        return self.now

    def wait_until(self, when: float) -> None:
        """Let time pass."""
        self.now = max(self.now, when)


@dataclass(frozen=True)
class Reply:
    """What the scripted API does with one call: whether it takes the events, what it answers, and when."""

    answer: Answer = OK
    taken: bool = True
    after: float = LATENCY


@dataclass
class Call:
    """One call as the API saw it."""

    request: Request
    reply: Reply
    due: float
    timeout: float
    """Seconds that the caller would wait for the answer."""
    given_up: bool = False
    """True once the invocation that made the call has ended without its answer."""

    @property
    def began(self) -> float:
        """When the call was made."""
        return self.due - self.reply.after


type Script = Callable[[Request, int], Reply]
"""Decides on a call from its request and its number."""


def good(_request: Request, _number: int) -> Reply:
    """The API at its best."""
    return Reply()


class Api:
    """A PutEventsClient whose calls a script decides on; it remembers what it took, in order."""

    def __init__(self, clock: Clock, script: Script = good) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.taken: list[Request] = []
        self.most_per_session = 0
        self._clock = clock
        self._open: dict[int, Call] = {}

    def submit(self, request: Request, timeout: float) -> int:
        """See PutEventsClient."""
        ticket = len(self.calls)
        reply = self.script(request, ticket)
        # A hung call ends when the client gives it up.
        after = min(reply.after, timeout) if reply.answer.error == "TimedOut" else reply.after
        call = Call(request, reply, self._clock.now + after, timeout)
        self.calls.append(call)
        self._open[ticket] = call
        session = [each for each in self._open.values() if each.request.session_id == request.session_id]
        self.most_per_session = max(self.most_per_session, sum(not each.given_up for each in session))
        return ticket

    def poll(self, timeout: float) -> list[tuple[int, Answer]]:
        """See PutEventsClient."""
        until = self._clock.now + timeout
        self._clock.wait_until(min([call.due for call in self._open.values()] + [until]))
        done = {ticket: call for ticket, call in self._open.items() if call.due <= self._clock.now}
        for ticket, call in sorted(done.items(), key=lambda item: item[1].due):
            del self._open[ticket]
            if call.reply.taken:
                self.taken.append(call.request)
        return [(ticket, call.reply.answer) for ticket, call in done.items()]

    def give_up(self) -> None:
        """The end of an invocation: nobody waits for the open calls, and the API may still take them."""
        for call in self._open.values():
            call.given_up = True


@dataclass
class Bucket:
    """An ObjectStore in memory, that refuses as many objects as it is told to."""

    objects: dict[str, bytes] = field(default_factory=dict)
    refusals: int = 0
    latest: str | None = None
    """The key written in the latest invocation, if any."""

    def put(self, key: str, body: bytes) -> None:
        """See ObjectStore."""
        if self.refusals:
            self.refusals -= 1
            raise DeliveryError("refused by the test")
        self.objects[key] = body
        self.latest = key

    def lines(self, *keys: str) -> list[dict[str, Any]]:
        """The quarantined records of the given objects, or of all."""
        return [json.loads(line) for key in keys or self.objects for line in self.objects[key].splitlines()]

    def rejections(self) -> dict[Place, str]:
        """The reason of each rejected event."""
        return {place: each["reason"] for place, each in self.rejected().items()}

    def rejected(self) -> dict[Place, dict[str, Any]]:
        """All that is told of each rejected event."""
        return {
            (line["source"]["sequenceNumber"], each["subSequence"], each["index"]): each
            for line in self.lines()
            for each in line["rejected"]
        }


def no_jitter(most: float) -> float:
    """Draw the longest wait, always."""
    return most


class World:
    """A relay with everything around it simulated."""

    def __init__(  # noqa: PLR0913 - all that a test may choose
        self,
        script: Script = good,
        *,
        clock: Clock | None = None,
        jitter: Callable[[float], float] = no_jitter,
        max_in_flight: int = 8,
        allowed: Sequence[str] = (),
        mapping: mapping.Mapping | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.api = Api(self.clock, script)
        self.bucket = Bucket()
        self._jitter = jitter
        self._max_in_flight = max_in_flight
        self._trackers = Trackers(default=TRACKER, allowed=frozenset(allowed))
        self._mapping = mapping
        self.processor = self._sandbox()

    def fresh_sandbox(self) -> None:
        """Start the next invocation in a new process, as after a crash."""
        self.processor = self._sandbox()

    def _sandbox(self) -> RelayProcessor:
        return RelayProcessor(
            delivery=Delivery(
                self.api,
                clock=self.clock,
                jitter=self._jitter,
                max_in_flight=self._max_in_flight,
            ),
            quarantine=Quarantine(
                self.bucket,
                prefix="quarantine/",
                now=lambda: datetime.fromtimestamp(ARRIVAL + self.clock.now - BEGINNING, UTC),
            ),
            trackers=self._trackers,
            mapping=self._mapping,
            clock=self.clock,
            now=lambda: ARRIVAL + self.clock.now - BEGINNING,
            wait=lambda seconds: self.clock.wait_until(self.clock.now + seconds),
        )

    def invoke(self, records: Sequence[Mapping[str, Any]], *, seconds: float = 60.0) -> list[str]:
        """Run one invocation; returns the sequence numbers it reports as failed."""
        self.bucket.latest = None
        failed = invoke(self.processor, records, self.clock, seconds)
        self.api.give_up()
        return failed


def invoke(
    processor: RelayProcessor, records: Sequence[Mapping[str, Any]], clock: Callable[[], float], seconds: float
) -> list[str]:
    """Have the processor do one invocation that has so many seconds; returns the sequence numbers it reports."""
    end = clock() + seconds
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: int((end - clock()) * 1000))
    response = process_partial_response(
        {"Records": list(records)}, processor.parse, processor, cast("LambdaContext", context)
    )
    return [cast("str", failure["itemIdentifier"]) for failure in response["batchItemFailures"]]


def record(sequence_number: int, data: bytes | Mapping[str, Any], *, arrival: float = ARRIVAL) -> dict[str, Any]:
    """One record of a Lambda event, as the Kinesis event source mapping hands it over."""
    payload = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "partition-key",
            "sequenceNumber": str(sequence_number),
            "data": base64.b64encode(payload).decode(),
            "approximateArrivalTimestamp": arrival,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/relay",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks",
    }


def click(session: str = "session", **members: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    """A good event, with the given members changed or added."""
    return {"sessionId": session, "eventType": "click", "itemId": "item", "sentAt": ARRIVAL - 60, **members}
