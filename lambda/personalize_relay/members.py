"""The rule of each member of an event: takes the value from JSON, and gives the value for PutEvents or InvalidRecord.

`LIMITS` repeats botocore's `personalize-events` service model, which botocore enforces only in part (it sends 11 events
and 257-character ids); tests/test_limits.py keeps it equal to the model.
"""

import math
import re
import string
from typing import Any

import msgspec

from personalize_relay import times
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

_SHORTEST_LIMIT = LIMITS["recommendationId"][1]
"""The most characters that any id may have, as no other may have so few."""

FORBIDDEN_PROPERTIES = frozenset({"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"})
"""Keys that `properties` may not hold, in lower case: Personalize keeps them for itself."""

PLACEHOLDERS = frozenset(
    {"", "null", "nil", "<nil>", "(null)", "\\n", "none", "undefined", "nan", "[object object]"}  # \\N is SQL's
)
"""Texts, in lower case and without the blanks around them, that a producer's bug puts in place of an id: the API takes
them, and ignores the event."""
_BLANKS = (
    string.whitespace
    + "\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(map(chr, range(0x2000, 0x200B)))
)
_FIRST_OF_PLACEHOLDERS = frozenset({each[:1] for each in PLACEHOLDERS} | set("NU") | set(_BLANKS))
"""What such a text begins with; texts that begin otherwise need no second look."""

EARLIEST_SENT_AT = 315_532_800.0
"""1980-01-01T00:00:00Z, in epoch seconds: the best-known rating data sets are from the 1990s."""
MAX_SECONDS_AHEAD = 900.0
"""How far a `sentAt` may lie after the record's arrival in the stream."""
LARGEST_EXACT = 2**53
"""The number up to which every whole number has a double of its own."""
_PLAIN_DECIMAL = re.compile(r"[+-]?\d{1,400}(\.\d{1,400})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
MAX_NESTING = 32
"""The most levels of objects and lists in an event, including the event itself."""
_NESTING = frozenset({dict, list})


def absent(value: object) -> bool:
    """Whether the producer wrote nothing: null, a blank text, an empty list or object."""
    if type(value) is str:
        return not value or value.isspace()
    return value is None or (not value and isinstance(value, (list, dict)))


def text(name: str, value: object) -> str:
    """A text within its limit, without NUL or lone surrogates; a whole number becomes its digits."""
    given = value if type(value) is str else _digits(name, value)
    check_length(name, len(given), "characters")
    if not given.isascii() and not _encodable(given):
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{name} holds an unpaired surrogate")
    if "\0" in given:
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{name} holds a NUL character")
    return given


def identity(name: str, value: object) -> str:
    """A text that is not a placeholder for a missing value, such as `null` or `undefined`."""
    if (
        type(value) is str
        and value[:1] not in _FIRST_OF_PLACEHOLDERS
        and len(value) <= _SHORTEST_LIMIT
        and value.isascii()
        and "\0" not in value
    ):
        return value  # nearly all are such
    checked = text(name, value)
    if checked[0] in _FIRST_OF_PLACEHOLDERS and checked.strip().lower() in PLACEHOLDERS:
        what = "blank" if checked.isspace() else "the word for a missing value"
        raise InvalidRecord(Reason.PLACEHOLDER_TEXT, f"{name} is {what}, not a value")
    return checked


def number(name: str, value: object) -> float:
    """A finite number, or a text that is a plain decimal; a boolean is neither."""
    if isinstance(value, str):
        value = _decimal(name, value.strip())
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, must be a number")
    return times.finite(name, value)


def sent_at(name: str, value: object, arrival: float) -> float:
    """Epoch seconds, from any time that `times` reads.

    `arrival` is when the record reached the stream, in epoch seconds: a clock far ahead of it is wrong.
    """
    seconds = times.seconds(name, value)
    if seconds < EARLIEST_SENT_AT:
        raise InvalidRecord(
            Reason.TIMESTAMP_OUT_OF_RANGE,
            f"{name} is before 1980: leave it out where there is no time, and mend a clock that was never set",
        )
    if seconds > arrival + MAX_SECONDS_AHEAD:
        raise InvalidRecord(
            Reason.TIMESTAMP_OUT_OF_RANGE,
            f"{name} is over {MAX_SECONDS_AHEAD / 60:.0f} minutes after the record's arrival: set the producer's clock",
        )
    return seconds


def properties(name: str, value: object) -> str | None:
    """An object as compact JSON; `value` may be the object, its JSON text, or that text as JSON. None for `{}`."""
    given = value if type(value) is dict else _json_object(name, value)
    if not isinstance(given, dict):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(given)}, must be an object")
    if not given:
        return None
    if given is not value:
        check_nesting(name, given)  # an object in the event was checked with the event
    if not FORBIDDEN_PROPERTIES.isdisjoint(map(str.lower, given)):
        listed = ", ".join(sorted(FORBIDDEN_PROPERTIES & {key.lower() for key in given}))
        raise InvalidRecord(Reason.FORBIDDEN_PROPERTY, f"{name} holds what Personalize keeps for itself: {listed}")
    compact = _compact(name, given)
    check_length(name, len(compact), "characters as compact JSON")
    return compact


def impression(name: str, value: object) -> tuple[str, ...]:
    """The ids of the items shown, in order."""
    if not isinstance(value, list):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, must be a list of item ids")
    check_length(name, len(value), "item ids")
    return tuple(identity(f"{name}[]", item) for item in value)


def attribution_source(name: str, value: object) -> str | None:
    """The `eventAttributionSource` of a metric attribution, in printable ASCII; None if it is absent."""
    if not isinstance(value, dict):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, must be an object")
    path = f"{name}.eventAttributionSource"
    source = value.get("eventAttributionSource")
    if absent(source):
        if any(not absent(each) for each in value.values()):
            raise InvalidRecord(Reason.MISSING_MEMBER, f"{path} is missing")
        return None
    if not isinstance(source, str):
        raise InvalidRecord(Reason.WRONG_TYPE, f"{path} is {_kind(source)}, must be a string")
    checked = text(path, source)
    # The model's pattern says this, too, but needs seconds to refuse a long text: time is the cube of the length.
    if not (checked.isascii() and checked.isprintable()):
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{path} must be printable ASCII")
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
        if type(each) in _NESTING:  # takes half the time of isinstance, and runs on every value
            check_nesting(name, each, levels - 1)


def _digits(name: str, value: object) -> str:
    """The digits of a whole number, which a producer's language or database may hold an id as."""
    if type(value) is float and value.is_integer() and abs(value) <= LARGEST_EXACT:
        value = int(value)
    if type(value) is int:
        if abs(value) < 10 ** LIMITS["eventId"][1]:
            return str(value)
        raise InvalidRecord(Reason.INVALID_NUMBER, f"{name} is a number of too many digits")
    kind = "a number with a fraction" if type(value) is float else _kind(value)
    raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is {kind}, must be a string or a whole number")


def _decimal(name: str, value: str) -> float:
    if not _PLAIN_DECIMAL.fullmatch(value):
        comma = " (with a decimal comma?)" if _DECIMAL_COMMA.fullmatch(value) else ""
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is a string that is no plain decimal{comma}, must be a number")
    return float(value)


def _json_object(name: str, value: object) -> Any:  # noqa: ANN401 - JSON may be anything; the caller checks
    """The value that a text holds as JSON; if that is a text again, the value that this text holds."""
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError) as exc:
            raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is a string that holds no JSON object") from exc
    return value


def _compact(name: str, value: dict[str, Any]) -> str:
    try:
        compact = msgspec.json.encode(value).decode()
    except UnicodeEncodeError as exc:
        raise InvalidRecord(Reason.INVALID_CHARACTER, f"{name} holds an unpaired surrogate") from exc
    except ValueError as exc:
        raise _out_of_range(name) from exc
    if "null" in compact and _holds_no_number(value):  # msgspec writes these as null
        raise _out_of_range(name)
    return compact


def _out_of_range(name: str) -> InvalidRecord:
    return InvalidRecord(Reason.INVALID_NUMBER, f"{name} holds a number out of range")


def _holds_no_number(value: object) -> bool:
    """Whether a value holds NaN or Infinity: JSON has neither, but a mapping's functions may give one."""
    if isinstance(value, dict):
        return any(map(_holds_no_number, value.values()))
    if isinstance(value, list):
        return any(map(_holds_no_number, value))
    return isinstance(value, float) and not math.isfinite(value)


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    """JSON's name for the value's type."""
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "null")
