"""Pack events as producers do, each way by means other than the relay's own code."""

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence

type Event = dict[str, object]

SEPARATORS = ["\n", "\r\n", "\n\n", ",", ", ", ",\n", "\\n", " ", ""]
"""What stands between several values of one text."""


def text(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


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
    return bytes.fromhex("f3899ac2") + message + hashlib.md5(message).digest()  # noqa: S324 - the format's own


def aggregate(data: Sequence[bytes]) -> bytes:
    """A KPL aggregate of some records under one partition key, by hand."""
    records = (field(3, number_field(1, 0) + field(3, each)) for each in data)
    return sealed(field(1, b"partition-key") + b"".join(records))


def log_messages(data: Sequence[bytes]) -> bytes:
    """A CloudWatch Logs subscription message."""
    events = [{"id": str(index), "timestamp": 1, "message": each.decode()} for index, each in enumerate(data)]
    return text({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": events})


WRAPPERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "zlib": zlib.compress,
    "base64": base64.b64encode,
    "string": lambda data: json.dumps(data.decode()).encode(),
}
"""Layers that hold one thing; base64 and string once a record."""
