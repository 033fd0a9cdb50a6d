"""One way to say when: the moments that options take."""

import re
from datetime import UTC, datetime, timedelta

from personalize_relay import times
from personalize_relay.errors import InvalidRecord

_NONE = "a time is ISO 8601 (2026-11-24T09:30Z), epoch seconds after 1970, or so long ago: 90m, 2h, 3d"
_YEAR_9999 = 253_370_764_800
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: datetime) -> float:
    """Epoch seconds of so long before now (`90m`, `2h`, `3d`), or of a time as producers write it, UTC without a zone.

    Raises ValueError for any other text.
    """
    try:
        if ago := re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII):
            seconds = (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).timestamp()
        else:
            seconds = times.seconds("it", text, UTC)
    except (InvalidRecord, OverflowError) as exc:
        raise ValueError(_NONE) from exc
    if not is_time(seconds):
        raise ValueError(_NONE)
    return seconds


def is_time(seconds: float) -> bool:
    """Whether it can be told as a date, and so can the hours around it."""
    return 0 <= seconds < _YEAR_9999
