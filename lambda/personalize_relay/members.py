"""The rule of each member of an event: a value as JSON gave it in, the value for PutEvents out, or InvalidRecord.

`LIMITS` repeats botocore's `personalize-events` service model, which botocore enforces only in part (it sends 11 events
and 257-character ids); tests/test_limits.py keeps it equal to the model.
"""

import math
from datetime import datetime
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord, Reason

LIMITS = {
    "trackingId": (1, 256),
    "userId": (1, 256),
    "sessionId": (1, 256),
    "eventList": (1, 10),
    "eventId": (1, 256),
    "eventType": (1, 256),
    "itemId": (1, 256),
    "properties": (1, 1024),
    "recommendationId": (1, 40),
    "impression": (1, 25),
    "impression[]": (1, 256),
    "metricAttribution.eventAttributionSource": (1, 1024),
}
"""The fewest and the most characters of a text, or entries of a list, by the member's path in a PutEvents request."""

FORBIDDEN_PROPERTIES = frozenset({"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"})
"""Keys that `properties` may not hold, in lower case: Personalize keeps them for itself."""

PLACEHOLDERS = frozenset({"null", "undefined", "None", "NaN"})
"""Texts that a producer's bug puts where an id belongs: the API takes them and ignores the event."""

EARLIEST_SENT_AT = 946_684_800.0
"""2000-01-01T00:00:00Z, in epoch seconds."""
MAX_SECONDS_AHEAD = 900.0
"""How far a `sentAt` may lie after the record's arrival in the stream."""
MILLISECONDS_ABOVE = 100_000_000_000
"""A whole `sentAt` above this is in milliseconds: in seconds it would lie in the year 5138."""
MAX_NESTING = 32
"""Levels of objects and lists in one event, the event itself included."""
_NESTING = frozenset({dict, list})


def text(name: str, value: object) -> str:
    """A text within its limit, without NUL or lone surrogates."""
    if not isinstance(value, str):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, must be a string")
    check_length(name, len(value), "characters")
    if not value.isascii() and not _encodable(value):
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{name} holds an unpaired surrogate")
    if "\0" in value:
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{name} holds a NUL character")
    return value


def identity(name: str, value: object) -> str:
    """A text that is not a placeholder for a missing value, such as `null` or `undefined`."""
    checked = text(name, value)
    if checked in PLACEHOLDERS:
        raise InvalidRecord(Reason.PLACEHOLDER_TEXT, f"{name} is the word for a missing value, not a value")
    return checked


def number(name: str, value: object) -> float:
    """A finite number; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, must be a number")
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise InvalidRecord(Reason.INVALID_NUMBER, f"{name} is not finite, or too large for a double")
    return converted


def sent_at(name: str, value: object, arrival: float) -> float:
    """Epoch seconds, from epoch seconds, epoch milliseconds or ISO 8601 with a zone.

    `arrival` is when the record reached the stream, in epoch seconds: a clock far ahead of it is wrong.
    """
    seconds = _iso8601(name, value) if isinstance(value, str) else number(name, value)
    if isinstance(value, int) and value > MILLISECONDS_ABOVE:
        seconds = value / 1000
    if not EARLIEST_SENT_AT <= seconds <= arrival + MAX_SECONDS_AHEAD:
        raise InvalidRecord(
            Reason.TIMESTAMP_OUT_OF_RANGE,
            f"{name} is before the year 2000, or over {MAX_SECONDS_AHEAD / 60:.0f} minutes after the record's arrival",
        )
    return seconds


def properties(name: str, value: object) -> str:
    """Compact JSON text of an object, from the object or from a string that holds one."""
    given = _json_object(name, value) if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(given)}, must be an object")
    if given is not value:
        check_nesting(name, given)  # an object in the event was checked with it
    forbidden = FORBIDDEN_PROPERTIES & {key.lower() for key in given}
    if forbidden:
        raise InvalidRecord(Reason.FORBIDDEN_PROPERTY, f"{name} holds the reserved key {min(forbidden)}")
    compact = _compact(name, given)
    check_length(name, len(compact), "characters as compact JSON")
    return compact


def impression(name: str, value: object) -> tuple[str, ...]:
    """The ids of the items shown, in order."""
    if not isinstance(value, list):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, must be a list of item ids")
    check_length(name, len(value), "item ids")
    return tuple(text(f"{name}[]", item) for item in value)


def attribution_source(name: str, value: object) -> str:
    """The `eventAttributionSource` of a metric attribution, printable ASCII."""
    if not isinstance(value, dict):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, must be an object")
    path = f"{name}.eventAttributionSource"
    source = value.get("eventAttributionSource")
    if source is None:
        raise InvalidRecord(Reason.MISSING_MEMBER, f"{path} is missing")
    checked = text(path, source)
    # The model's pattern says this too, but takes seconds to refuse a long text: a cube of its length.
    if not (checked.isascii() and checked.isprintable() and checked.strip()):
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{path} must be printable ASCII, not only spaces")
    return checked


def check_length(name: str, length: int, unit: str) -> None:
    """Refuse a length outside the member's limit."""
    fewest, most = LIMITS[name]
    if not fewest <= length <= most:
        raise InvalidRecord(Reason.WRONG_LENGTH, f"{name} has {length} {unit}, must have {fewest} to {most}")


def check_nesting(name: str, value: dict[str, Any] | list[Any], levels: int = MAX_NESTING) -> None:
    """Refuse objects and lists nested deeper than `levels`."""
    if not levels:
        raise InvalidRecord(Reason.TOO_DEEP, f"{name} is nested deeper than {MAX_NESTING} levels")
    for each in value.values() if isinstance(value, dict) else value:
        if type(each) in _NESTING:  # half the time of isinstance, on every value there is
            check_nesting(name, each, levels - 1)


def _iso8601(name: str, value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as exc:
        raise InvalidRecord(Reason.INVALID_TIMESTAMP, f"{name} is a string but not ISO 8601") from exc
    if moment.tzinfo is None:
        raise InvalidRecord(Reason.INVALID_TIMESTAMP, f"{name} has no time zone: end it with Z or an offset")
    return moment.timestamp()


def _json_object(name: str, value: str) -> Any:  # noqa: ANN401 - JSON may be anything; the caller checks
    try:
        return msgspec.json.decode(value)
    except (ValueError, RecursionError) as exc:
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is a string that does not hold a JSON object") from exc


def _compact(name: str, value: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError as exc:
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{name} holds an unpaired surrogate") from exc
    except ValueError as exc:
        raise InvalidRecord(Reason.INVALID_NUMBER, f"{name} holds a number out of range") from exc


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    """What JSON calls the value's type."""
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "null")
