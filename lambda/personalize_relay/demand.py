"""How many calls a second arrive: what a function must be able to send, only to keep up."""

import math
from collections.abc import Sequence

HORIZON = 60.0
"""Seconds of the stream's time that the average looks back over."""
SHORTEST = 10.0
"""Seconds that what arrived is spread over at least: a burst need not be sent as fast as it came."""
KNOWN = 1.0
"""Seconds of the stream's time from which on the average says something."""


class Demand:
    """The calls that arrive, a second of the stream's own time: it stands still while the function falls behind."""

    def __init__(self) -> None:
        self._newest: float | None = None
        self._calls = 0.0
        self._seconds = 0.0

    def __repr__(self) -> str:
        return f"<Demand {self.rate:.1f} calls/s over {self._seconds:.0f} s>"

    def add(self, arrivals: Sequence[float]) -> None:
        """Take in the calls of a batch, by the epoch seconds at which each one's last record arrived.

        What came before is not counted again: a record that is redelivered arrived once.
        """
        since = -math.inf if self._newest is None else self._newest
        new = [each for each in arrivals if each > since]
        if not new:
            return
        first, newest = min(new), max(new)
        # A pause says little of what arrives when it is over.
        span = newest - first + (0.0 if self._newest is None else min(first - since, SHORTEST))
        fade = math.exp(-span / HORIZON)
        self._calls = self._calls * fade + len(new)
        self._seconds = self._seconds * fade + span
        self._newest = newest

    @property
    def known(self) -> bool:
        """Whether enough of the stream was seen."""
        return self._seconds >= KNOWN

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self._calls / max(self._seconds, SHORTEST)
