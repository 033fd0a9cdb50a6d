"""Several relays on one virtual clock: threads that take turns, so that a run is deterministic."""

import heapq
import itertools
import threading
from collections.abc import Callable

from tests.simulation.world import Clock


class Timeline(Clock):
    """A clock that many lives go by, one at a time: whoever is due first runs alone until it waits again."""

    def __init__(self) -> None:
        super().__init__()
        self._due: list[tuple[float, int, threading.Semaphore]] = []
        self._turns = itertools.count()
        self._ended = threading.Semaphore(0)
        self._failures: list[BaseException] = []

    def run(self, *lives: Callable[[], None]) -> None:
        """Live all of them to their ends; raises the first exception of any."""
        for life in lives:
            turn = self._queue(self.now)
            threading.Thread(target=self._live, args=(life, turn), daemon=True).start()
        self._pass_on()
        self._ended.acquire()
        if self._failures:
            raise self._failures[0]

    def wait_until(self, when: float) -> None:
        """Let the others live until then."""
        turn = self._queue(max(when, self.now))
        self._pass_on()
        turn.acquire()

    def _live(self, life: Callable[[], None], turn: threading.Semaphore) -> None:
        turn.acquire()
        try:
            life()
        except BaseException as exc:  # noqa: BLE001 - raised again by `run`
            self._failures.append(exc)
        self._pass_on()

    def _queue(self, when: float) -> threading.Semaphore:
        turn = threading.Semaphore(0)
        heapq.heappush(self._due, (when, next(self._turns), turn))
        return turn

    def _pass_on(self) -> None:
        if not self._due:
            self._ended.release()
            return
        self.now, _, turn = heapq.heappop(self._due)
        turn.release()
