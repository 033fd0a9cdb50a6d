"""One run of `relay replay`: each shard in order, a few at once, each batch until the function has settled it."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from personalize_relay_cli.problems import Problem
from personalize_relay_cli.replaying.function import BatchAnswer, Function
from personalize_relay_cli.replaying.records import Replayed, batches
from personalize_relay_cli.replaying.stream import Shard, Stream, generations
from personalize_relay_cli.sending.pace import SendingPace

AT_ONCE = 4
"""Shards that are replayed at once, each with an invocation of its own: the live stream needs the rest."""
MAX_TRIES = 6
"""Of a batch of which nothing is settled; the function has waited for as long as an invocation may, each time."""
LONGEST_REST = 30.0
"""Seconds between two of them."""
_LOOK = 0.1


class ReplayTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is replayed, and how; times of arrival in epoch seconds."""

    since: float
    until: float
    rate: float
    """Records a second, of all shards together."""
    batch_size: int


class Progress(msgspec.Struct, kw_only=True):
    """How far a shard is."""

    shard_id: str
    read: int = 0
    settled: int = 0
    first: float | None = None
    """The first arrival."""
    last: float | None = None
    """The last arrival."""
    stands: float
    """The arrival of the first record that isn't settled, or where to look for one."""
    ended: bool = False
    stuck: str = ""
    """Why it was not replayed to its end."""


class Replay:
    """A run over shards; with `function` None it counts only.

    `wait` lets seconds pass, fewer where the run is to end; `draw` is called after each step.
    """

    def __init__(
        self,
        stream: Stream,
        function: Function | None,
        terms: ReplayTerms,
        *,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.shards: list[Progress] = []
        self.counts: Counter[str] = Counter()
        """What the function counted, by the metric's name, in all invocations whose log showed it."""
        self.invocations = 0
        self.uncounted = 0
        """Invocations whose log did not show it."""
        self.draw: Callable[[], None] = lambda: None
        self._stream = stream
        self._function = function
        self._terms = terms
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._pace = SendingPace(terms.rate)
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    @property
    def read(self) -> int:
        """How many records were read."""
        return sum(each.read for each in self.shards)

    @property
    def settled(self) -> int:
        """How many of them the function has delivered, or quarantined."""
        return sum(each.settled for each in self.shards)

    @property
    def unfinished(self) -> list[Progress]:
        """The shards that are not at their end."""
        return [each for each in self.shards if not each.ended]

    def over(self, shards: Sequence[Shard], interrupted: Callable[[], bool]) -> None:
        """Replay these shards until `interrupted`, which ends it after the invocations under way.

        What ends it early leaves the account of what was done.
        """
        self.shards = [Progress(shard_id=each.shard_id, stands=self._terms.since) for each in shards]
        by_id = {each.shard_id: each for each in self.shards}
        for generation in generations(shards):
            # None is to overtake what it was made of.
            self._at_once([by_id[each.shard_id] for each in generation if self._may_begin(each)], interrupted)
            if self._stopped.is_set():
                break
        if self._failure:
            raise self._failure

    def _may_begin(self, shard: Shard) -> bool:
        return not shard.parents & {each.shard_id for each in self.unfinished}

    def _at_once(self, shards: Sequence[Progress], interrupted: Callable[[], bool]) -> None:
        waiting: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        for each in shards:
            waiting.put(each)
        # Daemons: after a second Ctrl-C nothing waits for an invocation.
        threads = [threading.Thread(target=self._work, args=(waiting,), daemon=True) for _ in shards[:AT_ONCE]]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_LOOK)
                if interrupted():
                    self._stopped.set()

    def _work(self, waiting: "queue.SimpleQueue[Progress]") -> None:
        try:
            with suppress(queue.Empty):
                while not self._stopped.is_set():
                    self._shard(waiting.get_nowait())
        except BaseException as exc:  # noqa: BLE001 - `over` raises it
            self._failure = self._failure or exc
            self._stopped.set()

    def _shard(self, progress: Progress) -> None:
        for page in self._stream.pages(progress.shard_id, self._terms.since, self._terms.until):
            progress.read += len(page)
            progress.first = page[0].arrival if progress.first is None else progress.first
            progress.last = page[-1].arrival
            if self._function is None:
                progress.stands = progress.last
                self.draw()
            elif not self._send(self._function, progress, page):
                return
            if self._stopped.is_set():
                return
        progress.ended = True

    def _send(self, function: Function, progress: Progress, page: Sequence[Replayed]) -> bool:
        """Have a page settled; False where that isn't to be, or it is time to end."""
        size = max(1, min(self._terms.batch_size, int(self._terms.rate)))
        try:
            for batch in batches(page, size):
                progress.stands = batch[0].arrival
                self._settle(function, progress, batch)
                if self._stopped.is_set():
                    return False
                progress.stands = batch[-1].arrival
        except Problem as exc:
            progress.stuck = str(exc)
            return False
        return True

    def _settle(self, function: Function, progress: Progress, batch: list[Replayed]) -> None:
        tries = 0
        while batch:
            self._wait(self._delay(len(batch)))
            if self._stopped.is_set():
                return
            answer = function.invoke(batch)
            self._note(progress, answer)
            tries = 0 if answer.settled else tries + 1
            batch = batch[answer.settled :]
            if not batch:
                return
            progress.stands = batch[0].arrival
            if tries == MAX_TRIES:
                did = f"failed with {answer.error}" if answer.error else "reported it"
                raise Problem(
                    f"from the record {batch[0].sequence_number} on nothing is replayed: "
                    f"the function {did} {MAX_TRIES} times, its log says why"
                )
            self._wait(min(LONGEST_REST, 2.0**tries))

    def _delay(self, records: int) -> float:
        with self._lock:
            return self._pace.reserve(records, time.monotonic())

    def _note(self, progress: Progress, answer: BatchAnswer) -> None:
        with self._lock:
            progress.settled += answer.settled
            self.invocations += 1
            self.uncounted += answer.counts is None
            self.counts.update(answer.counts or {})
        self.draw()
