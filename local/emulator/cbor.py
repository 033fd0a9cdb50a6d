"""CBOR as Kinesis speaks it to the AWS SDKs for Java (application/x-amz-cbor-1.1): RFC 8949, except for times.

A time has the tag of the RFC, but counts milliseconds, not seconds (aws/aws-sdk-java-v2#4661). In Python it is a
datetime. The other tags mean nothing here.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import IntEnum

_TIME = 1
_INDEFINITE = 31
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_BREAK = object()
"""The end of an item that doesn't say its length, such as the maps and lists of the SDKs."""


class NotCbor(Exception):
    """A document that can't be read; the message holds nothing of it."""


class Major(IntEnum):
    """The types of items."""

    UNSIGNED = 0
    NEGATIVE = 1
    BYTES = 2
    TEXT = 3
    ARRAY = 4
    MAP = 5
    TAG = 6
    SIMPLE = 7


def decode(document: bytes) -> object:
    """The value that a document holds; raises NotCbor."""
    reader = _Reader(document)
    try:
        value = reader.value()
    except (OSError, OverflowError, RecursionError, TypeError, ValueError) as exc:  # well-formed, but unused
        raise NotCbor("a value in CBOR that can't be read") from exc
    if reader.left:
        raise NotCbor("more than one value in CBOR")
    return value


def encode(value: object) -> bytes:  # noqa: PLR0911 - one for each type
    """The document that holds a value."""
    match value:
        case bool() | None:
            return b"\xf6" if value is None else b"\xf5" if value else b"\xf4"
        case int():
            return _head(Major.UNSIGNED, value) if value >= 0 else _head(Major.NEGATIVE, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case bytes():
            return _head(Major.BYTES, len(value)) + value
        case str():
            return _head(Major.TEXT, len(value.encode())) + value.encode()
        case datetime():
            return _head(Major.TAG, _TIME) + encode(round(value.timestamp() * 1000))
        case list():
            return _head(Major.ARRAY, len(value)) + b"".join(map(encode, value))
        case dict():
            return _head(Major.MAP, len(value)) + b"".join(encode(each) for entry in value.items() for each in entry)
    raise TypeError(f"{type(value).__name__} has no place in CBOR here")


def _head(major: Major, argument: int) -> bytes:
    """The beginning of an item, in the shortest form."""
    if argument < 24:  # noqa: PLR2004 - what fits into the first byte
        return bytes([major << 5 | argument])
    power = next((power for power in range(3) if argument < 1 << (8 << power)), 3)
    return bytes([major << 5 | 24 + power]) + argument.to_bytes(1 << power)


class _Reader:
    """Reads a document from its beginning to its end."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._at = 0

    @property
    def left(self) -> int:
        """The bytes that are left to read."""
        return len(self._document) - self._at

    def value(self) -> object:
        """The next item, which must be a value."""
        if (item := self._item()) is _BREAK:
            raise NotCbor("an end in CBOR where a value was due")
        return item

    def _item(self) -> object:  # noqa: PLR0911 - one for each type
        major, info = divmod(self._take(1)[0], 1 << 5)
        if major == Major.SIMPLE:
            return self._simple(info)
        if info == _INDEFINITE:
            return _gathered(major, iter(self._item, _BREAK))
        argument = self._argument(info)
        match major:
            case Major.UNSIGNED:
                return argument
            case Major.NEGATIVE:
                return -1 - argument
            case Major.BYTES:
                return self._take(argument)
            case Major.TEXT:
                return self._take(argument).decode()
            case Major.ARRAY:
                return [self.value() for _ in range(argument)]
            case Major.MAP:
                return {self.value(): self.value() for _ in range(argument)}
        return _tagged(argument, self.value())

    def _simple(self, info: int) -> object:
        if info in _FLOATS:
            (number,) = struct.unpack(_FLOATS[info], self._take(1 << (info - 24)))
            return number
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info == _INDEFINITE:
            return _BREAK
        raise NotCbor("a simple value of CBOR that nobody uses")

    def _argument(self, info: int) -> int:
        if info < 24:  # noqa: PLR2004 - what fits into the first byte
            return info
        if info > 27:  # noqa: PLR2004 - eight bytes are the most
            raise NotCbor("a length in CBOR that is none")
        return int.from_bytes(self._take(1 << (info - 24)))

    def _take(self, size: int) -> bytes:
        if size > self.left:
            raise NotCbor("CBOR that ends too early")
        self._at += size
        return self._document[self._at - size : self._at]


def _gathered(major: int, items: Iterator[object]) -> object:
    """An item of unknown length, from its parts."""
    parts: list[object] = list(items)
    match major:
        case Major.BYTES:
            return b"".join(parts)  # type: ignore[arg-type]  # raises a TypeError for anything else
        case Major.TEXT:
            return "".join(parts)  # type: ignore[arg-type]  # the same
        case Major.ARRAY:
            return parts
        case Major.MAP:
            return dict(zip(parts[::2], parts[1::2], strict=True))
    raise NotCbor("a value of CBOR that must say its length")


def _tagged(tag: int, value: object) -> object:
    return datetime.fromtimestamp(value / 1000, UTC) if tag == _TIME else value  # type: ignore[operator]  # the same
