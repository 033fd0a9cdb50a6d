"""When the API fails now and then, for long, or on one event only: nothing is lost, and little is sent twice."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from personalize_relay.clients import Answer
from personalize_relay.requests import Request
from tests.simulation.shard import SETTINGS, Arrivals, Shard
from tests.simulation.test_quota import Quota
from tests.simulation.world import ARRIVAL, BEGINNING, Clock, Reply, Script, World, click, record

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


def poisoned(*bad: str, fault: Reply) -> Script:
    """A script that fails whenever one of these items is in the call."""
    return lambda request, _number: fault if {event.item_id for event in request.events} & {*bad} else Reply()


def drain(records: list[dict[str, Any]], script: Script, *, age: float, seed: int = 0) -> World:
    """Give records of an age to a warm sandbox until none comes again; returns its world."""
    draw = random.Random(seed)  # noqa: S311 - a simulation's
    world = World(jitter=lambda most: draw.uniform(0, most), max_in_flight=64)
    world.invoke([record(0, click("warm"))])
    world.api.script = script
    world.clock.now += age
    while records:
        failed = world.invoke(records)
        records = [
            each for each in records if failed and int(each["kinesis"]["sequenceNumber"]) >= min(map(int, failed))
        ]
        assert world.clock.now < BEGINNING + 3600, f"{len(records)} records are stuck"
    return world


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.answer.error)
@pytest.mark.parametrize("poisons", [1, 2, 5])
def test_poison_starves_nobody(fault: Reply, poisons: int) -> None:
    """At the pace of an outage a lane that always fails would take every turn, and nothing else would succeed."""
    bad = [record(1 + n, click(f"bad{n}", itemId=f"bad{n}")) for n in range(poisons)]
    behind = [record(10 + n, click("bad0")) for n in range(49)]
    others = [record(100 + n, click(f"s{n}")) for n in range(100)]
    world = drain([*bad, *behind, *others], poisoned(*(f"bad{n}" for n in range(poisons)), fault=fault), age=0)
    assert set(world.bucket.rejections().values()) == {"failed_repeatedly"}
    assert len(world.bucket.rejections()) == poisons


@pytest.mark.parametrize("records", [1, 3])
def test_in_an_outage_the_last_of_a_batch_are_not_taken_for_poison(records: int) -> None:
    """There is nothing that they could be compared with."""
    down: Script = lambda _request, _number: FAULTS[0] if world.clock.now < BEGINNING + 3000 else Reply()
    world = World()
    world.api.script = down
    world.clock.now += 901
    batch = [record(1 + n, click(f"s{n}"), arrival=ARRIVAL) for n in range(records)]
    while failed := world.invoke(batch):
        batch = [each for each in batch if int(each["kinesis"]["sequenceNumber"]) >= min(map(int, failed))]
    assert not world.bucket.objects
    assert len(world.api.taken) == records


@pytest.mark.parametrize("share", [0.4, 0.5])
def test_good_events_are_not_given_up_when_a_backlog_meets_a_flapping_api(share: float) -> None:
    given_up = 0
    for seed in range(5):
        records = [record(1 + n, click(f"s{n}")) for n in range(1000)]
        world = drain(records, failing(share, seed), age=901, seed=seed)
        given_up += len(world.bucket.rejections())
    assert not given_up


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


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.answer.error)
def test_an_event_that_always_fails_holds_its_shard_for_a_quarter_of_an_hour(fault: Reply) -> None:
    clock = Clock()
    arrivals = Arrivals(per_second=5, count=9000)
    shard = Shard(clock, one_bad("0-100", fault), arrivals, replace(SETTINGS, window=5))
    shard.live(BEGINNING + 2000)

    times = accepted(shard)
    assert set(times) == {f"clicks:shardId-000000000000:{number}" for number in range(9000) if number != 100}
    assert shard.world.bucket.rejections() == {("100", None): "failed_repeatedly"}
    assert not shard.discarded
    (line,) = shard.world.bucket.lines()
    assert line["source"]["approximateArrivalTimestamp"] == arrivals_of(100)
    assert times.total() / len(times) < 8


def arrivals_of(number: int) -> float:
    """When a record of five a second arrived, epoch seconds."""
    return 1_790_000_000.0 + number / 5
