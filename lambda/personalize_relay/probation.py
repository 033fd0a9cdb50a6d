"""Tell a wrong tracker from bad events, before the quarantine is full of good ones."""

from personalize_relay.events import Rejection, Source

MAX_REFUSED = 3
"""Requests that a tracker may refuse whole before it is stopped, while none of its calls has succeeded."""
SUSPECT_TRACKER = "SuspectTracker"
"""What stands for the error code of a tracker so stopped."""


class Probation[Waiting]:
    """What a tracker did that has taken no event yet in this sandbox: it may be the tracker that is wrong.

    `Waiting` is what waits for its first success.
    """

    def __init__(self) -> None:
        self.rejected: dict[Source, Rejection] = {}
        self.refused = 0
        """Requests that were refused whole, down to their single events."""
        self.held: list[Waiting] = []
        self._admitted = 0

    def admits(self) -> bool:
        """Whether one more request may be tried."""
        self._admitted += 1
        return self._admitted <= MAX_REFUSED

    def replace(self) -> Waiting | None:
        """What may be tried in the place of one that failed without being refused, if anything waits."""
        return self.held.pop(0) if self.held else None
