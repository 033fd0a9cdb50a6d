"""All payloads of a record are read, each in its place, and every one comes to something."""

import gc
import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.demo import kpl
from personalize_relay.errors import Reason
from personalize_relay.events import Origin, Parsed, Source, Trackers
from personalize_relay.mapping_file import preset
from personalize_relay.parsing import CONTROL_MESSAGE, parse
from tests.packing import text
from tests.simulation.world import ARRIVAL, click

CASES = Path(__file__).with_name("cases")
ORIGIN = Origin(stream="clicks", shard_id="shardId-000000000000", sequence_number="7", arrival=ARRIVAL)
DERIVED = "clicks:shardId-000000000000:7"
TRACKERS = Trackers(default="tracker")
CONTROL = text({"messageType": "CONTROL_MESSAGE", "logEvents": []})


def read(*parts: bytes) -> Parsed:
    return parse(kpl.aggregate(parts), ORIGIN, TRACKERS)


def request(*kinds: str) -> dict[str, Any]:
    return {"sessionId": "s", "eventList": [{"eventType": each, "sentAt": ARRIVAL} for each in kinds]}


def test_an_event_has_its_source_and_its_id_by_its_place_in_the_record() -> None:
    lines = text(click()) + b"\n" + text(request("a", "b"))
    taken = read(text(click()), lines).interactions
    assert [each.source for each in taken] == [
        Source(7, (0,), None),
        Source(7, (1, 0), None),
        Source(7, (1, 1), 0),
        Source(7, (1, 1), 1),
    ]
    assert [each.event.event_id for each in taken] == [f"{DERIVED}:{at}" for at in ("0", "1.0", "1.1:0", "1.1:1")]


def test_a_record_of_one_payload_has_the_ids_it_always_had() -> None:
    for data in (text(click()), gzip.compress(text(click())), kpl.aggregate([text(click())])):
        (taken,) = parse(data, ORIGIN, TRACKERS).interactions
        assert (taken.source, taken.event.event_id) == (Source(7), DERIVED)


def test_what_is_bad_is_rejected_in_its_place_and_under_the_id_it_would_have_had() -> None:
    rejections = read(b"{", text(request("a", "null")), text(click(eventType=None)), text(click())).rejections
    assert [(each.sub_sequence, each.index, each.event_id, each.reason) for each in rejections] == [
        ((0,), None, None, Reason.INVALID_JSON),
        ((1,), 1, f"{DERIVED}:1:1", Reason.PLACEHOLDER_TEXT),
        ((2,), None, f"{DERIVED}:2", Reason.MISSING_MEMBER),
    ]


def test_a_payload_that_is_bad_as_a_whole_takes_none_of_its_neighbours_with_it() -> None:
    parsed = read(text(click()), text({"sessionId": "s", "eventList": 7}), text(click()))
    assert [each.source.sub_sequence for each in parsed.interactions] == [(0,), (2,)]
    assert [(each.sub_sequence, each.event_id) for each in parsed.rejections] == [((1,), None)]


def test_a_control_message_is_counted_and_never_rejected() -> None:
    parsed = read(CONTROL, text(click()), CONTROL)
    assert parsed.filtered == (CONTROL_MESSAGE, CONTROL_MESSAGE)
    assert (len(parsed.interactions), parsed.rejections, parsed.count) == (1, (), 3)


def test_what_was_inflated_is_told_of_good_records_and_bad() -> None:
    assert parse(text(click()), ORIGIN, TRACKERS).inflated == 0
    for data in (text(click()), b"bad" * 50):
        assert parse(gzip.compress(data), ORIGIN, TRACKERS).inflated == len(data)


def test_a_rejection_leaves_nothing_to_the_garbage_collector() -> None:
    """An exception that is kept with its traceback holds itself and the payload, until the collector runs."""
    many = b'[1, {"sessionId": "s"}, {"session_id": "s", "sessionID": "t", "eventType": "v"}]'
    lists = b'{"sessionId": "s", "eventList": [{"eventType": "null"}, {"item_id": 1, "itemID": 2}, 5]}'
    logged = b'{"messageType": "DATA_MESSAGE", "logEvents": [{"x": 1}, {"message": "{}"}]}'
    named = b'{"sessionId": "s", "eventType": "v", "properties": {"userId": 1}, "sentAt": 1, "eventValue": "x"}'
    foreign = (
        b'{"type": "track"}',
        b"a,b\tc",
        b"\xff\xfea",
        b'"abc"',
        b"[[[[[[1]]]]]]",
        b'{"a": 1}, "b": 2}',
        b"not json\n{}",
    )
    deep = b'{"sessionId": "s", "eventType": "v", "properties": "no json"}', b'{"properties": "\\ud800"}', b"{" * 9000
    gc.disable()
    try:
        for mapping in (None, preset("segment"), preset("dms")):
            for data in (many, lists, logged, named, *foreign, *deep):
                assert parse(data, ORIGIN, TRACKERS, mapping).rejections or mapping
                gc.collect(0)
                parse(data, ORIGIN, TRACKERS, mapping)
                assert gc.collect(0) == 0, data
    finally:
        gc.enable()


TOLD = """
import sys
from personalize_relay.events import Origin, Trackers
from personalize_relay.parsing import parse
origin = Origin(stream="clicks", shard_id="shardId-000000000000", sequence_number="7", arrival=1_790_000_000.0)
for data in sys.stdin.buffer.read().split(b"\\0"):
    print(parse(data, origin, Trackers(default="tracker")))
"""


def test_a_record_gives_the_same_in_every_process() -> None:
    """The key under which a record is set aside has the details in it, and another sandbox must find the same."""
    records = [
        text({"sessionId": "a", "userId": "b", "eventList": [click(sessionId="x", userId="y")]}),
        text({"eventType": "e", "sentAt": ARRIVAL, "sessionId": "s", "x": {"userId": "u"}, "y": {"itemId": "i"}}),
        text({"SessionID": "a", "session-id": "b", "UserID": "a", "user-id": "b", "eventType": "e"}),
        text(click(properties={"userId": 1, "sessionId": 2, "timestamp": 3, "impression": 4})),
        text(click(metricAttribution={"a": 1, "b": 2}, impression=[1.5], eventValue="x", itemId=True, sentAt="x")),
        *(path.read_bytes().replace(b"\0", b"") for path in sorted(CASES.glob("*.jsonl"))),
    ]
    environments = [{"PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sys.path)} for seed in range(1, 5)]
    told = {
        subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", TOLD], input=b"\0".join(records), env=each, capture_output=True, check=True
        ).stdout
        for each in environments
    }
    assert len(told) == 1
    assert told.pop().count(b"Parsed") == len(records)
