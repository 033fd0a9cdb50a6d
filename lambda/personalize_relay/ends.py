"""Find where a broken JSON value of a text ends: by its own brackets, or before the next value that surely begins."""

import re

_NEXT_LINE = re.compile(r'\n(?=\ufeff?(?:[{\[]|"[{\[]))')
_NEXT_ENTRY = re.compile(r",(?=\s*[{\[])")
_NEXT_LITERAL = re.compile(r"(?<=\})(?=\\n\s*[{\[])")
_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\\n]|\\.)*+")*+([{}\[\]]?)')
"""The next bracket outside of texts; none where a text isn't closed in its line."""
_CLOSES = {"}": "{", "]": "["}
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
        for pattern in (_NEXT_LINE, _NEXT_ENTRY, _NEXT_LITERAL):
            if pattern in self._exhausted or (pattern is _NEXT_ENTRY and not self._entries):
                continue
            found = pattern.search(self._text, at + 1)
            if found:
                return found.start()
            self._exhausted.add(pattern)
        return len(self._text)
