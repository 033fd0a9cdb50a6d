"""What could not be delivered, as it is stored: the function's quarantine lines and the mapping's on-failure objects.

Pure: bytes in, records out, and a flaw for what is none. docs/events.md has the format of a line, the AWS guide
"Retain discarded batch records for a Kinesis Data Streams event source in Lambda" that of an object.
"""

import binascii
import re
from collections.abc import Iterable, Iterator

import msgspec

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Origin
from personalize_relay.framing import Payload, Rows, unframe
from personalize_relay_cli.printing import shown
from personalize_relay_cli.times import is_time

SCHEMA = "personalize-relay.quarantine/2"
"""As in personalize_relay.quarantine, which needs Powertools; a test keeps them equal."""
SCHEMAS = {SCHEMA, "personalize-relay.quarantine/1"}
"""Those that are read: version 1 knew records of one payload only, and rejected any other whole."""
ON_FAILURE_VERSION = "1.0"
CONDITIONS = ("retry_attempts_exhausted", "record_age_exceeded")
"""Why Lambda gives a batch up, as far as is known: AWS documents no list."""
_LONGEST_NUMBER = 128
"""Digits of a sequence number, as the Kinesis API reference has it."""

type EventPosition = tuple[str, int | None]
"""An event within an object: its record's sequence number, with `:` and its payload's place where the record has
several, and its place in `eventList` (None: it is the payload)."""


class Flaw(msgspec.Struct, frozen=True):
    """Something in the bucket that can't be read; `line` counts from 1, and is None for an object as a whole."""

    key: str
    line: int | None
    what: str

    def __str__(self) -> str:
        key = shown(self.key)  # which whoever may write to the bucket chooses
        place = key if self.line is None else f"{key}, line {self.line}"
        return f"{place}: {self.what}"


class FailureCause(msgspec.Struct, frozen=True, rename="camel"):
    """Why an event is set aside, every event of a payload (index None), or of a record (no sub-sequence, either)."""

    index: int | None
    reason: str
    detail: str
    sub_sequence: str | None = None
    """The payload's place in a record of several, as it is written."""

    def __post_init__(self) -> None:
        if self.sub_sequence is not None and not re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,9}", self.sub_sequence):
            raise ValueError("no place in a record")


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """One record, where it is stored, and why."""

    key: str
    line: int
    """Its line in a quarantine object, its place in an on-failure object's batch; from 1."""
    origin: Origin
    partition_key: str
    stored_at: str
    causes: tuple[FailureCause, ...]
    data: str
    """The original bytes, in base64."""

    def payload(self) -> bytes:
        """The original bytes; raises InvalidRecord where the record's data was no base64."""
        try:
            return binascii.a2b_base64(self.data, strict_mode=True)
        except ValueError as exc:
            raise InvalidRecord(Reason.INVALID_BASE64, "the record's data is not base64") from exc

    def payloads(self, rows: Rows | None = None) -> tuple[Payload, ...]:
        """What it holds, each in its place; `rows` reads lines of text that are no JSON."""
        try:
            return unframe(self.payload(), rows).payloads
        except InvalidRecord as bad:
            return (Payload((), bad),)


class _Source(msgspec.Struct, rename="camel"):
    stream_arn: str
    shard_id: str
    sequence_number: str
    partition_key: str
    approximate_arrival_timestamp: float


class _Line(msgspec.Struct, rename="camel"):
    quarantined_at: str
    source: _Source
    rejected: list[FailureCause]
    data: str


class _RequestContext(msgspec.Struct, rename="camel"):
    condition: str
    approximate_invoke_count: int


class _BatchInfo(msgspec.Struct, rename="camel"):
    batch_size: int


class _OnFailure(msgspec.Struct, rename="camel"):
    request_context: _RequestContext
    timestamp: str
    batch: _BatchInfo = msgspec.field(name="KinesisBatchInfo")
    payload: str


class _Payload(msgspec.Struct):
    records: list[msgspec.Raw] = msgspec.field(name="Records")


class _Kinesis(msgspec.Struct, rename="camel"):
    partition_key: str
    sequence_number: str
    data: str
    approximate_arrival_timestamp: float


class _Record(msgspec.Struct, rename="camel"):
    kinesis: _Kinesis
    event_id: str = msgspec.field(name="eventID")
    source_arn: str = msgspec.field(name="eventSourceARN")


class _Schema(msgspec.Struct):
    schema: object = None
    version: object = None


class _Unknown(Exception):
    """What is no document of the relay's; the text says so without a byte of it."""


def read_quarantine(key: str, lines: Iterable[bytes]) -> Iterator[SetAside | Flaw]:
    """The records of a quarantine object, line by line."""
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            yield _of_line(key, number, line)
        except _Unknown as exc:
            yield Flaw(key, number, str(exc))
    if not number:
        yield Flaw(key, None, "empty")


def read_on_failure(key: str, body: bytes) -> Iterator[SetAside | Flaw]:
    """The records of an on-failure object, each set aside whole; Lambda makes none of more than 6 MB."""
    try:
        document = _document(body)
        records = _typed(document.payload.encode("utf-8", "surrogatepass"), _Payload).records
    except _Unknown as exc:
        yield Flaw(key, None, str(exc))
        return
    if len(records) != document.batch.batch_size:
        yield Flaw(key, None, f"holds {len(records)} records of a batch of {document.batch.batch_size}")
    for number, raw in enumerate(records, 1):
        try:
            yield _of_batch(key, number, document, _typed(bytes(raw), _Record))
        except _Unknown as exc:
            yield Flaw(key, number, str(exc))


def snake_case(name: str) -> str:
    """`retry_attempts_exhausted` for `RetryAttemptsExhausted`; what is so already stays."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _of_line(key: str, number: int, line: bytes) -> SetAside:
    schema = _typed(line, _Schema).schema
    if schema not in SCHEMAS:
        raise _Unknown(_unknown("schema", schema, r"personalize-relay\.quarantine/\d{1,4}"))
    read = _typed(line, _Line)
    return SetAside(
        key=key,
        line=number,
        origin=_origin(
            read.source.stream_arn,
            read.source.shard_id,
            read.source.sequence_number,
            read.source.approximate_arrival_timestamp,
        ),
        partition_key=read.source.partition_key,
        stored_at=read.quarantined_at,
        causes=tuple(read.rejected),
        data=read.data,
    )


def _document(body: bytes) -> _OnFailure:
    version = _typed(body, _Schema).version
    if version != ON_FAILURE_VERSION:
        raise _Unknown(_unknown("version", version, r"\d{1,4}\.\d{1,4}"))
    return _typed(body, _OnFailure)


def _of_batch(key: str, number: int, document: _OnFailure, record: _Record) -> SetAside:
    context = document.request_context
    detail = f"Lambda gave its batch up, invoked {context.approximate_invoke_count} times: {context.condition}"
    kinesis = record.kinesis
    shard_id = record.event_id.partition(":")[0]
    return SetAside(
        key=key,
        line=number,
        origin=_origin(record.source_arn, shard_id, kinesis.sequence_number, kinesis.approximate_arrival_timestamp),
        partition_key=kinesis.partition_key,
        stored_at=document.timestamp,
        causes=(FailureCause(None, snake_case(context.condition), detail),),
        data=kinesis.data,
    )


def _origin(stream_arn: str, shard_id: str, sequence_number: str, arrival: float) -> Origin:
    if not (sequence_number.isascii() and sequence_number.isdigit() and len(sequence_number) <= _LONGEST_NUMBER):
        raise _Unknown("its sequence number is no number of Kinesis")
    if not is_time(arrival):
        raise _Unknown("its arrival is no time")
    stream = stream_arn.rpartition("/")[2]
    return Origin(stream=stream, shard_id=shard_id, sequence_number=sequence_number, arrival=arrival)


def _typed[T](document: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(document, type=kind)
    except msgspec.ValidationError as exc:
        raise _Unknown("doesn't have the members of its kind") from exc
    except (ValueError, RecursionError) as exc:
        raise _Unknown("no complete JSON: written half-way, or something else") from exc


def _unknown(what: str, value: object, pattern: str) -> str:
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return f"{what} {value} isn't known to this relay command: use the one of the version that wrote it"
    return f"no {what} of the relay's or Lambda's: something else"
