"""Which lane's turn it is: of those that may be sent, the one that stands lowest in the stream.

Lanes that failed take turns with those that didn't: else, at a slow pace, one that always fails would take every turn.
"""

import heapq
import math

from personalize_relay.lane import LaneUnderWay


class Schedule:
    """The lanes with something to send, now or at a later time; times on the engine's clock."""

    def __init__(self) -> None:
        self._sound: list[LaneUnderWay] = []
        self._faulty: list[LaneUnderWay] = []
        self._faulty_turn = False
        self._waiting: list[tuple[float, LaneUnderWay]] = []

    def __bool__(self) -> bool:
        return bool(self._sound or self._faulty or self._waiting)

    def add(self, lane: LaneUnderWay) -> None:
        """Have a lane's next request sent in its turn."""
        heapq.heappush(self._faulty if lane.faulty else self._sound, lane)

    def add_later(self, lane: LaneUnderWay, due: float) -> None:
        """The same, from a time on."""
        heapq.heappush(self._waiting, (due, lane))

    def ready(self, now: float) -> bool:
        """Whether a lane may be sent now."""
        while self._waiting and self._waiting[0][0] <= now:
            self.add(heapq.heappop(self._waiting)[1])
        return bool(self._sound or self._faulty)

    def next_due(self) -> float:
        """When the next of the waiting lanes may be sent; infinity without any."""
        return self._waiting[0][0] if self._waiting else math.inf

    def take(self) -> LaneUnderWay:
        """The lane whose turn it is, of those that are ready."""
        self._faulty_turn = bool(self._faulty) and (self._faulty_turn or not self._sound)
        turn = self._faulty if self._faulty_turn else self._sound
        self._faulty_turn = not self._faulty_turn
        return heapq.heappop(turn)

    def drop(self, tracking_id: str) -> None:
        """Send nothing more to a tracker."""
        # A sorted list is a heap.
        self._sound = sorted(lane for lane in self._sound if lane.tracking_id != tracking_id)
        self._faulty = sorted(lane for lane in self._faulty if lane.tracking_id != tracking_id)
        self._waiting = sorted((due, lane) for due, lane in self._waiting if lane.tracking_id != tracking_id)
