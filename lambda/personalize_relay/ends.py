"""Find where a broken JSON value of a text ends: by its own brackets, or before the next value that surely begins."""

import json
import re

from personalize_relay import payloads

_NEXT_LINE = re.compile(r'\n(?=[\ufeff\x1e]?(?:[{\[]|"[{\[]))')
_NEXT_ENTRY = re.compile(r",(?=\s*[{\[])")
_NEXT_LITERAL = re.compile(r"(?<=\})(?=\\n\s*[{\[])")
_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\\n]|\\.)*+")*+([{}\[\]]?)')
"""The next bracket outside of texts; none where a text isn't closed in its line."""
_RECORD_SEPARATOR = "\x1e"
"""What begins each value of a JSON text sequence (RFC 7464)."""
_CLOSES = {"}": "{", "]": "["}
_OPENS = frozenset("{[")
_MORE = frozenset(",[:")
"""After them, something more follows in a value."""
_NESTING = re.compile(r'\\.|"(?:[^"\\\n]|\\.)*+"|(?P<bracket>:[ \t]*\[|[{}\[\]])|(?P<cut>"(?!\s*[:,]).*)')
"""Brackets, and what texts may hide them. A quote before a colon or a comma is a stray one: no text begins with it."""
_MOST_BRACKETS = 200_000
"""How many brackets of a text are looked at."""
_READINGS = 8
"""How many times its length a text is read over, for values whose brackets are never closed."""
_LEAST_READ = 1000


class Ends:
    """The ends of the broken values in one text; it takes no longer the more of them are broken."""

    def __init__(self, text: str, *, entries: bool) -> None:
        self._text = text
        self._entries = entries
        """Whether the text is the inside of a list, where a comma surely ends an entry."""
        self._brackets = _MOST_BRACKETS
        self._characters = _LEAST_READ + _READINGS * len(text)
        self._exhausted: set[re.Pattern[str]] = set()

    def __repr__(self) -> str:
        return f"Ends(length={len(self._text)}, characters={self._characters}, brackets={self._brackets})"

    def closed(self, at: int) -> int | None:
        """Where the object or list that begins at a place is closed; None where that isn't clear, or takes too long."""
        if self._text[at] not in "{[":
            return None
        opened: list[str] = []
        end = at
        while self._brackets and self._characters > 0:
            found = _BRACKET.match(self._text, end)
            assert found  # noqa: S101 - it matches nothing, too
            self._brackets -= 1
            self._characters -= found.end() - end
            mark, end = found[1], found.end()
            if not mark:
                self._characters -= self._line_end(end) - end
                return None
            if mark not in _CLOSES:
                opened.append(mark)
            elif opened.pop() != _CLOSES[mark]:
                return None
            elif not opened:
                return end
        return None

    def _line_end(self, at: int) -> int:
        found = self._text.find("\n", at)
        return len(self._text) if found < 0 else found

    def before_next(self, at: int) -> int:
        """Where the next value begins that surely isn't part of the one at a place; the text's end where none does."""
        found = self._next_entry(at) if self._entries else self._next_line(at)
        return found or self._search(_NEXT_LITERAL, at) or len(self._text)

    def _next_entry(self, at: int) -> int | None:
        return self._search(_NEXT_LINE, at) or self._search(_NEXT_ENTRY, at)

    def _search(self, pattern: re.Pattern[str], at: int) -> int | None:
        if pattern in self._exhausted:
            return None
        found = pattern.search(self._text, at + 1)
        if found:
            return found.start()
        self._exhausted.add(pattern)
        return None

    def _next_line(self, at: int) -> int | None:
        """Where the next line begins with a value that the broken one at a place doesn't go on with.

        None where no line begins with a value; the text's end where it goes on with each.
        """
        nesting = _Nesting()
        line = self._search(_NEXT_LINE, at)
        while line and nesting.goes_on(self._text[at:line], self._text[line + 1]) and not self._is_cut_off(at, line):
            at, line = line, self._search(_NEXT_LINE, line)
            if line is None:
                return len(self._text)
        return line

    def _is_cut_off(self, at: int, line: int) -> bool:
        """Whether a value of one line was cut off behind a colon, as the line after it is an object by itself."""
        broken = self._text[at:line]
        if "\n" in broken or not broken.rstrip().endswith(":") or self._text[line + 1] != "{":
            return False
        end = self._line_end(line + 1)
        try:
            _, ended = payloads.decode_first(payloads.Text(self._text[line + 1 : end]), 0)
        except (json.JSONDecodeError, RecursionError):
            return False
        return not self._text[line + 1 + ended : end].strip()


class _Nesting:
    """Which brackets are open in a broken value, and whether the next line still belongs to it.

    A line that ends in a colon, or in a bracket or comma of a list in an object, lacks a value: the next line is that.
    Values that are joined by commas and newlines are not in such a list, so that a broken one of them ends with its
    line; nor are the entries of a list that is no member of an object, which are values on their own.
    """

    def __init__(self) -> None:
        self._opened: list[str] = []
        self._count = dict.fromkeys(_OPENS, 0)

    def __repr__(self) -> str:
        return f"_Nesting(depth={len(self._opened)}, objects={self._count['{']})"

    def goes_on(self, lines: str, following: str) -> bool:
        """Whether the value goes on after some more lines of it, with the character that begins the next line."""
        last = lines.rstrip(" \t\r\n")[-1:]
        if last not in _MORE or following == _RECORD_SEPARATOR or self._read(lines):
            return False
        if last == ":" or not self._count["{"]:
            return last == ":"
        return last == "[" or self._opened[-1] == "[" or following == '"'

    def _read(self, lines: str) -> bool:
        """Follow the brackets; whether the lines end within a text."""
        found = None
        for found in _NESTING.finditer(lines):
            if found["bracket"]:
                self._bracket(found["bracket"])
        return bool(found and found["cut"] and found.end() == len(lines))

    def _bracket(self, mark: str) -> None:
        if mark[0] == ":" and not self._count["{"]:
            self._open("{")  # a member stands in an object, even where that seems to be closed
        if mark[-1] in _OPENS:
            self._open(mark[-1])
        else:
            self._close(_CLOSES[mark])

    def _open(self, mark: str) -> None:
        self._opened.append(mark)
        self._count[mark] += 1

    def _close(self, mark: str) -> None:
        """Close the innermost bracket of a kind, and those in it; nothing where none is open."""
        while self._count[mark]:
            innermost = self._opened.pop()
            self._count[innermost] -= 1
            if innermost == mark:
                return
