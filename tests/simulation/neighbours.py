"""Others who use the same quota and do not back off: the scripts of an API that throttles for their sake."""

import random
from collections.abc import Callable

from personalize_relay.clients import Answer
from personalize_relay.requests import Request
from tests.simulation.world import BEGINNING, Clock, Reply, Script

THROTTLED = Reply(Answer(429, "ThrottlingException"), taken=False)
LATENCY = 0.05


def throttling(share: float, seed: int, latency: float = LATENCY) -> Script:
    """Throttles so many calls at random, whatever the pace."""
    fates = random.Random(seed)  # noqa: S311 - a simulation's
    return lambda _request, _number: THROTTLED if fates.random() < share else Reply(after=latency)


class Neighbour:
    """A script that takes so many calls a second in all, of the relay's and of a neighbour's, whoever comes first.

    The neighbour makes `calls(seconds since the beginning)` a second, at random moments.
    """

    def __init__(self, clock: Clock, calls: Callable[[float], float], seed: int, quota: float = 1000.0) -> None:
        self.made = self.taken = 0
        """Of the neighbour's calls."""
        self._clock = clock
        self._calls = calls
        self._draw = random.Random(seed)  # noqa: S311 - a simulation's
        self._quota = quota
        self._tokens = quota
        self._since = clock.now

    def __call__(self, _request: Request, _number: int) -> Reply:
        """See Script."""
        self._live_until(self._clock.now)
        return Reply(after=LATENCY) if self._take() else THROTTLED

    def _live_until(self, now: float) -> None:
        while self._since < now:
            rate = self._calls(self._since - BEGINNING)
            following = self._since + (self._draw.expovariate(rate) if rate else 1.0)
            until = min(now, following)
            self._tokens = min(self._quota, self._tokens + (until - self._since) * self._quota)
            self._since = until
            if rate and following <= now:
                self.made += 1
                self.taken += self._take()

    def _take(self) -> bool:
        taken = self._tokens >= 1
        self._tokens -= taken
        return taken


def constant(calls: float) -> Callable[[float], float]:
    """So many calls a second always."""
    return lambda _seconds: calls


def swinging(seconds: float) -> float:
    """600 calls a second, and 1,400 in every second five minutes."""
    return 600.0 if seconds // 300 % 2 == 0 else 1400.0


def coming_and_going(seconds: float) -> float:
    """1,500 calls a second in every second two minutes."""
    return 1500.0 if seconds // 120 % 2 == 0 else 0.0
