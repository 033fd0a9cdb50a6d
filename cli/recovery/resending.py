"""The two ways back for a mended event: onto the stream, or straight to Personalize by the function's own delivery."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from cli.deployment import naming
from cli.recovery.mending import Mended
from cli.recovery.set_aside import Position
from personalize_relay.backoff import longest_wait
from personalize_relay.delivery import Delivery
from personalize_relay.requests import lanes

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

MAX_RECORDS = 500
MAX_BYTES = 4 * 1024 * 1024
"""Of a PutRecords call: under its limit of 5 MB, keys included."""
MAX_ATTEMPTS = 8
SECONDS_FOR_A_CHUNK = 60.0
"""Time that a chunk of direct calls may take: room for every retry of a throttled one."""


class Outcome(msgspec.Struct):
    """What came of each event of a chunk: it is in exactly one of these."""

    sent: set[Position] = msgspec.field(default_factory=set)
    rejected: dict[Position, str] = msgspec.field(default_factory=dict)
    """By Personalize, with the function's word for why."""
    failed: dict[Position, str] = msgspec.field(default_factory=dict)
    """Not sent, with the code of what stood in the way."""


class Sender(Protocol):
    """Sends events of one object again, in order of their sessions."""

    def send(self, chunk: Sequence[Mended]) -> Outcome:
        """Send up to 500 events; raises what its client raises."""


class ToStream:
    """Puts each event on the stream as a record of its own; what the stream turns away is put again."""

    def __init__(self, kinesis: "KinesisClient", stream: str, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._wait = wait

    def send(self, chunk: Sequence[Mended]) -> Outcome:
        """See Sender."""
        outcome = Outcome()
        for call in _calls(chunk):
            self._put(call, outcome)
        return outcome

    def _put(self, waiting: Sequence[Mended], outcome: Outcome) -> None:
        codes: dict[Position, str] = {}
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                self._wait(random.uniform(0, longest_wait(attempt, throttled=True)))  # noqa: S311 - spreads retries
            answers = self._kinesis.put_records(
                **naming(self._stream),
                Records=[{"Data": each.payload, "PartitionKey": each.partition_key} for each in waiting],
            )["Records"]
            pairs = list(zip(waiting, answers, strict=True))
            outcome.sent.update(each.position for each, answer in pairs if not answer.get("ErrorCode"))
            codes = {each.position: answer["ErrorCode"] for each, answer in pairs if answer.get("ErrorCode")}
            waiting = [each for each in waiting if each.position in codes]
            if not waiting:
                return
        outcome.failed.update(codes)


class ToPersonalize:
    """Calls PutEvents as the function does: its requests, its pace, its retries, its splitting."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def send(self, chunk: Sequence[Mended]) -> Outcome:
        """See Sender."""
        by_source = {each.interaction.source: each for each in chunk}
        # The function doubts its tracker before the first events that are refused. A person has chosen these, and
        # loses nothing: what is refused stays where it is.
        result = self._delivery.deliver(
            lanes(each.interaction for each in chunk),
            end=self._delivery.clock() + SECONDS_FOR_A_CHUNK,
            wall=time.time(),
            doubting=False,
        )
        errors = sorted({*result.configuration_errors, *result.uncured_errors})
        why = ", ".join(errors) or "out of time"
        return Outcome(
            sent={by_source[source].position for source in result.delivered},
            rejected={by_source[source].position: each.reason for source, each in result.rejected.items()},
            failed={by_source[source].position: why for source in result.undelivered},
        )


def _calls(chunk: Sequence[Mended]) -> Iterator[list[Mended]]:
    """The chunk cut to the size of a PutRecords call."""
    call: list[Mended] = []
    size = 0
    for each in chunk:
        more = len(each.payload) + len(each.partition_key.encode())
        if call and (len(call) == MAX_RECORDS or size + more > MAX_BYTES):
            yield call
            call, size = [], 0
        call.append(each)
        size += more
    if call:
        yield call
