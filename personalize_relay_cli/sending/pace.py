"""How many events a second are sent: the rate asked for, or what a throttled stream takes."""

import math

FLOOR = 200.0
"""Events a second that are tried however much is throttled."""
_GROWTH = 0.25
"""Of the rate, in a second without throttling."""
_SPAN = 0.5
"""Seconds from one look at what the stream takes to the next."""
_CALL = 0.25
"""Seconds' worth of events that a call holds at most, so that a slow rate is an even one."""


class SendingPace:
    """The pace of all calls together; times are those of one monotonic clock."""

    def __init__(self, ceiling: float = math.inf) -> None:
        self._ceiling = ceiling
        self.rate = ceiling
        """Events a second."""
        self._free = 0.0
        self._looked: float | None = None
        self._taken = 0
        self._grown = 0.0

    @property
    def most(self) -> float:
        """How many events a call may hold."""
        return max(1.0, self.rate * _CALL)

    def reserve(self, events: int, now: float) -> float:
        """The seconds to wait before so many events are sent."""
        if self._looked is None:
            self._looked = now
        begin = max(self._free, now)
        self._free = begin + events / self.rate
        return begin - now

    def answered(self, taken: int, throttled: int, now: float) -> None:
        """Learn from a call: how many events the stream took, and how many it throttled."""
        self._taken += taken
        looked = now if self._looked is None else self._looked
        if throttled and now - looked >= _SPAN:
            self.rate = min(self.rate, self._ceiling, max(FLOOR, self._taken / (now - looked)))
        elif not throttled and self.rate < self._ceiling:
            self.rate = min(self._ceiling, self.rate * (1 + _GROWTH * min(1.0, now - self._grown)))
        self._grown = now
        if now - looked >= _SPAN:
            self._looked, self._taken = now, 0
