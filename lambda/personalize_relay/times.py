"""Read a time in any form that producers write, if it can only mean one moment.

A number is in seconds, milli-, micro- or nanoseconds since 1970, whichever its size allows. A text is such a
number, ISO 8601, RFC 1123 (`Tue, 24 Nov 2026 09:30:00 GMT`), JavaScript's `Date.toString()` or .NET's `/Date(ms)/`;
MongoDB's Extended JSON has an object, `{"$date": …}`.
"""

import math
import re
from datetime import UTC, datetime, tzinfo

from personalize_relay.errors import InvalidRecord, Reason

_MILLISECONDS = 1e11
UNITS = ((1e17, 1e9), (1e14, 1e6), (_MILLISECONDS, 1e3))
"""The size from which on a number is in nano-, micro- or milliseconds, and how many of these are in a second.

In seconds, 1e11 would be the year 5138; in the unit that it begins, each of the three sizes is in 1973.
"""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DOT_NET = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/", re.ASCII)
_JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>\d\d) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) "
    r"(GMT|UTC)(?P<offset>[+-]\d{4})( \(.*\))?",
    re.ASCII,
)
_RFC_1123 = re.compile(
    r"[A-Z][a-z]{2}, (?P<day>\d\d?) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) "
    r"(GMT|UTC|UT|Z|(?P<offset>[+-]\d{4}))",
    re.ASCII,
)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_UTC = (" UTC", " GMT", " Z")
_GO = " +0000"
"""The offset that Go writes before UTC in a text."""
_DIGITS = 19
"""The digits of a time in nanoseconds."""
_LONGEST = 100
"""The most characters of a text that may be a time."""


def seconds(name: str, value: object, zone: tzinfo | None = None) -> float:
    """Epoch seconds; a text without a zone is in `zone`. Raises InvalidRecord if the value isn't exactly one moment."""
    if type(value) is int or type(value) is float:
        return float(value) if 0 <= value < _MILLISECONDS else _from_number(name, value)
    if type(value) is str:
        usual = _from_usual_text(name, value, zone)
        return _from_text(name, value.strip(), zone) if usual is None else usual
    if type(value) is dict:
        return _from_extended_json(name, value, zone)
    raise InvalidRecord(Reason.WRONG_TYPE, f"{name} must be a number or a text")


def _from_number(name: str, value: float) -> float:
    number = finite(name, value)
    for smallest, in_a_second in UNITS:
        if value >= smallest:
            return number / in_a_second
    return number


def finite(name: str, value: float) -> float:
    """A number as a double; raises InvalidRecord if no double holds it."""
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not math.isfinite(converted):
        raise InvalidRecord(Reason.INVALID_NUMBER, f"{name} is not finite, or too large for a double")
    return converted


def _from_usual_text(name: str, text: str, zone: tzinfo | None) -> float | None:
    """The moment of a text that is digits, or ISO 8601 as Python reads it; None if it takes a closer look."""
    if text[4:5] == "-" and len(text) <= _LONGEST:
        try:
            return _moment(name, datetime.fromisoformat(text.upper()), zone)
        except ValueError:
            return None
    return _from_number(name, int(text)) if len(text) <= _DIGITS and text.isascii() and text.isdigit() else None


def _from_text(name: str, text: str, zone: tzinfo | None) -> float:
    if len(text) <= _LONGEST:
        if text[4:5] != "-" and _NUMBER.fullmatch(text):  # `fromisoformat` may take digits for a date
            return _from_number(name, float(text) if "." in text else int(text))
        if text[:2].isdigit():
            return _from_iso8601(name, text.upper(), zone)
        if found := _DOT_NET.fullmatch(text):
            return int(found[1]) / 1000
        if found := _JAVASCRIPT.fullmatch(text) or _RFC_1123.fullmatch(text):
            return _from_words(name, found.groupdict())
    raise InvalidRecord(
        Reason.INVALID_TIMESTAMP, f"{name} is a text but no time: send ISO 8601 with a zone, or epoch seconds"
    )


def _from_iso8601(name: str, text: str, zone: tzinfo | None) -> float:
    if text.endswith(_UTC):
        text = f"{text.rpartition(' ')[0].removesuffix(_GO)}Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InvalidRecord(
            Reason.INVALID_TIMESTAMP, f"{name} begins as a time but is not ISO 8601: send 2026-11-24T09:30:00.250Z"
        ) from exc
    return _moment(name, moment, zone)


def _moment(name: str, moment: datetime, zone: tzinfo | None) -> float:
    if moment.tzinfo is None:
        if zone is None:
            raise InvalidRecord(
                Reason.INVALID_TIMESTAMP,
                f"{name} has no time zone: end it with Z or an offset such as +01:00, "
                "or name its zone in a mapping, as epoch(time, 'UTC')",
            )
        moment = moment.replace(tzinfo=zone)
    return moment.timestamp()


def _from_words(name: str, words: dict[str, str | None]) -> float:
    try:
        month = _MONTHS.index(words["month"]) + 1  # type: ignore[arg-type]  # both patterns have one
        date = f"{words['year']}-{month:02}-{words['day']:0>2}"
        return datetime.fromisoformat(f"{date}T{words['time']}{words['offset'] or 'Z'}").timestamp()
    except ValueError as exc:
        raise InvalidRecord(Reason.INVALID_TIMESTAMP, f"{name} names a day or an hour that doesn't exist") from exc


def _from_extended_json(name: str, value: dict[str, object], zone: tzinfo | None) -> float:
    inner = value.get("$date")
    if type(inner) is dict:
        inner = inner.get("$numberLong")
    if type(inner) is str and not _NUMBER.fullmatch(inner):
        return _from_text(name, inner.strip(), zone or UTC)
    try:
        return _from_number(name, int(inner) / 1000)  # type: ignore[call-overload]  # what is no number raises
    except (TypeError, ValueError, OverflowError) as exc:
        raise InvalidRecord(Reason.WRONG_TYPE, f"{name} is an object, must be a number or a text") from exc
