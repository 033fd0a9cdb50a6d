"""The pace yields while the function keeps up, insists while it falls behind, and gives way in an outage."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from personalize_relay.pace import (
    ARREARS,
    FEW,
    FLOOR,
    LEAST_SHARE,
    LONGEST_CLEAN,
    OUTAGE,
    OVERLOAD,
    RESUMED,
    START,
    STEP,
    Pace,
)
from personalize_relay.verdicts import Verdict

BEGIN = 1_790_000_000.0


def needing(per_second: int, *, lag: float = 0.0, seconds: int = 20) -> Pace:
    """A pace of a new sandbox that has seen so many calls a second arrive, at time 0."""
    pace = Pace()
    pace.expect([BEGIN + n / per_second for n in range(per_second * seconds)], lag, 0.0)
    return pace


def throttle(share: float) -> Callable[[float], bool]:
    """Throttle a share of the calls, evenly."""
    owed = 0.0

    def throttled(_now: float) -> bool:
        nonlocal owed
        owed += share
        owed, is_due = (owed - 1, True) if owed >= 1 else (owed, False)
        return is_due

    return throttled


def quota(per_second: float) -> Callable[[float], bool]:
    """Throttle all calls but so many a second."""
    free = 0.0

    def throttled(now: float) -> bool:
        nonlocal free
        if now < free:
            return True
        free = max(free, now - 1) + 1 / per_second
        return False

    return throttled


def drive(pace: Pace, throttled: Callable[[float], bool], until: float, since: float = 0.0) -> float:
    """Make calls as fast as the pace admits, each answered at once; returns the calls a second at the end."""
    now = max(since, pace.next)
    while now < until:
        wait(pace, now)
        pace.settle(Verdict.THROTTLED if throttled(now) else Verdict.DELIVERED, now, now)
        now = pace.next
    return pace.rate


def wait(pace: Pace, now: float) -> None:
    """Begin calls until one has to wait for the pace."""
    while pace.admits(now):
        pace.begin(now)


def outage(pace: Pace, rounds: int, now: float = 100.0) -> float:
    """Rounds of OUTAGE calls that all fail, a second each; returns when they are over."""
    for _ in range(rounds):
        for _ in range(OUTAGE):
            pace.settle(Verdict.TRANSIENT, now, now + 1)
        now += 1
    return now


def test_calls_begin_evenly_and_as_many_as_the_pace_says() -> None:
    pace = Pace()
    times = [now / 1000 for now in range(1000)]
    admitted = []
    for now in times:
        if pace.admits(now):
            pace.begin(now)
            admitted.append(now)
    assert len(admitted) == pytest.approx(START, abs=1 + ARREARS * START)


def test_a_timer_that_is_late_loses_a_few_calls_at_most_and_makes_no_burst() -> None:
    pace = Pace()
    pace.begin(0.0)
    at_once = 0
    while pace.admits(10.0):
        pace.begin(10.0)
        at_once += 1
    assert at_once == pytest.approx(ARREARS * START + 1, abs=1)


def test_a_pace_that_no_call_waits_for_grows_no_further() -> None:
    pace = Pace()
    for now in range(100):
        assert pace.admits(now)
        pace.begin(now)
        pace.settle(Verdict.DELIVERED, now, now)
    assert pace.rate == START


def test_it_grows_the_faster_the_longer_nothing_was_throttled() -> None:
    pace = Pace()
    pace.settle(Verdict.THROTTLED, 0.0, 0.0)
    growth = []
    for now in (0.0, 9.0, 1000.0):
        before = pace.rate
        wait(pace, now)
        pace.settle(Verdict.DELIVERED, now, now)
        growth.append(pace.rate - before)
    assert growth == pytest.approx([STEP, 10 * STEP, (1 + LONGEST_CLEAN) * STEP])


def test_below_the_need_throttled_calls_hardly_slow_it_and_above_it_they_do() -> None:
    """It falls behind in the one case, and keeps up well in the other."""
    half = 0.5
    assert drive(needing(1000), throttle(half), until=10) > START
    assert drive(needing(5), throttle(half), until=10) < START / 4


def test_while_nothing_is_known_of_the_need_it_yields() -> None:
    assert drive(Pace(), throttle(0.5), until=10) < START / 4


def test_a_function_that_is_late_insists_though_it_saw_a_moment_of_the_stream_only() -> None:
    in_time, late = (needing(2000, lag=lag, seconds=1) for lag in (0.0, 60.0))
    assert drive(in_time, throttle(0.5), until=5) < START / 2
    assert drive(late, throttle(0.5), until=5) > START


def test_above_its_need_it_keeps_to_two_throttled_calls_in_a_hundred_or_so() -> None:
    pace, hundred = needing(20), quota(100)
    answers: list[bool] = []

    def noted(now: float) -> bool:
        answers.append(hundred(now))
        return answers[-1]

    drive(pace, hundred, until=60)
    drive(pace, noted, until=120, since=60)
    assert sum(answers) / len(answers) < 0.05
    assert answers.count(False) / 60 > 80, "and uses the quota"


def test_it_insists_on_what_arrives_and_on_no_more_than_half_as_much_again() -> None:
    assert drive(needing(200), throttle(0.1), until=30) < 1.5 * 200 / 0.8


def test_a_minute_of_insisting_in_vain_makes_it_yield_more_for_ten_minutes() -> None:
    """Then the functions that insist are themselves what the quota can't hold."""
    pace, quarter = needing(200), quota(50)
    insisting = drive(pace, quarter, until=55)
    yielding = drive(pace, quarter, until=150, since=55)
    assert yielding < 0.7 * insisting
    assert drive(pace, quarter, until=OVERLOAD - 10, since=150) < 0.7 * insisting


def test_insisting_that_helps_goes_on() -> None:
    pace, enough = needing(200), quota(300)
    insisting = drive(pace, enough, until=55)
    assert drive(pace, enough, until=300, since=55) > 0.8 * insisting


@dataclass(frozen=True)
class Calm:
    """Ten minutes without a throttled call, in which little is sent."""

    arriving: int = 30
    every: int = 1
    """Seconds between calls."""
    lag: float = 60
    is_held: bool = True
    """Whether more calls would have begun but for the pace."""


@pytest.mark.parametrize(
    ("calm", "insists"),
    [
        pytest.param(Calm(), False, id="late, held back by the pace"),
        pytest.param(Calm(lag=0), True, id="in time"),
        pytest.param(Calm(is_held=False), True, id="held back by something else"),
        pytest.param(Calm(arriving=1, every=5), True, id="with pauses: each counts as a second"),
    ],
)
def test_only_a_late_function_that_its_pace_holds_back_has_insisted_in_vain(calm: Calm, *, insists: bool) -> None:
    pace = needing(calm.arriving)
    for now in range(0, 600, calm.every):
        pace.expect([], calm.lag, now)
        if calm.is_held:
            wait(pace, now)
        pace.settle(Verdict.DELIVERED, now, now)
    assert (drive(pace, throttle(0.5), until=690, since=600) > 1.5 * calm.arriving) == insists


def test_throttled_calls_that_come_together_halve_it_once_a_second_at_most() -> None:
    pace = Pace()
    pace.settle(Verdict.DELIVERED, 0.0, 0.0)
    for _ in range(100):
        pace.settle(Verdict.THROTTLED, 0.1, 0.5)
    assert pace.rate == START / 2
    pace.settle(Verdict.DELIVERED, 1.4, 1.4)
    for _ in range(100):
        pace.settle(Verdict.THROTTLED, 1.0, 1.5)
    assert pace.rate == START / 4


def test_some_of_what_arrives_is_tried_however_many_calls_are_throttled() -> None:
    lowest = drive(needing(1000), throttle(0.98), until=60)
    assert lowest >= LEAST_SHARE * 1000


def test_a_few_calls_are_tried_while_some_succeed() -> None:
    assert drive(Pace(), throttle(0.5), until=300) >= FEW


def test_in_an_outage_each_round_of_calls_halves_it_once_down_to_a_call_in_five_seconds() -> None:
    pace = Pace()
    outage(pace, rounds=2)
    assert pace.rate == START / 4
    outage(pace, rounds=30, now=200)
    assert pace.rate == FLOOR


def test_the_least_share_is_not_kept_up_in_an_outage() -> None:
    pace = needing(1000)
    for now in range(100):
        pace.settle(Verdict.THROTTLED, now, now)
    assert pace.rate == FLOOR


def test_the_first_success_after_an_outage_gives_a_quarter_of_the_pace_back() -> None:
    pace = Pace()
    now = outage(pace, rounds=20)
    pace.settle(Verdict.DELIVERED, now, now)
    assert pace.rate == RESUMED * START
    again = outage(pace, rounds=20, now=now + 10)
    pace.settle(Verdict.INVALID, again, again)
    assert pace.rate == RESUMED * RESUMED * START


@pytest.mark.parametrize("failures", [1, OUTAGE - 1])
def test_failures_among_successes_do_not_slow_it(failures: int) -> None:
    pace = Pace()
    for now in range(0, 1000, 10):
        for _ in range(failures):
            pace.settle(Verdict.TRANSIENT, now, now)
        pace.settle(Verdict.DELIVERED, now, now)
    assert pace.rate == START


def test_failures_that_come_together_are_no_outage_right_after_a_success() -> None:
    pace = Pace()
    pace.settle(Verdict.DELIVERED, 10.0, 10.0)
    for _ in range(64):
        pace.settle(Verdict.TRANSIENT, 10.0, 11.0)
    assert pace.rate == START


def test_a_denied_call_says_nothing_of_the_pace() -> None:
    pace = Pace()
    for now in range(100):
        pace.settle(Verdict.CONFIGURATION, now, now)
    assert pace.rate == START


def test_its_repr_says_the_pace_the_throttled_share_and_what_arrives() -> None:
    assert repr(needing(10)) == "<Pace 100.0 calls/s, 0% throttled, <Demand 10.0 calls/s over 20 s>>"
