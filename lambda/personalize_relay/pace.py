"""How fast calls may begin: what arrives may always be asked for, what has waited only as far as the quota is free.

A quota is shared with other functions, which keep to this same law, and with callers who don't. Nothing tells them
apart: a throttled call looks the same. What differs is the need. A function that keeps up yields to everybody, at some
2 % of its calls throttled; one that would fall behind insists on as many calls as arrive, and half as many again to
catch up, but on no more.
docs/decisions/0007 has the law, its measurements and what was tried in its place.
"""

import math
from collections.abc import Sequence

from personalize_relay.demand import Demand
from personalize_relay.verdicts import Verdict

START = 100.0
"""Calls a second of a new sandbox."""
FLOOR = 0.2
"""Calls a second that are still tried while nothing succeeds."""
FEW = 1.2
"""Calls a second that are always tried while calls succeed: too few to crowd anybody out."""
OUTAGE = 10
"""Failures in a row, from which on each further round of calls halves the pace, if there was no success for SILENCE."""
SILENCE = 2.0
RESUMED = 0.25
"""Of the pace before an outage, what the first success gives back."""
STEP = 0.15
"""What a success adds to the pace, calls a second; as much again for each second since the last cut."""
LONGEST_CLEAN = 30.0
TOLERATED_SHARE = 0.02
TOLERATED_PACE = 0.15
"""Throttled calls that a pace p may have in balance, as a share of all: TOLERATED_SHARE + TOLERATED_PACE / p."""
URGENT = 0.7
"""The share that is tolerated besides while the pace is below the need."""
OVERLOADED = 0.28
"""The same once insisting has not helped: the functions that insist are then themselves what the quota can't hold."""
FAIRNESS = 0.1
"""How much less of it a pace near its need tolerates than one far below: so that functions that insist share alike."""
INSISTENCE = 0.1
"""What a success adds to a pace below the need, as a share of the pace."""
CATCHING_UP = 1.5
"""Calls that may be insisted on, for each one that arrives."""
LEAST_SHARE = 0.05
"""Of the calls that arrive, those that are tried however many are throttled."""
LATE = 45.0
"""Seconds of lag from which on the calls of a burst are insisted on, though the stream was seen for no longer."""
TRIED = 60.0
"""Seconds of insisting after which it has helped, or the function takes the quota for overloaded, for OVERLOAD."""
HELPED = 0.1
"""Of the calls in that time, those at a pace that met the need, if it has helped."""
OVERLOAD = 600.0
HALVING = 1.0
"""Seconds in which throttled calls may halve the pace once."""
MEMORY = 100
"""Calls that the share of throttled ones is averaged over."""
GRAIN = 0.001
"""Seconds that a call may begin early, so that nobody waits for less."""
ARREARS = 0.05
"""Seconds of calls that may begin at once when they are late, as a timer is."""


class Pace:
    """Calls a second to one tracker; kept across the invocations of a sandbox. Times are seconds on any one clock."""

    def __init__(self) -> None:
        self.rate = START
        self.next = -math.inf
        """When the next call may begin."""
        self._demand = Demand()
        self._oldest = math.inf
        """When the oldest record under way arrived, on this clock."""
        self._held = False
        """Whether a call had to wait for the pace since it last grew: only then is it worth more."""
        self._failures = 0
        """In a row."""
        self._success = -math.inf
        self._cut = -math.inf
        self._halved = -math.inf
        self._before_outage = 0.0
        self._before_halving = -math.inf, START
        self._calls = 0
        self._throttled = 0.0
        """As a share of the latest calls."""
        self._insisting = -math.inf
        self._insisted = self._met = 0
        """Calls since it began to insist, and those of them at a pace that met the need."""
        self._overloaded = -math.inf
        """Until when it takes the quota for overloaded."""

    def __repr__(self) -> str:
        return f"<Pace {self.rate:.1f} calls/s, {self._throttled:.0%} throttled, {self._demand!r}>"

    def expect(self, arrivals: Sequence[float], lag: float, now: float) -> None:
        """Take in a batch: when its calls arrived, in epoch seconds, and how old its oldest record is, in seconds."""
        self._demand.add(arrivals)
        self._oldest = now - lag

    def admits(self, now: float) -> bool:
        """Whether a call that could begin may."""
        early = now < self.next - GRAIN
        self._held = self._held or early
        return not early

    def begin(self, now: float) -> None:
        """Count a call that begins."""
        self.next = max(self.next, now - ARREARS) + 1 / self.rate

    def settle(self, verdict: Verdict, began: float, now: float) -> None:
        """Take in what came of a call that began then."""
        match verdict:
            case Verdict.DELIVERED | Verdict.INVALID:
                self._note(0, now)
                self._grow(now)
            case Verdict.THROTTLED:
                self._note(1, now)
                self._shrink(now)
                self._fail(began, now)
            case Verdict.TRANSIENT:
                self._fail(began, now)

    def _note(self, throttled: int, now: float) -> None:
        self._calls += 1
        self._throttled += (throttled - self._throttled) / min(self._calls, MEMORY)
        need = self._need(now)
        if not need or self._insisting == -math.inf:
            self._insist(now)
            return
        self._insisted += 1
        self._met += self.rate >= need
        if now - self._insisting > TRIED:
            if self._met < HELPED * self._insisted:
                self._overloaded = now + OVERLOAD
            self._insist(now)

    def _insist(self, now: float) -> None:
        self._insisting = now
        self._insisted = self._met = 0

    def _need(self, now: float) -> float:
        """Calls a second that it takes to keep up and to catch up slowly; 0 while nothing is known of it."""
        if not (self._demand.known or now - self._oldest > LATE):
            return 0.0
        return CATCHING_UP * self._demand.rate / (1 - min(self._throttled, URGENT))

    def _grow(self, now: float) -> None:
        self._failures = 0
        self._success = now
        self.rate = max(self.rate, RESUMED * self._before_outage)
        self._before_outage = 0.0
        if self._held:
            clean = STEP * (1 + min(now - self._cut, LONGEST_CLEAN))
            self.rate += max(clean, self._step(self._need(now)))
            self._held = False

    def _step(self, need: float) -> float:
        return max(STEP, INSISTENCE * self.rate) if self.rate < need else STEP

    def _shrink(self, now: float) -> None:
        since, most = self._before_halving
        if now - since >= HALVING:
            self._before_halving = now, (most := self.rate)
        need = self._need(now)
        # By so much that growth and throttled calls balance at the tolerated share.
        tolerated = self._tolerated(need, now)
        cut = min(self._step(need) * (1 - tolerated) / tolerated, self.rate / 2)
        self.rate = max(self._least(now), min(self.rate, most / 2), self.rate - cut)
        self._cut = now

    def _tolerated(self, need: float, now: float) -> float:
        share = TOLERATED_SHARE + TOLERATED_PACE / self.rate
        if self.rate < need:
            share += (OVERLOADED if now < self._overloaded else URGENT) - FAIRNESS * self.rate / need
        return min(share, 0.9)

    def _least(self, now: float) -> float:
        if self._outage(now):
            return FLOOR
        return max(FEW if self._throttled <= URGENT else FLOOR, LEAST_SHARE * self._demand.rate)

    def _fail(self, began: float, now: float) -> None:
        # A failure among successes says nothing of the pace; when nothing succeeds, each round of calls halves it.
        self._failures += 1
        if self._outage(now) and began >= self._halved:
            self._before_outage = max(self._before_outage, self.rate)
            self.rate = max(FLOOR, self.rate / 2)
            self._cut = self._halved = now

    def _outage(self, now: float) -> bool:
        return self._failures >= OUTAGE and now - self._success > SILENCE
