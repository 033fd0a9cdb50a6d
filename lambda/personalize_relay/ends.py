"""Find where a broken JSON value of a text ends: by its own brackets, or before the next value that surely begins."""

import json
import re

from personalize_relay import payloads

_NEXT_LINE = re.compile(r'\n(?=[\ufeff\x1e]?(?:[{\[]|"[{\[]))')
_NEXT_ENTRY = re.compile(r",(?=\s*[{\[])")
_NEXT_LITERAL = re.compile(r"(?<=\})(?=\\n\s*[{\[])")
_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\\n]|\\.)*+")*+([{}\[\]]?)')
"""Matches up to the next bracket outside of texts; the group is empty if a text isn't closed in its line."""
_RECORD_SEPARATOR = "\x1e"
"""The character that begins each value of a JSON text sequence (RFC 7464)."""
_CLOSES = {"}": "{", "]": "["}
_OPENS = frozenset("{[")
_MORE = frozenset(",[:")
"""Characters after which a value goes on."""
_NESTING = re.compile(r'\\.|"(?:[^"\\\n]|\\.)*+"|(?P<bracket>:[ \t]*\[|[{}\[\]])|(?P<cut>"(?!\s*[:,]).*)')
"""Matches brackets, and texts that may hide them. A quote before a colon or comma is stray: no text begins there."""
_MOST_BRACKETS = 200_000
"""The most brackets of a text to look at."""
_READINGS = 8
"""The most that a text is read over, in multiples of its length, for values whose brackets are never closed."""
_LEAST_READ = 1000


class Ends:
    """The ends of the broken values in one text; many broken values take no more time than one."""

    def __init__(self, text: str, *, entries: bool) -> None:
        self._text = text
        self._entries = entries
        """Whether the text is the inside of a list, in which a comma surely ends an entry."""
        self._brackets = _MOST_BRACKETS
        self._characters = _LEAST_READ + _READINGS * len(text)
        self._exhausted: set[re.Pattern[str]] = set()

    def __repr__(self) -> str:
        return f"Ends(length={len(self._text)}, characters={self._characters}, brackets={self._brackets})"

    def closed(self, at: int) -> int | None:
        """Where the object or list that begins at `at` is closed; None if that is unclear, or takes too long."""
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
        """Where the next value begins that surely isn't part of the one at `at`; the text's end if there is none."""
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
        """Where the next line begins that holds a value of its own, and isn't part of the broken value at `at`.

        None if no line begins with a value; the text's end if each such line is part of the broken value.
        """
        nesting = _Nesting()
        line = self._search(_NEXT_LINE, at)
        while line and nesting.goes_on(self._text[at:line], self._text[line + 1]) and not self._is_cut_off(at, line):
            at, line = line, self._search(_NEXT_LINE, line)
            if line is None:
                return len(self._text)
        return line

    def _is_cut_off(self, at: int, line: int) -> bool:
        """Whether a value of one line was cut off after a colon, because the next line is an object by itself."""
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

    If a line ends in a colon, or in a bracket or comma of a list in an object, the next line is the value it lacks.
    Values joined by commas and newlines are not in such a list, so a broken value among them ends with its line. Nor
    are the entries of a list that is no member of an object: these are values of their own.
    """

    def __init__(self) -> None:
        self._opened: list[str] = []
        self._count = dict.fromkeys(_OPENS, 0)

    def __repr__(self) -> str:
        return f"_Nesting(depth={len(self._opened)}, objects={self._count['{']})"

    def goes_on(self, lines: str, following: str) -> bool:
        """Whether the value, of which these are more lines, goes on with the character that begins the next line."""
        last = lines.rstrip(" \t\r\n")[-1:]
        if last not in _MORE or following == _RECORD_SEPARATOR or self._read(lines):
            return False
        if last == ":" or not self._count["{"]:
            return last == ":"
        return last == "[" or self._opened[-1] == "[" or following == '"'

    def _read(self, lines: str) -> bool:
        """Follow the brackets; return whether the lines end within a text."""
        found = None
        for found in _NESTING.finditer(lines):
            if found["bracket"]:
                self._bracket(found["bracket"])
        return bool(found and found["cut"] and found.end() == len(lines))

    def _bracket(self, mark: str) -> None:
        if mark[0] == ":" and not self._count["{"]:
            self._open("{")  # a member is in an object, even if that seems to be closed
        if mark[-1] in _OPENS:
            self._open(mark[-1])
        else:
            self._close(_CLOSES[mark])

    def _open(self, mark: str) -> None:
        self._opened.append(mark)
        self._count[mark] += 1

    def _close(self, mark: str) -> None:
        """Close the innermost bracket of a kind and all within it; do nothing if none is open."""
        while self._count[mark]:
            innermost = self._opened.pop()
            self._count[innermost] -= 1
            if innermost == mark:
                return
