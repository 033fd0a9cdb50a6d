"""The time at which an invocation must stop delivering."""

SETTLE_MARGIN = 1.0
"""Seconds kept free for the answer at the end of an invocation, but never more than half of the invocation."""
QUARANTINE_MARGIN = 6.0
"""The same once there is something to quarantine: building an S3 client takes time."""
LEAST_TIME_FOR_A_CALL = 0.25


class Deadline:
    """The last moment for an answer in an invocation from `now` to `end`, in seconds on the engine's clock."""

    def __init__(self, *, now: float, end: float, quarantining: bool) -> None:
        self.time = end - now
        """Seconds that the whole invocation has."""
        self.at = 0.0
        self._end = end
        self._keep(QUARANTINE_MARGIN if quarantining else SETTLE_MARGIN)

    def __repr__(self) -> str:
        return f"<Deadline at {self.at:.1f}, {self._end - self.at:.1f} s before the end>"

    def keep_time_to_quarantine(self) -> None:
        """Bring the deadline forward, because there is something to quarantine."""
        self._keep(QUARANTINE_MARGIN)

    def leaves_time(self, when: float) -> bool:
        """Whether a call that begins at `when` can be answered in time."""
        return when + LEAST_TIME_FOR_A_CALL <= self.at

    def _keep(self, margin: float) -> None:
        self.at = self._end - min(margin, self.time / 2)
