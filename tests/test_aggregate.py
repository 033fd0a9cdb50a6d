"""Reading the records in an aggregate of the Kinesis Producer Library."""

import contextlib

import aws_kinesis_agg.aggregator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.demo import kpl
from personalize_relay import aggregate
from personalize_relay.errors import InvalidRecord, Reason
from tests.packing import text


def by_the_library(data: list[bytes]) -> bytes:
    """An aggregate as `aws-kinesis-agg` makes it."""
    aggregator = aws_kinesis_agg.aggregator.RecordAggregator()
    for index, each in enumerate(data):
        aggregator.add_user_record(f"session-{index % 3}", each)
    _key, _hash_key, made = aggregator.clear_and_get().get_contents()
    return bytes(made)


def read(data: bytes) -> list[bytes]:
    return list(aggregate.records(data))


def reason(data: bytes) -> Reason | None:
    """Why an aggregate is rejected; None where it is read."""
    try:
        read(data)
    except InvalidRecord as bad:
        return bad.reason
    return None


@given(st.lists(st.binary(min_size=1), min_size=1, max_size=20))
def test_two_independent_producers_agree(data: list[bytes]) -> None:
    assert read(by_the_library(data)) == data == read(kpl.aggregate(data))


def test_ten_thousand_records_in_one() -> None:
    data = [text({"n": number}) for number in range(10_000)]
    assert read(kpl.aggregate(data)) == data


@given(st.lists(st.binary(max_size=300), max_size=3), st.data())
def test_a_single_changed_bit_is_found(data: list[bytes], choice: st.DataObject) -> None:
    whole = bytearray(kpl.aggregate(data))
    bit = choice.draw(st.integers(8 * len(aggregate.MAGIC), 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert reason(bytes(whole)) == Reason.BAD_CHECKSUM


def test_fields_that_the_format_does_not_know_are_skipped() -> None:
    fixed = bytes([9 << 3 | 1]) + bytes(8) + bytes([10 << 3 | 5]) + bytes(4)
    unknown = fixed + kpl.field(200, b"later") + kpl.number_field(11, 2**64 - 1)
    tags = kpl.field(4, kpl.field(1, b"key"))
    record = kpl.field(3, unknown + kpl.field(3, b"data") + tags + unknown)
    assert read(kpl.sealed(unknown + record + unknown)) == [b"data"]


def test_a_known_field_of_another_kind_is_unknown() -> None:
    record = kpl.field(3, kpl.number_field(3, 1) + kpl.field(3, b"data"))
    assert read(kpl.sealed(kpl.number_field(3, 1) + record)) == [b"data"]


def test_of_data_given_twice_the_last_counts() -> None:
    record = kpl.field(3, kpl.field(3, b"first") + kpl.field(3, b"last"))
    assert read(kpl.sealed(record)) == [b"last"]


def test_an_aggregate_may_hold_nothing_and_its_records_no_bytes() -> None:
    assert read(kpl.sealed(b"")) == []
    assert read(kpl.aggregate([b""])) == [b""]


@pytest.mark.parametrize(
    "message",
    [
        kpl.field(3, kpl.number_field(1, 0)),  # no data
        kpl.field(3, b"data")[:-1],  # longer than what is left
        kpl.field(3, kpl.field(3, b"data")[:-1]),
        kpl.varint(3 << 3 | 2),  # no length
        kpl.field(0, b""),
        bytes([1 << 3 | 1]) + bytes(7),  # 8 bytes, of which one is missing
        bytes([1 << 3 | 3]),  # a group
        bytes([1 << 3 | 6]),
        bytes([1 << 3]) + b"\x80" * 10 + b"\x01",  # a number of more than 64 bits
        b"\x80" * 10 + b"\x01",
    ],
)
def test_what_breaks_the_format_is_rejected_whole(message: bytes) -> None:
    assert reason(kpl.sealed(message)) == Reason.BAD_CHECKSUM


@given(st.binary(max_size=40))
def test_any_message_is_read_or_rejected(message: bytes) -> None:
    with contextlib.suppress(InvalidRecord):
        assert all(each in message for each in read(kpl.sealed(message)))


@pytest.mark.parametrize("data", [aggregate.MAGIC, aggregate.MAGIC + bytes(15)])
def test_an_aggregate_too_short_for_its_checksum_is_rejected(data: bytes) -> None:
    assert reason(data) == Reason.BAD_CHECKSUM
