"""Decode one payload's bytes to the JSON object they hold, or raise InvalidRecord."""

import json
import math
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord, Reason

AGGREGATED_MAGIC = bytes.fromhex("f3899ac2")
"""How a record of the Kinesis Producer Library's aggregation begins."""
GZIP_MAGIC = bytes.fromhex("1f8b")
_DOUBLE_DIGITS = 310
_BEYOND_DOUBLE = 10**5000
"""Stands for any number out of range: no double holds it, and no `properties` has room for it."""


def decode(payload: bytes) -> dict[str, Any]:
    """Decode the JSON object that a payload must be; of a key given twice the last counts."""
    try:
        value = msgspec.json.decode(payload)
    except RecursionError as exc:
        raise InvalidRecord(Reason.TOO_DEEP, "the payload is nested too deep to decode") from exc
    except ValueError:
        _refuse_unread(payload)
        value = _decode_slowly(payload)
    if not isinstance(value, dict):
        raise InvalidRecord(Reason.NOT_AN_OBJECT, "the payload is JSON but not an object")
    return value


def _refuse_unread(payload: bytes) -> None:
    """Name what is no JSON by what it is, where it shows."""
    if not payload:
        raise InvalidRecord(Reason.EMPTY_RECORD, "the record has no data")
    if payload.startswith(AGGREGATED_MAGIC):
        raise InvalidRecord(
            Reason.AGGREGATED_RECORD,
            "the record is a KPL aggregate, which isn't read yet: switch aggregation off in the producer",
        )
    if payload.startswith(GZIP_MAGIC):
        raise InvalidRecord(Reason.COMPRESSED_RECORD, "the record is gzip, which isn't read yet: send it uncompressed")


def _decode_slowly(payload: bytes) -> Any:  # noqa: ANN401 - JSON may be anything; the caller checks
    """Decode what msgspec refuses as a whole for one bad value, so that only the event that holds it is rejected."""
    try:
        return json.loads(
            payload.decode(), parse_constant=_refuse_constant, parse_float=_number_in_range, parse_int=_integer_in_range
        )
    except UnicodeDecodeError as exc:
        raise InvalidRecord(Reason.INVALID_UTF8, f"the payload is not UTF-8: byte {exc.start}") from exc
    except json.JSONDecodeError as exc:
        raise InvalidRecord(Reason.INVALID_JSON, f"the payload is not JSON: character {exc.pos}") from exc
    except RecursionError as exc:
        raise InvalidRecord(Reason.TOO_DEEP, "the payload is nested too deep to decode") from exc


def _refuse_constant(_constant: str) -> float:
    raise InvalidRecord(Reason.INVALID_JSON, "the payload holds NaN or Infinity, which JSON doesn't have")


def _number_in_range(digits: str) -> float | int:
    value = float(digits)
    return value if math.isfinite(value) else _BEYOND_DOUBLE


def _integer_in_range(digits: str) -> int:
    return int(digits) if len(digits) < _DOUBLE_DIGITS else _BEYOND_DOUBLE
