"""How many calls a second arrive: the rate that a function must send at to keep up."""

import math
from collections.abc import Sequence

HORIZON = 60.0
"""Seconds of the stream's time that the average looks back over."""
SHORTEST = 20.0
"""The fewest seconds to spread the arrivals over: a function need not send a burst as fast as it came."""
LONGEST_PAUSE = 10.0
"""The most seconds of a pause that count, because a pause says little about the arrivals after it."""
KNOWN = 1.0
"""Seconds of the stream's time after which the average means something."""


class Demand:
    """Counts the calls that arrive a second of the stream's own time, which stops while the function falls behind."""

    def __init__(self) -> None:
        self._newest: float | None = None
        self._calls = 0.0
        self._seconds = 0.0

    def __repr__(self) -> str:
        return f"<Demand {self.rate:.1f} calls/s over {self._seconds:.0f} s>"

    def add(self, arrivals: Sequence[float]) -> None:
        """Count the calls of a batch, by the epoch seconds at which the last record of each arrived.

        Earlier arrivals are not counted again: a redelivered record arrived once.
        """
        since = -math.inf if self._newest is None else self._newest
        new = [each for each in arrivals if each > since]
        if not new:
            return
        first, newest = min(new), max(new)
        span = newest - first + (0.0 if self._newest is None else min(first - since, LONGEST_PAUSE))
        fade = math.exp(-span / HORIZON)
        self._calls = self._calls * fade + len(new)
        self._seconds = self._seconds * fade + span
        self._newest = newest

    @property
    def known(self) -> bool:
        """Whether the function has seen enough of the stream."""
        return self._seconds >= KNOWN

    @property
    def rate(self) -> float:
        """The calls that arrive in a second."""
        return self._calls / max(self._seconds, SHORTEST)
