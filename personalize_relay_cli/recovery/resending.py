"""The two ways back for a mended event: onto the stream, or straight to Personalize by the function's own delivery."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from personalize_relay.delivery import Delivery
from personalize_relay.requests import lanes
from personalize_relay_cli.recovery.mending import Mended
from personalize_relay_cli.recovery.set_aside import EventPosition
from personalize_relay_cli.sending.contents import content
from personalize_relay_cli.sending.outbox import MAX_RECORDS_PER_CALL, Entry
from personalize_relay_cli.sending.put_records import Stuck, Writer, put_records

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

MAX_RECORDS = MAX_RECORDS_PER_CALL
SECONDS_FOR_A_CHUNK = 60.0
"""Time that a chunk of direct calls may take, and that the stream may take nothing: room for throttled retries."""


class ChunkOutcome(msgspec.Struct):
    """What came of each event of a chunk: it is in exactly one of these."""

    sent: set[EventPosition] = msgspec.field(default_factory=set)
    rejected: dict[EventPosition, str] = msgspec.field(default_factory=dict)
    """By Personalize, with the function's word for why."""
    failed: dict[EventPosition, str] = msgspec.field(default_factory=dict)
    """Not sent, with the code of what stood in the way."""


class Sender(Protocol):
    """Sends events of one object again, in order of their sessions."""

    def send(self, chunk: Sequence[Mended]) -> ChunkOutcome:
        """Send up to 500 events; raises what its client raises."""


class ToStream:
    """Puts events on the stream, those of a session strictly in order; a session's events share a record.

    A stream that takes nothing for a minute is tried no more, in later chunks neither.
    """

    def __init__(
        self,
        kinesis: "KinesisClient",
        stream: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._put = put_records(kinesis, stream)
        self._clock = clock
        self._wait = wait
        self._stuck = ""
        """The code that the stream is stuck at."""

    def send(self, chunk: Sequence[Mended]) -> ChunkOutcome:
        """See Sender."""
        outcome = ChunkOutcome()

        def settled(entry: Entry[EventPosition], _answer: object) -> None:
            outcome.sent.update(entry.of)

        writer = Writer[EventPosition](
            self._put, settled, give_up_after=SECONDS_FOR_A_CHUNK, clock=self._clock, wait=self._wait
        )
        for each in chunk:
            writer.add(content(each.payload, each.partition_key), each.position)
        try:
            if not self._stuck:
                writer.flush()
        except Stuck as exc:
            self._stuck = exc.code
        outcome.failed = {each.position: self._stuck for each in chunk if each.position not in outcome.sent}
        return outcome


class ToPersonalize:
    """Calls PutEvents as the function does: its requests, its pace, its retries, its splitting."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def send(self, chunk: Sequence[Mended]) -> ChunkOutcome:
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
        return ChunkOutcome(
            sent={by_source[source].position for source in result.delivered},
            rejected={by_source[source].position: each.reason for source, each in result.rejected.items()},
            failed={by_source[source].position: why for source in result.undelivered},
        )
