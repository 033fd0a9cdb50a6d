"""The two ways back for a mended event: onto the stream, or straight to Personalize by the function's own delivery."""

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from personalize_relay.backoff import longest_wait
from personalize_relay.delivery import Delivery
from personalize_relay.requests import lanes
from personalize_relay_cli.recovery.mending import Mended
from personalize_relay_cli.recovery.set_aside import Position
from personalize_relay_cli.sending.outbox import MAX_RECORDS_PER_CALL, Entry, Outbox
from personalize_relay_cli.sending.put_records import put_records

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

MAX_RECORDS = MAX_RECORDS_PER_CALL
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
    """Puts each event on the stream as a record of its own, those of a session strictly one after another.

    What the stream turns away is put again. What it turns away to the end holds back the events behind it in its
    session, in later chunks, too: sent now, they would overtake it.
    """

    def __init__(self, kinesis: "KinesisClient", stream: str, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._put = put_records(kinesis, stream)
        self._wait = wait
        self._stuck: dict[str, str] = {}
        """The code that a partition key is stuck at."""

    def send(self, chunk: Sequence[Mended]) -> Outcome:
        """See Sender."""
        outcome = Outcome()
        outbox = Outbox[Mended]()
        for each in chunk:
            if each.partition_key in self._stuck:
                outcome.failed[each.position] = self._stuck[each.partition_key]
            else:
                outbox.put(Entry(each.partition_key, each.payload, 1, each))
        waited = 0.0
        while outbox:
            call = outbox.take(waited)
            if call:
                self._call(call, outbox, outcome, waited)
            else:
                self._wait(outbox.next_due() - waited)
                waited = outbox.next_due()
        return outcome

    def _call(self, call: Sequence[Entry[Mended]], outbox: Outbox[Mended], outcome: Outcome, now: float) -> None:
        for entry, code in zip(call, self._put(call), strict=True):
            entry.tries += 1
            if not code:
                outcome.sent.add(entry.of.position)
                outbox.settle(entry)
            elif entry.tries < MAX_ATTEMPTS:
                rest = random.uniform(0, longest_wait(entry.tries, throttled=True))  # noqa: S311 - spreads retries
                outbox.fail(entry, now + rest)
            else:
                self._stuck[entry.key] = code
                outcome.failed.update((each.of.position, code) for each in outbox.give_up(entry))


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
