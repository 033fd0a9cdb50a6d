"""The functions that a mapping's expressions have beside JMESPath's own.

A function that can't take a value raises InvalidRecord, whose detail holds nothing of the value.
"""

import binascii
import hashlib
import re
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

import msgspec
from jmespath.functions import Functions as Standard
from jmespath.functions import signature

from personalize_relay import members, times
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.reshaping import contract, untyped, unwind

ANY_NUMBER = 1000
OWN = {
    "epoch": (1, 2),
    "text": (1, 1),
    "lower": (1, 1),
    "hash": (1, 1),
    "default": (2, 2),
    "json": (1, 1),
    "base64": (1, 1),
    "joined": (2, ANY_NUMBER),
    "contract": (1, 1),
    "untyped": (1, 1),
    "unwind": (3, 3),
}
"""Our functions, and the fewest and the most arguments that each takes."""

_OFFSET = r"[+-]\d\d:\d\d"


class Functions(Standard):
    """JMESPath's functions and ours, for its interpreter; `hash` uses `salt`."""

    def __init__(self, salt: str | None = None) -> None:
        self.salt = salt

    @signature({"types": [], "variadic": True})
    def _func_epoch(self, moment: object, *zones: str) -> float | None:
        return epoch(moment, *zones)

    @signature({"types": []})
    def _func_text(self, value: object) -> str | None:
        return text(value)

    @signature({"types": []})
    def _func_lower(self, value: object) -> str | None:
        return lower(value)

    @signature({"types": []})
    def _func_hash(self, value: object) -> str | None:
        return self.hash(value)

    @signature({"types": []}, {"types": []})
    def _func_default(self, value: object, otherwise: object) -> object:
        return default(value, otherwise)

    @signature({"types": []})
    def _func_json(self, value: object) -> object:
        return json(value)

    @signature({"types": []})
    def _func_base64(self, value: object) -> str | None:
        return base64(value)

    @signature({"types": [], "variadic": True})
    def _func_joined(self, *values: object) -> str | None:
        return joined(*values)

    @signature({"types": []})
    def _func_contract(self, value: object) -> object:
        return contract(value)

    @signature({"types": []})
    def _func_untyped(self, image: object) -> object:
        return untyped(image)

    @signature({"types": []}, {"types": []}, {"types": []})
    def _func_unwind(self, entries: object, path: str, name: str) -> object:
        return unwind(entries, path, name)

    def hash(self, value: object) -> str | None:
        """The HMAC-SHA256 of a value as text, in hex; null for a blank value, or all who lack an id would be one."""
        given = text(value)
        if given is None or not given.strip():
            return None
        import hmac  # noqa: PLC0415 - only mappings that hash should pay for the import

        key = (self.salt or "").encode()
        return hmac.digest(key, given.encode(errors="surrogatepass"), hashlib.sha256).hex()


def epoch(moment: object, zone_name: str | None = None) -> float | None:
    """Epoch seconds of any time that the contract takes; null for a blank value.

    `zone_name` is the zone of a text that names no zone.
    """
    if members.absent(moment):
        return None
    return times.seconds("epoch()", moment, None if zone_name is None else zone(zone_name))


def text(value: object) -> str | None:
    """A value as text, and a number as its digits."""
    if value is None or type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float:
        return _digits(value) if value.is_integer() else str(value)
    raise InvalidRecord(Reason.NOT_MAPPED, "a list or an object was given to a function that takes texts and numbers")


def _digits(whole: float) -> str:
    if abs(whole) > members.LARGEST_EXACT:
        raise InvalidRecord(Reason.INVALID_NUMBER, "a whole number over 2^53 has lost digits as a double: send a text")
    return str(int(whole))


def lower(value: object) -> str | None:
    """A value as text in lower case."""
    given = text(value)
    return None if given is None else given.lower()


def default(value: object, otherwise: object) -> object:
    """The value, or `otherwise` if the value is null or a blank text."""
    return otherwise if value is None or (type(value) is str and not value.strip()) else value


def json(value: object) -> Any:  # noqa: ANN401 - JSON may be anything
    """The value that a text holds as JSON, null for a blank text; a value that is no text is returned unchanged."""
    if type(value) is not str:
        return value
    try:
        return msgspec.json.decode(value) if value.strip() else None
    except (ValueError, RecursionError) as exc:
        raise InvalidRecord(Reason.NOT_MAPPED, "json() was given a text that is not JSON") from exc


def base64(value: object) -> str | None:
    """The UTF-8 text that a base64 text stands for; null for a blank text."""
    given = text(value)
    if given is None or not given.strip():
        return None
    try:
        return binascii.a2b_base64(given, strict_mode=True).decode()
    except ValueError as exc:  # from base64 or from UTF-8
        raise InvalidRecord(Reason.NOT_MAPPED, "base64() was given a text that is not base64 of UTF-8") from exc


def joined(*values: object) -> str | None:
    """The values as text with dots between them, such as a visitor's and a visit's; null if one is null or blank."""
    texts = []
    for value in values:
        given = value if type(value) is str else text(value)
        if not given or given.isspace():
            return None
        texts.append(given)
    return ".".join(texts)


@cache
def zone(name: str) -> tzinfo:
    """The time zone of a name such as Europe/Berlin, UTC or +01:00; raises ValueError for any other text."""
    if name in {"UTC", "Z"}:
        return UTC
    if re.fullmatch(_OFFSET, name, re.ASCII):
        return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo or UTC
    # The import takes a tenth of a millisecond, which only mappings with such a zone should pay.
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as exc:
        raise ValueError("no such time zone") from exc
