"""The demo's account holds only when every event is where it belongs."""

import re
from collections import Counter
from typing import Any

import pytest

from local.demo import segment_stream
from local.demo.careless import careless
from local.demo.clickstream import (
    BAD,
    BEGINS,
    EACH_BAD_KIND,
    EACH_PACKED_KIND,
    EVENTS_PACKED,
    LASTS,
    SESSIONS,
    Dating,
    SampleEvent,
    SampleRecord,
    fewest_calls,
    reasons,
    sample,
    unpacked,
)
from local.demo.packed import PACKED
from local.demo.reconciliation import StreamPosition, named, reconcile
from personalize_relay.errors import Reason
from personalize_relay.events import Origin, Trackers, dotted
from personalize_relay.mapping_file import preset
from personalize_relay.parsing import parse

AFTER = BEGINS + 86_400.0

GOOD = SampleRecord("s", b"", (SampleEvent("s", None, event_id="e1"),))
WITHOUT_ID = SampleRecord("s", b"", (SampleEvent("s", None, index=0), SampleEvent("s", None, index=1)))
BROKEN = SampleRecord("s", b"", (SampleEvent("s", None, reason="invalid_json"),))
OF_TWO = SampleRecord(
    "s",
    b"",
    (SampleEvent("s", None, sub_sequence="0"), SampleEvent("s", None, sub_sequence="1", reason="invalid_json")),
)
PRODUCED = [
    (record, StreamPosition("clicks", "shard", str(number)))
    for number, record in enumerate((GOOD, WITHOUT_ID, BROKEN, OF_TWO))
]
DELIVERED = {"e1": 1, "clicks:shard:1:0": 1, "clicks:shard:1:1": 1, "clicks:shard:3:0": 1}


def line(number: str, reason: str = "invalid_json", sub_sequence: str | None = None) -> dict[str, Any]:
    rejected = {"subSequence": sub_sequence, "index": None, "reason": reason}
    return {"source": {"sequenceNumber": number}, "rejected": [rejected]}


STORED = [line("2"), line("3", sub_sequence="1")]


def test_it_holds_when_everything_is_in_its_place() -> None:
    account = reconcile(PRODUCED, DELIVERED, STORED)
    assert account.holds
    assert (account.produced, account.delivered, account.quarantined.total()) == (6, 4, 2)


@pytest.mark.parametrize(
    ("delivered", "lines", "what", "name"),
    [
        ({name: 1 for name in DELIVERED if name != "clicks:shard:1:1"}, STORED, "missing", "event clicks:shard:1:1"),
        ({name: 1 for name in DELIVERED if name != "clicks:shard:3:0"}, STORED, "missing", "event clicks:shard:3:0"),
        (DELIVERED, STORED[1:], "missing", "invalid_json in record 2"),
        (DELIVERED, STORED[:1], "missing", "invalid_json in record 3, payload 1"),
        (DELIVERED, [line("2", "wrong_type"), *STORED[1:]], "missing", "invalid_json in record 2"),
        (DELIVERED | {"e1": 2}, STORED, "twice", "e1"),
        (DELIVERED | {"e9": 1}, STORED, "unexpected", "event e9"),
        (DELIVERED, [*STORED, line("0")], "unexpected", "invalid_json in record 0"),
        (DELIVERED, [*STORED, line("3", sub_sequence="0")], "unexpected", "invalid_json in record 3, payload 0"),
    ],
)
def test_it_names_what_is_not(delivered: dict[str, int], lines: list[dict[str, Any]], what: str, name: str) -> None:
    account = reconcile(PRODUCED, delivered, lines)
    assert not account.holds
    assert getattr(account, what) == (name,)


@pytest.mark.parametrize(
    ("filtered", "missing", "unexpected"),
    [
        ({"other calls": 2}, (), ()),
        ({"other calls": 1}, ("1 filtered: other calls",), ()),
        ({"other calls": 3}, (), ("1 filtered: other calls",)),
        ({"other calls": 2, "canary": 1}, (), ("1 filtered: canary",)),
        ({}, ("2 filtered: other calls",), ()),
    ],
)
def test_what_a_mapping_filters_is_accounted_for_by_rule(
    filtered: dict[str, int], missing: tuple[str, ...], unexpected: tuple[str, ...]
) -> None:
    dropped = SampleRecord("s", b"", (SampleEvent("s", None, dropped="other calls"),) * 2)
    account = reconcile([*PRODUCED, (dropped, StreamPosition("clicks", "shard", "4"))], DELIVERED, STORED, filtered)
    assert (account.missing, account.unexpected, account.produced) == (missing, unexpected, 8)
    assert account.holds is not bool(missing or unexpected)


def test_segments_stream_becomes_what_is_expected_of_it() -> None:
    """By the function's own parser and preset; what only Personalize refuses is told apart there."""
    records = segment_stream.sample()
    assert records == segment_stream.sample()
    trackers, mapping = Trackers(default="local-tracker"), preset("segment")
    seen: set[str] = set()
    for number, record in enumerate(records):
        position = StreamPosition("clicks", "shard", str(number))
        origin = Origin(stream="clicks", shard_id="shard", sequence_number=str(number), arrival=AFTER)
        parsed = parse(record.data, origin, trackers, mapping)
        accepted = {each.event.event_id: 1 for each in parsed.interactions}
        refused: list[dict[str, Any]] = [
            {"subSequence": dotted(each.sub_sequence) or None, "index": each.index, "reason": each.reason}
            for each in parsed.rejections
        ]
        if any(event.reason == "rejected_by_personalize" for event in record.events):
            accepted, refused = {}, line(str(number), "rejected_by_personalize")["rejected"]
        lines = [{"source": {"sequenceNumber": str(number)}, "rejected": refused}]
        account = reconcile([(record, position)], accepted, lines, Counter(parsed.filtered))
        assert account.holds, account
        seen |= {str(each.event.event_type) for each in parsed.interactions} | {*parsed.filtered, *account.quarantined}
        assert all(event.user == each.user_id for event, each in zip(record.events, parsed.interactions, strict=False))
    kinds = {"Product Viewed", "Product Added", "Cart Viewed", "Order Completed", segment_stream.DROPPED}
    assert seen == kinds | {reason for _, reason in segment_stream.BAD.values()}
    assert reasons(records).total() == len(segment_stream.BAD) * EACH_BAD_KIND


def test_names_are_listed_up_to_a_few() -> None:
    assert named(str(number) for number in range(7)) == "0, 1, 2, 3, 4 and 2 more"
    assert named(["a"]) == "a"


def test_the_sample_is_the_same_each_time_and_has_what_it_promises() -> None:
    records = sample()
    assert records == sample()
    events = [event for record in records for event in record.events]
    assert len(BAD) >= 8
    assert reasons(records).total() == len(BAD) * EACH_BAD_KIND + EACH_PACKED_KIND
    packed = (len(PACKED) + 1) * EACH_PACKED_KIND
    assert len({event.session for event in events if not event.reason}) == SESSIONS + packed
    assert sum(event.sub_sequence is not None for event in events) == packed * EVENTS_PACKED
    assert {event.user is None for event in events} == {True, False}
    data = b"".join(record.data for record in records)
    assert all(part in data for part in ("東京".encode(), b'"impression"', b'"properties"', b'"eventList"'))
    flowing = unpacked(SESSIONS)
    sessions = {record.partition_key for record in flowing}
    assert [record for record in records if record.partition_key in sessions] == flowing


def test_a_sample_of_another_day_is_the_same_but_for_its_dates() -> None:
    """The demo's ends now."""
    for made in (sample, segment_stream.sample):
        usual, later = made(), made(dating=Dating(BEGINS + 86_400, 0.5))
        assert [record.events for record in later] == [record.events for record in usual]
        assert [record.partition_key for record in later] == [record.partition_key for record in usual]
        assert later != usual
    seconds = [float(each) for record in sample() for each in re.findall(rb'"sentAt": ([0-9.]+)', record.data)]
    assert max(seconds) < BEGINS + LASTS


def test_each_packed_bad_or_careless_record_is_read_as_it_says() -> None:
    """An event that only Personalize rejects is a good one here."""
    for record in [*sample(0), *careless()]:
        position = StreamPosition("clicks", "shard", "1")
        origin = Origin(stream="clicks", shard_id="shard", sequence_number="1", arrival=BEGINS + 86_400)
        parsed = parse(record.data, origin, Trackers(default="tracker"))
        rejected = {(dotted(each.sub_sequence) or None, each.index): each.reason for each in parsed.rejections}
        good = [event for event in record.events if event.reason in {None, Reason.REJECTED_BY_PERSONALIZE}]
        bad = [event for event in record.events if event not in good]
        said = {(event.sub_sequence, event.index): event.reason for event in bad}
        assert rejected == said, record.partition_key
        ids = [each.event.event_id for each in parsed.interactions]
        assert ids == [position.event_id(event) for event in good], record.partition_key


def test_the_fewest_calls_are_counted_by_hand() -> None:
    def record(session: str, user: str | None, events: int) -> SampleRecord:
        return SampleRecord(session, b"", (SampleEvent(session, user),) * events)

    assert fewest_calls([[record("a", None, 10)]]) == 1
    assert fewest_calls([[record("a", None, 11)]]) == 2
    assert fewest_calls([[record("a", None, 1), record("b", None, 1), record("a", None, 1)]]) == 2
    assert fewest_calls([[record("a", None, 1), record("a", "u", 1), record("a", None, 1)]]) == 3
    assert fewest_calls([[record("a", None, 1)], [record("a", None, 1)]]) == 2
    assert fewest_calls([[BROKEN]]) == 0
