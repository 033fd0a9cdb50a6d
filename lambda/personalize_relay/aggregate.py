"""Read an aggregate of the Kinesis Producer Library: many small records in one, in protobuf's wire format.

    magic (4 bytes) | AggregatedRecord | MD5 of it (16 bytes)
    AggregatedRecord: 1 partition_key_table, 2 explicit_hash_key_table, 3 records (Record)
    Record: 1 partition_key_index, 2 explicit_hash_key_index, 3 data, 4 tags

Only the data counts here. Fields that this format doesn't know are skipped, as protobuf asks.
"""

import hashlib
from collections.abc import Iterator

from personalize_relay.errors import InvalidRecord, Reason

MAGIC = bytes.fromhex("f3899ac2")
"""How an aggregate begins."""
_DIGEST_BYTES = 16
_DATA = _RECORDS = 3
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BYTES = 10
"""A varint holds 64 bits, 7 a byte."""


def records(aggregate: bytes) -> Iterator[bytes]:
    """The data of each record of an aggregate, in order; InvalidRecord where its checksum or its format is wrong.

    What is wrong may show only after some records have come.
    """
    message, digest = aggregate[len(MAGIC) : -_DIGEST_BYTES], aggregate[-_DIGEST_BYTES:]
    if hashlib.md5(message, usedforsecurity=False).digest() != digest:
        raise _broken("has another checksum than its bytes")
    for number, content in _fields(message):
        if number == _RECORDS and content is not None:
            yield _data(content)


def _data(record: bytes) -> bytes:
    data = None
    for number, content in _fields(record):
        if number == _DATA and content is not None:
            data = content
    if data is None:
        raise _broken("holds a record without data")
    return data


def _fields(message: bytes) -> Iterator[tuple[int, bytes | None]]:
    """The number of each field, and its bytes where it has a length; None for the numbers, which nobody needs."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        content = None
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
        elif kind == _LENGTH:
            length, start = _varint(message, at)
            at = start + length
            content = message[start:at]
        else:
            raise _broken("is no protobuf")
        if at > len(message) or not number:
            raise _broken("is no protobuf")
        yield number, content


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, and where it ends."""
    value = 0
    for place, byte in enumerate(message[at : at + _VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that another byte follows
            return value, at + place + 1
    raise _broken("is no protobuf")


def _broken(how: str) -> InvalidRecord:
    return InvalidRecord(Reason.BAD_CHECKSUM, f"the record is a KPL aggregate that {how}: it changed on its way")
