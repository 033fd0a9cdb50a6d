"""Decides what comes next for the records of a shard: batch, invoke, retry, split, discard.

Pure: callers pass the time, in seconds on the mapping's clock. A backlog holds the records of a whole shard, or with a
parallelization factor, those of the shard's partition keys that share a hash. Records leave it in order, and only by a
successful invocation or by a discard that the destination has taken.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from local.mapping.invocation import CLOSING, OPENING, InvocationOutcome, InvocationResult, InvokeAnswer, StreamRecord
from local.mapping.settings import MappingSettings

PAYLOAD_LIMIT = 6 * 1024 * 1024 - len(OPENING) - len(CLOSING)
FOREVER = float("inf")

Backoff = Callable[[int], float]
"""Seconds to wait before attempt n + 1, after n attempts at a batch failed."""


class FailureCondition(StrEnum):
    """Why Lambda gives records up, in the words of the invocation record."""

    RETRIES = "RetryAttemptsExhausted"
    AGE = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class Invoke:
    """Invoke the function with these records, then tell `Backlog.settle`."""

    records: tuple[StreamRecord, ...]


@dataclass(frozen=True, slots=True)
class Discard:
    """Give these records to the destination, then tell `Backlog.discarded` or `Backlog.discard_failed`."""

    records: tuple[StreamRecord, ...]
    condition: FailureCondition
    invocations: int
    answer: InvokeAnswer | None
    """The last answer about them; None if their age decided, not the function."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this time, unless a record is added."""

    until: float


@dataclass(frozen=True, slots=True)
class _Batch:
    records: tuple[StreamRecord, ...]
    retries: int = 0
    invocations: int = 0
    attempts: int = 0
    not_before: float = 0.0
    condition: FailureCondition | None = None
    answer: InvokeAnswer | None = None


class Backlog:
    """The records that are read and not yet acknowledged, and the next step for them."""

    def __init__(self, settings: MappingSettings, backoff: Backoff) -> None:
        self._settings = settings
        self._backoff = backoff
        self._open: deque[_Batch] = deque()
        self._read: deque[tuple[StreamRecord, float]] = deque()
        self._read_bytes = 0

    def add(self, record: StreamRecord, now: float) -> None:
        """Add a record that was just read; its window starts now."""
        self._read.append((record, now))
        self._read_bytes += record.size

    @property
    def records(self) -> tuple[StreamRecord, ...]:
        """Every unacknowledged record, in order."""
        return *(r for batch in self._open for r in batch.records), *(record for record, _ in self._read)

    @property
    def count(self) -> int:
        """How many records there are."""
        return sum(len(batch.records) for batch in self._open) + len(self._read)

    @property
    def oldest(self) -> StreamRecord | None:
        """The first unacknowledged record."""
        if self._open:
            return self._open[0].records[0]
        return self._read[0][0] if self._read else None

    @property
    def waiting(self) -> tuple[int, int]:
        """How many records, of how many bytes, are in no batch yet."""
        return len(self._read), self._read_bytes

    def next(self, now: float) -> Invoke | Discard | Wait:
        """The step to take now; settle an Invoke or a Discard before you ask for the next step."""
        if not self._open:
            if now < (ready := self._ready_at()):
                return Wait(ready)
            self._open.append(_Batch(self._take()))
        self._set_expired_apart(now)
        batch = self._open[0]
        if now < batch.not_before:
            return Wait(batch.not_before)
        if batch.condition:
            return Discard(batch.records, batch.condition, batch.invocations, batch.answer)
        return Invoke(batch.records)

    def settle(self, outcome: InvocationOutcome, now: float) -> None:
        """Take in the outcome of invoking the function with the first batch."""
        batch = self._open.popleft()
        self._open.extendleft(reversed(self._after(batch, outcome, now)))

    def discarded(self) -> None:
        """The destination has the records of the first batch."""
        self._open.popleft()

    def discard_failed(self, now: float) -> None:
        """The destination has not taken them: they stay, and so does everything behind them."""
        batch = self._open.popleft()
        self._open.appendleft(self._delayed(batch, now))

    def _ready_at(self) -> float:
        if not self._read:
            return FOREVER
        full = len(self._read) >= self._settings.batch_size or self._read_bytes > PAYLOAD_LIMIT
        return 0.0 if full else self._read[0][1] + self._settings.window

    def _take(self) -> tuple[StreamRecord, ...]:
        taken: list[StreamRecord] = []
        size = 0
        while self._read and len(taken) < self._settings.batch_size:
            size += self._read[0][0].size
            # A record too large for any payload goes alone, and fails alone.
            if taken and size > PAYLOAD_LIMIT:
                break
            taken.append(self._read.popleft()[0])
        self._read_bytes -= sum(record.size for record in taken)
        return tuple(taken)

    def _set_expired_apart(self, now: float) -> None:
        batch = self._open[0]
        limit = self._settings.max_age
        if batch.condition or limit is None:
            return
        kept = next((i for i, r in enumerate(batch.records) if now - r.arrived <= limit), len(batch.records))
        if kept:
            self._open.popleft()
            rest, expired = batch.records[kept:], batch.records[:kept]
            if rest:
                self._open.appendleft(replace(batch, records=rest))
            given_up = replace(batch, records=expired, condition=FailureCondition.AGE, answer=None, not_before=0.0)
            self._open.appendleft(given_up)

    def _after(self, batch: _Batch, outcome: InvocationOutcome, now: float) -> list[_Batch]:
        if outcome.result is InvocationResult.NOT_INVOKED:
            return [self._delayed(batch, now)]
        batch = replace(batch, invocations=batch.invocations + 1, answer=outcome.answer)
        match outcome.result:
            case InvocationResult.SUCCEEDED:
                return []
            case InvocationResult.PARTIAL:
                return [self._retried(replace(batch, records=_from(batch.records, outcome.resume_at)), now)]
            case _:
                return self._failed(batch, now)

    def _failed(self, batch: _Batch, now: float) -> list[_Batch]:
        if not self._settings.bisect or len(batch.records) == 1:
            return [self._retried(batch, now)]
        # A split uses no retry, so both halves have as many left as the whole had.
        half = len(batch.records) // 2
        return [replace(batch, records=batch.records[:half]), replace(batch, records=batch.records[half:])]

    def _retried(self, batch: _Batch, now: float) -> _Batch:
        limit = self._settings.max_retries
        if limit is not None and batch.retries >= limit:
            return replace(batch, condition=FailureCondition.RETRIES, not_before=0.0)
        return self._delayed(replace(batch, retries=batch.retries + 1), now)

    def _delayed(self, batch: _Batch, now: float) -> _Batch:
        attempts = batch.attempts + 1
        return replace(batch, attempts=attempts, not_before=now + self._backoff(attempts))


def _from(records: Sequence[StreamRecord], sequence_number: str) -> tuple[StreamRecord, ...]:
    return tuple(record for record in records if record.position >= int(sequence_number))
