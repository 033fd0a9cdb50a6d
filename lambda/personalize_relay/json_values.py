"""Read the JSON values in a text, however they are joined, and reject a broken value alone.

White space, newlines, commas, NULs, record separators (RFC 7464), the two characters backslash and n, or nothing may
separate the values. A broken value ends where the next one surely begins: what lies between is rejected as one, never
taken apart into events.
"""

import contextlib
import json
import re
from typing import Any

import msgspec

from personalize_relay import payloads, recognise
from personalize_relay.ends import Ends
from personalize_relay.errors import InvalidRecord

_decode_joined = msgspec.json.Decoder().decode_lines
_MOST_QUOTES = 2_000_000
"""Above this, values are counted while they are read, because a list of all would be too large."""
_CONTAINERS = frozenset({dict, list})
_WORK = 8
"""The most that a text may be read over, in multiples of its length, for broken values that can't be told apart."""
_LEAST_WORK = 1000

_SEPARATORS = re.compile(r"(?:[ \t\r\n,\ufeff\0\x1e]|\\n)*+")
_NEWLINE = re.compile(r"\n|\\n")
_VALUE = re.compile(r'[{\[]|"\s*[{\[]')
"""Matches the beginning of a value for sure."""


class TooMany(Exception):
    """A text holds more values than it may."""


def values(data: bytes, most: int) -> list[Any]:
    """The values in order, with an InvalidRecord for each that can't be read; none for an empty text.

    If only some entries of a list are broken, the list holds an InvalidRecord for each. Raises TooMany if there are
    more than `most` values, including the entries of such lists.
    """
    joined: list[Any] = []
    if data.count(b'"') <= _MOST_QUOTES:
        with contextlib.suppress(ValueError, RecursionError):
            joined = _decode_joined(data)
    if joined and all(type(each) in _CONTAINERS for each in joined):
        return joined
    return _Scan(data.decode(errors="surrogateescape"), most).values()


class _Scan:
    """One pass over a text, from value to value."""

    def __init__(self, text: str, most: int, *, entries: bool = False) -> None:
        self._text = payloads.Text(text)
        self._left = most
        self._entries = entries
        """Whether the text is the inside of a list, in which a comma surely ends an entry."""
        self._work = _LEAST_WORK + _WORK * len(text)
        self._ends = Ends(text, entries=entries)

    def __repr__(self) -> str:
        return f"_Scan(length={len(self._text)}, entries={self._entries}, work={self._work})"

    def values(self) -> list[Any]:
        read = []
        before = self._separators(0)
        fresh = True
        while before.end() < len(self._text):
            if not self._left:
                raise TooMany
            self._left -= 1
            value, end = self._next(before.end(), fresh=fresh)
            read.append(value)
            before = self._separators(end)
            fresh = bool(_NEWLINE.search(before[0]))
        return read

    def _separators(self, at: int) -> re.Match[str]:
        found = _SEPARATORS.match(self._text, at)
        assert found  # noqa: S101 - it matches nothing, too
        return found

    def _next(self, at: int, *, fresh: bool) -> tuple[Any, int]:
        """The value that begins at `at`, broken or not, and where it ends; `fresh` at the beginning of a line."""
        try:
            value, end = payloads.decode_first(self._text, at)
        except json.JSONDecodeError as exc:
            self._work -= exc.pos - at
        except RecursionError:
            self._work -= self._too_deep_until(at) - at
        else:
            if self._surely_ends(at, end, fresh=fresh):
                return self._decodable(value, at, end), end
            self._work -= end - at
        return self._broken(at, fresh=fresh)

    def _too_deep_until(self, at: int) -> int:
        """The furthest end of a value nested too deep: its line's if that alone is too deep, else the text's."""
        line_end = self._text.find("\n", at)
        try:
            payloads.decode_first(payloads.Text(self._text[at : max(line_end, at)]), 0)
        except RecursionError:
            return line_end
        except json.JSONDecodeError:
            pass
        return len(self._text)

    def _decodable(self, value: Any, at: int, end: int) -> Any:  # noqa: ANN401 - any JSON
        found = recognise.UNDECODABLE.search(self._text, at, end)
        return recognise.not_utf8(found.start() - at) if found else value

    def _surely_ends(self, at: int, end: int, *, fresh: bool) -> bool:
        """Whether a value surely ends at `end`: with a line of its own, before another value, or with the text.

        `{"a":1},"b":2}` is one broken value, not an event that lacks a member.
        """
        following = self._separators(end).end()
        if following == len(self._text) or _VALUE.match(self._text, following):
            return True
        if self._entries and "," in self._text[end:following]:
            return True
        own_line = fresh and self._text.find("\n", at, end) < 0
        return own_line and bool(_NEWLINE.search(self._text, end, following))

    def _broken(self, at: int, *, fresh: bool) -> tuple[Any, int]:
        closed = self._ends.closed(at)
        if closed and self._surely_ends(at, closed, fresh=fresh):
            chunk = self._text[at:closed]
            return self._good_entries(chunk) or _why(chunk), closed
        end = self._ends.before_next(at) if self._work > 0 else len(self._text)
        return _why(self._text[at:end]), end

    def _good_entries(self, chunk: str) -> list[Any]:
        """All entries of a broken list, if at least one is good; nothing for a list in a list, or for an object."""
        if self._entries or chunk[0] != "[":
            return []
        entries = _Scan(chunk[1:-1], self._left, entries=True).values()
        self._left -= min(self._left, len(entries))
        return entries if any(not isinstance(each, InvalidRecord) for each in entries) else []


def _why(chunk: str) -> InvalidRecord:
    """Why a part of a text is not JSON."""
    try:
        _, end = payloads.decode_first(payloads.Text(chunk), 0)
    except json.JSONDecodeError as exc:
        return recognise.broken(chunk, len(chunk) if exc.msg.startswith("Unterminated string") else exc.pos)
    except RecursionError:
        return payloads.too_deep()
    return recognise.broken(chunk, end)
