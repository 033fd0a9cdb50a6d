"""Read the JSON values in a text, however they are joined, and reject a broken one alone.

They may stand apart by white space, newlines, commas, the two characters backslash and n, or nothing. A broken value
ends where the next one surely begins: what lies between is rejected as one, never taken apart into events.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from personalize_relay import payloads, recognise
from personalize_relay.errors import InvalidRecord

_decode_joined = msgspec.json.Decoder().decode_lines
_MOST_QUOTES = 2_000_000
"""Above it, values are counted while they are read: a list of all would be too large."""
_WORK = 8
"""How many times its length a text may be read over, for broken values that can't be told apart."""
_LEAST_WORK = 1000
_DEEPEST = 20_000
"""What is nested deeper has no end that is worth looking for."""

_SEPARATORS = re.compile(r"(?:[ \t\r\n,\ufeff]|\\n)*+")
_NEWLINE = re.compile(r"\n|\\n")
_VALUE = re.compile(r'[{\[]|"\s*[{\[]')
"""What surely begins a value."""
_NEXT_LINE = re.compile(r'\n(?=\ufeff?(?:[{\[]|"[{\[]))')
_NEXT_ENTRY = re.compile(r",(?=\s*[{\[])")
_NEXT_LITERAL = re.compile(r"(?<=\})(?=\\n\s*[{\[])")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+"?|[{}\[\]]')
_CLOSES = {"}": "{", "]": "["}
_UNDECODABLE = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of a byte that is no UTF-8."""


def values(data: bytes) -> Iterator[Any]:
    """The values in order, an InvalidRecord in place of each that can't be read; none where there is nothing.

    A list of which only some entries are broken is a list with InvalidRecords in it.
    """
    if data.count(b'"') <= _MOST_QUOTES:
        try:
            return iter(_decode_joined(data))
        except (ValueError, RecursionError):
            pass
    return _Scan(data.decode(errors="surrogateescape")).values()


class _Scan:
    """One pass over a text, from value to value."""

    def __init__(self, text: str, *, entries: bool = False) -> None:
        self._text = text
        self._entries = entries
        """Whether it is the inside of a list, where a comma surely ends an entry."""
        self._work = _LEAST_WORK + _WORK * len(text)
        self._exhausted: set[re.Pattern[str]] = set()

    def __repr__(self) -> str:
        return f"_Scan(length={len(self._text)}, entries={self._entries}, work={self._work})"

    def values(self) -> Iterator[Any]:
        before = _SEPARATORS.match(self._text)
        first = True
        while before and before.end() < len(self._text):
            fresh = first or bool(_NEWLINE.search(before.group()))
            value, end = self._next(before.end(), fresh=fresh)
            yield value
            first = False
            before = _SEPARATORS.match(self._text, end)

    def _next(self, at: int, *, fresh: bool) -> tuple[Any, int]:
        """The value or the broken one that begins at a place, and where it ends; `fresh` at the beginning of a line."""
        try:
            value, end = payloads.decode_first(self._text, at)
        except json.JSONDecodeError as exc:
            self._work -= exc.pos - at
        except RecursionError:
            self._work -= len(self._text) - at
        else:
            if self._ends(at, end, fresh=fresh):
                return self._decodable(value, at, end), end
            self._work -= end - at
        return self._broken(at, fresh=fresh)

    def _decodable(self, value: Any, at: int, end: int) -> Any:  # noqa: ANN401 - any JSON
        found = _UNDECODABLE.search(self._text, at, end)
        return recognise.not_utf8(found.start() - at) if found else value

    def _ends(self, at: int, end: int, *, fresh: bool) -> bool:
        """Whether a value surely ends there: with a line of its own, before another value, or with the text.

        `{"a":1},"b":2}` is one broken value, not an event that lacks a member.
        """
        between = _SEPARATORS.match(self._text, end)
        following = between.end() if between else end
        if following == len(self._text) or _VALUE.match(self._text, following):
            return True
        if self._entries and "," in self._text[end:following]:
            return True
        own_line = fresh and self._text.find("\n", at, end) < 0
        return own_line and bool(_NEWLINE.search(self._text, end, following))

    def _broken(self, at: int, *, fresh: bool) -> tuple[Any, int]:
        balanced = self._balanced(at)
        if balanced and self._ends(at, balanced, fresh=fresh):
            chunk = self._text[at:balanced]
            if chunk[0] == "[" and not self._entries:
                return list(_Scan(chunk[1:-1], entries=True).values()) or _why(chunk), balanced
            return _why(chunk), balanced
        end = self._resync(at)
        return _why(self._text[at:end]), end

    def _balanced(self, at: int) -> int | None:
        """Where the object or list that begins at a place is closed; None where that isn't clear."""
        opened: list[str] = []
        for token in _TOKEN.finditer(self._text, at) if self._text[at] in "{[" and self._work > 0 else ():
            mark = token.group()
            if mark in "{[":
                opened.append(mark)
            elif mark in _CLOSES:
                if opened.pop() != _CLOSES[mark]:
                    break
            elif len(mark) == 1 or mark[-1] != '"':
                break  # a text that isn't closed in its line
            if not opened or len(opened) > _DEEPEST or self._work < token.end() - at:
                break
        else:
            return None
        self._work -= token.end() - at
        return token.end() if not opened else None

    def _resync(self, at: int) -> int:
        """Where a broken value ends whose own end can't be told: before the next that surely begins, or never."""
        for pattern in (_NEXT_LINE, _NEXT_ENTRY, _NEXT_LITERAL) if self._work > 0 else ():
            if pattern in self._exhausted or (pattern is _NEXT_ENTRY and not self._entries):
                continue
            found = pattern.search(self._text, at + 1)
            if found:
                return found.start()
            self._exhausted.add(pattern)
        return len(self._text)


def _why(chunk: str) -> InvalidRecord:
    """Why a part of a text is no JSON."""
    undecodable = _UNDECODABLE.search(chunk)
    if undecodable:
        return recognise.not_utf8(undecodable.start())
    try:
        _, end = payloads.decode_first(chunk, 0)
    except json.JSONDecodeError as exc:
        return recognise.broken(chunk, len(chunk) if exc.msg.startswith("Unterminated string") else exc.pos)
    except RecursionError:
        return payloads.too_deep()
    return recognise.broken(chunk, end)
