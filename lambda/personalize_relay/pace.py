"""How fast calls may begin: as fast as the API takes them, and hardly at all while it takes none.

Concurrency alone can't go below one call in flight. A pace can: some hundred functions may share a quota of ten calls a
second.
"""

import math

from personalize_relay.verdicts import Verdict

START = 100.0
"""Calls a second of a new sandbox."""
FLOOR = 0.2
"""Calls a second that are still tried while nothing succeeds."""
OUTAGE = 10
"""Failures in a row, from which on each further round of calls halves the pace."""
STEP = 0.15
"""What a success adds to the pace, calls a second; as much again for each second since the last cut."""
LONGEST_CLEAN = 30.0
TOLERATED_SHARE = 0.02
TOLERATED_PACE = 0.15
"""Throttled calls that a pace p may have in balance, as a share of all: TOLERATED_SHARE + TOLERATED_PACE / p."""
GRAIN = 0.001
"""Seconds that a call may begin early, so that nobody waits for less."""
CATCH_UP = 0.05
"""Seconds of calls that may begin at once when they are late, as a timer is."""


class Pace:
    """Calls a second; kept across the invocations of a sandbox. Times are in seconds, on any one clock."""

    def __init__(self) -> None:
        self.rate = START
        self.next = -math.inf
        """When the next call may begin."""
        self._held = False
        """Whether a call had to wait for the pace since it last grew: only then is it worth more."""
        self._failures = 0
        """In a row."""
        self._cut = -math.inf
        self._halved = -math.inf

    def admits(self, now: float) -> bool:
        """Whether a call that could begin may."""
        early = now < self.next - GRAIN
        self._held = self._held or early
        return not early

    def begin(self, now: float) -> None:
        """Count a call that begins."""
        self.next = max(self.next, now - CATCH_UP) + 1 / self.rate

    def settle(self, verdict: Verdict, began: float, now: float) -> None:
        """Take in what came of a call that began then."""
        match verdict:
            case Verdict.DELIVERED | Verdict.INVALID:
                self._grow(now)
            case Verdict.THROTTLED:
                self._shrink(now)
                self._fail(began, now)
            case Verdict.TRANSIENT:
                self._fail(began, now)

    def _grow(self, now: float) -> None:
        self._failures = 0
        if self._held:
            self.rate += STEP * (1 + min(now - self._cut, LONGEST_CLEAN))
            self._held = False

    def _shrink(self, now: float) -> None:
        # By so much that growth and throttled calls balance at the tolerated share.
        cut = STEP * self.rate / (TOLERATED_SHARE * self.rate + TOLERATED_PACE)
        self.rate = max(FLOOR, self.rate - min(cut, self.rate / 2))
        self._cut = now

    def _fail(self, began: float, now: float) -> None:
        # A failure among successes says nothing of the pace; when nothing succeeds, each round of calls halves it.
        self._failures += 1
        if self._failures >= OUTAGE and began >= self._halved:
            self.rate = max(FLOOR, self.rate / 2)
            self._cut = self._halved = now
