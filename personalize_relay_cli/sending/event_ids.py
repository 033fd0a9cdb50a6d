"""Give each event that has no `eventId` one that depends on the file alone, so that sending it again trains nothing.

An id is the SHA-256 of the event's content, whatever the order of its members, and a number that tells identical
events of a file apart. `Occurrences` says how they are numbered in bounded memory.
"""

import hashlib
import json
import mmap
import struct
from typing import Any

import msgspec

from personalize_relay.contract import ADDRESSEE
from personalize_relay.members import absent

COUNTERS = 1 << 24
_ID_BYTES = 16
_PLACES = struct.Struct("<4I")  # the half of a SHA-256 that is not in the id


class Occurrences:
    """Numbers identical contents, in memory that doesn't grow: 64 MiB of counters, four of them for a content.

    This is a count-min sketch (Cormode and Muthukrishnan, Journal of Algorithms 55, 2005), its rows laid over each
    other, with the conservative update of Estan and Varghese (SIGCOMM 2002). A content's number is the least of its
    four. Those that are the least are raised, so that the next of the same
    content always gets a higher number: no two share one. Contents that share counters may skip numbers, which makes
    the number depend on the lines before it, and nothing else.
    """

    def __init__(self, counters: int = COUNTERS) -> None:
        self._mask = counters - 1  # a power of two
        self._counts = memoryview(mmap.mmap(-1, counters * 4)).cast("I")  # its pages are taken as they are used

    def number(self, digest: bytes) -> int:
        """The number of this occurrence, from 0."""
        counts, mask = self._counts, self._mask
        places = [place & mask for place in _PLACES.unpack(digest[_ID_BYTES:])]
        least: int = min([counts[place] for place in places])
        for place in places:
            if counts[place] == least:
                counts[place] = least + 1
        return least


class Stamper:
    """Stamps the payloads of one file, which it must see in order and from the first."""

    def __init__(self, counters: int = COUNTERS) -> None:
        self._occurrences = Occurrences(counters)

    def stamp(self, payload: bytes, decoded: dict[str, Any]) -> bytes:
        """The payload with an `eventId` on each event that had none, every other byte of an event as it was."""
        listed = decoded.get("eventList")
        if absent(listed):
            return _with_id(payload, self._id(payload, decoded)) if absent(decoded.get("eventId")) else payload
        if not isinstance(listed, list):
            return payload
        addressee = {name: decoded.get(name) for name in ADDRESSEE}
        ids = {
            index: self._id(payload, {**each, **addressee}, index)
            for index, each in enumerate(listed)
            if isinstance(each, dict) and absent(each.get("eventId"))
        }
        return _with_ids(payload, ids) if ids else payload

    def _id(self, payload: bytes, event: dict[str, Any], index: int = 0) -> str:
        content = {name: value for name, value in event.items() if value is not None}  # null is the same as absent
        digest = hashlib.sha256(_canonical(content) or b"%d:%b" % (index, payload)).digest()
        return f"{digest[:_ID_BYTES].hex()}-{self._occurrences.number(digest)}"


def _canonical(content: dict[str, Any]) -> bytes:
    """The same bytes for the same content; none for a number that has no digits, such as 1e999."""
    try:
        return msgspec.json.encode(content, order="sorted")
    except UnicodeEncodeError:
        return json.dumps(content, sort_keys=True).encode()  # escapes unpaired surrogates
    except ValueError:
        return b""


def _with_id(event: bytes, event_id: str) -> bytes:
    """The event's text with the id behind its other members: of a member given twice the last counts."""
    members = event.rstrip()[:-1].rstrip()
    comma = b"" if members.endswith(b"{") else b","
    return b'%b%b"eventId":"%b"}' % (members, comma, event_id.encode())


def _with_ids(payload: bytes, ids: dict[int, str]) -> bytes:
    try:
        outer = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
        events = [bytes(each) for each in msgspec.json.decode(outer["eventList"], type=list[msgspec.Raw])]
    except (ValueError, RecursionError):
        return payload  # an unpaired surrogate: the relay rejects the event that holds it
    stamped = [_with_id(each, ids[index]) if index in ids else each for index, each in enumerate(events)]
    outer["eventList"] = msgspec.Raw(b"[" + b",".join(stamped) + b"]")
    return msgspec.json.encode(outer)
