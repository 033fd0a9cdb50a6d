"""What doesn't cure itself is tried again after rests: few calls, and retries for as long as the record age."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from infra.retries import retry_attempts
from local.mapping.backlog import FailureCondition
from local.mapping.settings import MappingSettings
from tests.simulation.run import BUSY, DENIED, REJECTED, THROTTLED, always
from tests.simulation.shard import SETTINGS, Arrivals, Make, Shard, one_click
from tests.simulation.world import BEGINNING, Clock, Reply, Script, World, click, good, record

TIMEOUTS = (10, 60, 900)
AGE = 12 * 3600
RECORDS = 5


def settings(timeout: int) -> MappingSettings:
    """The mapping's, with the retries that the stack gives it."""
    attempts = retry_attempts(max_record_age_seconds=AGE, timeout_seconds=timeout)
    return replace(SETTINGS, max_age=AGE, max_retries=attempts)


def unreadable(number: int, _session: str, arrival: float) -> dict[str, Any]:
    """A record that belongs in the bucket."""
    return record(number, b"bad", arrival=arrival)


def unparsed(number: int, session: str, _arrival: float) -> dict[str, Any]:
    """A record that parsing fails on by a bug."""
    broken = one_click(number, session, 0.0)
    broken["kinesis"]["approximateArrivalTimestamp"] = "not a number"
    return broken


@dataclass(frozen=True)
class Cause:
    """Why nothing of a shard is settled."""

    script: Script = good
    make: Make = one_click
    refusals: int = 0
    """Objects that the bucket refuses."""


CAUSES = {
    "denied": Cause(always(DENIED)),
    "throttled": Cause(always(THROTTLED)),
    "busy": Cause(always(BUSY)),
    "bucket": Cause(make=unreadable, refusals=10**9),
    "bug": Cause(make=unparsed),
}


SAMPLE = {("denied", 10), ("throttled", 60), ("busy", 900), ("bucket", 60), ("bug", 900)}
CELLS = [pytest.param(*cell, marks=[] if cell in SAMPLE else [pytest.mark.whole]) for cell in product(CAUSES, TIMEOUTS)]


def suffering(cause: Cause, timeout: int, hours: float) -> Shard:
    """A shard that has lived through so many hours of it."""
    arrivals = Arrivals(count=RECORDS, make=cause.make)
    shard = Shard(Clock(), cause.script, arrivals, settings(timeout), timeout=timeout)
    shard.world.bucket.refusals = cause.refusals
    shard.live(BEGINNING + hours * 3600)
    return shard


@pytest.mark.parametrize(("cause", "timeout"), CELLS)
def test_what_nothing_cures_is_given_up_by_its_age(cause: str, timeout: int) -> None:
    """Never by its attempts, which Lambda counts without a look at the time."""
    shard = suffering(CAUSES[cause], timeout, 13)
    assert shard.given_up == {FailureCondition.AGE: RECORDS}
    assert not shard.world.bucket.objects


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_the_events_of_a_tracker_that_refuses_all_are_quarantined_before_any_is_given_up(timeout: int) -> None:
    """It is doubted for half an hour, and its attempts last for longer."""
    shard = suffering(Cause(always(REJECTED)), timeout, 1)
    assert not shard.given_up
    assert len(shard.world.bucket.lines()) == RECORDS


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_an_hour_of_denied_access_costs_few_calls_and_leaves_retries(timeout: int) -> None:
    clock = Clock()
    denied: Callable[[], bool] = lambda: clock.now < BEGINNING + 3600
    script: Script = lambda _request, _number: DENIED if denied() else Reply()
    shard = Shard(clock, script, Arrivals(count=RECORDS), settings(timeout), timeout=timeout)
    shard.live(BEGINNING + 2 * 3600)
    assert not shard.given_up
    assert sum(len(request.events) for request in shard.world.api.taken) == RECORDS
    assert sum(call.reply is DENIED for call in shard.world.api.calls) <= 200
    assert shard.settings.max_retries is not None
    assert shard.invocations <= shard.settings.max_retries / 8


STUCK = {
    "a bug": unparsed(1, "a", 0.0),
    "a suspected tracker": record(1, click("a", trackingId="other")),
}


@pytest.mark.parametrize("timeout", TIMEOUTS)
@pytest.mark.parametrize("cause", STUCK)
def test_the_rests_of_a_batch_are_its_own(cause: str, timeout: int) -> None:
    """Between its invocations those of a shard that is well come to the same sandbox."""
    script: Script = lambda request, _number: REJECTED if request.tracking_id == "other" else Reply()
    world = World(script, allowed=["other"])
    reports = 0
    while world.clock.now < BEGINNING + 1700:
        reports += world.invoke([STUCK[cause]], seconds=timeout) == ["1"]
        world.invoke([record(1000 + reports, click("b"))], seconds=timeout)
    attempts = retry_attempts(max_record_age_seconds=AGE, timeout_seconds=timeout)
    assert reports < attempts * 1700 / AGE + 10
