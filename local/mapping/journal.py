"""The record of a mapping's work, which tests and the live view read while it runs."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from local.mapping.backlog import Discard, FailureCondition
from local.mapping.invocation import InvocationOutcome, InvocationResult, StreamRecord


@dataclass(frozen=True, slots=True)
class Invocation:
    """One attempt to invoke the function, and its result."""

    shard: str
    first: str
    last: str
    count: int
    result: InvocationResult
    resume_at: str
    """The sequence number from which records come again; empty unless the result is PARTIAL."""
    error: str
    """An error type or code, or the fault of the response; no payload."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """Records that the mapping gave up, and where the destination put them (empty without one)."""

    shard: str
    first: str
    last: str
    count: int
    condition: FailureCondition
    stored_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Counts of records, except the last two; `read` is `acknowledged` + `dropped` + the unacknowledged ones."""

    read: int = 0
    acknowledged: int = 0
    dropped: int = 0
    not_invoked: int = 0
    """Attempts that did not reach the function."""
    destination_failures: int = 0
    """Failed attempts to store: Lambda's metric DestinationDeliveryFailures."""


class Journal:
    """The shards' threads write it; each entry notifies `changed`."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._invocations: list[Invocation] = []
        self._discards: list[Discarded] = []
        self._counters = Counters()

    @property
    def invocations(self) -> list[Invocation]:
        """Every attempt so far, oldest first."""
        with self.changed:
            return list(self._invocations)

    @property
    def discards(self) -> list[Discarded]:
        """Everything given up so far, oldest first."""
        with self.changed:
            return list(self._discards)

    @property
    def counters(self) -> Counters:
        """The counts so far."""
        return self._counters

    def read(self, count: int) -> None:
        """Enter that records were read."""
        self._count(read=count)

    def invoked(self, shard: str, records: Sequence[StreamRecord], outcome: InvocationOutcome) -> None:
        """Enter an attempt."""
        first, last = records[0].sequence_number, records[-1].sequence_number
        with self.changed:
            self._invocations.append(
                Invocation(shard, first, last, len(records), outcome.result, outcome.resume_at, outcome.error)
            )
            missed = outcome.result is InvocationResult.NOT_INVOKED
            self._count(acknowledged=_acknowledged(records, outcome), not_invoked=int(missed))

    def discarded(self, shard: str, discard: Discard, stored_at: str) -> None:
        """Enter that records were given up."""
        first, last, count = discard.records[0], discard.records[-1], len(discard.records)
        with self.changed:
            self._discards.append(
                Discarded(shard, first.sequence_number, last.sequence_number, count, discard.condition, stored_at)
            )
            self._count(dropped=count)

    def destination_failed(self) -> None:
        """Enter that the destination took nothing."""
        self._count(destination_failures=1)

    def _count(self, **more: int) -> None:
        with self.changed:
            counted = {name: getattr(self._counters, name) + count for name, count in more.items()}
            self._counters = replace(self._counters, **counted)
            self.changed.notify_all()


def _acknowledged(records: Sequence[StreamRecord], outcome: InvocationOutcome) -> int:
    match outcome.result:
        case InvocationResult.SUCCEEDED:
            return len(records)
        case InvocationResult.PARTIAL:
            return sum(record.position < int(outcome.resume_at) for record in records)
        case _:
            return 0
