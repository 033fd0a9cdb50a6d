"""The batch processor settles each record, or reports it."""

import gzip
import json
from typing import Any

import pytest

from local.demo import kpl
from personalize_relay.clients import Answer
from personalize_relay.mapping_file import preset
from personalize_relay.metrics import Metric
from personalize_relay.processor import MAX_EVENTS, MAX_INFLATED
from tests import canaries
from tests.canaries import CANARY
from tests.packing import text
from tests.simulation.world import ARRIVAL, BEGINNING, Reply, World, click, record

DENIED = Reply(Answer(403, "AccessDeniedException"), taken=False)
TOO_LARGE = Reply(Answer(413, ""), taken=False)
BUSY = Reply(Answer(503, "ServiceUnavailable"), taken=False)


def numbers(world: World) -> list[str]:
    """The sequence numbers of what is quarantined."""
    return [line["source"]["sequenceNumber"] for line in world.bucket.lines()]


def test_a_good_batch_is_delivered_and_nothing_is_reported() -> None:
    world = World()
    assert world.invoke([record(n, click()) for n in range(25)]) == []
    assert [len(request.events) for request in world.api.taken] == [10, 10, 5]


def test_a_bad_record_is_quarantined_and_not_reported() -> None:
    world = World()
    assert world.invoke([record(1, click()), record(2, b"bad"), record(3, click())]) == []
    assert numbers(world) == ["2"]
    assert sum(len(request.events) for request in world.api.taken) == 2


def test_a_bad_record_that_the_bucket_refuses_is_reported() -> None:
    world = World()
    world.bucket.refusals = 1000
    assert world.invoke([record(1, click()), record(2, b"bad"), record(3, click())]) == ["2"]
    assert world.processor.outcome.counts[Metric.QUARANTINE_WRITE_ERRORS] == 6, "at 0, 1, 3, 7, 15 and 31 s"
    assert not world.processor.outcome.counts[Metric.EVENTS_QUARANTINED]


def test_what_stands_above_the_lowest_unsettled_record_is_not_quarantined_but_reported() -> None:
    """Sequence numbers are compared as integers: as texts, 9 would stand above 10."""
    world = World(lambda _request, _number: BUSY)
    assert world.invoke([record(8, b"bad"), record(9, click()), record(10, b"bad")]) == ["9", "10"]
    assert numbers(world) == ["8"]


def test_denied_access_reports_everything_quarantines_nothing_and_counts() -> None:
    world = World(lambda _request, _number: DENIED)
    assert world.invoke([record(1, click("a")), record(2, b"bad"), record(3, click("b"))]) == ["1", "2", "3"]
    assert not world.bucket.objects
    assert world.processor.outcome.counts[Metric.CONFIGURATION_ERRORS] >= 1
    assert "AccessDeniedException" in world.processor.outcome.errors


def test_when_all_records_fail_all_are_reported_and_nothing_is_raised() -> None:
    """Powertools raises by default then, with every record's exception text."""
    world = World(lambda _request, _number: BUSY)
    assert world.invoke([record(1, click()), record(2, click())]) == ["1", "2"]


def test_a_record_half_good_is_settled_when_both_halves_are() -> None:
    world = World()
    events = [{"eventType": "a", "sentAt": 1e9}, {"eventType": "null", "sentAt": 1e9}]
    assert world.invoke([record(1, {"sessionId": "s", "eventList": events})]) == []
    (line,) = world.bucket.lines()
    assert [each["index"] for each in line["rejected"]] == [1]
    assert len(world.api.taken) == 1


def test_rejections_of_the_relay_and_of_personalize_stand_in_one_line_in_order() -> None:
    def script(request: object, _number: int) -> Reply:
        poisoned = "poison" in str(request)
        return Reply(Answer(400, "InvalidInputException"), taken=False) if poisoned else Reply()

    world = World(script)
    events = [{"eventType": kind, "sentAt": 1e9} for kind in ("poison", "null", "poison", "fine")]
    assert world.invoke([record(1, {"sessionId": "s", "eventList": events})]) == []
    (line,) = world.bucket.lines()
    assert [(each["index"], each["reason"]) for each in line["rejected"]] == [
        (0, "rejected_by_personalize"),
        (1, "placeholder_text"),
        (2, "rejected_by_personalize"),
    ]
    assert line["reason"] == "rejected_by_personalize"


def test_a_refusal_other_than_the_modelled_one_has_a_reason_of_its_own() -> None:
    world = World(lambda request, _number: Reply() if request.session_id == "good" else TOO_LARGE)
    assert world.invoke([record(1, click("good")), record(2, click("bad"))]) == []
    assert world.bucket.lines()[0]["reason"] == "refused_by_personalize"


def test_a_tracker_that_takes_nothing_is_doubted_for_half_an_hour() -> None:
    """Then its events are quarantined, and can be sent again once the tracker is mended."""
    world = World(lambda _request, _number: TOO_LARGE)
    batch = [record(n, click(f"s{n}")) for n in range(5)]
    assert len(world.invoke(batch)) == 5
    assert world.processor.outcome.errors == ["SuspectTracker"]
    assert not world.bucket.objects
    world.clock.now += 1800
    assert world.invoke(batch) == []
    assert len(world.bucket.lines()) == 5


def test_an_event_may_go_to_another_allowed_tracker() -> None:
    world = World(allowed=["other"])
    world.invoke([record(1, click(trackingId="other")), record(2, click()), record(3, click(trackingId="third"))])
    assert [request.tracking_id for request in world.api.taken] == ["other", "tracker"]
    assert world.bucket.lines()[0]["reason"] == "tracker_not_allowed"


def test_a_record_that_the_relay_itself_fails_on_is_reported_and_nothing_above_it_is_sent() -> None:
    world = World()
    broken = record(2, click())
    broken["kinesis"]["approximateArrivalTimestamp"] = "not a number, canary"
    assert world.invoke([record(1, click()), broken, record(3, click())]) == ["2", "3"]
    assert [request.sources[0].sequence_number for request in world.api.taken] == [1]
    assert world.processor.outcome.counts[Metric.INTERNAL_ERRORS] == 1
    assert "canary" not in str(world.processor.outcome)
    assert "ValueError at " in world.processor.outcome.errors[0]


@pytest.mark.parametrize("time_left", [60.0, 3.0])
def test_counts_add_up(time_left: float) -> None:
    world = World(lambda _request, number: BUSY if number % 5 == 4 else Reply())
    batch = [record(n, click(f"s{n % 4}", color=1) if n % 3 else b"bad") for n in range(60)]
    failed = world.invoke(batch, seconds=time_left)
    counts = world.processor.outcome.counts
    assert counts[Metric.RECORDS_RECEIVED] == counts[Metric.EVENTS_RECEIVED] == 60
    assert counts[Metric.RECORDS_REPORTED] == len(failed)
    assert counts[Metric.EVENTS_DELIVERED] + counts[Metric.EVENTS_UNDELIVERED] == 40
    assert counts[Metric.EVENTS_QUARANTINED] == counts["QuarantinedInvalidJson"] == len(numbers(world))
    assert counts[Metric.CALLS] == len(world.api.calls)
    assert counts[Metric.UNKNOWN_MEMBERS] == 40


@pytest.mark.parametrize("mapping", ["", "segment"])
def test_nothing_of_a_record_is_in_the_outcome_nor_in_why_it_is_quarantined(mapping: str) -> None:
    world = World(mapping=preset(mapping) if mapping else None)
    bad = canaries.bad()
    batch = [record(number, data) for number, data in enumerate(canaries.framed(bad))]
    assert world.invoke(batch) == []
    rejected = world.bucket.rejected()
    assert {place[0] for place in rejected} == {each["kinesis"]["sequenceNumber"] for each in batch}
    assert len(rejected) > 5 * len(bad)
    assert not world.api.taken
    assert CANARY not in str(world.processor.outcome)
    why = {(each["subSequence"], each["reason"], each["detail"]) for each in rejected.values()}
    assert not [each for each in why if CANARY in str(each) or "canary" in str(each).lower()]
    assert CANARY not in "".join(world.bucket.objects)


def test_an_id_given_to_differing_events_is_counted() -> None:
    world = World()
    same = click(eventId="one")
    world.invoke([record(1, same), record(2, same), record(3, click(eventId="one", itemId="another"))])
    assert world.processor.outcome.counts[Metric.REPEATED_EVENT_IDS] == 1


def test_an_id_given_in_two_sessions_is_counted() -> None:
    world = World()
    world.invoke([record(1, click("a", eventId="one")), record(2, click("b", eventId="one"))])
    assert world.processor.outcome.counts[Metric.REPEATED_EVENT_IDS] == 1


def test_an_outage_leaves_its_cause_in_the_log() -> None:
    world = World(lambda _request, _number: BUSY)
    world.invoke([record(1, click())])
    assert world.processor.outcome.errors == ["ServiceUnavailable"]
    assert world.processor.outcome.undelivered == {"deadline": 1}


def test_an_invocation_takes_on_a_bounded_number_of_events_and_the_rest_comes_again() -> None:
    """A thousand records of a kilobyte may hold half a million bad events, more than fit in memory."""
    world = World()
    batch = [record(n, b'{"sessionId":"s","eventList":[%b]}' % b",".join([b"0"] * 500)) for n in range(100)]
    failed = world.invoke(batch)
    assert failed == [str(n) for n in range(40, 100)]
    assert {line["source"]["sequenceNumber"] for line in world.bucket.lines()} == {str(n) for n in range(40)}


def test_the_payloads_of_a_record_are_counted_as_events() -> None:
    """For the share of events that are bad, too: an aggregate of a hundred is a hundred."""
    world = World()
    control = text({"messageType": "CONTROL_MESSAGE", "logEvents": []})
    parts = [*(text(click(itemId=str(n))) for n in range(96)), b"bad", text({}), b"{", control]
    assert world.invoke([record(1, kpl.aggregate(parts))]) == []
    counts = world.processor.outcome.counts
    assert (counts[Metric.RECORDS_RECEIVED], counts[Metric.EVENTS_RECEIVED]) == (1, 100)
    assert (counts[Metric.EVENTS_DELIVERED], counts[Metric.EVENTS_QUARANTINED]) == (96, 3)
    assert counts[Metric.EVENTS_FILTERED] == 1
    assert world.processor.outcome.filtered == {"CONTROL_MESSAGE": 1}
    assert counts[Metric.EVENTS_UNDELIVERED] == 0


def test_the_rejections_of_a_record_stand_in_the_order_of_its_payloads() -> None:
    """Those of the relay and of Personalize; places are compared as numbers: as texts, 10 would stand before 2."""

    def script(request: object, _number: int) -> Reply:
        poisoned = "poison" in str(request)
        return Reply(Answer(400, "InvalidInputException"), taken=False) if poisoned else Reply()

    world = World(script)
    poison = text(click(eventType="poison"))
    events = [{"eventType": kind, "sentAt": 1e9} for kind in ("fine", "null", "poison", "null")]
    request = text({"sessionId": "s", "eventList": events})
    parts = [text(click()), b"bad", poison, request, *[text(click())] * 6, b"bad", poison + b"\n" + poison]
    assert world.invoke([record(1, kpl.aggregate(parts))]) == []
    (line,) = world.bucket.lines()
    places = [(each["subSequence"], each["index"]) for each in line["rejected"]]
    assert places == [
        *[("1", None), ("2", None), ("3", 1), ("3", 2), ("3", 3)],
        *[("10", None), ("11.0", None), ("11.1", None)],
    ]
    assert [each["eventId"] for each in line["rejected"][:2]] == [None, "clicks:shardId-000000000000:1:2"]


def drained(world: World, batch: list[dict[str, Any]]) -> list[int]:
    """Invoke as the mapping does until all is settled; returns how many records each invocation settled."""
    settled = []
    while batch:
        failed = world.invoke(batch)
        settled.append(len(batch) - len(failed))
        assert failed == [each["kinesis"]["sequenceNumber"] for each in batch[settled[-1] :]], "not the last ones"
        assert settled[-1], "the shard is stuck"
        batch = batch[settled[-1] :]
    return settled


@pytest.mark.slow  # fifty thousand payloads
def test_the_events_of_an_invocation_are_bounded_over_all_payloads_of_its_records() -> None:
    world = World()
    batch = [record(n, kpl.aggregate([b"0"] * 5000)) for n in range(10)]
    assert drained(world, batch) == [4, 4, 2]
    assert len(world.bucket.rejections()) == 50_000


def test_what_an_invocation_inflates_is_bounded_and_the_rest_comes_again() -> None:
    world = World()
    inflated = b" " * (9 * 1024 * 1024) + text(click())
    batch = [record(n, gzip.compress(inflated, 1)) for n in range(10)]
    assert MAX_INFLATED == 64 * 1024 * 1024
    assert drained(world, batch) == [8, 2]
    assert sum(len(request.events) for request in world.api.taken) == 10


def test_bombs_are_quarantined_however_many_come_and_their_neighbours_are_delivered() -> None:
    zeros = gzip.compress(bytes(50 * 1024 * 1024), 9)
    deep = text(click())
    for _ in range(6):
        deep = gzip.compress(deep)
    bombs = {
        "too_large": [zeros, kpl.aggregate([zeros, zeros])],
        "too_deep": [deep],
        "too_many_events": [gzip.compress(b"[" + b"0," * 2_000_000 + b"0]", 1), b"{}\n" * 200_000],
    }
    world = World()
    batch = [record(n, bomb) for n, bomb in enumerate(each for kind in bombs.values() for each in kind)]
    batch += [record(n, zeros) for n in range(50, 60)] + [record(99, click())]
    assert len(drained(world, batch)) <= 4
    reasons = world.bucket.rejections()
    assert set(reasons.values()) == bombs.keys()
    assert {place[0] for place in reasons} == {each["kinesis"]["sequenceNumber"] for each in batch[:-1]}
    assert len(world.api.taken) == 1


def test_events_without_a_time_are_counted_and_dated_by_their_arrival() -> None:
    world = World()
    without = {key: value for key, value in click().items() if key != "sentAt"}
    world.invoke([record(1, json.dumps(without).encode(), arrival=1_790_000_123.25)])
    assert world.processor.outcome.counts[Metric.MISSING_SENT_AT] == 1
    assert world.api.taken[0].events[0].sent_at == 1_790_000_123.25


def test_an_invocation_tells_nothing_of_the_one_before() -> None:
    world = World()
    world.invoke([record(1, b"bad")])
    world.invoke([record(2, click())])
    assert not world.processor.outcome.counts[Metric.EVENTS_QUARANTINED]


def test_what_failed_rests_until_the_end_of_the_invocation() -> None:
    """It comes again at once: neither the API nor the mapping's retries gain by haste."""
    world = World(lambda _request, _number: DENIED)
    assert world.invoke([record(1, click())], seconds=60) == ["1"]
    assert world.clock.now - BEGINNING == pytest.approx(59)


def test_what_an_invocation_does_not_take_on_comes_again_at_once() -> None:
    world = World()
    many = {"sessionId": "s", "eventList": [click(eventId=f"e{n}", sentAt=ARRIVAL - n) for n in range(500)]}
    records = [record(number, many) for number in range(MAX_EVENTS // 500 + 1)]
    assert world.invoke(records, seconds=60) == [str(MAX_EVENTS // 500)]
    assert world.clock.now - BEGINNING < 50


def test_times_are_measured_in_milliseconds() -> None:
    """From the arrival, from `sentAt` where the producer gave it, and from call to answer."""
    world = World()
    world.invoke([record(1, click()), record(2, click("other", sentAt=None))])
    assert world.processor.outcome.measures == pytest.approx(
        {Metric.DELIVERY_LAG: 20, Metric.EVENT_AGE: 60_020, Metric.LATENCY: 20}
    )
    world.invoke([record(3, click(sentAt=None))])
    assert Metric.EVENT_AGE not in world.processor.outcome.measures
    world.invoke([record(4, b"bad")])
    assert not world.processor.outcome.measures


def broken(number: int) -> dict[str, Any]:
    """A record that the relay itself fails on."""
    made = record(number, click())
    made["kinesis"]["approximateArrivalTimestamp"] = "not a number"
    return made


def test_what_was_delivered_of_records_that_come_again_is_not_sent_again() -> None:
    world = World()
    world.bucket.refusals = 6
    batch = [record(1, b"bad"), record(2, click("a")), record(3, click("b"))]
    assert world.invoke(batch) == ["1"]
    assert world.invoke(batch) == []
    assert len(world.api.calls) == 2
    assert world.processor.outcome.counts[Metric.EVENTS_DELIVERED] == 0
    assert world.processor.outcome.counts[Metric.EVENTS_UNDELIVERED] == 0


def test_where_its_tracker_has_more_what_was_delivered_is_sent_again() -> None:
    """It shows that the tracker is well, where the other fails; another tracker's events don't."""
    world = World(lambda request, _number: BUSY if request.session_id == "bad" else Reply(), allowed=["other"])
    batch = [record(1, click("bad")), record(2, click("good")), record(3, click("third", trackingId="other"))]
    assert world.invoke(batch) == world.invoke(batch) == ["1"]
    taken = [request.session_id for request in world.api.taken]
    assert sorted(taken) == ["good", "good", "third"]


def test_the_bucket_is_tried_again_in_the_same_invocation() -> None:
    world = World()
    world.bucket.refusals = 2
    assert world.invoke([record(1, b"bad")]) == []
    assert world.clock.now - BEGINNING == pytest.approx(1 + 2)
    assert world.processor.outcome.counts[Metric.QUARANTINE_WRITE_ERRORS] == 2


def test_no_write_begins_that_may_not_end_in_time() -> None:
    """It may take four seconds, and one is kept to answer in."""
    for seconds, writes in ((35.9, 5), (36.1, 6)):
        world = World()
        world.bucket.refusals = 1000
        assert world.invoke([record(1, b"bad")], seconds=seconds) == ["1"]
        assert world.processor.outcome.counts[Metric.QUARANTINE_WRITE_ERRORS] == writes
        assert world.clock.now - BEGINNING <= seconds - 1


def test_the_bucket_rests_from_one_invocation_to_the_next_until_it_takes_something() -> None:
    world = World()
    world.bucket.refusals = 3
    assert world.invoke([record(1, b"bad")], seconds=10) == ["1"]
    assert world.clock.now - BEGINNING == pytest.approx(7)
    world.bucket.refusals = 1000
    assert world.invoke([record(1, b"bad")], seconds=10) == ["1"]
    assert world.processor.outcome.counts[Metric.QUARANTINE_WRITE_ERRORS] == 1, "the fourth rest is of eight seconds"


def test_a_failure_of_the_relay_itself_rests_for_longer_each_time_until_an_invocation_is_without() -> None:
    world = World()
    rests = []
    for number in [0, 0, 0, None, 0]:
        before = world.clock.now
        world.invoke([record(1, click()) if number is None else broken(1)])
        rests.append(world.clock.now - before)
    assert rests == pytest.approx([1, 2, 4, 0.02, 1])


def test_a_suspected_tracker_makes_the_invocation_rest_and_a_bad_record_does_not() -> None:
    world = World(lambda _request, _number: TOO_LARGE)
    assert len(world.invoke([record(n, click(f"s{n}")) for n in range(5)])) == 5
    assert world.clock.now - BEGINNING == pytest.approx(1, abs=0.1)
    world = World()
    world.invoke([record(1, b"bad")])
    assert world.clock.now == BEGINNING


def test_a_rest_leaves_time_to_answer() -> None:
    world = World()
    for _ in range(5):
        before = world.clock.now
        world.invoke([broken(1)], seconds=5)
        assert world.clock.now - before <= 4
