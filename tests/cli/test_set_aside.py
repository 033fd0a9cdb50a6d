"""What is stored is read as it was written, only what is needed is, and what can't be read is named with its place."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from local.demo import kpl
from personalize_relay import quarantine as function
from personalize_relay.settings import Settings
from personalize_relay_cli.recovery.selection import Piece, Selection
from personalize_relay_cli.recovery.set_aside import SCHEMA, Flaw, SetAside
from personalize_relay_cli.recovery.stored import QUARANTINE, FailureBucket
from personalize_relay_cli.recovery.text import shard_remark
from tests import packing
from tests.cli.s3_bucket import NAME, S3, SHARD, give_up, quarantine, quarantined_by_0_1
from tests.packing import text
from tests.simulation.world import ARRIVAL, click

HOUR = 3600.0
ALL = Selection()


def bad(number: int = 0, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return click(f"session-{number}") | {"eventType": None} | members


def found(s3: S3, selection: Selection = ALL) -> tuple[list[SetAside], list[Flaw]]:
    bucket = FailureBucket(cast("Any", s3), NAME)
    records: list[SetAside] = []
    flaws: list[Flaw] = []
    for content in bucket.contents(selection):
        flaws += content.flaws
        records += filter(selection.causes, content.records)
    return records, flaws


def numbers(s3: S3, selection: Selection) -> list[str]:
    return [each.origin.sequence_number for each in found(s3, selection)[0]]


def test_names_are_those_of_who_writes() -> None:
    assert SCHEMA == function.SCHEMA
    assert Settings(tracking_id="t", quarantine_bucket="b").quarantine_prefix == QUARANTINE


def test_a_quarantined_record_is_read_as_the_function_wrote_it() -> None:
    s3 = S3()
    key = quarantine(s3, b"\xffdata", bad(1))
    (whole, single), flaws = found(s3)
    assert not flaws
    assert (whole.key, whole.line, single.line) == (key, 1, 2)
    assert (whole.payload(), whole.causes[0].reason) == (b"\xffdata", "invalid_utf8")
    assert single.payloads()[0].value == bad(1)
    assert single.origin.event_id((), None) == f"clicks:{SHARD}:2"
    assert single.origin.arrival == ARRIVAL


def test_a_given_up_batch_is_read_as_lambda_wrote_it() -> None:
    s3 = S3()
    key = give_up(s3, click("1"), b"data")
    (first, second), flaws = found(s3)
    assert not flaws
    assert (first.key, first.line, second.line) == (key, 1, 2)
    assert first.payloads()[0].value == click("1")
    assert first.origin.event_id((), 3) == f"clicks:{SHARD}:101:3"
    assert [each.reason for each in second.causes] == ["retry_attempts_exhausted"]


@pytest.mark.parametrize("batch", [False, True])
def test_whatever_is_cut_off_is_named_with_its_line_and_the_rest_is_read(*, batch: bool) -> None:
    s3 = S3()
    key = give_up(s3, click("1"), click("2")) if batch else quarantine(s3, bad(1), bad(2))
    whole = s3.objects[key]
    for length in range(len(whole)):
        s3.objects[key] = whole[:length]
        records, flaws = found(s3)
        complete = 0 if batch else whole[: length + 1].count(b"\n")
        assert len(records) == complete
        if b"\n" in whole[length - 1 : length + 1] and length:
            continue  # whole lines are all that is left
        assert [(each.key, each.line) for each in flaws] == [(key, complete + 1 if length and not batch else None)]


def test_other_versions_shapes_and_owners_are_named() -> None:
    s3 = S3()
    key = quarantine(s3, bad(1))
    line = json.loads(s3.objects[key])
    others = [
        line | {"schema": "personalize-relay.quarantine/3"},
        line | {"schema": "canary"},
        {name: value for name, value in line.items() if name != "source"},
        line | {"source": line["source"] | {"sequenceNumber": "canary"}},
        line | {"source": line["source"] | {"sequenceNumber": "9" * 5000}},
        line | {"source": line["source"] | {"approximateArrivalTimestamp": 1e12}},
        line | {"source": line["source"] | {"approximateArrivalTimestamp": -1e300}},
    ]
    s3.objects[key] += b"".join(json.dumps(each).encode() + b"\n" for each in others)
    batch = give_up(s3, click("1"), click("2"))
    document = json.loads(s3.objects[batch])
    newer = batch[:-1] + "N"
    s3.put(newer, json.dumps(document | {"version": "2.0"}).encode())
    short = document | {"payload": json.dumps({"Records": [*json.loads(document["payload"])["Records"][:1], {}]})}
    short["KinesisBatchInfo"] = document["KinesisBatchInfo"] | {"batchSize": 3}
    s3.objects[batch] = json.dumps(short).encode()
    for foreign in ("notes.txt", "aws/notes.txt", "aws/lambda/notes.txt", "other/a", "other/b", "quarantine/notes.txt"):
        s3.put(foreign, b"")

    records, flaws = found(s3)
    assert len(records) == 2
    places = {(each.key, each.line) for each in flaws}
    assert places == {(key, line) for line in range(2, 9)} | {(batch, None), (batch, 2), (newer, None)} | {
        (foreign, None)
        for foreign in ("notes.txt", "aws/notes.txt", "aws/lambda/notes.txt", "other/", "quarantine/notes.txt")
    }
    said = "\n".join(map(str, flaws))
    assert f"{key}, line 2: schema personalize-relay.quarantine/3 isn't known" in said
    assert "version 2.0 isn't known" in said
    assert "holds 2 records of a batch of 3" in said
    assert "canary" not in said


def test_a_folder_holds_nothing_and_counts_nothing_twice() -> None:
    """The console makes one as an empty object whose key ends with a slash."""
    s3 = S3()
    batch, line = give_up(s3, click("1")), quarantine(s3, bad(1))
    for key in (batch, line):
        for place in (place for place, letter in enumerate(key) if letter == "/"):
            s3.put(key[: place + 1], b"")
    records, flaws = found(s3)
    assert sorted(each.key for each in records) == sorted([batch, line])
    assert not flaws


def test_only_the_hours_that_may_hold_what_is_asked_for_are_read() -> None:
    s3 = S3()
    keys = [quarantine(s3, bad(hour), first=hour + 1, arrival=ARRIVAL + hour * HOUR) for hour in range(5)]
    batches = [give_up(s3, click(str(day)), first=100 + day, arrival=ARRIVAL + day * 24 * HOUR) for day in (0, 2)]
    since, until = ARRIVAL + HOUR, ARRIVAL + 3 * HOUR
    assert numbers(s3, Selection(since=since, until=until)) == ["2", "3"]
    assert keys[0] not in s3.reads()
    assert keys[4] not in s3.reads()
    assert batches[0] not in s3.reads()
    starts = {key for what, key in s3.calls if what == "list"}
    assert f"aws/lambda/1-2-3/{SHARD}/{datetime.fromtimestamp(since - 300, UTC):%Y/%m/%d}" in starts


def test_a_record_that_arrived_hours_after_the_first_of_its_object_is_found() -> None:
    s3 = S3()
    key = quarantine(s3, bad(1), bad(2))
    first, second = map(json.loads, s3.objects[key].splitlines())
    second["source"]["approximateArrivalTimestamp"] = ARRIVAL + 11 * HOUR
    s3.put(key, json.dumps(first).encode() + b"\n" + json.dumps(second).encode(), ARRIVAL + 12 * HOUR)
    assert numbers(s3, Selection(since=ARRIVAL + 10 * HOUR)) == ["2"]


def test_a_record_is_chosen_by_reason_shard_tracker_and_sequence_number() -> None:
    s3 = S3()
    key = quarantine(s3, bad(1), bad(2, itemId=7.5, eventType="click"), bad(3, trackingId="other"), b"no JSON")
    batch = give_up(s3, click("1"))
    assert numbers(s3, Selection(reasons=frozenset({"wrong_type"}))) == ["2"]
    assert numbers(s3, Selection(reasons=frozenset({"retry_attempts_exhausted"}))) == ["101"]
    assert numbers(s3, Selection(tracker="other", default_tracker="tracker")) == ["3"]
    assert numbers(s3, Selection(tracker="tracker", default_tracker="tracker")) == ["101", "1", "2"]
    s3.calls.clear()
    assert numbers(s3, Selection(sequence_number="9")) == []
    assert numbers(s3, Selection(shard="shardId-000000000001")) == []
    assert key not in s3.reads()
    assert s3.reads() == [batch]
    assert numbers(s3, Selection(sequence_number="3", shard=SHARD)) == ["3"]


def test_the_shards_that_something_is_set_aside_of_are_known_whichever_is_asked_for() -> None:
    s3, absent = S3(), "shardId-000000000099"
    bucket = FailureBucket(cast("Any", s3), NAME)
    assert list(bucket.contents(Selection(shard=absent))) == []
    assert (
        shard_remark(absent, bucket.shards, of_a_time=False)
        == f"no record of {absent} is set aside, and none of another shard"
    )
    key = quarantine(s3, bad(1))
    s3.put(key.replace(SHARD, "shardId-000000000003"), s3.objects[key])
    s3.put(give_up(s3, click("1")).replace(SHARD, "shardId-000000000007"), b"{}")
    assert list(bucket.contents(Selection(shard=absent))) == []
    there = f"{SHARD}, shardId-000000000003, shardId-000000000007"
    assert (
        shard_remark(absent, bucket.shards, of_a_time=False)
        == f"no record of {absent} is set aside; there are some of {there}"
    )
    for silent in ("shardId-000000000003", None):
        assert shard_remark(silent, bucket.shards, of_a_time=False) == ""
    assert shard_remark(absent, bucket.shards, of_a_time=True).startswith(
        f"no record of {absent} is set aside in this time; "
    )


def test_of_a_record_with_good_events_only_the_rejected_are_taken() -> None:
    s3 = S3()
    events = [{"eventType": kind, "sentAt": ARRIVAL} for kind in ("click", None, "null")]
    quarantine(s3, {"sessionId": "s", "userId": "u", "eventList": events})
    (record,), _ = found(s3)
    assert [piece.position for piece in ALL.pieces(record)] == [("1", 1), ("1", 2)]
    (piece,) = Selection(reasons=frozenset({"placeholder_text"})).pieces(record)
    assert piece.index == 2
    assert piece.event == {"sessionId": "s", "userId": "u", "eventType": "null", "sentAt": ARRIVAL}


def test_a_record_rejected_whole_is_all_of_its_events_and_one_that_cant_be_read_is_one() -> None:
    s3 = S3()
    events = [{"eventType": "click", "sentAt": ARRIVAL, "userId": "u"}, 7]
    quarantine(s3, {"sessionId": "null", "eventList": events}, b"no JSON", {"sessionId": "s", "eventList": []})
    pieces = [piece for record in found(s3)[0] for piece in ALL.pieces(record)]
    assert [piece.position for piece in pieces] == [("1", 0), ("1", 1), ("2", None), ("3", None)]
    assert pieces[0].event == {"sessionId": "null", "userId": "u", "eventType": "click", "sentAt": ARRIVAL}
    assert [piece.event is None for piece in pieces] == [False, True, True, False]


def pieces(s3: S3, selection: Selection = ALL) -> list[Piece]:
    return [piece for record in found(s3)[0] for piece in selection.pieces(record)]


def test_of_a_record_of_several_payloads_only_the_rejected_are_taken_each_in_its_place() -> None:
    s3 = S3()
    events = [{"eventType": kind, "sentAt": ARRIVAL} for kind in ("click", "null")]
    request = text({"sessionId": "s", "eventList": events})
    lines = b"\n".join([text(click()), text(bad(1)), b"{"])
    quarantine(s3, kpl.aggregate([text(click()), request, lines, text({"sessionId": "null", "eventList": events})]))
    assert [(piece.position, piece.reason, piece.event is None) for piece in pieces(s3)] == [
        (("1:1", 1), "placeholder_text", False),
        (("1:2.1", None), "missing_member", False),
        (("1:2.2", None), "invalid_json", True),
        (("1:3", 0), "placeholder_text", False),
        (("1:3", 1), "placeholder_text", False),
    ]
    assert pieces(s3)[1].event == bad(1)


def test_of_a_record_the_payloads_of_a_reason_or_a_tracker_are_chosen() -> None:
    s3 = S3()
    parts = [click("good", trackingId="other"), bad(1), bad(2, trackingId="other"), click(itemId=7.5)]
    quarantine(s3, kpl.aggregate([text(each) for each in parts]), kpl.aggregate([text(parts[0]), text(bad(3))]))
    give_up(s3, kpl.aggregate([text(parts[0]), text(click()), b"no JSON"]))
    of_other = Selection(tracker="other", default_tracker="tracker")
    assert [piece.position for piece in pieces(s3, of_other)] == [("101:0", None), ("1:2", None)]
    assert numbers(s3, of_other) == ["101", "1"], "of the second record only what is good is for the tracker"
    of_default = Selection(tracker="tracker", default_tracker="tracker", reasons=frozenset({"missing_member"}))
    assert [piece.position for piece in pieces(s3, of_default)] == [("1:1", None), ("2:1", None)]
    assert [piece.position for piece in pieces(s3, Selection(reasons=frozenset({"wrong_type"})))] == [("1:3", None)]


def test_a_payload_that_only_a_mapping_finds_is_counted_as_one_that_cant_be_read() -> None:
    s3 = S3()
    key = quarantine(s3, b"a\tb\nc\td")
    line = json.loads(s3.objects[key])
    line["rejected"] = [{"subSequence": "1", "index": None, "eventId": None, "reason": "not_mapped", "detail": ""}]
    s3.objects[key] = json.dumps(line).encode()
    assert [(piece.position, piece.event) for piece in pieces(s3)] == [(("1:1", None), None)]


def test_a_batch_that_lambda_gave_up_is_every_payload_of_it() -> None:
    s3 = S3()
    control = text({"messageType": "CONTROL_MESSAGE", "logEvents": []})
    give_up(s3, kpl.aggregate([text(click("a")), control, text(click("b"))]), control, text([click(), click()]))
    positions = [piece.position for piece in pieces(s3)]
    assert positions == [("101:0", None), ("101:2", None), ("103:0", None), ("103:1", None)]


@pytest.mark.slow  # as many as may be take seconds
def test_a_record_with_as_many_bad_payloads_as_may_be_is_gone_through_once() -> None:
    s3 = S3()
    quarantine(s3, b"[" + b",".join([text(bad(1))] * 20_000) + b"]")
    assert len({piece.position for piece in pieces(s3)}) == 20_000


def test_what_version_0_1_set_aside_is_entered_now() -> None:
    """It knew records of one payload, and rejected any other whole."""
    s3 = S3()
    whole = {"index": None, "eventId": None, "detail": "as 0.1 said it"}
    events = [{"eventType": kind, "sentAt": ARRIVAL} for kind in ("click", None)]
    quarantined_by_0_1(
        s3,
        (kpl.aggregate([text(click("a")), text(bad(1))]), [whole | {"reason": "aggregated_record"}]),
        (packing.WRAPPERS["gzip"](text(click("b"))), [whole | {"reason": "compressed_record"}]),
        (text(click("c", itemId=7.5)), [whole | {"eventId": f"clicks:{SHARD}:3", "reason": "wrong_type"}]),
        (text({"sessionId": "s", "eventList": events}), [whole | {"index": 1, "reason": "missing_member"}]),
    )
    records, flaws = found(s3)
    assert (len(records), flaws) == (4, [])
    assert [(piece.position, piece.reason) for piece in pieces(s3)] == [
        (("1:0", None), "aggregated_record"),
        (("1:1", None), "aggregated_record"),
        (("2", None), "compressed_record"),
        (("3", None), "wrong_type"),
        (("4", 1), "missing_member"),
    ]
    assert pieces(s3)[2].event == click("b")


def test_a_key_is_named_so_that_it_steers_no_terminal() -> None:
    assert str(Flaw("a\x1b[2Jb", 3, "foreign")) == "a\\x1b[2Jb, line 3: foreign"
