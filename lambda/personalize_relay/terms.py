"""What one invocation gives its deliveries: the time, and how patient they may be."""

from collections.abc import Container

import msgspec

SETTLE_MARGIN = 1.0
"""Seconds kept free at the end of an invocation to answer in, though never over half of it."""
QUARANTINE_MARGIN = 6.0
"""The same as soon as there is something to quarantine: building an S3 client takes its time."""
LEAST_TIME_FOR_A_CALL = 0.25
LONGEST_TRIAL = 20.0
"""Seconds that an event fails before it is given up, though never over a third of the invocation."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the deliveries of one invocation may do; times on the engine's clock."""

    end: float
    quarantining: bool = False
    """Whether there are bad records already: they need the longer margin."""
    overdue: Container[str] = frozenset()
    """The trackers that are no longer suspected before their events are, when they take nothing."""
    aged: Container[int] = frozenset()
    """The sequence numbers whose events are given up when they alone fail again and again."""


class Deadline:
    """When the deliveries of an invocation must be over."""

    def __init__(self, terms: Terms, now: float) -> None:
        self._end = terms.end
        self._time = terms.end - now
        self.at = 0.0
        self._keep(QUARANTINE_MARGIN if terms.quarantining else SETTLE_MARGIN)

    def keep_time_to_quarantine(self) -> None:
        """Bring it forward, as there is something to quarantine."""
        self._keep(QUARANTINE_MARGIN)

    def leaves_time(self, when: float) -> bool:
        """Whether a call that begins then can be answered in time."""
        return when + LEAST_TIME_FOR_A_CALL <= self.at

    @property
    def trial(self) -> float:
        """Seconds that an event fails before it is given up."""
        return min(LONGEST_TRIAL, self._time / 3)

    def _keep(self, margin: float) -> None:
        self.at = self._end - min(margin, self._time / 2)
