"""Decode the JSON that a payload holds, numbers out of range included."""

import json
import math
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord, Reason

_DOUBLE_DIGITS = 310
_BEYOND_DOUBLE = 10**5000
"""The stand-in for any number out of range: no double holds it, and no `properties` has room for it."""


class Text(str):
    """A text in which JSON's errors cost no time: they would count the lines before them, which nobody reads."""

    __slots__ = ()

    def count(self, *_: object) -> int:
        """Count nothing."""
        return 0

    def rfind(self, *_: object) -> int:
        """Find nothing."""
        return -1


def decode(payload: bytes) -> dict[str, Any]:
    """Decode the JSON object that a payload must be; if a key is given twice, the last counts."""
    try:
        value = msgspec.json.decode(payload)
    except RecursionError as exc:
        raise too_deep() from exc
    except ValueError:
        value = _decode_slowly(payload)
    if not isinstance(value, dict):
        raise InvalidRecord(Reason.NOT_AN_OBJECT, "the payload is JSON but not an object")
    return value


def decode_first(text: Text, start: int) -> tuple[Any, int]:
    """The JSON value at `start`, and where it ends; raises JSONDecodeError or RecursionError if there is none.

    msgspec refuses a whole text for one bad value. This function reads it, so that only the event with the bad value is
    rejected: a number out of range, NaN and Infinity become an integer that no member takes, and half a surrogate pair
    stays.
    """
    return _DECODER.raw_decode(text, start)


def too_deep() -> InvalidRecord:
    """Why JSON that is too deep for any decoder is rejected."""
    return InvalidRecord(Reason.TOO_DEEP, "the payload is nested too deep to decode")


def _decode_slowly(payload: bytes) -> Any:  # noqa: ANN401 - JSON may be anything; the caller checks
    if not payload:
        raise InvalidRecord(Reason.EMPTY_RECORD, "the record has no data")
    try:
        return _DECODER.decode(payload.decode())
    except UnicodeDecodeError as exc:
        raise InvalidRecord(Reason.INVALID_UTF8, f"the payload is not UTF-8: byte {exc.start}") from exc
    except json.JSONDecodeError as exc:
        raise InvalidRecord(Reason.INVALID_JSON, f"the payload is not JSON: character {exc.pos}") from exc
    except RecursionError as exc:
        raise too_deep() from exc


def _out_of_range(_constant: str) -> int:
    return _BEYOND_DOUBLE


def _number_in_range(digits: str) -> float | int:
    value = float(digits)
    return value if math.isfinite(value) else _BEYOND_DOUBLE


def _integer_in_range(digits: str) -> int:
    return int(digits) if len(digits) < _DOUBLE_DIGITS else _BEYOND_DOUBLE


_DECODER = json.JSONDecoder(parse_constant=_out_of_range, parse_float=_number_in_range, parse_int=_integer_in_range)
