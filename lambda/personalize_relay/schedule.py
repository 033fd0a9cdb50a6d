"""Which lane's turn it is: of those that may be sent, the one that stands lowest in the stream."""

import heapq
import math

from personalize_relay.lane import LaneUnderWay


class Schedule:
    """The lanes with something to send, now or at a later time; times on the engine's clock."""

    def __init__(self) -> None:
        self._ready: list[LaneUnderWay] = []
        self._waiting: list[tuple[float, LaneUnderWay]] = []

    def __bool__(self) -> bool:
        return bool(self._ready or self._waiting)

    def add(self, lane: LaneUnderWay) -> None:
        """Have a lane's next request sent in its turn."""
        heapq.heappush(self._ready, lane)

    def add_later(self, lane: LaneUnderWay, due: float) -> None:
        """The same, from a time on."""
        heapq.heappush(self._waiting, (due, lane))

    def ready(self, now: float) -> bool:
        """Whether a lane may be sent now."""
        while self._waiting and self._waiting[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._waiting)[1])
        return bool(self._ready)

    def next_due(self) -> float:
        """When the next of the waiting lanes may be sent; infinity without any."""
        return self._waiting[0][0] if self._waiting else math.inf

    def take(self) -> LaneUnderWay:
        """The lane whose turn it is, of those that are ready."""
        return heapq.heappop(self._ready)

    def drop(self, tracking_id: str) -> None:
        """Send nothing more to a tracker."""
        self._ready = [lane for lane in self._ready if lane.tracking_id != tracking_id]
        self._waiting = [(due, lane) for due, lane in self._waiting if lane.tracking_id != tracking_id]
        heapq.heapify(self._ready)
        heapq.heapify(self._waiting)
