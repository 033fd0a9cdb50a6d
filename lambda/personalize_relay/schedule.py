"""Which lane has the turn: of those that may be sent, the lane that is lowest in the stream.

Lanes that failed take turns with those that didn't. Otherwise, at a slow pace, a lane that always fails would take
every turn.
"""

import heapq
import math

from personalize_relay.lane import Lane


class Schedule:
    """The lanes with something to send, now or later. Times are on the engine's clock."""

    def __init__(self) -> None:
        self._sound: list[Lane] = []
        self._failing: list[Lane] = []
        self._failing_turn = False
        self._waiting: list[tuple[float, Lane]] = []

    def __repr__(self) -> str:
        return f"<Schedule: {len(self._sound)} sound, {len(self._failing)} failing, {len(self._waiting)} waiting>"

    def __bool__(self) -> bool:
        return bool(self._sound or self._failing or self._waiting)

    def add(self, lane: Lane) -> None:
        """Have a lane's next request sent in turn."""
        heapq.heappush(self._failing if lane.suspicion.failing else self._sound, lane)

    def add_later(self, lane: Lane, due: float) -> None:
        """Have a lane's next request sent in turn, but not before `due`."""
        heapq.heappush(self._waiting, (due, lane))

    def ready(self, now: float) -> bool:
        """Whether a lane may be sent now."""
        while self._waiting and self._waiting[0][0] <= now:
            self.add(heapq.heappop(self._waiting)[1])
        return bool(self._sound or self._failing)

    def next_due(self) -> float:
        """When the next of the waiting lanes may be sent; infinity if none waits."""
        return self._waiting[0][0] if self._waiting else math.inf

    def take(self) -> Lane:
        """Take the lane that has the turn, among those that are ready."""
        self._failing_turn = bool(self._failing) and (self._failing_turn or not self._sound)
        turn = self._failing if self._failing_turn else self._sound
        self._failing_turn = not self._failing_turn
        return heapq.heappop(turn)
