"""Find a record's payloads in its bytes: through compression, aggregates, arrays, joined texts and CloudWatch Logs.

Pure, and never raises for content: a part that can't be read becomes a payload that says why, and the rest is read.
"""

import binascii
import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec

from personalize_relay import aggregate, inflate, json_values, recognise
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.json_values import TooMany

MAX_LAYERS = 4
"""The most layers that payloads may be packed in: an array, a text of several, compression, an aggregate and so on."""
MAX_INFLATED = 10 * 1024 * 1024
"""The most bytes that a record may inflate to, over all its layers."""
MAX_PAYLOADS = 20_000
_MAX_MARKS = 1_000_000
"""The most braces, brackets and commas in a record's texts: as many values take all the memory that a record may."""
_SEEN_THROUGH = 65_536
"""A single text of up to this size isn't counted: it can't hold enough values to matter."""

_decode = msgspec.json.Decoder().decode
_BOM = b"\xef\xbb\xbf"
_BASE64 = re.compile(rb"([A-Za-z0-9+/]{8}[A-Za-z0-9+/\r\n]*+)={0,2}[\s\0]*")
_JSON_BEGINS = re.compile(rb'[\s\x1e]*(?:[{\[]|"\s*[{\[])')
_ROW_BEGINS = re.compile(rb"(?!PAR1)[\w.-]+[\t,;|]\s*[^\s\0]")
"""Two fields that no JSON, base64 or format that `recognise` knows begins with."""

type SubPlace = tuple[int, ...]
type Rows = Callable[[str], dict[str, Any] | None]


class Payload(msgspec.Struct, frozen=True):
    """One JSON value of a record, or why it can't be read, and its place in the record."""

    sub_sequence: SubPlace
    """Empty if the record is one payload; a layer that holds a single thing adds no number."""
    value: Any | InvalidRecord
    """An object, or the InvalidRecord that says why there is none."""


class Framed(msgspec.Struct, frozen=True):
    """Everything that a record holds, in order."""

    payloads: tuple[Payload, ...]
    """Empty only for control messages."""
    inflated: int = 0
    """How many bytes the record inflated to, over all layers."""
    control: int = 0
    """How many CONTROL_MESSAGEs of CloudWatch Logs, which hold no events."""


class _Way(msgspec.Struct, frozen=True):
    """The layers unpacked so far, and which of the layers that may occur only once did occur."""

    place: SubPlace = ()
    layers: int = 0
    base64: bool = False
    text: bool = False

    def deeper(self, **done: bool) -> "_Way":
        if self.layers == MAX_LAYERS:
            raise InvalidRecord(Reason.TOO_DEEP, f"the payload is packed in more than {MAX_LAYERS} layers")
        return msgspec.structs.replace(self, layers=self.layers + 1, **done)

    def to(self, index: int) -> "_Way":
        return _Way(place=(*self.place, index), layers=self.layers, base64=self.base64, text=self.text)


def unframe(data: bytes, rows: Rows | None = None) -> Framed:
    """The payloads of a record.

    `rows` turns a line of text that isn't JSON into an object, or gives None if it can't. Without `rows`, such text is
    rejected.
    """
    value = single(data, rows)
    return _Reader(rows).read(data) if value is None else Framed((Payload((), value),))


def single(data: bytes, rows: Rows | None = None) -> dict[str, Any] | None:
    """The object that is all of a record's data, as in nearly every record; None if it takes a closer look."""
    if len(data) > _SEEN_THROUGH:
        return None
    if rows is None or data.startswith(b"{"):  # a row costs no error
        value = _decoded(data)
        return value if type(value) is dict and "messageType" not in value else None
    line = data.rstrip(b"\r\n")
    is_row = _ROW_BEGINS.match(line) and line.isascii() and b"\n" not in line
    return rows(line.decode()) if is_row else None


class _Reader:
    """Reads one record."""

    def __init__(self, rows: Rows | None) -> None:
        self._rows = rows
        self._payloads: list[Payload] = []
        self._control = 0
        self._first = True
        self._marks = 0
        self._inflater = inflate.Inflater(MAX_INFLATED)

    def read(self, data: bytes) -> Framed:
        try:
            self._attempt(self._bytes, data, _Way())
        except TooMany:
            bad = InvalidRecord(Reason.TOO_MANY_EVENTS, f"the record holds more than {MAX_PAYLOADS} payloads or values")
            return Framed((Payload((), bad),), self._inflater.made)
        return Framed(tuple(self._payloads), self._inflater.made, self._control)

    def _attempt(self, read: Callable[[Any, _Way], None], what: object, way: _Way) -> None:
        """Read a part; if it can't be read, reject it in its place."""
        try:
            read(what, way)
        except InvalidRecord as bad:
            self._add(InvalidRecord(bad.reason, bad.detail), way)  # a new one: the traceback holds the record

    def _add(self, value: dict[str, Any] | InvalidRecord, way: _Way) -> None:
        if len(self._payloads) == MAX_PAYLOADS:
            raise TooMany
        self._payloads.append(Payload(way.place, value))

    def _several(self, read: Callable[[Any, _Way], None], parts: Sequence[Any], way: _Way) -> None:
        """Read the parts of a layer, each in its place."""
        if not parts:
            raise InvalidRecord(Reason.EMPTY_RECORD, "the payload holds nothing")
        if len(parts) > MAX_PAYLOADS:
            raise TooMany
        inner = way.deeper()
        for index, part in enumerate(parts):
            self._attempt(read, part, inner if len(parts) == 1 else inner.to(index))

    def _bytes(self, data: bytes, way: _Way) -> None:
        """Read bytes by their beginning."""
        data = data.removeprefix(_BOM)
        if not data or data.isspace():
            raise InvalidRecord(Reason.EMPTY_RECORD, "the record has no data")
        if data.startswith(aggregate.MAGIC):
            self._several(self._bytes, list(islice(aggregate.records(data), MAX_PAYLOADS + 1)), way)
        elif inflate.is_gzip(data) or inflate.is_zstd(data) or (inflate.is_zlib(data) and not data.isascii()):
            way = way.deeper()
            self._bytes(self._inflater.inflate(data), way)
        else:
            self._text(data, way)

    def _text(self, data: bytes, way: _Way) -> None:
        if self._rows is None or _JSON_BEGINS.match(data):
            self._count(data)
        try:
            value = _decode(data)
        except (ValueError, RecursionError):
            self._no_single_value(data, way)
        else:
            self._value(value, way)

    def _count(self, data: bytes) -> None:
        """Raise if this text and those before it may hold more JSON values than there is memory for."""
        first, self._first = self._first, False
        if first and len(data) <= _SEEN_THROUGH:
            return
        self._marks += sum(map(data.count, (b"{", b"[", b",")))
        if self._marks > _MAX_MARKS:
            raise TooMany

    def _no_single_value(self, data: bytes, way: _Way) -> None:
        foreign = recognise.foreign(data)
        if foreign:
            raise foreign.anew()
        decoded = None if way.base64 else _from_base64(data)
        if decoded:
            self._bytes(decoded, way.deeper(base64=True))
        elif self._is_table(data):
            self._several(self._line, [line for line in data.split(b"\n") if line.strip()], way)
        else:
            self._values(json_values.values(data, MAX_PAYLOADS), way)

    def _values(self, values: Sequence[Any], way: _Way) -> None:
        if len(values) == 1:
            self._value(values[0], way)
        else:
            self._several(self._value, values, way)

    def _value(self, value: Any, way: _Way) -> None:  # noqa: ANN401 - any JSON
        match value:
            case InvalidRecord():
                raise value.anew()
            case {"messageType": "DATA_MESSAGE", "logEvents": [*entries]}:
                self._several(self._log_event, entries, way)
            case {"messageType": "CONTROL_MESSAGE", "logEvents": [*_]}:
                self._control += 1
            case dict():
                self._add(value, way)
            case list():
                self._several(self._value, value, way)
            case str():
                self._string(value, way)
            case _:
                raise InvalidRecord(Reason.NOT_AN_OBJECT, "the payload is JSON but not an object")

    def _string(self, value: str, way: _Way) -> None:
        data = value.encode(errors="surrogatepass")
        if not (_begins_known(data) or _from_base64(data)):
            raise InvalidRecord(Reason.NOT_AN_OBJECT, "the payload is a JSON string that holds no JSON")
        if way.text:
            raise InvalidRecord(Reason.NOT_AN_OBJECT, "the payload is a JSON string in a JSON string: encode it once")
        self._bytes(data, way.deeper(text=True))

    def _log_event(self, entry: object, way: _Way) -> None:
        match entry:
            case {"message": str(message)}:
                self._bytes(message.encode(errors="surrogatepass"), way)
            case _:
                raise InvalidRecord(Reason.NOT_AN_OBJECT, "an entry of logEvents has no message")

    def _is_table(self, data: bytes) -> bool:
        """Whether a text is rows, judging by its first lines: a row, or a line of JSON and then a row."""
        if not self._rows:
            return False
        first, _, rest = data.partition(b"\n")
        second = rest.partition(b"\n")[0]
        return not _JSON_BEGINS.match(data) or (
            not _JSON_BEGINS.match(second)
            and _decoded(first) is not None
            and self._rows(second.decode(errors="replace")) is not None
        )

    def _line(self, line: bytes, way: _Way) -> None:
        """Read a row, or JSON, which may stand among rows."""
        if _JSON_BEGINS.match(line):
            self._count(line)
            value = _decoded(line)
            if value is not None:
                self._value(value, way)
                return
        self._row(line, way)

    def _row(self, line: bytes, way: _Way) -> None:
        try:
            text = line.decode().removesuffix("\r")
        except UnicodeDecodeError as exc:
            raise recognise.not_utf8(exc.start) from exc
        row = self._rows(text) if self._rows else None
        if row is None:
            raise InvalidRecord(Reason.INVALID_JSON, "the line is neither JSON nor a row of the mapping's columns")
        self._add(row, way)


def _decoded(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The JSON value of some bytes; None if they are not JSON."""
    try:
        return _decode(data)
    except (ValueError, RecursionError):
        return None


def _from_base64(data: bytes) -> bytes | None:
    """The bytes that base64 text stands for, if they begin with something known."""
    found = _BASE64.fullmatch(data)
    if not found:
        return None
    letters = found[1].translate(None, b"\r\n")
    if not _begins_known(binascii.a2b_base64(letters[:8])):
        return None
    try:
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return None


def _begins_known(data: bytes) -> bool:
    known = data.lstrip().startswith((b"{", b"[", b'"', _BOM, aggregate.MAGIC))
    return known or inflate.is_gzip(data) or inflate.is_zlib(data) or inflate.is_zstd(data)
