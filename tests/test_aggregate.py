"""Reading the records in an aggregate of the Kinesis Producer Library."""

import contextlib

import aws_kinesis_agg.aggregator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay import aggregate
from personalize_relay.errors import InvalidRecord, Reason
from tests import packing


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
    assert read(by_the_library(data)) == data == read(packing.aggregate(data))


def test_ten_thousand_records_in_one() -> None:
    data = [packing.text({"n": number}) for number in range(10_000)]
    assert read(packing.aggregate(data)) == data


@given(st.lists(st.binary(max_size=300), max_size=3), st.data())
def test_a_single_changed_bit_is_found(data: list[bytes], choice: st.DataObject) -> None:
    whole = bytearray(packing.aggregate(data))
    bit = choice.draw(st.integers(8 * len(aggregate.MAGIC), 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert reason(bytes(whole)) == Reason.BAD_CHECKSUM


def test_fields_that_the_format_does_not_know_are_skipped() -> None:
    fixed = bytes([9 << 3 | 1]) + bytes(8) + bytes([10 << 3 | 5]) + bytes(4)
    unknown = fixed + packing.field(200, b"later") + packing.number_field(11, 2**64 - 1)
    tags = packing.field(4, packing.field(1, b"key"))
    record = packing.field(3, unknown + packing.field(3, b"data") + tags + unknown)
    assert read(packing.sealed(unknown + record + unknown)) == [b"data"]


def test_a_known_field_of_another_kind_is_unknown() -> None:
    record = packing.field(3, packing.number_field(3, 1) + packing.field(3, b"data"))
    assert read(packing.sealed(packing.number_field(3, 1) + record)) == [b"data"]


def test_of_data_given_twice_the_last_counts() -> None:
    record = packing.field(3, packing.field(3, b"first") + packing.field(3, b"last"))
    assert read(packing.sealed(record)) == [b"last"]


def test_an_aggregate_may_hold_nothing_and_its_records_no_bytes() -> None:
    assert read(packing.sealed(b"")) == []
    assert read(packing.aggregate([b""])) == [b""]


@pytest.mark.parametrize(
    "message",
    [
        packing.field(3, packing.number_field(1, 0)),  # no data
        packing.field(3, b"data")[:-1],  # longer than what is left
        packing.field(3, packing.field(3, b"data")[:-1]),
        packing.varint(3 << 3 | 2),  # no length
        packing.field(0, b""),
        bytes([1 << 3 | 1]) + bytes(7),  # 8 bytes, of which one is missing
        bytes([1 << 3 | 3]),  # a group
        bytes([1 << 3 | 6]),
        bytes([1 << 3]) + b"\x80" * 10 + b"\x01",  # a number of more than 64 bits
        b"\x80" * 10 + b"\x01",
    ],
)
def test_what_breaks_the_format_is_rejected_whole(message: bytes) -> None:
    assert reason(packing.sealed(message)) == Reason.BAD_CHECKSUM


@given(st.binary(max_size=40))
def test_any_message_is_read_or_rejected(message: bytes) -> None:
    with contextlib.suppress(InvalidRecord):
        assert all(each in message for each in read(packing.sealed(message)))


@pytest.mark.parametrize("data", [aggregate.MAGIC, aggregate.MAGIC + bytes(15)])
def test_an_aggregate_too_short_for_its_checksum_is_rejected(data: bytes) -> None:
    assert reason(data) == Reason.BAD_CHECKSUM
