"""When the deliveries of an invocation must be over."""

SETTLE_MARGIN = 1.0
"""Seconds kept free at the end of an invocation to answer in, though never over half of it."""
QUARANTINE_MARGIN = 6.0
"""The same as soon as there is something to quarantine: building an S3 client takes its time."""
LEAST_TIME_FOR_A_CALL = 0.25


class Deadline:
    """The last moment for an answer, in an invocation that begins now and ends then; seconds on the engine's clock."""

    def __init__(self, *, now: float, end: float, quarantining: bool) -> None:
        self.time = end - now
        """Seconds that the invocation has in all."""
        self.at = 0.0
        self._end = end
        self._keep(QUARANTINE_MARGIN if quarantining else SETTLE_MARGIN)

    def __repr__(self) -> str:
        return f"<Deadline at {self.at:.1f}, {self._end - self.at:.1f} s before the end>"

    def keep_time_to_quarantine(self) -> None:
        """Bring it forward, as there is something to quarantine."""
        self._keep(QUARANTINE_MARGIN)

    def leaves_time(self, when: float) -> bool:
        """Whether a call that begins then can be answered in time."""
        return when + LEAST_TIME_FOR_A_CALL <= self.at

    def _keep(self, margin: float) -> None:
        self.at = self._end - min(margin, self.time / 2)
