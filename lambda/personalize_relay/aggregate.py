"""Read an aggregate of the Kinesis Producer Library: many small records in one, in protobuf's wire format.

    magic (4 bytes) | AggregatedRecord | MD5 of it (16 bytes)
    AggregatedRecord: 1 partition_key_table, 2 explicit_hash_key_table, 3 records (Record)
    Record: 1 partition_key_index, 2 explicit_hash_key_index, 3 data, 4 tags

The relay needs the data only. The reader skips fields that this format doesn't know, as protobuf asks.
"""

import hashlib
from collections.abc import Iterator

from personalize_relay.errors import InvalidRecord, Reason

MAGIC = bytes.fromhex("f3899ac2")
"""The bytes that an aggregate begins with."""
_DIGEST_BYTES = 16
_DATA = _RECORDS = 3
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_ANOTHER_FOLLOWS = 0x80
"""The bit of a varint's byte that says that another byte follows."""
_VARINT_BYTES = 10
"""The most bytes of a varint: it holds 64 bits, 7 in a byte."""


def records(aggregate: bytes) -> Iterator[bytes]:
    """Yield the data of each record of an aggregate, in order; raises InvalidRecord if its checksum or format is wrong.

    It may raise only after it has yielded some records.
    """
    message, digest = aggregate[len(MAGIC) : -_DIGEST_BYTES], aggregate[-_DIGEST_BYTES:]
    if hashlib.md5(message, usedforsecurity=False).digest() != digest:
        raise InvalidRecord(
            Reason.BAD_CHECKSUM, "the record is a KPL aggregate whose checksum is wrong: it was changed on its way"
        )
    for number, content in _fields(message):
        if number == _RECORDS and content is not None:
            yield _data(content)


def _data(record: bytes) -> bytes:
    data = None
    for number, content in _fields(record):
        if number == _DATA and content is not None:
            data = content
    if data is None:
        raise _broken()
    return data


def _fields(message: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Yield each field's number, and its bytes if it has a length; None for plain numbers, which nobody needs."""
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
            raise _broken()
        if at > len(message) or not number:
            raise _broken()
        yield number, content


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, and where it ends."""
    if at < len(message) and message[at] < _ANOTHER_FOLLOWS:  # as nearly all are, in one byte
        return message[at], at + 1
    value = 0
    for place, byte in enumerate(message[at : at + _VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < _ANOTHER_FOLLOWS:
            return value, at + place + 1
    raise _broken()


def _broken() -> InvalidRecord:
    return InvalidRecord(
        Reason.BAD_CHECKSUM, "the record is a KPL aggregate that breaks the format: look at what aggregates"
    )
