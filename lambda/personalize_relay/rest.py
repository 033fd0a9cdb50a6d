"""How long to rest after a failure that haste doesn't cure.

Such failures are denied access, a bucket that refuses, a bug, and a suspected tracker.
"""

import math

FIRST = 1.0
"""Seconds of the first rest; each further rest is twice as long."""
LONGEST = 30.0


class Rest:
    """The rests after failures in a row, kept across the invocations of a sandbox. Times are seconds on one clock."""

    def __init__(self) -> None:
        self.over = -math.inf
        """When the latest rest ends."""
        self._seconds = 0.0
        self._began = -math.inf

    def __repr__(self) -> str:
        return f"<Rest until {self.over:.1f}>" if self else "<Rest: none>"

    def __bool__(self) -> bool:
        """Whether the latest attempt failed."""
        return self._seconds > 0

    def begin(self, tried: float, now: float) -> None:
        """Rest after an attempt at `tried` has failed; an attempt from before the latest rest changes nothing."""
        if tried >= self._began:
            self._seconds = min(LONGEST, 2 * self._seconds or FIRST)
            self._began, self.over = now, now + self._seconds

    def end(self, tried: float) -> None:
        """End the rests after an attempt at `tried` has succeeded; one from before the latest rest changes nothing."""
        if tried >= self._began:
            self._seconds, self.over = 0.0, -math.inf
