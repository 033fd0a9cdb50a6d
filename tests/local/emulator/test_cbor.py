"""CBOR as RFC 8949 has it, but for the times, and that no document does more than be refused."""

import random
from datetime import UTC, datetime

import pytest

from local.emulator.cbor import NotCbor, decode, encode

# From the RFC's appendix A, as far as Kinesis has such values.
SHORTEST: list[tuple[object, str]] = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (255, "18ff"),
    (256, "190100"),
    (1000000, "1a000f4240"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-1, "20"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (1.1, "fb3ff199999999999a"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (bytes([1, 2, 3, 4]), "4401020304"),
    ("IETF", "6449455446"),
    ("\u6c34", "63e6b0b4"),
    ([], "80"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
]
LONGER: list[tuple[object, str]] = [
    (1.0, "f93c00"),
    (100000.0, "fa47c35000"),
    (None, "f7"),
    (b"\x01\x02\x03\x04\x05", "5f42010243030405ff"),
    ("streaming", "7f657374726561646d696e67ff"),
    ([1, [2, 3], [4, 5]], "9f018202039f0405ffff"),
    ({"a": 1, "b": [2, 3]}, "bf61610161629f0203ffff"),
    ("http://www.example.com", "d82076687474703a2f2f7777772e6578616d706c652e636f6d"),
]


@pytest.mark.parametrize(("value", "document"), SHORTEST)
def test_a_value_is_written_in_its_shortest_form(value: object, document: str) -> None:
    assert encode(value).hex() == document


@pytest.mark.parametrize(("value", "document"), SHORTEST + LONGER)
def test_a_value_is_read_in_every_form(value: object, document: str) -> None:
    """Those of the SDKs among them, whose maps and lists don't say their length."""
    read = decode(bytes.fromhex(document))
    assert read == value
    assert type(read) is type(value)


def test_a_time_counts_milliseconds() -> None:
    """As the SDK for Java wrote it (floci-io/floci#2368)."""
    document = bytes.fromhex("c11b000001a013accc38")
    moment = datetime.fromtimestamp(1_787_036_486.712, UTC)
    assert decode(document) == moment
    assert encode(moment) == document


@pytest.mark.parametrize(
    "document",
    [
        *("", "ff", "0000", "18", "1c", "1f", "f8ff", "fc", "61ff", "a101", "bf01ff", "c1616b", "c11bffffffffffffffff"),
        *("5bffffffffffffffff", "9bffffffffffffffff01", "bbffffffffffffffff0101", "5f01ff", "7f4101ff", "a18000"),
        *("81" * 100_000, "9f" * 100_000, "c1f97e00", "dfff"),
    ],
)
def test_what_is_no_cbor_is_refused(document: str) -> None:
    """Whatever it claims to hold."""
    with pytest.raises(NotCbor):
        decode(bytes.fromhex(document))


def test_any_bytes_are_read_or_refused() -> None:
    draw = random.Random(1)  # noqa: S311 - the same bytes each time
    whole = encode({"Records": [{"Data": b"data", "PartitionKey": "k", "at": 1.5}] * 3, "StreamName": "s"})
    for _ in range(2000):
        spoilt = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
        try:
            decode(bytes(spoilt[: draw.randint(0, len(spoilt))]))
        except NotCbor:
            continue


def test_what_kinesis_has_no_value_of_is_not_written() -> None:
    with pytest.raises(TypeError):
        encode({1.5, 2.5})
    with pytest.raises(OverflowError):
        encode(1 << 64)
