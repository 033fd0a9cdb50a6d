"""The event source mapping between a Kinesis stream and a function, by Lambda's documented rules.

It replaces the emulator's own, which drops failed records. Where the documentation is silent, it does this:

- If a destination takes nothing, it counts that and asks again, and the shard waits. (AWS documents the metric,
  DestinationDeliveryFailures, but not what follows.)
- If an invocation fails for any reason but the function's own (throttled, unreachable, too large), it repeats the
  invocation until the records are too old, and uses no retry.
- After an update of the mapping, the retries of unacknowledged records begin anew.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from local.cloudwatch.statistics import Datum
from local.emulator.clients import ClientFactory, error_code
from local.mapping.backlog import FOREVER
from local.mapping.clock import MappingClock, Pauses
from local.mapping.invoker import invoker_of
from local.mapping.journal import Counters, Discarded, Invocation, Journal
from local.mapping.metrics import MappingMetrics
from local.mapping.on_failure import destination_of
from local.mapping.settings import MappingSettings
from local.mapping.shard_reader import TRIM_HORIZON, ShardReader, starting_position
from local.mapping.shard_worker import ShardWorker, Tools

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import ShardTypeDef


class EventSourceMapping:
    """The mapping with this UUID, at work between `start` and `stop`, or in a `with` block.

    Stopped and started again, it continues where it stood; a new one begins at the mapping's starting position. It
    follows an update of the mapping, and once the mapping is `deleted`, reads nothing more. Raises
    local.mapping.settings.UnsupportedMapping if the mapping uses a setting that it doesn't imitate.
    """

    def __init__(self, uuid: str, client: ClientFactory, pace: Pauses | None = None) -> None:
        self._uuid = uuid
        self._client = client
        self._functions = client("lambda")
        self._kinesis = client("kinesis")
        self._pace = pace or Pauses()
        self._clock = MappingClock(self._pace.time_scale)
        self._journal = Journal()
        self._metrics = MappingMetrics()
        self._tools = self._tools_for(self._described())
        # Replaced, never changed: other threads walk through it.
        self._workers: dict[str, ShardWorker] = {}
        self._first_shards: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._look = threading.Event()
        self._listed_at = -FOREVER
        self._failure: BaseException | None = None
        self.deleted = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to read and invoke, in its own threads."""
        self._stopping = threading.Event()
        for worker in self._workers.values():
            self._begin(worker.run)
        self._begin(self._discover)

    def stop(self) -> None:
        """Stop reading, and wait for the invocations under way; raises the exception that ended a thread of it."""
        self._stopping.set()
        self._nudge()
        while self._threads:
            self._threads.pop().join()
        if self._failure:
            raise self._failure

    @property
    def settings(self) -> MappingSettings:
        """The mapping's settings at the last look."""
        return self._tools.settings

    @property
    def invocations(self) -> list[Invocation]:
        """Every attempt to invoke so far, oldest first."""
        return self._journal.invocations

    @property
    def discards(self) -> list[Discarded]:
        """All records given up so far, oldest first."""
        return self._journal.discards

    @property
    def counters(self) -> Counters:
        """How many records were read, acknowledged and dropped so far."""
        return self._journal.counters

    def counted(self) -> list[Datum]:
        """The metrics that CloudWatch would have of the mapping since the last call."""
        return self._metrics.take(self.settings)

    @property
    def unacknowledged(self) -> int:
        """How many records it has read and neither acknowledged nor dropped."""
        return sum(worker.status.unacknowledged for worker in self._workers.values())

    @property
    def lag(self) -> float:
        """The age of the oldest unacknowledged record, in seconds on the mapping's clock; 0 without one."""
        oldest = min((worker.status.oldest for worker in self._workers.values()), default=FOREVER)
        return 0.0 if oldest == FOREVER else max(0.0, self._clock.now() - oldest)

    @property
    def drained(self) -> bool:
        """Whether, at the last read, every shard was read to its tip, and nothing was unacknowledged."""
        return self._drained_since(-FOREVER)

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until the condition holds, at most `timeout` seconds; returns whether it does.

        The mapping checks the condition after everything that it does. Raises the exception that ended a thread of it.
        """
        with self._journal.changed:
            self._journal.changed.wait_for(lambda: self._failure is not None or condition(), timeout)
        if self._failure:
            raise self._failure
        return condition()

    def wait_until_drained(self, timeout: float) -> bool:
        """Wait until everything written to the stream before this call is settled; returns whether it is."""
        moment = time.monotonic()
        self._nudge()
        return self.wait_until(lambda: self._drained_since(moment), timeout)

    def _drained_since(self, moment: float) -> bool:
        statuses = [worker.status for worker in self._workers.values()]
        return (
            self._failure is None
            and self._listed_at > moment
            and all(status.unacknowledged == 0 and status.tip_at > moment for status in statuses)
        )

    def _nudge(self) -> None:
        self._look.set()
        for worker in self._workers.values():
            worker.wake()

    def _begin(self, work: Callable[[threading.Event], None]) -> None:
        thread = threading.Thread(target=self._guarded, args=(work, self._stopping), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, work: Callable[[threading.Event], None], stopping: threading.Event) -> None:
        try:
            work(stopping)
        except BaseException as exc:  # noqa: BLE001 -- whoever waits for this thread raises it
            with self._journal.changed:
                self._failure = exc
                self._journal.changed.notify_all()

    def _discover(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            began = time.monotonic()
            self._follow(stopping)
            shards = self._shards()
            if shards:
                self._take_on(shards)
                with self._journal.changed:
                    self._listed_at = began
                    self._journal.changed.notify_all()
            self._look.wait(self._pace.discover_seconds)
            self._look.clear()

    def _described(self) -> MappingSettings:
        return MappingSettings.from_api(self._functions.get_event_source_mapping(UUID=self._uuid))

    def _tools_for(self, settings: MappingSettings) -> Tools:
        return Tools(
            settings=settings,
            role_arn=self._functions.get_function_configuration(FunctionName=settings.function_arn)["Role"],
            invoke=invoker_of(settings, self._functions),
            destination=destination_of(settings, self._client),
            journal=self._journal,
            metrics=self._metrics,
            clock=self._clock,
            pace=self._pace,
        )

    def _follow(self, stopping: threading.Event) -> None:
        """Continue with the mapping's settings as they are now, or stop if it is gone."""
        try:
            settings = self._described()
            if settings != self.settings:
                tools = self._tools_for(settings)
                for worker in self._workers.values():
                    worker.follow(tools)
                self._tools = tools
        except (BotoCoreError, ClientError) as exc:
            if error_code(exc) == "ResourceNotFoundException":
                self._end(stopping)

    def _end(self, stopping: threading.Event) -> None:
        stopping.set()
        self._nudge()
        with self._journal.changed:
            self.deleted = True
            self._journal.changed.notify_all()

    def _shards(self) -> "list[ShardTypeDef]":
        """The stream's shards; none if nobody knows them, as while AWS creates the stream."""
        pages = self._kinesis.get_paginator("list_shards").paginate(StreamARN=self.settings.stream_arn)
        try:
            return [shard for page in pages for shard in page["Shards"]]
        except (BotoCoreError, ClientError):
            return []

    def _take_on(self, shards: "list[ShardTypeDef]") -> None:
        listed = {shard["ShardId"] for shard in shards}
        self._first_shards = self._first_shards or listed
        for shard in shards:
            # A child waits for its parents, or the records of a key would overtake each other.
            if shard["ShardId"] not in self._workers and not self._parents(shard) & self._unfinished(listed):
                self._add(shard["ShardId"])

    @staticmethod
    def _parents(shard: "ShardTypeDef") -> set[str]:
        return {shard.get("ParentShardId", ""), shard.get("AdjacentParentShardId", "")} - {""}

    def _unfinished(self, listed: set[str]) -> set[str]:
        finished = {name for name, worker in self._workers.items() if worker.status.finished}
        return (listed | set(self._workers)) - finished

    def _add(self, shard_id: str) -> None:
        # Only the first shards begin at the starting position; a later shard is read from its beginning.
        start = starting_position(self.settings) if shard_id in self._first_shards else TRIM_HORIZON
        reader = ShardReader(self._kinesis, self.settings.stream_arn, shard_id, start)
        worker = ShardWorker(shard_id, reader, self._tools)
        self._workers = self._workers | {shard_id: worker}
        self._begin(worker.run)
