"""A tracker is doubted until it takes something, and once denied it is probed with one call at a time."""

import math
from itertools import pairwise

import pytest

from personalize_relay.errors import Reason
from personalize_relay.events import Rejection, Source
from personalize_relay.lane import Lane
from personalize_relay.requests import lanes
from personalize_relay.tracker import ADMITTED, DOUBTED_UP_TO, GIVEN_UP_LATELY, Tracker
from personalize_relay.verdicts import Verdict
from tests.simulation.run import interaction
from tests.simulation.world import ARRIVAL
from tests.test_lane import fail

BAD = {Source(0): Rejection(index=None, event_id="e0", reason=Reason.REJECTED_BY_PERSONALIZE, detail="")}


def begin(tracker: Tracker, sessions: int, *, age: float = 0.0, doubting: bool = True, now: float = 0.0) -> Tracker:
    """Give a tracker an invocation with an event in each of so many sessions, of an age."""
    events = [interaction(n, session=f"s{n}") for n in range(sessions)]
    tracker.begin(lanes(events), now=now, wall=ARRIVAL + age, doubting=doubting)
    return tracker


def trusted(sessions: int) -> Tracker:
    tracker = Tracker()
    tracker.trusted = True
    return begin(tracker, sessions)


def calls(tracker: Tracker, now: float) -> list[Lane]:
    """Begin all calls that may begin within a second."""
    begun = []
    for moment in range(100):
        while tracker.may_begin(now + moment / 100):
            begun.append(tracker.begin_call(now + moment / 100))
    return begun


def deny(tracker: Tracker, lane: Lane, began: float, now: float) -> None:
    tracker.settle(lane, Verdict.CONFIGURATION, began, now)
    tracker.queue(lane)


def denied(sessions: int = 10) -> Tracker:
    """A tracker whose first call was denied at time 1, so that it rests until 2."""
    tracker = trusted(sessions)
    deny(tracker, tracker.begin_call(0.5), 0.5, 1.0)
    return tracker


def test_on_probation_three_requests_are_tried_and_the_others_wait_for_a_first_success() -> None:
    tracker = begin(Tracker(), 10)
    first = calls(tracker, 0.0)
    assert len(first) == ADMITTED
    tracker.trust(first_attempt=True)
    assert len(calls(tracker, 1.0)) == 10 - ADMITTED


def test_on_probation_the_parts_of_a_request_need_no_place_of_their_own() -> None:
    tracker = Tracker()
    tracker.begin(lanes(interaction(n) for n in range(10)), now=0.0, wall=ARRIVAL, doubting=True)
    for moment in range(5):
        (lane,) = calls(tracker, moment)
        tracker.settle(lane, Verdict.INVALID, moment, moment)
        lane.advance() if len(lane.first.interactions) == 1 else lane.split()
        tracker.queue(lane)
    assert len(calls(tracker, 5.0)) == 1


def test_the_first_success_shows_that_what_was_rejected_before_is_bad() -> None:
    tracker = begin(Tracker(), 1)
    tracker.rejected.update(BAD)
    assert tracker.trust(first_attempt=True) == BAD
    assert not tracker.on_probation
    assert not tracker.rejected
    assert tracker.trust(first_attempt=True) == {}


@pytest.mark.parametrize(
    ("age", "doubting", "doubted"), [(0, True, True), (DOUBTED_UP_TO + 1, True, False), (0, False, False)]
)
def test_it_is_doubted_only_while_its_records_are_young_and_nobody_chose_them(
    age: float, *, doubting: bool, doubted: bool
) -> None:
    tracker = begin(Tracker(), 10, age=age, doubting=doubting)
    assert tracker.on_probation == doubted
    assert len(calls(tracker, 0.0)) == (ADMITTED if doubted else 10)


def test_trust_lasts_from_one_invocation_to_the_next() -> None:
    tracker = begin(Tracker(), 10)
    tracker.trust(first_attempt=True)
    assert not begin(tracker, 10).on_probation


def test_what_an_invocation_rejected_on_probation_is_not_held_against_the_next() -> None:
    tracker = begin(Tracker(), 10)
    tracker.rejected.update(BAD)
    tracker.first_attempts.failed = 10
    begin(tracker, 10)
    assert not tracker.rejected
    assert not tracker.first_attempts.failed


def test_a_request_that_fails_without_being_refused_makes_room_for_the_one_that_stands_lowest() -> None:
    tracker = begin(Tracker(), 5)
    calls(tracker, 0.0)
    tracker.replace_on_probation()
    assert [lane.first.sources for lane in calls(tracker, 1.0)] == [[Source(ADMITTED)]]


def test_it_counts_the_calls_that_it_has_not_answered() -> None:
    tracker = trusted(10)
    first, *_ = calls(tracker, 0.0)
    assert tracker.in_flight == 10
    tracker.settle(first, Verdict.DELIVERED, 0.0, 1.0)
    assert tracker.in_flight == 9


def test_a_denied_tracker_has_no_call_before_its_rest_is_over_and_then_one_alone() -> None:
    tracker = denied()
    assert tracker.denied
    assert not tracker.may_begin(1.9)
    assert tracker.next(1.0) == 2.0
    assert len(calls(tracker, 2.0)) == 1
    assert tracker.next(2.0) == math.inf, "the probe's answer must come first"


def test_each_probe_that_is_denied_doubles_the_rest() -> None:
    tracker, now, probes = denied(), 1.0, [1.0]
    for _ in range(6):
        now = tracker.next(now)
        probes.append(now)
        deny(tracker, tracker.begin_call(now), now, now)
    assert [later - earlier for earlier, later in pairwise(probes)] == [1, 2, 4, 8, 16, 30]


@pytest.mark.parametrize("verdict", [Verdict.DELIVERED, Verdict.INVALID])
def test_a_probe_that_is_let_through_opens_it(verdict: Verdict) -> None:
    """Invalid is an answer of the tracker, too: it was let through."""
    tracker = denied()
    tracker.settle(tracker.begin_call(2.0), verdict, 2.0, 2.1)
    assert not tracker.denied
    assert len(calls(tracker, 2.1)) == 9


@pytest.mark.parametrize("verdict", [Verdict.THROTTLED, Verdict.TRANSIENT])
def test_a_probe_that_fails_otherwise_shows_nothing_and_the_next_follows_at_once(verdict: Verdict) -> None:
    tracker = denied()
    tracker.settle(tracker.begin_call(2.0), verdict, 2.0, 2.1)
    assert tracker.denied
    assert len(calls(tracker, 2.1)) == 1


def test_an_answer_to_a_call_from_before_the_denial_neither_ends_the_rest_nor_makes_it_longer() -> None:
    tracker = trusted(10)
    first, second, third, *_ = calls(tracker, 0.0)
    deny(tracker, first, 0.0, 1.0)
    deny(tracker, second, 0.0, 1.5)
    tracker.settle(third, Verdict.DELIVERED, 0.0, 1.6)
    assert tracker.denied
    assert tracker.next(1.6) == math.inf, "those from before are still in flight"


def test_it_stays_denied_in_the_next_invocation() -> None:
    tracker = begin(denied(), 10, now=1.5)
    assert tracker.denied
    assert not tracker.may_begin(1.9)
    assert len(calls(tracker, 2.0)) == 1


def test_an_invocation_does_not_wait_for_the_calls_of_the_one_before() -> None:
    tracker = trusted(10)
    calls(tracker, 0.0)
    begin(tracker, 10, now=10.0)
    assert tracker.in_flight == 0


def test_it_says_when_to_ask_again_by_what_waits_and_by_its_pace() -> None:
    tracker = trusted(1)
    (lane,) = calls(tracker, 0.0)
    tracker.settle(lane, Verdict.TRANSIENT, 0.0, 0.0)
    tracker.queue_later(lane, 7.0)
    assert tracker.has_work
    assert tracker.next(1.0) == 7.0
    assert 7.0 >= tracker.next(7.0) > -math.inf


@pytest.mark.parametrize(("suspected", "pace"), [(True, "100.0 calls/s"), (False, "50.0 calls/s")])
def test_the_failures_of_a_suspected_request_do_not_slow_the_others(pace: str, *, suspected: bool) -> None:
    """It fails by itself, where others are taken: that says nothing of the API."""
    tracker = trusted(1)
    tracker.first_attempts.taken = 1
    (lane,) = calls(tracker, 0.0)
    fail(lane, 8 if suspected else 7)
    for _ in range(10):
        tracker.settle(lane, Verdict.TRANSIENT, 0.0, 10.0)
    assert pace in repr(tracker)


def test_only_what_is_taken_at_once_shows_that_the_api_is_well() -> None:
    tracker = trusted(2)
    tracker.trust(first_attempt=False)
    assert tracker.first_attempts.taken == 0
    tracker.trust(first_attempt=True)
    assert tracker.first_attempts.taken == 1


def test_for_an_hour_after_an_event_was_given_up_another_may_follow_soon() -> None:
    tracker = trusted(1)
    assert not tracker.gave_up_lately("503", 0.0)
    tracker.give_up("503", 100.0)
    begin(tracker, 1, now=150.0)
    assert tracker.gave_up_lately("503", 100 + GIVEN_UP_LATELY - 1)
    assert not tracker.gave_up_lately("500", 100 + GIVEN_UP_LATELY - 1)
    assert not tracker.gave_up_lately("503", 100 + GIVEN_UP_LATELY + 1)


def test_its_repr_says_whether_it_is_doubted_trusted_or_denied() -> None:
    assert repr(begin(Tracker(), 1)).startswith("<Tracker on probation, 0 in flight, <Schedule: 1 sound")
    assert repr(trusted(1)).startswith("<Tracker trusted")
    assert repr(denied()).startswith("<Tracker denied")
