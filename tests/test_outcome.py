"""What an invocation came to, in counts that add up and times that were really measured."""

import pytest
from msgspec.structs import replace

from personalize_relay.errors import Reason
from personalize_relay.events import Parsed, Rejection, Source
from personalize_relay.metrics import Metric, quarantined_for
from personalize_relay.outcome import Outcome
from personalize_relay.result import Cause, Result
from tests.simulation.run import interaction
from tests.simulation.world import ARRIVAL

BAD = Rejection(index=None, event_id=None, reason=Reason.INVALID_JSON, detail="")
EVENTS = tuple(interaction(n) for n in range(4))


def counted(result: Result, *parsed: Parsed, delivered_before: int = 0, now: float = ARRIVAL) -> Outcome:
    outcome = Outcome()
    outcome.count_events(parsed or [Parsed(interactions=EVENTS)], result, delivered_before=delivered_before, now=now)
    return outcome


def test_a_failure_is_counted_and_its_code_kept() -> None:
    outcome = Outcome()
    outcome.fail(Metric.INTERNAL_ERRORS, "ValueError at events.py:1")
    assert outcome.counts[Metric.INTERNAL_ERRORS] == 1
    assert outcome.errors == ["ValueError at events.py:1"]


def test_what_is_quarantined_is_counted_in_all_and_by_reason() -> None:
    outcome = Outcome()
    outcome.count_quarantined([BAD, BAD, replace(BAD, reason=Reason.WRONG_TYPE)])
    assert outcome.counts[Metric.EVENTS_QUARANTINED] == 3
    assert outcome.counts[quarantined_for(Reason.INVALID_JSON)] == 2
    assert outcome.counts[quarantined_for(Reason.WRONG_TYPE)] == 1


def test_each_good_event_is_delivered_rejected_delivered_before_or_undelivered() -> None:
    result = Result(delivered={Source(0)}, rejected={Source(1): BAD}, undelivered={Source(2): Cause.DEADLINE})
    counts = counted(result, delivered_before=1).counts
    assert counts[Metric.EVENTS_RECEIVED] == 4
    assert counts[Metric.EVENTS_DELIVERED] == counts[Metric.EVENTS_UNDELIVERED] == 1


def test_bad_events_are_received_and_never_undelivered() -> None:
    counts = counted(Result(), Parsed(rejections=(BAD, BAD))).counts
    assert counts[Metric.EVENTS_RECEIVED] == 2
    assert counts[Metric.EVENTS_UNDELIVERED] == 0


def test_what_is_undelivered_is_counted_by_cause() -> None:
    result = Result(undelivered={Source(n): Cause.CONFIGURATION if n else Cause.DEADLINE for n in range(3)})
    assert counted(result).undelivered == {Cause.CONFIGURATION: 2, Cause.DEADLINE: 1}


def test_the_codes_of_all_that_failed_are_kept() -> None:
    result = Result(configuration_errors=["AccessDenied"] * 2, uncured_errors=["ServiceUnavailable"])
    outcome = counted(result)
    assert outcome.errors == ["AccessDenied", "AccessDenied", "ServiceUnavailable"]
    assert outcome.counts[Metric.CONFIGURATION_ERRORS] == 2


def test_an_id_is_repeated_only_where_the_events_differ() -> None:
    one, same = replace(EVENTS[0], source=Source(10)), EVENTS[0]
    other_session = replace(one, session_id="another")
    other_tracker = replace(one, tracking_id="another")
    assert counted(Result(), Parsed(interactions=(one, same))).counts[Metric.REPEATED_EVENT_IDS] == 0
    assert counted(Result(), Parsed(interactions=(one, other_session))).counts[Metric.REPEATED_EVENT_IDS] == 1
    assert counted(Result(), Parsed(interactions=(one, other_tracker))).counts[Metric.REPEATED_EVENT_IDS] == 0


def test_the_lag_is_that_of_the_oldest_event_delivered() -> None:
    late = (replace(EVENTS[0], arrival=ARRIVAL - 90), replace(EVENTS[1], arrival=ARRIVAL - 60), EVENTS[2])
    outcome = counted(Result(delivered={Source(1), Source(2)}), Parsed(interactions=late))
    assert outcome.measures[Metric.DELIVERY_LAG] == pytest.approx(60_000)


def test_the_age_is_of_events_whose_producer_gave_their_time() -> None:
    dated, undated = EVENTS[0], replace(EVENTS[1], sent_at_given=False)
    outcome = counted(Result(delivered={Source(0), Source(1)}), Parsed(interactions=(dated, undated)), now=1e9 + 5)
    assert outcome.measures[Metric.EVENT_AGE] == pytest.approx(5000)
    assert outcome.counts[Metric.MISSING_SENT_AT] == 1


def test_a_clock_that_is_behind_makes_no_negative_time() -> None:
    outcome = counted(Result(delivered={Source(0)}), now=1e9 - 100)
    assert outcome.measures[Metric.DELIVERY_LAG] == outcome.measures[Metric.EVENT_AGE] == 0


def test_what_there_was_nothing_to_measure_of_is_absent() -> None:
    assert not counted(Result()).measures
    assert counted(Result(answers=4, seconds=0.2)).measures == {Metric.LATENCY: pytest.approx(50)}
