"""An event that alone fails again and again: how it is found, and how long it is tried.

First what is held against a request, then the engine on virtual time.
"""

import pytest

from personalize_relay.events import Source
from personalize_relay.requests import Request
from personalize_relay.suspicion import FIRST_TRIAL, NEXT_TRIAL, FirstAttempts, Step, Suspicion, Trial
from tests.simulation.run import BUSY, THROTTLED, TIMED_OUT, Run, ids, interaction
from tests.simulation.world import Clock, Reply, Script

SLOW_TIMEOUT = Reply(TIMED_OUT.answer, taken=False, after=5.0)

OTHERS = [interaction(100 + n, session=f"s{n}") for n in range(20)]
"""Events that are taken at once, so that one that fails is seen to be alone."""
OLD = 1000
"""All events below this position are old enough to be given up."""


class Held:
    """What is held against a request, beside others of which so many were taken and failed since it began."""

    def __init__(self, *, taken: int = 0, failed: int = 0) -> None:
        self.others = FirstAttempts()
        self.suspicion = Suspicion(self.others)
        self.suspicion.begin_call(0.0)
        self.others.taken, self.others.failed = taken, failed

    def fail(
        self, times: int = 1, *, at: float = 0.0, events: int = 1, age: float = 1e4, trial: Trial = FIRST_TRIAL
    ) -> Step:
        """Have it fail, and say what the last failure leads to."""
        for _ in range(times):
            step = self.suspicion.note_failure(at, events=events, age=age, trial=trial)
        return step


def test_a_request_is_suspected_at_its_eighth_failure_and_then_halved() -> None:
    held = Held(taken=100)
    assert held.fail(7, events=10) is Step.KEEP
    assert not held.suspicion.suspected
    assert held.fail(events=10) is Step.SPLIT
    assert held.suspicion.suspected


def test_three_slow_failures_are_enough() -> None:
    held = Held(taken=100)
    assert held.fail(2, at=10.0, events=10) is Step.KEEP
    assert held.fail(at=10.0, events=10) is Step.SPLIT


def test_a_part_of_a_suspected_request_is_halved_at_once_and_a_single_event_is_not_given_up_at_once() -> None:
    held = Held(taken=100)
    held.fail(8, at=30.0, events=4)
    held.suspicion.begin_part()
    assert held.fail(at=30.0, events=2) is Step.SPLIT
    held.suspicion.begin_part()
    held.suspicion.begin_call(30.0)
    assert held.fail(7, at=30.0) is Step.KEEP, "it is judged by its own failures"
    assert held.fail(at=30.0) is Step.GIVE_UP


@pytest.mark.parametrize(("older", "seconds", "step"), [(1, 20, Step.GIVE_UP), (-1, 20, Step.KEEP), (1, 19, Step.KEEP)])
def test_an_event_is_given_up_once_it_is_old_and_has_failed_for_a_while(
    older: float, seconds: float, step: Step
) -> None:
    held, age = Held(taken=100), FIRST_TRIAL.least_age + older
    held.fail(8, age=age)
    assert held.fail(at=seconds, age=age) is step


def test_after_one_that_was_given_up_the_next_is_tried_for_ten_seconds_however_young() -> None:
    assert Held(taken=100).fail(8, at=10.0, age=0.1, trial=NEXT_TRIAL) is Step.GIVE_UP
    assert Held(taken=100).fail(8, at=9.9, age=0.1, trial=NEXT_TRIAL) is Step.KEEP


def test_a_trial_takes_a_third_of_a_short_invocation_at_most() -> None:
    assert FIRST_TRIAL.within(30.0).seconds == 10.0
    assert FIRST_TRIAL.within(900.0) == FIRST_TRIAL


def test_no_event_is_given_up_where_chance_may_explain_its_failures() -> None:
    """One other in five fails, too: eight failures in a row come by chance once in 300,000 times."""
    assert Held(taken=80, failed=20).fail(8, at=30.0, trial=FIRST_TRIAL) is Step.GIVE_UP
    assert Held(taken=80, failed=20).fail(8, at=30.0, trial=NEXT_TRIAL) is Step.KEEP
    assert Held(taken=80, failed=20).fail(14, at=30.0, trial=NEXT_TRIAL) is Step.GIVE_UP


@pytest.mark.parametrize(("taken", "failed", "step"), [(31, 10, Step.GIVE_UP), (30, 10, Step.KEEP), (0, 0, Step.KEEP)])
def test_no_event_is_given_up_unless_more_than_three_others_are_taken_for_each_that_fails(
    taken: int, failed: int, step: Step
) -> None:
    assert Held(taken=taken, failed=failed).fail(50, at=30.0) is step


def test_behind_an_event_that_was_given_up_all_is_judged_by_its_own_failures() -> None:
    held = Held(taken=100)
    held.fail(8, at=30.0)
    held.suspicion.begin_again()
    held.suspicion.begin_call(60.0)
    held.others.taken += 100
    assert held.fail(2, at=90.0) is Step.KEEP
    assert held.fail(at=90.0) is Step.GIVE_UP


def test_behind_an_event_that_was_given_up_all_is_tried_for_as_long_again() -> None:
    held = Held(taken=100)
    held.fail(8, at=30.0)
    held.suspicion.begin_again()
    held.suspicion.begin_call(60.0)
    held.others.taken += 100
    assert held.fail(8, at=79.9) is Step.KEEP
    assert held.fail(at=80.0) is Step.GIVE_UP


def test_each_part_that_fails_counts_once_among_the_first_attempts() -> None:
    held = Held()
    held.fail(5, events=2)
    assert held.others.failed == 1
    held.suspicion.begin_part()
    held.fail(5)
    assert held.others.failed == 2


def test_its_repr_says_whether_it_is_suspected_and_what_became_of_others() -> None:
    held = Held(taken=7)
    assert repr(held.suspicion) == "<Suspicion: none, 0 failures, <FirstAttempts: 7 taken, 0 failed>>"
    held.fail()
    assert repr(held.suspicion) == "<Suspicion: failing, 1 failures, <FirstAttempts: 7 taken, 1 failed>>"
    held.fail(7)
    assert repr(held.suspicion).startswith("<Suspicion: suspected, 8 failures")


def failing_on(position: int, fault: Reply) -> Script:
    """A script that fails on one event always."""
    return lambda request, _number: fault if f"e{position}" in ids(request) else Reply()


def failing_at_first(positions: set[int], *, always: int) -> Script:
    """A script for single events: it fails on the first try of some of them, and on each of one."""
    left = {f"e{position}" for position in positions}

    def script(request: Request, _number: int) -> Reply:
        (event,) = ids(request)
        failed = event == f"e{always}" or event in left
        left.discard(event)
        return BUSY if failed else Reply()

    return script


def hiccups_behind(bad: int, behind: set[str], times: int) -> Script:
    """A script that fails on one event always, and so many times on the request that holds just those behind it."""
    left = iter(range(times))

    def script(request: Request, _number: int) -> Reply:
        failed = f"e{bad}" in ids(request) or (ids(request) == behind and next(left, None) is not None)
        return BUSY if failed else Reply()

    return script


TRIALS = [(30, 10), (60, 20), (120, 20)]
"""Seconds of an invocation, and those that an event has to fail in it."""


@pytest.mark.parametrize(("seconds", "trial"), TRIALS)
@pytest.mark.parametrize("fault", [BUSY, SLOW_TIMEOUT], ids=lambda fault: fault.answer.error)
def test_an_old_event_is_given_up_once_it_has_failed_for_a_while(seconds: float, trial: float, fault: Reply) -> None:
    """20 seconds, or a third of the invocation if that is less; its last call begins at most a pause after that."""
    run = Run([interaction(0), *OTHERS], failing_on(0, fault), aged=OLD, seconds=seconds)
    assert list(run.result.rejected) == [Source(0)]
    end = run.tries(0)[-1] + fault.after
    assert trial <= end <= trial + 5.0 + fault.after


@pytest.mark.parametrize(("unwell", "given_up"), [(0, True), (24, True), (26, False), (50, False)])
def test_an_old_event_is_given_up_only_while_three_in_four_others_are_taken_at_once(
    unwell: int, *, given_up: bool
) -> None:
    """That they are taken in the end says nothing: an API at half of its calls gets everything through at last."""
    first = {n for n in range(1, 101) if 37 * n % 100 < unwell}
    script = failing_at_first(first, always=0)
    run = Run([interaction(n, session=f"s{n}") for n in range(101)], script, aged=101, most=64)
    assert set(run.result.rejected) == ({Source(0)} if given_up else set())
    assert len(run.result.delivered) == 100


@pytest.mark.parametrize(("fault", "times"), [(BUSY, 8), (SLOW_TIMEOUT, 3)])
def test_a_request_that_kept_failing_is_halved_and_its_halves_do_not_inherit_its_pauses(
    fault: Reply, times: int
) -> None:
    """It has failed eight times, or three times in ten seconds."""
    run = Run([interaction(n) for n in range(2)], failing_on(1, fault))
    together = run.tries(0)[:-1]
    assert len(together) == times
    assert run.tries(0, alone=True)[0] - together[-1] - fault.after < 0.5
    first, second = run.tries(1, alone=True)[:2]
    assert second - first - fault.after < 0.5


def test_the_halves_of_a_suspected_request_are_halved_at_their_first_failure() -> None:
    """Those behind an event that is given up, too: ten bad ones must not cost ten times eight calls."""
    script: Script = lambda request, _number: BUSY if {"e0", "e2"} & ids(request) else Reply()
    run = Run([*(interaction(n) for n in range(4)), *OTHERS], script, aged=OLD)
    assert Source(0) in run.result.rejected
    assert len(run.tries(3)) - len(run.tries(3, alone=True)) == 8 + 1


def test_the_time_that_an_event_has_failed_counts_from_the_first_failure_of_the_request_it_is_in() -> None:
    run = Run([*(interaction(n) for n in range(10)), *OTHERS], failing_on(0, BUSY), aged=OLD)
    assert list(run.result.rejected) == [Source(0)]
    assert 20 <= run.tries(0)[-1] <= 25


def test_one_other_request_that_is_taken_is_enough_to_give_an_event_up() -> None:
    """The failures of what the event was split from are its own."""
    run = Run([*(interaction(n) for n in range(10)), OTHERS[0]], failing_on(0, BUSY), aged=OLD)
    assert list(run.result.rejected) == [Source(0)]


def test_an_outage_that_begins_within_the_invocation_makes_no_event_suspect() -> None:
    """What was taken before shows nothing."""
    script: Script = lambda _request, number: Reply() if number < 200 else BUSY
    run = Run([interaction(n, session=f"s{n}") for n in range(210)], script, aged=210)
    assert not run.result.rejected
    assert len(run.result.delivered) == 200


def test_failures_before_its_own_do_not_save_an_event() -> None:
    """The API was unwell at first, and then so no longer."""
    script = failing_at_first(set(range(0, 40, 2)), always=59)
    run = Run([interaction(n, session=f"s{n}") for n in range(80)], script, most=1, aged=80)
    assert list(run.result.rejected) == [Source(59)]


def test_throttling_does_not_count_as_failing() -> None:
    clock = Clock()
    begin = clock.now

    def script(request: Request, _number: int) -> Reply:
        passed = clock.now - begin
        return Reply() if "e0" not in ids(request) or passed > 32 else BUSY if passed > 20 else THROTTLED

    run = Run([interaction(0), *OTHERS], script, aged=OLD, clock=clock)
    assert Source(0) in run.result.delivered


@pytest.mark.parametrize("hiccups", [1, 2, 3, 4, 7])
def test_what_stood_behind_an_event_that_was_given_up_is_judged_by_its_own_failures(hiccups: int) -> None:
    """It was held up all that time, and is as old; but it has only begun to fail."""
    script = hiccups_behind(0, {"e1"}, hiccups)
    run = Run([interaction(0), interaction(1), *OTHERS], script, aged=OLD)
    assert list(run.result.rejected) == [Source(0)]
    assert len(run.tries(1, alone=True)) == hiccups + 1


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("hiccups", [1, 7])
def test_the_request_behind_an_event_that_was_given_up_is_not_suspected_for_it(size: int, hiccups: int) -> None:
    behind = [interaction(10 + n) for n in range(size)]
    script = hiccups_behind(0, {each.event.event_id for each in behind}, hiccups)
    run = Run([*(interaction(n) for n in range(10)), *behind, *OTHERS], script, aged=OLD)
    assert list(run.result.rejected) == [Source(0)]
    assert run.taken[-size:] == [each.event.event_id for each in behind]
    assert len(run.api.taken[-1].events) == size, "sent again as it was"


def test_after_an_event_was_given_up_the_next_like_it_is_given_up_within_seconds() -> None:
    """The shard must not be held as long again for each of many."""
    script: Script = lambda request, _number: BUSY if {"e0", "e1"} & ids(request) else Reply(after=1.0)
    steady = [interaction(100 + n, session=f"s{n % 20}") for n in range(2000)]
    run = Run([interaction(0), interaction(1), *steady], script, aged=OLD)
    assert list(run.result.rejected) == [Source(0), Source(1)]
    assert run.tries(1)[-1] - run.tries(0)[-1] < 12
