"""Beside callers who don't back off, the relay keeps up with its stream; and it leaves them what it doesn't need."""

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from local.mapping.invocation import StreamRecord
from tests.simulation.neighbours import Neighbour, coming_and_going, constant, swinging, throttling
from tests.simulation.progress import Progress
from tests.simulation.shard import Arrivals, Shard
from tests.simulation.timeline import Timeline
from tests.simulation.world import ARRIVAL, BEGINNING, Clock, Script, World, click, record

FROM, UNTIL = 300, 900
"""Seconds: what is measured begins in the fifth minute."""
SEEDS = 3

type Cell = Callable[[Clock, int], Script]
"""Makes the API of a cell, from a seed."""


def throttled(share: float) -> Cell:
    """An API that throttles so many calls whatever the pace."""
    return lambda _clock, seed: throttling(share, seed)


def beside(calls: Callable[[float], float]) -> Cell:
    """A quota of 1,000 calls a second beside a neighbour."""
    return lambda clock, seed: Neighbour(clock, calls, seed)


CELLS = {
    **{f"{share:.0%} throttled": throttled(share) for share in (0.05, 0.1, 0.2, 0.33, 0.5)},
    **{f"beside {calls:,}/s": beside(constant(calls)) for calls in (900, 1100, 1500)},
    "beside 600 or 1,400/s": beside(swinging),
    "beside 1,500/s or nobody": beside(coming_and_going),
}
WHOLE = list(product(CELLS, (20, 100), range(SEEDS)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Four cells at a low demand, once; all of them with --verify."""
    whole = metafunc.config.getoption("--verify")
    if "cell" in metafunc.fixturenames:
        sampled = ("50% throttled",)
        sample = [(cell, 20, 0) for cell in sampled]
        metafunc.parametrize(("cell", "demand", "seed"), WHOLE if whole else sample)
    if "shards" in metafunc.fixturenames:
        metafunc.parametrize("shards", [8])


def test_a_shard_keeps_up_whoever_else_calls(cell: str, demand: int, seed: int) -> None:
    """The same engine without a pace takes all of the demand in each of these cells: it is what fairness allows."""
    clock = Clock()
    shard = Shard(clock, CELLS[cell](clock, seed), Arrivals(per_second=demand), seed=seed)
    shard.live(BEGINNING + UNTIL)

    progress = Progress(shard)
    accepted, lag = progress.accepted(FROM, UNTIL), max(progress.lags(FROM, UNTIL))
    asked = progress.calls(FROM, UNTIL) / (accepted * (UNTIL - FROM))
    sys.stdout.write(f"| {cell} | {demand} | {seed} | {accepted:.1f} | {lag:.0f} | {asked:.2f} |\n")
    assert accepted >= 0.95 * demand
    assert lag <= 60
    assert progress.sent_a_unique_one <= 1.05
    assert not shard.discarded
    assert not shard.world.bucket.objects


@pytest.mark.whole
def test_shards_keep_up_beside_a_neighbour_who_takes_more_than_there_is(shards: int) -> None:
    timeline = Timeline()
    neighbour = Neighbour(timeline, constant(1100), seed=0)
    all_ = [Shard(timeline, neighbour, Arrivals(number, per_second=20), seed=number) for number in range(shards)]
    timeline.run(*(lambda shard=shard: shard.live(BEGINNING + 420) for shard in all_))

    for progress in map(Progress, all_):
        assert progress.accepted(FROM, 420) >= 0.95 * 20
        assert max(progress.lags(FROM, 420)) <= 60
        assert progress.sent_a_unique_one <= 1.05


@pytest.mark.parametrize("seed", range(5))
def test_a_small_batch_is_delivered_within_a_minute_though_half_of_the_calls_are_throttled(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a simulation's
    world = World(throttling(0.5, seed), jitter=lambda most: draw.uniform(0, most), max_in_flight=64)
    batch = [record(number, click(f"s{number % 60}")) for number in range(300)]
    assert world.invoke(batch) == []
    assert world.clock.now - BEGINNING <= 60


@dataclass(frozen=True)
class AnHourBehind(Arrivals):
    """Records that have come for an hour already when the world begins, and go on to come."""

    def __iter__(self) -> Iterator[StreamRecord]:
        """The records, in order."""
        number = 0
        while True:
            since = number / self.per_second - 3600
            event = json.dumps(record(number, click(f"{self.shard}-{number}"), arrival=ARRIVAL + since))
            yield StreamRecord(str(number), f"{self.shard}-{number}", ARRIVAL + since, BEGINNING + since, event)
            number += 1


@pytest.mark.whole
@pytest.mark.parametrize(("calls", "seconds"), [(300, 60), (600, 60), (900, 60)])
def test_a_backlog_is_caught_up_with_what_a_neighbour_leaves(calls: int, seconds: int) -> None:
    """A web app keeps nine in ten of its calls beside eight functions that are an hour behind."""
    timeline = Timeline()
    web = Neighbour(timeline, constant(calls), seed=0)
    shards = [Shard(timeline, web, AnHourBehind(number, per_second=10), seed=number) for number in range(8)]
    timeline.run(*(lambda shard=shard: shard.live(BEGINNING + seconds) for shard in shards))

    taken = sum(len(shard.world.api.taken) for shard in shards) / seconds
    sys.stdout.write(f"| {calls}/s | {web.taken / web.made:.1%} | {taken:.0f}/s |\n")
    assert web.taken / web.made >= 0.9
    assert taken >= 80


def test_a_late_function_that_few_lanes_hold_back_is_not_starved() -> None:
    """It asks for less than arrives, so that it can't be what the quota is short of."""
    slow = throttling(0.5, seed=0, latency=0.2)
    shard = Shard(Clock(), slow, AnHourBehind(per_second=30), max_in_flight=4)
    shard.live(BEGINNING + 240)
    assert Progress(shard).accepted(120, 240) >= 10
