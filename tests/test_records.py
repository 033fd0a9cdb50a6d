"""Reading one Kinesis record."""

import base64

import pytest

from personalize_relay.errors import Reason
from personalize_relay.events import Parsed, Trackers
from personalize_relay.records import Record
from tests.simulation.world import ARRIVAL, click, record


def read(data: bytes, sequence_number: int = 7) -> Record:
    return Record.read(record(sequence_number, data))


def parse(data: bytes) -> Parsed:
    return read(data).parse(Trackers(default="tracker"))


def test_a_record_keeps_what_kinesis_says_of_it() -> None:
    got = read(b"{}", 49590338271490256608559692538361571095921575989136588898)
    assert (got.stream, got.shard_id, got.partition_key) == ("clicks", "shardId-000000000000", "partition-key")
    assert got.arrival == ARRIVAL
    assert got.position == 49590338271490256608559692538361571095921575989136588898


def test_positions_sort_as_numbers() -> None:
    assert read(b"{}", 9).position < read(b"{}", 10).position
    assert read(b"{}", 9).sequence_number > read(b"{}", 10).sequence_number


def test_what_cannot_be_read_is_rejected_with_a_reason_that_says_so() -> None:
    (rejection,) = parse(b"").rejections
    assert rejection.reason == Reason.EMPTY_RECORD


@pytest.mark.parametrize("text", ["e30", "e30=\n", "e3-0", "e30==", "\u00e9", "{}"])
def test_base64_is_taken_strictly(text: str) -> None:
    broken = record(7, b"{}")
    broken["kinesis"]["data"] = text
    (rejection,) = Record.read(broken).parse(Trackers(default="tracker")).rejections
    assert rejection.reason == Reason.INVALID_BASE64


def test_the_original_data_is_kept_byte_for_byte() -> None:
    assert base64.b64decode(read(b"\xff\x00 not json").data) == b"\xff\x00 not json"


def test_an_event_is_dated_and_named_by_its_record() -> None:
    (interaction,) = parse(b'{"sessionId":"s","eventType":"click"}').interactions
    assert interaction.source.sequence_number == 7
    assert interaction.event.event_id == "clicks:shardId-000000000000:7"
    assert interaction.event.sent_at == ARRIVAL
    assert click()["sentAt"] < ARRIVAL
