"""Write records as the Kinesis Producer Library aggregates them: its protobuf message, between a magic and an MD5.

The format is aggregation-format.md in awslabs/amazon-kinesis-producer.
"""

import hashlib
from collections.abc import Sequence

_MAGIC = bytes.fromhex("f3899ac2")


def varint(value: int) -> bytes:
    """A number in protobuf's wire format."""
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes) -> bytes:
    """A field with a length, in protobuf's wire format."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    """A field that is a number."""
    return varint(number << 3) + varint(value)


def sealed(message: bytes) -> bytes:
    """A protobuf message as a KPL aggregate."""
    return _MAGIC + message + hashlib.md5(message).digest()  # noqa: S324 - the format's own


def aggregate(data: Sequence[bytes]) -> bytes:
    """A KPL aggregate of some records under one partition key."""
    records = (field(3, number_field(1, 0) + field(3, each)) for each in data)
    return sealed(field(1, b"partition-key") + b"".join(records))
