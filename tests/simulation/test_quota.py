"""Functions that share a quota of PutEvents calls use it whole, and waste few calls on finding it."""

import sys
from dataclasses import dataclass, field, replace
from functools import cache

import pytest

from personalize_relay.clients import Answer
from personalize_relay.requests import Request
from tests.simulation.shard import SETTINGS, Arrivals, Shard
from tests.simulation.timeline import Timeline
from tests.simulation.world import Clock, Reply

THROTTLED = Reply(Answer(429, "ThrottlingException"), taken=False)
WARM = 15.0
LIFTED = 45.0
"""Seconds until the functions are warm, and until the quota is lifted."""
WITHIN = 20.0
LATENCY = 0.05


@dataclass
class Quota:
    """A script that takes so many calls a second, by a token bucket of one second, until the quota is lifted."""

    clock: Clock
    per_second: float
    lifted: float = float("inf")
    answers: list[tuple[float, bool]] = field(default_factory=list)
    """When each call came, and whether it was taken."""

    def __post_init__(self) -> None:
        """Begin with a full bucket."""
        self._tokens = self.per_second
        self._since = self.clock.now

    def __call__(self, _request: Request, _number: int) -> Reply:
        """See Script."""
        now = self.clock.now
        self._tokens = min(self.per_second, self._tokens + (now - self._since) * self.per_second)
        self._since = now
        taken = self._tokens >= 1 or now >= self.lifted
        self._tokens -= taken
        self.answers.append((now, taken))
        return Reply(after=LATENCY) if taken else THROTTLED

    def between(self, begin: float, end: float) -> list[bool]:
        """The answers of a time."""
        return [taken for when, taken in self.answers if begin <= when < end]


def most_throttled(share: float) -> float:
    """Calls for each accepted one that a function may need whose share of the quota is so many calls a second."""
    return 1.10 if share >= 10 else 1.5 if share >= 1 else 4.0


def test_a_shared_quota_is_used_whole_and_left_fast_when_lifted(per_second: int, functions: int) -> None:
    timeline = Timeline()
    lifted = timeline.now + LIFTED
    quota = Quota(timeline, per_second, lifted)
    settings = SETTINGS if per_second / functions > 2 else replace(SETTINGS, batch_size=50)
    shards = [Shard(timeline, quota, Arrivals(number), settings, seed=number) for number in range(functions)]
    # Without a quota functions don't meet: one is enough to see how fast they get.
    first, *others = [lambda shard=shard, extra=not shard.seed: shard.live(lifted + WITHIN * extra) for shard in shards]
    timeline.run(first, *others)

    answers = quota.between(lifted - LIFTED + WARM, lifted)
    used, asked = sum(answers) / (LIFTED - WARM) / per_second, len(answers) / sum(answers)
    sys.stdout.write(f"{functions} on {per_second} calls/s: {used:.1%} used, {asked:.2f} requests a taken one\n")
    assert used >= 0.95
    assert asked <= most_throttled(per_second / functions)
    assert not any(shard.world.bucket.objects or shard.discarded for shard in shards)
    assert len(quota.between(lifted + WITHIN - 2, lifted + WITHIN)) >= 0.95 * 2 * unthrottled(settings.batch_size)


@cache
def unthrottled(batch_size: int) -> float:
    """Calls a second of a function that no quota holds."""
    clock = Clock()
    quota = Quota(clock, float("inf"))
    Shard(clock, quota, Arrivals(), replace(SETTINGS, batch_size=batch_size)).live(clock.now + 6)
    return len(quota.between(clock.now - 2, clock.now)) / 2


SUSTAINED = 300.0
"""Seconds of more demand than there is quota, before it is measured what that costs."""
CELLS = [(10, 1), (10, 8), (10, 64), (100, 1), (100, 8), (100, 64), (1000, 1), (1000, 8), (1000, 64)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A cell, and one in sustained overload; all of them with --verify."""
    if "functions" in metafunc.fixturenames:
        sample = [(10, 8)]
        metafunc.parametrize(("per_second", "functions"), CELLS if metafunc.config.getoption("--verify") else sample)
    if "overloaded" in metafunc.fixturenames:
        whole = metafunc.config.getoption("--verify")
        cells = [(*cell, 0) for cell in CELLS] + [(1000, 8, 200)]
        metafunc.parametrize("overloaded", cells if whole else cells[:1])


def test_a_fleet_in_sustained_overload_does_not_hammer(overloaded: tuple[int, int, int]) -> None:
    """Each function has more to send than its share, and for long: insisting on it doesn't help, and ends.

    Either a burst came at once, or more records arrive each second than the quota takes.
    """
    per_second, functions, arriving = overloaded
    timeline = Timeline()
    begin = timeline.now + SUSTAINED
    quota = Quota(timeline, per_second)
    settings = SETTINGS if per_second / functions > 2 else replace(SETTINGS, batch_size=50)
    shards = [Shard(timeline, quota, Arrivals(number, arriving), settings, seed=number) for number in range(functions)]
    timeline.run(*(lambda shard=shard: shard.live(begin + 30) for shard in shards))

    answers = quota.between(begin, begin + 30)
    asked = len(answers) / sum(answers)
    burden = f"{arriving}/s each" if arriving else "a burst"
    sys.stdout.write(f"{functions} on {per_second} calls/s, overloaded by {burden}: {asked:.2f} requests a taken one\n")
    assert sum(answers) >= 0.95 * per_second * 30
    assert asked <= 1.6 or per_second / functions < 10
    assert not any(shard.world.bucket.objects or shard.discarded for shard in shards)
