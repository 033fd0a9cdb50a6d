"""Find the event that a request fails on, and say when to give it up: the one place that decides it."""

from enum import Enum, auto
from typing import NamedTuple, Self

ATTEMPTS = 8
"""Failures, throttling aside, after which a request is suspected: it may hold an event that the API stumbles over."""
SLOW_ATTEMPTS = 3
SLOW = 10.0
"""The same where they took so many seconds, as time-outs do."""
MOSTLY = 3
"""Requests that are taken for each that fails, if the API is well."""


class Step(Enum):
    """What to do with a request that failed once more."""

    KEEP = auto()
    SPLIT = auto()
    GIVE_UP = auto()


class FirstAttempts:
    """The first attempts of the requests for one tracker, in one invocation: how well the API is.

    Retries don't count: an API that fails on half of its calls gets everything through in the end.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.failed = 0

    def __repr__(self) -> str:
        return f"<FirstAttempts: {self.taken} taken, {self.failed} failed>"


class Trial(NamedTuple):
    """How an event is tried that fails and fails."""

    patience: float
    """Seconds of age up to which it is tried in any case."""
    seconds: float
    """From its first failure before it may be given up; in a short invocation, a third of that."""
    chance: float
    """How likely it may be, at the share of others that fail, that a good event fails as often."""

    def within(self, invocation: float) -> Self:
        """The same in an invocation of so many seconds."""
        return self._replace(seconds=min(self.seconds, invocation / 3))


FIRST_TRIAL = Trial(patience=900.0, seconds=20.0, chance=1e-4)
NEXT_TRIAL = Trial(patience=0.0, seconds=10.0, chance=1e-9)
"""Once the sandbox gave an event of the tracker up: a shard must not be held again for each that is like it."""


class Suspicion:
    """The failures of one request, and of the parts it was split into; times are seconds on the engine's clock."""

    def __init__(self, others: FirstAttempts) -> None:
        self.failing = False
        """Whether it, or a part of it, has failed, throttling aside."""
        self._others = others
        self._before = 0, 0
        self._began = self._part_began = 0.0
        self._failed_parts = 0
        self._failures = 0
        """Of the part under way."""
        self.suspected = False
        """Whether it has failed too often by now."""

    def __repr__(self) -> str:
        state = "suspected" if self.suspected else "failing" if self.failing else "none"
        return f"<Suspicion: {state}, {self._failures} failures, {self._others!r}>"

    def begin_call(self, now: float) -> None:
        """Remember the others' counts: a trial looks at what came of them since the first call that failed began."""
        if not self.failing:
            self._before = self._others.taken, self._others.failed
            self._began = now
        if not self._failures:
            self._part_began = now

    def begin_part(self) -> None:
        """Go on with another part of the request."""
        self._failures = 0

    def begin_again(self) -> None:
        """Go on behind an event that was given up: what it held up is judged by its own failures."""
        self.failing = False
        self._failed_parts = self._failures = 0

    def note_failure(self, now: float, *, events: int, age: float, trial: Trial) -> Step:
        """Count a failed call, throttling aside, of so many events, the first of an age in seconds; what to do now."""
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
        tried = age > trial.patience and now - self._began >= trial.seconds
        return Step.GIVE_UP if tried and self._alone(trial.chance) else Step.KEEP

    def _too_often(self, now: float, events: int) -> bool:
        part = self.suspected and events > 1
        slow = self._failures >= SLOW_ATTEMPTS and now - self._part_began >= SLOW
        return part or slow or self._failures >= ATTEMPTS

    def _alone(self, most: float) -> bool:
        """Whether it fails where others are taken, since its first call that failed began, and not by chance."""
        taken = self._others.taken - self._before[0]
        failed = self._others.failed - self._before[1] - self._failed_parts
        chance: float = ((failed + 1) / (taken + failed + 2)) ** self._failures
        return taken > MOSTLY * failed and chance < most
