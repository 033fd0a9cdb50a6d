"""How fast calls may begin: always as fast as they arrive, and faster only while the quota has room for a backlog.

A function shares the quota with other functions, which keep to this same law, and with callers who don't. It can't
tell them apart, because a throttled call looks the same. The need makes the difference: a function that keeps up
yields to everybody, at some 2 % of its calls throttled. A function that would fall behind insists on as many calls as
arrive, and half as many again to catch up, but on no more.
docs/decisions/0007 has the law, the measurements and the alternatives that we tried.
"""

import math
from collections.abc import Sequence

from personalize_relay.demand import Demand
from personalize_relay.verdicts import Verdict

START = 100.0
"""Calls a second that a new sandbox begins with."""
FLOOR = 0.2
"""Calls a second that are still tried while nothing succeeds."""
FEW = 1.2
"""Calls a second that are always tried while calls succeed: too few to crowd anybody out."""
OUTAGE = 10
"""Failures in a row, with no success for SILENCE seconds, after which each further round of calls halves the pace."""
SILENCE = 2.0
RESUMED = 0.25
"""The share of the pace before an outage that the first success restores."""
STEP = 0.15
"""Calls a second that a success adds to the pace; as many again for each second since the last cut."""
LONGEST_CLEAN = 30.0
TOLERATED_SHARE = 0.02
TOLERATED_PACE = 0.15
"""The share of throttled calls at which a pace p is in balance is TOLERATED_SHARE + TOLERATED_PACE / p."""
URGENT = 0.7
"""The share that a pace tolerates on top of that while it is below the need."""
OVERLOADED = 0.28
"""The same once insisting has not helped: then the functions that insist exceed the quota by themselves."""
FAIRNESS = 0.1
"""How much less a pace near its need tolerates than one far below, so that functions that insist share alike."""
INSISTENCE = 0.1
"""The share of the pace that a success adds to a pace below the need."""
CATCHING_UP = 1.5
"""Calls that a function may insist on, for each call that arrives."""
LEAST_SHARE = 0.05
"""The share of the arriving calls that a function tries, however many are throttled."""
LATE = 45.0
"""Seconds of lag after which a function insists on the calls of a burst, though it has seen the stream no longer."""
TRIED = 60.0
"""Seconds of insisting after which it has helped, or the quota counts as overloaded for OVERLOAD seconds."""
HELD = 0.75
"""The share of the answers in that time at which calls must have been waiting for the pace, and for half of the time:
or else something other than the quota held the function back."""
MET = 0.1
"""The share of the calls in that time at a pace that met the need, from which on insisting has helped."""
SERVED = 0.66
"""The share of the arriving calls that must be taken in that time, too, if the function is late."""
PAUSE = 1.0
"""The longest time between two answers, in seconds, that counts as insisting."""
OVERLOAD = 600.0
HALVING = 1.0
"""Seconds in which throttled calls may halve the pace at most once."""
MEMORY = 100
"""The number of calls over which the share of throttled calls is averaged."""
GRAIN = 0.001
"""Seconds by which a call may begin early, so that nobody waits for so little."""
ARREARS = 0.05
"""Seconds of late calls that may begin at once, because timers are late."""


class Pace:
    """Calls a second to one tracker, kept across the invocations of a sandbox. Times are seconds on any one clock."""

    def __init__(self) -> None:
        self.rate = START
        self.next = -math.inf
        """When the next call may begin."""
        self._demand = Demand()
        self._oldest = math.inf
        """When the oldest record of the batch arrived, on this clock."""
        self._held = False
        """Whether a call has waited for the pace since the pace last grew: only then may it grow again."""
        self._failures = 0
        """Failures in a row."""
        self._success = -math.inf
        self._cut = -math.inf
        self._halved = -math.inf
        self._before_outage = 0.0
        self._before_halving = -math.inf, START
        self._calls = 0
        self._throttled = 0.0
        """The share of the latest calls that were throttled."""
        self._answered = -math.inf
        """When the latest call was answered."""
        self._insisting = self._waiting = 0.0
        """Seconds of insisting, and how many of them calls waited for the pace."""
        self._insisted = self._waited = self._met = self._taken = 0
        """The answers in that time; at how many calls waited, how many met the need, how many calls were taken."""
        self._overloaded = -math.inf
        """Until when the quota counts as overloaded."""

    def __repr__(self) -> str:
        return f"<Pace {self.rate:.1f} calls/s, {self._throttled:.0%} throttled, {self._demand!r}>"

    def expect(self, arrivals: Sequence[float], lag: float, now: float) -> None:
        """Learn of a batch: when its calls arrived, in epoch seconds, and the age of its oldest record, in seconds."""
        self._demand.add(arrivals)
        self._oldest = now - lag

    def admits(self, now: float) -> bool:
        """Whether the pace lets a call begin now."""
        early = now < self.next - GRAIN
        self._held = self._held or early
        return not early

    def begin(self, now: float) -> None:
        """Count a call that begins."""
        self.next = max(self.next, now - ARREARS) + 1 / self.rate

    def settle(self, verdict: Verdict, began: float, now: float) -> None:
        """Learn the verdict on a call that began at `began`."""
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
        since, self._answered = self._answered, now
        if not (need := self._need(now)):
            self._insist_anew()
            return
        seconds = min(now - since, PAUSE)
        self._insisting += seconds
        self._waiting += seconds * self._held
        self._insisted += 1
        self._waited += self._held
        self._met += self.rate >= need
        self._taken += not throttled
        if self._insisting > TRIED:
            if self._in_vain(now):
                self._overloaded = now + OVERLOAD
            self._insist_anew()

    def _insist_anew(self) -> None:
        self._insisting = self._waiting = 0.0
        self._insisted = self._waited = self._met = self._taken = 0

    def _in_vain(self, now: float) -> bool:
        """Whether insisting has not helped, although the pace was what held the calls back."""
        if self._waited < HELD * self._insisted or self._waiting < self._insisting / 2:
            return False
        served = self._taken >= SERVED * self._demand.rate * self._insisting
        return self._met < MET * self._insisted or (self._late(now) and not served)

    def _late(self, now: float) -> bool:
        return now - self._oldest > LATE

    def _need(self, now: float) -> float:
        """Calls a second needed to keep up and to catch up slowly; 0 while the demand is unknown."""
        if not (self._demand.known or self._late(now)):
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
        # The cut is such that growth and throttled calls balance at the tolerated share.
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
        # A failure among successes says nothing about the pace; while nothing succeeds, each round of calls halves it.
        self._failures += 1
        if self._outage(now) and began >= self._halved:
            self._before_outage = max(self._before_outage, self.rate)
            self.rate = max(FLOOR, self.rate / 2)
            self._cut = self._halved = now

    def _outage(self, now: float) -> bool:
        return self._failures >= OUTAGE and now - self._success > SILENCE
