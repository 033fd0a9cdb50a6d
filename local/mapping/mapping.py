"""The event source mapping between a Kinesis stream and a function, by Lambda's documented rules.

It stands in for the emulator's own, which drops what failed. What it does where the documentation is silent: a
destination that takes nothing is counted, and asked again, and its shard waits meanwhile (AWS names the metric,
DestinationDeliveryFailures, but not what follows); an invocation that fails for any reason but the function's own
(throttled, unreachable, too large) is repeated until the records are too old, and uses no retry; after an update of
the mapping the retries of what is unacknowledged begin anew.
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

    Stopped and started again it goes on where it stood; a new one begins at the mapping's starting position. An update
    of the mapping is noticed and followed from there; once it is found `deleted` nothing more is read. Raises
    local.mapping.settings.MappingError when the mapping uses a setting that is not imitated.
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
        """Begin to read and invoke, in threads of its own."""
        self._stopping = threading.Event()
        for worker in self._workers.values():
            self._begin(worker.run)
        self._begin(self._discover)

    def stop(self) -> None:
        """Read no more, and wait for the invocations under way; raises what a thread of it died of."""
        self._stopping.set()
        self._nudge()
        while self._threads:
            self._threads.pop().join()
        if self._failure:
            raise self._failure

    @property
    def settings(self) -> MappingSettings:
        """How the mapping is set, as of the last look at it."""
        return self._tools.settings

    @property
    def invocations(self) -> list[Invocation]:
        """Every attempt to invoke so far, oldest first."""
        return self._journal.invocations

    @property
    def discards(self) -> list[Discarded]:
        """Everything given up so far, oldest first."""
        return self._journal.discards

    @property
    def counters(self) -> Counters:
        """How many records were read, acknowledged and dropped so far."""
        return self._journal.counters

    def counted(self) -> list[Datum]:
        """All that CloudWatch would have of it since the last call."""
        return self._metrics.take(self.settings)

    @property
    def unacknowledged(self) -> int:
        """How many records are read and neither acknowledged nor dropped."""
        return sum(worker.status.unacknowledged for worker in self._workers.values())

    @property
    def lag(self) -> float:
        """The age of the oldest unacknowledged record, in seconds on the mapping's clock; 0 without one."""
        oldest = min((worker.status.oldest for worker in self._workers.values()), default=FOREVER)
        return 0.0 if oldest == FOREVER else max(0.0, self._clock.now() - oldest)

    @property
    def drained(self) -> bool:
        """Whether every shard was last found read to its tip, with nothing left unacknowledged."""
        return self._drained_since(-FOREVER)

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until the condition holds, at most `timeout` seconds; returns whether it does.

        It is looked at again whenever the mapping has done something. Raises what a thread of the mapping died of.
        """
        with self._journal.changed:
            self._journal.changed.wait_for(lambda: self._failure is not None or condition(), timeout)
        if self._failure:
            raise self._failure
        return condition()

    def wait_until_drained(self, timeout: float) -> bool:
        """Wait until all that was written to the stream before this call is settled; returns whether it is."""
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
        except BaseException as exc:  # noqa: BLE001 -- kept for whoever waits for this thread, who raises it
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
        """Go on with the mapping's settings as they are now, or not at all when it is gone."""
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
        """The stream's shards; none when they cannot be told, as while the stream is being made."""
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
        # Only the shards of the beginning begin at the starting position: of a later one nothing may be missed.
        start = starting_position(self.settings) if shard_id in self._first_shards else TRIM_HORIZON
        reader = ShardReader(self._kinesis, self.settings.stream_arn, shard_id, start)
        worker = ShardWorker(shard_id, reader, self._tools)
        self._workers = self._workers | {shard_id: worker}
        self._begin(worker.run)
