"""When the API fails now and then, for long, or on one event only: nothing is lost, and little is sent twice."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from personalize_relay.clients import Answer
from personalize_relay.requests import Request
from tests.simulation.shard import SETTINGS, Arrivals, Shard
from tests.simulation.test_quota import Quota
from tests.simulation.world import BEGINNING, Clock, Reply, Script

FAULTS = (
    Reply(Answer(503, "ServiceUnavailable"), taken=False),
    Reply(Answer(500, "InternalFailure"), taken=False, after=1.0),
    Reply(Answer(0, "ConnectionLost"), taken=False),
    Reply(Answer(0, "TimedOut"), taken=False, after=5.0),
)


def accepted(shard: Shard) -> Counter[str]:
    """How often the API took each event, by its id."""
    return Counter(event.event_id for request in shard.world.api.taken for event in request.events)


def failing(share: float, seed: int) -> Script:
    """A script whose calls fail at random."""
    fates = random.Random(seed)  # noqa: S311 - a simulation's
    return lambda _request, _number: fates.choice(FAULTS) if fates.random() < share else Reply()


@pytest.mark.parametrize("batch_size", [100, 500])
@pytest.mark.parametrize(("share", "most"), [(0.2, 1.05), (0.05, 1.01)])
def test_random_faults_are_cured_within_the_invocation(share: float, most: float, batch_size: int) -> None:
    """What an invocation leaves comes again, and all above it, too; here even to a sandbox that remembers nothing."""
    sent = taken = 0
    for seed in range(5):
        settings = replace(SETTINGS, batch_size=batch_size)
        shard = Shard(Clock(), failing(share, seed), Arrivals(count=2000), settings, seed=seed, fresh_sandboxes=True)
        shard.live(BEGINNING + 24 * 3600)
        times = accepted(shard)
        assert len(times) == 2000
        assert not shard.world.bucket.objects
        sent += len(times)
        taken += times.total()
    assert taken / sent <= most


OUTAGE = 900.0
LOAD = 10.0
"""Seconds of outage, and records a second."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.answer.error)
def test_an_outage_is_waited_for(fault: Reply) -> None:
    """At half of what the quota allows, a quarter of an hour of nothing: few calls, no loss, and soon caught up."""
    clock = Clock()
    begin, end = clock.now + 30, clock.now + 30 + OUTAGE
    quota = Quota(clock, 2 * LOAD)
    calls: list[float] = []

    def script(request: Request, number: int) -> Reply:
        calls.append(clock.now)
        return fault if begin <= clock.now < end else quota(request, number)

    shard = Shard(clock, script, Arrivals(per_second=LOAD, count=LOAD * (30 + 3 * OUTAGE)))
    shard.live(end + 2 * OUTAGE)

    assert sum(begin <= when < end for when in calls) <= 0.05 * LOAD * OUTAGE
    times = accepted(shard)
    arrived = LOAD * (clock.now - BEGINNING)
    assert len(times) >= arrived - 2 * SETTINGS.batch_size, "not caught up"
    assert not shard.discarded
    assert not shard.world.bucket.objects


def one_bad(bad: str, fault: Reply) -> Callable[[Request, int], Reply]:
    """A script that fails on one session always."""
    return lambda request, _number: fault if request.session_id == bad else Reply()


def test_an_event_that_always_fails_holds_its_shard_for_a_quarter_of_an_hour() -> None:
    clock = Clock()
    arrivals = Arrivals(per_second=1, count=1800)
    shard = Shard(clock, one_bad("0-100", FAULTS[0]), arrivals)
    shard.live(BEGINNING + 2000)

    times = accepted(shard)
    assert set(times) == {f"clicks:shardId-000000000000:{number}" for number in range(1800) if number != 100}
    assert shard.world.bucket.rejections() == {("100", None): "failed_repeatedly"}
    assert not shard.discarded
    (line,) = shard.world.bucket.lines()
    assert line["source"]["approximateArrivalTimestamp"] == arrivals_of(100)
    assert times.total() / len(times) < 8


def arrivals_of(number: int) -> float:
    """When a record of one a second arrived, epoch seconds."""
    return 1_790_000_000.0 + number
