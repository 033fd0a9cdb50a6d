"""The payloads of a JSON file: the elements of its array as the text they are, or its one object.

The file is read as far as it is looked at: a value at a time is in memory.
"""

import io
import json
import re
from collections.abc import Iterator
from typing import cast

from personalize_relay_cli.input.opening import no_text
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.problems import Misuse

LONGEST_VALUE = 16 * 1024 * 1024
"""Characters of a value; a Kinesis record has at most 10 MiB."""
_FIRST_CHUNK = 64 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
# Values are only measured: a number of any length will do.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def payloads(file: str, opened: io.TextIOWrapper, remarks: Remarks) -> Iterator[tuple[int, bytes]]:
    """The elements of an array, or the object, each with the line that it begins on; raises Misuse."""
    text = _Text(file, opened)
    first = text.next_character()
    if first == "[":
        yield from _elements(text)
    elif first == "{":
        value = text.value()
        text.expect_end()
        yield value
    elif first:
        raise Misuse(f"{file}: is neither a JSON array nor an object")
    else:
        remarks.nothing_in(file, "holds nothing")
    text.expect_end()


def _elements(text: "_Text") -> Iterator[tuple[int, bytes]]:
    text.skip()
    if text.next_character() == "]":
        text.skip()
        return
    while True:
        yield text.value()
        separator = text.next_character()
        if separator not in {",", "]"}:
            text.refuse("not JSON: a comma or the end of the array is missing")
        text.skip()
        if separator == "]":
            return
        text.next_character()


class _Text:
    """A JSON text that is read as far as it is looked at."""

    def __init__(self, file: str, opened: io.TextIOWrapper) -> None:
        self._file = file
        self._opened = opened
        self._buffer = ""
        self._position = 0
        self._number = 1
        """The line that the position is on."""

    def next_character(self) -> str:
        """The next character that isn't white space, which becomes the position; empty at the end."""
        while True:
            self._advance(_SPACE.match(self._buffer, self._position).end())  # type: ignore[union-attr]  # matches ""
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Go on by a character."""
        self._advance(self._position + 1)

    def value(self) -> tuple[int, bytes]:
        """The JSON value at the position, which goes on behind it."""
        number = self._number
        while True:
            end = self._end()
            # At the buffer's end a number may go on.
            if end is not None and end < len(self._buffer):
                break
            if len(self._buffer) > LONGEST_VALUE or not self._more():
                if end is None:
                    self.refuse("not JSON, or cut off, in the value that begins here")
                break
        data = self._buffer[self._position : end].encode()
        self._advance(cast("int", end))
        return number, data

    def expect_end(self) -> None:
        """Refuse all but white space."""
        if self.next_character():
            self.refuse("more follows after the end: for a value a line, say --input-format jsonl")

    def refuse(self, why: str) -> None:
        """Raise Misuse for what is at the position."""
        raise Misuse(f"{self._file}:{self._number}: {why}")

    def _end(self) -> int | None:
        try:
            return _DECODER.raw_decode(self._buffer, self._position)[1]
        except RecursionError as exc:
            raise Misuse(f"{self._file}:{self._number}: the value is nested too deep to read") from exc
        except json.JSONDecodeError:
            return None

    def _advance(self, position: int) -> None:
        self._number += self._buffer.count("\n", self._position, position)
        self._position = position

    def _more(self) -> bool:
        """Read on; as much again as a value has already, so that a long one isn't begun again too often."""
        self._buffer = self._buffer[self._position :]
        self._position = 0
        try:
            chunk = self._opened.read(max(_FIRST_CHUNK, len(self._buffer)))
        except UnicodeDecodeError as exc:
            raise no_text(self._file, self._opened, self._number) from exc
        self._buffer += chunk
        return bool(chunk)
