"""The engine, on virtual time against a scripted API."""

import random

import pytest

from personalize_relay.backoff import LONGEST_RETRY_AFTER
from personalize_relay.clients import Answer
from personalize_relay.deadline import LEAST_TIME_FOR_A_CALL
from personalize_relay.delivery import Delivery
from personalize_relay.errors import Reason
from personalize_relay.events import Source
from personalize_relay.requests import Request, lanes
from personalize_relay.result import Cause
from personalize_relay.suspicion import ATTEMPTS
from tests.simulation.run import (
    BUSY,
    DENIED,
    REJECTED,
    THROTTLED,
    TIMED_OUT,
    Run,
    failing,
    ids,
    interaction,
    rejecting,
)
from tests.simulation.world import ARRIVAL, OK, Api, Clock, Reply, Script


def test_many_sessions_are_served_at_once_and_one_session_one_call_at_a_time() -> None:
    run = Run([interaction(n, session=f"s{n % 3}") for n in range(90)], most=3)
    assert len(run.result.delivered) == 90
    assert run.api.most_per_session == 1
    assert run.clock.now - run.began == pytest.approx(3 * 0.02)


def test_never_more_calls_are_under_way_than_allowed() -> None:
    slow: Script = lambda _request, _number: Reply(after=1.0)
    run = Run([interaction(n, session=f"s{n}") for n in range(20)], slow, most=4)
    assert run.clock.now - run.began == pytest.approx(5, abs=0.2)


def test_never_more_calls_are_under_way_than_allowed_however_many_trackers_there_are() -> None:
    slow: Script = lambda _request, _number: Reply(after=1.0)
    run = Run([interaction(n, session=f"s{n}", tracker=f"t{n}") for n in range(10)], slow, most=2)
    begun = [call.began for call in run.api.calls]
    assert max(sum(when <= other < when + 1 for other in begun) for when in begun) <= 2
    assert len(run.result.delivered) == 10


def test_what_stands_lowest_in_the_stream_goes_first() -> None:
    run = Run([interaction(n, session=f"s{n % 5}") for n in range(50)], most=1)
    assert [call.request.sources[0].sequence_number for call in run.api.calls] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("bad", range(10))
def test_one_bad_event_of_ten_costs_at_most_nine_calls_and_its_neighbours_go_through_in_order(bad: int) -> None:
    run = Run([interaction(n) for n in range(10)], rejecting(bad))
    assert [source.sequence_number for source in run.result.rejected] == [bad]
    assert run.taken == [f"e{n}" for n in range(10) if n != bad]
    assert len(run.api.calls) <= 9


def test_ten_bad_events_of_ten_cost_nineteen_calls() -> None:
    run = Run([interaction(n) for n in range(10)], rejecting(*range(10)))
    assert len(run.result.rejected) == 10
    assert len(run.api.calls) == 19


@pytest.mark.parametrize("reply", [BUSY, THROTTLED, TIMED_OUT])
def test_a_transient_failure_is_tried_again_and_never_rejected(reply: Reply) -> None:
    run = Run([interaction(n) for n in range(3)], failing(ATTEMPTS - 1, reply), aged=3)
    assert run.taken == ["e0", "e1", "e2"]
    assert run.result.retries == ATTEMPTS - 1
    assert not run.result.rejected


@pytest.mark.parametrize("reply", [BUSY, THROTTLED, TIMED_OUT])
def test_while_nothing_succeeds_the_invocation_is_held_with_few_calls_and_nothing_is_rejected(reply: Reply) -> None:
    """A report would only make the mapping invoke again at once."""
    run = Run([interaction(n, session=f"s{n}") for n in range(100)], failing(10**6, reply), aged=100, most=64)
    assert run.result.undelivered == {Source(n): Cause.DEADLINE for n in range(100)}
    assert set(run.result.uncured_errors) == {reply.answer.error}
    assert run.clock.now - run.began == pytest.approx(59, abs=LEAST_TIME_FOR_A_CALL)
    assert len(run.api.calls) <= 150
    assert sum(call.due > run.clock.now - 30 for call in run.api.calls) <= 10


@pytest.mark.parametrize("bad", range(10))
def test_an_event_that_alone_fails_again_and_again_is_found_and_once_old_given_up(bad: int) -> None:
    script: Script = lambda request, _number: BUSY if f"e{bad}" in ids(request) else Reply()
    among = [interaction(n) for n in range(10)] + [interaction(10 + n, session=f"s{n}") for n in range(20)]

    young = Run(among, script)
    assert set(young.result.undelivered) == {Source(n) for n in range(bad, 10)}

    old = Run(among, script, aged=30)
    assert list(old.result.rejected) == [Source(bad)]
    assert old.result.rejected[Source(bad)].reason == Reason.FAILED_REPEATEDLY
    assert len(old.result.delivered) == 29
    assert [each for each in old.taken if int(each[1:]) < 10] == [f"e{n}" for n in range(10) if n != bad]
    assert len(old.api.calls) <= 30 + 30, "one for each of the others"


def test_old_events_are_not_given_up_while_as_many_other_calls_fail() -> None:
    """A flapping API is no reason to fill the quarantine."""
    fates = random.Random(1)  # noqa: S311 - a simulation's
    script: Script = lambda _request, _number: BUSY if fates.random() < 0.7 else Reply()
    run = Run([interaction(n, session=f"s{n}") for n in range(500)], script, aged=500, most=64)
    assert not run.result.rejected
    assert len(run.result.delivered) > 100


def test_retry_after_is_honoured() -> None:
    run = Run([interaction(0)], failing(1, Reply(Answer(429, "", 7.0), taken=False)))
    assert run.clock.now - run.began == pytest.approx(7 + 0.04)


@pytest.mark.parametrize(("retry_after", "first_retry"), [(0.1, 0.5), (2.0, 2.0)])
def test_retry_after_makes_a_pause_longer_and_never_shorter(retry_after: float, first_retry: float) -> None:
    """However busy the other lanes are."""
    later = Reply(Answer(429, "", retry_after), taken=False)
    script: Script = lambda _request, number: later if number == 0 else Reply()
    run = Run([interaction(n, session=f"s{n}") for n in range(300)], script)
    assert run.tries(0)[1] == pytest.approx(first_retry, abs=0.1)


def test_a_throttled_call_pauses_for_longer_than_one_that_failed() -> None:
    throttled, busy = (Run([interaction(0)], failing(1, reply)).tries(0)[1] for reply in (THROTTLED, BUSY))
    assert throttled > 5 * busy


def test_pauses_are_drawn_at_random() -> None:
    run = Run([interaction(0)], failing(1, THROTTLED), jitter=lambda most: most / 4)
    assert run.tries(0)[1] < 0.5 * Run([interaction(0)], failing(1, THROTTLED)).tries(0)[1]


def test_one_long_retry_after_holds_back_nobody_else() -> None:
    later = Reply(Answer(503, "", 3600.0), taken=False)
    script: Script = lambda request, _number: later if request.session_id == "s0" else Reply()
    run = Run([interaction(n, session=f"s{n}") for n in range(200)], script)
    assert run.result.undelivered == {Source(0): Cause.DEADLINE}
    assert len(run.result.delivered) == 199
    assert run.tries(0) == pytest.approx([0, LONGEST_RETRY_AFTER], abs=0.1)


def test_a_call_that_never_answers_is_given_up_at_the_deadline() -> None:
    script: Script = lambda request, _number: Reply(after=0.02 if request.session_id == "s" else 1e6)
    run = Run([interaction(0), interaction(1, "other")], script)
    assert run.result.delivered == {Source(0)}
    assert run.result.undelivered == {Source(1): Cause.DEADLINE}
    assert run.clock.now - run.began == pytest.approx(59)


def test_no_call_begins_too_late_to_be_answered_in_time_and_none_is_waited_for_longer() -> None:
    script: Script = lambda _request, number: Reply(after=0.02 + 0.01 * (number % 7))
    run = Run([interaction(n, session=f"s{n}") for n in range(2000)], script, seconds=10)
    assert run.result.undelivered, "there is more than can be sent"
    assert max(call.began for call in run.api.calls) <= run.began + 9 - LEAST_TIME_FOR_A_CALL
    assert max(call.began + call.timeout for call in run.api.calls) == pytest.approx(run.began + 9)


def test_an_error_that_was_cured_is_not_reported() -> None:
    """What is reported is what the events left at the end fail on."""
    script: Script = lambda _request, number: (BUSY, Reply(), Reply(after=1e6))[number]
    run = Run([interaction(n) for n in range(11)], script)
    assert run.result.undelivered == {Source(10): Cause.DEADLINE}
    assert not run.result.uncured_errors


def test_with_something_to_quarantine_the_invocation_keeps_time_to_store_it() -> None:
    hanging: Script = lambda request, _number: REJECTED if request.session_id == "s" else Reply(OK, after=1e6)
    run = Run([interaction(0), interaction(1, "other")], hanging)
    assert run.clock.now - run.began == pytest.approx(54)


def test_a_short_invocation_still_has_time_to_send() -> None:
    assert len(Run([interaction(0)], seconds=1.5).result.delivered) == 1


def test_after_a_configuration_error_its_tracker_is_probed_and_no_other_disturbed() -> None:
    script: Script = lambda request, _number: DENIED if request.tracking_id == "t" else Reply()
    both = [interaction(n, session=f"s{n}", tracker="t" if n % 2 else "other") for n in range(40)]
    run = Run(both, script, most=2)
    assert set(run.result.undelivered.values()) == {Cause.CONFIGURATION}
    assert len(run.result.undelivered) == len(run.result.delivered) == 20
    assert sum(call.request.tracking_id == "t" for call in run.api.calls) <= 1 + 5, "a probe at a time"
    assert set(run.result.configuration_errors) == {"AccessDeniedException"}
    assert not run.result.rejected


def test_an_answer_to_a_call_of_an_earlier_invocation_is_not_taken_for_this_ones() -> None:
    clock = Clock()
    late: Script = lambda _request, number: Reply(OK, after=60.0) if number == 0 else BUSY
    api = Api(clock, late)
    engine = Delivery(api, clock=clock, jitter=lambda most: most, max_in_flight=2)
    first = engine.deliver(lanes([interaction(0)]), end=clock.now + 5, wall=ARRIVAL)
    second = engine.deliver(lanes([interaction(0)]), end=clock.now + 300, wall=ARRIVAL)
    assert list(first.undelivered) == list(second.undelivered) == [Source(0)]


def test_every_event_is_in_the_report_once() -> None:
    script: Script = lambda request, number: (REJECTED, BUSY, Reply())[(number + len(request.events)) % 3]
    run = Run([interaction(n, session=f"s{n % 7}") for n in range(100)], script)
    outcomes = [*run.result.delivered, *run.result.rejected, *run.result.undelivered]
    assert sorted(outcomes) == [Source(n) for n in range(100)]


def test_a_request_carries_the_members_that_its_events_share() -> None:
    request = Request(interactions=(interaction(1, "session", "tracker"),))
    assert (request.tracking_id, request.session_id, request.user_id) == ("tracker", "session", None)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 40, 10_000])
def test_a_wrong_tracker_is_suspected_before_the_events_are(count: int) -> None:
    """It must not drain the stream into the quarantine; a second tracker is not disturbed."""
    script: Script = lambda request, _number: REJECTED if request.tracking_id == "wrong" else Reply()
    wrong = [interaction(n, session=f"s{n % 1000}", tracker="wrong") for n in range(count)]
    right = [interaction(count + n, session=f"s{n}", tracker="right") for n in range(40)]
    run = Run([*wrong, *right], script, doubting=True, most=64)
    assert not run.result.rejected
    assert run.result.undelivered == {Source(n): Cause.CONFIGURATION for n in range(count)}
    assert run.result.configuration_errors == ["SuspectTracker"]
    assert len(run.result.delivered) == 40
    assert sum(call.request.tracking_id == "wrong" for call in run.api.calls) <= 60


def test_once_its_records_are_old_the_events_of_a_tracker_that_takes_nothing_are_rejected() -> None:
    run = Run([interaction(n, session=f"s{n}") for n in range(40)], lambda _request, _number: REJECTED, doubting=False)
    assert len(run.result.rejected) == 40


@pytest.mark.parametrize("bad", [0, 1, 7, 19])
def test_a_tracker_that_takes_one_event_is_trusted_and_its_bad_events_are_rejected(bad: int) -> None:
    run = Run([interaction(n, session=f"s{n % 4}") for n in range(20)], rejecting(bad), doubting=True)
    assert list(run.result.rejected) == [Source(bad)]
    assert len(run.result.delivered) == 19


def test_trust_lasts_as_long_as_the_sandbox() -> None:
    clock = Clock()
    api = Api(clock)
    engine = Delivery(api, clock=clock, jitter=lambda most: most, max_in_flight=4)
    engine.deliver(lanes([interaction(0)]), end=clock.now + 60, wall=ARRIVAL)
    api.script = rejecting(1)
    result = engine.deliver(lanes([interaction(1)]), end=clock.now + 60, wall=ARRIVAL)
    assert list(result.rejected) == [Source(1)]


def test_an_outage_does_not_make_a_tracker_suspect() -> None:
    script: Script = lambda request, _number: REJECTED if request.session_id == "s0" else BUSY
    run = Run([interaction(n, session=f"s{n}") for n in range(3)], script, doubting=True)
    assert not run.result.rejected
    assert not run.result.configuration_errors
    assert len(run.result.undelivered) == 3
