"""Find the event that a request fails on, and decide when to give it up.

`delivery.py` chooses the trial by what `tracker.py` remembers of the last hour. docs/design.md has all of this in a
table.
"""

from enum import Enum, auto
from typing import NamedTuple, Self

ATTEMPTS = 8
"""Failures, except throttling, after which a request is suspected of holding an event that the API stumbles over."""
SLOW_ATTEMPTS = 3
SLOW = 10.0
"""Seconds; SLOW_ATTEMPTS failures are enough if they took as long as this, as time-outs do."""
MOSTLY = 3
"""While the API is well, it takes more than this many requests for each that fails."""


class Step(Enum):
    """What to do with a request that has failed once more."""

    KEEP = auto()
    SPLIT = auto()
    GIVE_UP = auto()


class FirstAttempts:
    """The first attempts of the requests for one tracker in one invocation, which show how well the API is.

    Retries don't count: an API that fails on half of its calls gets everything through in the end.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.failed = 0

    def __repr__(self) -> str:
        return f"<FirstAttempts: {self.taken} taken, {self.failed} failed>"


class Trial(NamedTuple):
    """The conditions for giving up an event that keeps failing."""

    least_age: float
    """Seconds since its record's arrival up to which the relay never gives the event up."""
    seconds: float
    """Seconds from the first failed call of its request before it may be given up; at most a third of an invocation."""
    chance: float
    """The highest chance that a good event would fail as often, given the share of others that fail."""

    def within(self, invocation: float) -> Self:
        """The same trial in an invocation of so many seconds."""
        return self._replace(seconds=min(self.seconds, invocation / 3))


FIRST_TRIAL = Trial(least_age=900.0, seconds=20.0, chance=1e-4)
NEXT_TRIAL = Trial(least_age=0.0, seconds=10.0, chance=1e-9)
"""After another event with the same error was given up within the hour, and where a person sends events again."""


class Suspicion:
    """The failures of one request, and of the parts that it was split into. Times are seconds on the engine's clock."""

    def __init__(self, others: FirstAttempts) -> None:
        self.failing = False
        """Whether the request, or a part of it, has failed, except by throttling."""
        self._others = others
        self._before = 0, 0
        self._began = self._part_began = 0.0
        self._failed_parts = 0
        self._failures = 0
        """The failures of the part under way."""
        self.suspected = False
        """Whether the request has failed too often by now."""

    def __repr__(self) -> str:
        state = "suspected" if self.suspected else "failing" if self.failing else "none"
        return f"<Suspicion: {state}, {self._failures} failures, {self._others!r}>"

    def begin_call(self, now: float) -> None:
        """Remember the others' counts: a trial compares with those since the first failed call began."""
        if not self.failing:
            self._before = self._others.taken, self._others.failed
            self._began = now
        if not self._failures:
            self._part_began = now

    def begin_part(self) -> None:
        """Go on with another part of the request."""
        self._failures = 0

    def begin_again(self) -> None:
        """Go on after an event that was given up: the events behind it are judged by their own failures."""
        self.failing = False
        self._failed_parts = self._failures = 0

    def note_failure(self, now: float, *, events: int, age: float, trial: Trial) -> Step:
        """Count a failed, not throttled call of so many events, the first of `age` seconds; return what to do."""
        if not self._failures:
            self._others.failed += 1
            self._failed_parts += 1
        self._failures += 1
        self.failing = True
        if not self._too_often(now, events):
            return Step.KEEP
        self.suspected = True
        if events > 1:
            return Step.SPLIT
        tried = age > trial.least_age and now - self._began >= trial.seconds
        return Step.GIVE_UP if tried and self._alone(trial.chance) else Step.KEEP

    def _too_often(self, now: float, events: int) -> bool:
        part = self.suspected and events > 1
        slow = self._failures >= SLOW_ATTEMPTS and now - self._part_began >= SLOW
        return part or slow or self._failures >= ATTEMPTS

    def _alone(self, most: float) -> bool:
        """Whether, since its first failed call began, it fails while others are taken, and not by chance."""
        taken = self._others.taken - self._before[0]
        failed = self._others.failed - self._before[1] - self._failed_parts
        chance: float = ((failed + 1) / (taken + failed + 2)) ** self._failures
        return taken > MOSTLY * failed and chance < most
