"""Works through one shard: reads ahead, takes the next step of each backlog, and tells the backlog the outcome."""

import hashlib
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.mapping.backlog import FOREVER, Backlog, Discard, Invoke, Wait
from local.mapping.clock import MappingClock, Pauses
from local.mapping.invocation import InvocationOutcome, StreamRecord, event_of
from local.mapping.invoker import Invoker
from local.mapping.journal import Journal
from local.mapping.metrics import MappingMetrics
from local.mapping.on_failure import Destination
from local.mapping.settings import MappingSettings
from local.mapping.shard_reader import ShardReader

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

_BATCHES_AHEAD = 2
_BYTES_AHEAD = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The tools that all shards of a mapping share, until somebody updates the mapping."""

    settings: MappingSettings
    role_arn: str
    invoke: Invoker
    destination: Destination | None
    journal: Journal
    metrics: MappingMetrics
    clock: MappingClock
    pace: Pauses


@dataclass(frozen=True, slots=True)
class Status:
    """How far a shard has got."""

    unacknowledged: int = 0
    oldest: float = FOREVER
    """When the oldest unacknowledged record arrived, on the mapping's clock."""
    tip_at: float = -FOREVER
    """When the last read that found the tip began, on `time.monotonic`; for ever once the shard has ended."""
    finished: bool = False


class ShardWorker:
    """One shard. `run` is a thread's work; a second run continues where the first stood."""

    def __init__(self, shard_id: str, reader: ShardReader, tools: Tools) -> None:
        self._shard_id = shard_id
        self._reader = reader
        self._tools = self._newest = tools
        self._backlogs = _backlogs(tools)
        self._under_way: dict[Future[InvocationOutcome | str | None], tuple[Backlog, Invoke | Discard]] = {}
        self._next_read = 0.0
        self._read_now = False
        self._tip_at = -FOREVER
        self._wake = threading.Event()
        self.status = Status()

    def wake(self) -> None:
        """Make `run` check at once whether to stop, and whether its shard holds anything new."""
        self._read_now = True
        self._wake.set()

    def follow(self, tools: Tools) -> None:
        """Use these tools from the next step on, without reading any record again."""
        self._newest = tools
        self._wake.set()

    def run(self, stopping: threading.Event) -> None:
        """Work until the shard is closed and all its records are acknowledged, or until stopped.

        Steps under way are finished and settled first.
        """
        while not (stopping.is_set() or self.status.finished):
            self._take_up(self._newest)
            with ThreadPoolExecutor(len(self._backlogs), thread_name_prefix=self._shard_id) as pool:
                while not (stopping.is_set() or self.status.finished or self._tools is not self._newest):
                    self._work(pool)
                wait(self._under_way)
                self._settle_what_is_done()
        self._publish()

    def _take_up(self, tools: Tools) -> None:
        """Deal the unacknowledged records to backlogs anew, which begin their retries anew."""
        if tools is self._tools:
            return
        unacknowledged = [record for backlog in self._backlogs for record in backlog.records]
        self._tools, self._backlogs = tools, _backlogs(tools)
        now = tools.clock.now()
        for record in sorted(unacknowledged, key=lambda record: record.position):
            self._backlog_of(record).add(record, now)

    def _work(self, pool: ThreadPoolExecutor) -> None:
        self._read()
        moment = self._begin_steps(pool)
        self._publish()
        self._wake.wait(self._pause(moment))
        # Cleared before the next check, so that no call of `wake` is lost.
        self._wake.clear()
        self._settle_what_is_done()

    def _read(self) -> None:
        began = time.monotonic()
        room = self._room()
        if self._reader.ended or room <= 0 or not (self._read_now or began >= self._next_read):
            return
        # Before the read, as with `_wake`: its answer may lack records that are put meanwhile.
        self._read_now = False
        records = self._reader.read(room)
        if self._reader.at_tip:
            self._tip_at = began
        # One read after the other while there is something to catch up with.
        self._next_read = 0.0 if records else began + self._tools.pace.poll_seconds
        self._tools.metrics.read(records, at_tip=self._reader.at_tip)
        now = self._tools.clock.now()
        for record in map(self._written, records):
            self._backlog_of(record).add(record, now)
        if records:
            self._tools.journal.read(len(records))

    def _room(self) -> int:
        waiting = [backlog.waiting for backlog in self._backlogs]
        if sum(size for _, size in waiting) > _BYTES_AHEAD:
            return 0
        ahead = _BATCHES_AHEAD * self._tools.settings.batch_size * len(self._backlogs)
        return ahead - sum(count for count, _ in waiting)

    def _written(self, record: "RecordTypeDef") -> StreamRecord:
        timestamp = record["ApproximateArrivalTimestamp"].timestamp()
        event = event_of(
            shard_id=self._shard_id,
            sequence_number=record["SequenceNumber"],
            partition_key=record["PartitionKey"],
            data=record["Data"],
            timestamp=timestamp,
            stream_arn=self._tools.settings.stream_arn,
            role_arn=self._tools.role_arn,
        )
        arrived = self._tools.clock.of(timestamp)
        return StreamRecord(record["SequenceNumber"], record["PartitionKey"], timestamp, arrived, event)

    def _backlog_of(self, record: StreamRecord) -> Backlog:
        digest = hashlib.sha256(record.partition_key.encode()).digest()
        return self._backlogs[int.from_bytes(digest[:8]) % len(self._backlogs)]

    def _begin_steps(self, pool: ThreadPoolExecutor) -> float:
        """Begin the steps that are due; return when the next is due, on the mapping's clock."""
        busy = {id(backlog) for backlog, _ in self._under_way.values()}
        moment = FOREVER
        for backlog in self._backlogs:
            if id(backlog) in busy:
                continue
            step = backlog.next(self._tools.clock.now())
            if isinstance(step, Wait):
                moment = min(moment, step.until)
            else:
                self._begin(pool, backlog, step)
        return moment

    def _begin(self, pool: ThreadPoolExecutor, backlog: Backlog, step: Invoke | Discard) -> None:
        future: Future[InvocationOutcome | str | None] = (
            pool.submit(self._invoke, step) if isinstance(step, Invoke) else pool.submit(self._store, step)
        )
        self._under_way[future] = (backlog, step)
        future.add_done_callback(lambda _: self._wake.set())

    def _invoke(self, step: Invoke) -> InvocationOutcome:
        metrics, clock = self._tools.metrics, self._tools.clock
        began = metrics.invoking()
        outcome = self._tools.invoke(step.records)
        metrics.invoked(outcome, began, age=clock.of(began) - step.records[-1].arrived)
        return outcome

    def _store(self, discard: Discard) -> str | None:
        """Where the destination put the records; None if it took none."""
        if self._tools.destination is None:
            return ""
        try:
            return self._tools.destination.store(self._shard_id, discard, datetime.now(UTC))
        except (BotoCoreError, ClientError):
            return None

    def _settle_what_is_done(self) -> None:
        for future in [future for future in self._under_way if future.done()]:
            backlog, step = self._under_way.pop(future)
            came_of_it = future.result()
            if isinstance(came_of_it, InvocationOutcome):
                backlog.settle(came_of_it, self._tools.clock.now())
                self._tools.journal.invoked(self._shard_id, step.records, came_of_it)
            elif isinstance(step, Discard):
                self._settle_discard(backlog, step, came_of_it)

    def _settle_discard(self, backlog: Backlog, discard: Discard, stored_at: str | None) -> None:
        if stored_at is None:
            backlog.discard_failed(self._tools.clock.now())
            self._tools.metrics.destination_failed()
            self._tools.journal.destination_failed()
        else:
            backlog.discarded()
            self._tools.metrics.discarded(len(discard.records), stored_at)
            self._tools.journal.discarded(self._shard_id, discard, stored_at)

    def _pause(self, moment: float) -> float | None:
        """Seconds until the next step is due, if no step under way ends before."""
        pauses = [] if moment == FOREVER else [self._tools.clock.seconds_until(moment)]
        if not self._reader.ended and self._room() > 0:
            pauses.append(max(0.0, self._next_read - time.monotonic()))
        return 0.0 if self.status.finished else min(pauses, default=None)

    def _publish(self) -> None:
        oldest = [backlog.oldest for backlog in self._backlogs]
        count = sum(backlog.count for backlog in self._backlogs)
        finished = self._reader.ended and count == 0
        tip_at = FOREVER if finished else self._tip_at
        status = Status(count, min((record.arrived for record in oldest if record), default=FOREVER), tip_at, finished)
        with self._tools.journal.changed:
            if status != self.status:
                self.status = status
                self._tools.journal.changed.notify_all()


def _backlogs(tools: Tools) -> list[Backlog]:
    return [Backlog(tools.settings, tools.pace.backoff) for _ in range(tools.settings.parallelization)]
