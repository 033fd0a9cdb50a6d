"""Say what a payload looks like that isn't JSON, and what to do: in our own words, never in the payload's."""

import re

from personalize_relay.errors import InvalidRecord, Reason

_LOOKED_AT = 512
"""How many bytes at the beginning to look at."""
_JSON_BEGINS = ("{", "[", '"')
UNDECODABLE = re.compile("[\udc80-\udcff]")
"""Matches what `surrogateescape` makes of a byte that isn't UTF-8."""
_CONTAINERS = {
    b"Obj\x01": "an Avro object container",
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a zip archive",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_PYTHON = re.compile(r"[\[{(]\s*[bru]?'|[:\[,]\s*(?:True|False|None)\b")
_SNOWPLOW = re.compile(r"[^\t\n]*\t[a-z]*\t(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*\t){2}")
"""Snowplow's first columns: the application, the platform, the times of enriching and collecting."""
_SEPARATED = re.compile(r"[^\n]*?(?:\t[^\n]*?\t|,[^\n]*?,|;[^\n]*?;)")


def foreign(data: bytes) -> InvalidRecord | None:
    """The error for bytes that surely are no UTF-8 text at all; None if they may be."""
    head = data[:_LOOKED_AT]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _every_second_is_nul(head):
        return InvalidRecord(Reason.INVALID_UTF8, "the payload looks like UTF-16: encode it as UTF-8")
    for magic, name in _CONTAINERS.items():
        if head.startswith(magic):
            return _no_json(name, "send JSON")
    return None


def broken(text: str, at: int) -> InvalidRecord:
    """The error for a text that isn't JSON at character `at`; bytes that aren't UTF-8 are half surrogates in it."""
    head = text[:_LOOKED_AT].lstrip()
    if _CONTROL.search(head) and not head.startswith(_JSON_BEGINS):
        return _no_json("protobuf or another binary format", "send JSON")
    undecodable = UNDECODABLE.search(text)
    if undecodable:
        return not_utf8(undecodable.start())
    if _PYTHON.search(head):
        return _no_json("Python's repr, not JSON", "send json.dumps of it")
    if head.startswith(_JSON_BEGINS):
        return _broken_json(text, at)
    return _another_format(head, at)


def _another_format(head: str, at: int) -> InvalidRecord:
    if head.startswith("<"):
        return _no_json("XML or HTML", "send JSON")
    if _SNOWPLOW.match(head):
        return _no_json("a Snowplow enriched event", "set `mapping` to `snowplow`")
    if _SEPARATED.match(head):
        return _no_json("CSV or tab-separated text", "send JSON, or set a mapping with columns")
    return _unknown(at)


def not_utf8(at: int) -> InvalidRecord:
    """The error for a text that holds bytes of another encoding from character `at` on."""
    return InvalidRecord(Reason.INVALID_UTF8, f"the payload is not UTF-8 from character {at} on: encode it as UTF-8")


def _broken_json(text: str, at: int) -> InvalidRecord:
    if at >= len(text):
        return _no_json("JSON cut off at its end", "send it whole")
    if text[at : at + 2] == "\\'":
        return _no_json("JSON with single quotes escaped with a backslash", "leave the backslash out")
    if text[at] in ",}" and text[:at].rstrip().endswith(":"):
        return _no_json("JSON in which a value is missing after a colon", "send null, or leave the member out")
    return _unknown(at)


def _every_second_is_nul(head: bytes) -> bool:
    """Whether every second byte is NUL, as in UTF-16 of ASCII in either byte order."""
    if b"\0" not in head:
        return False
    nuls = [half.count(0) == len(half) > 1 for half in (head[::2], head[1::2])]
    return nuls[0] != nuls[1]


def _no_json(what: str, remedy: str) -> InvalidRecord:
    return InvalidRecord(Reason.INVALID_JSON, f"the payload looks like {what}: {remedy}")


def _unknown(at: int) -> InvalidRecord:
    return InvalidRecord(Reason.INVALID_JSON, f"the payload is not JSON: character {at}")
