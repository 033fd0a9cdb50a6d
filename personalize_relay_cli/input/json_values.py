"""The payloads of a JSON file: the elements of its array as the text they are, or its one object."""

import io
import json
import re
from collections.abc import Iterator

from personalize_relay_cli.input.opening import no_text
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.problems import Misuse

MOST = 128 * 1024 * 1024
"""Characters of a file: all of it is in memory, and one character beyond the Basic Multilingual Plane makes each four
bytes long."""
_SPACE = re.compile(r"[ \t\r\n]*")
# Values are only measured: a number of any length will do. NaN and unpaired surrogates are a payload's own fault, which
# one of a file's many may have; msgspec's Raw would refuse the file for them.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


class _Wrong(Exception):
    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


def payloads(file: str, opened: io.TextIOWrapper, remarks: Remarks) -> Iterator[tuple[int, bytes]]:
    """The elements of an array, or the object, each with the line that it begins on; raises Misuse."""
    text = _read(file, opened)
    if _beyond_space(text, 0) == len(text):
        remarks.nothing_in(file, "holds nothing")
        return
    line, counted = 1, 0
    try:
        for begins, ends in _values(text):
            line, counted = line + text.count("\n", counted, begins), begins
            yield line, text[begins:ends].encode()
    except _Wrong as exc:
        raise Misuse(f"{file}:{1 + text.count('\n', 0, exc.position)}: {exc}") from exc


def _read(file: str, opened: io.TextIOWrapper) -> str:
    try:
        text = opened.read(MOST + 1)
    except UnicodeDecodeError as exc:
        raise no_text(file, opened) from exc
    if len(text) > MOST:
        raise Misuse(
            f"{file}: has more than {MOST >> 20} MiB, too many for one JSON value: make JSON Lines of it, of any size, "
            "with: jq -c '.[]' FILE > FILE.jsonl"
        )
    return text


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Where each value begins and ends; raises _Wrong."""
    begins = _beyond_space(text, 0)
    if text[begins] == "{":
        end = _end(text, begins)
        _expect_end(text, end)
        yield begins, end
        return
    if text[begins] != "[":
        raise _Wrong(begins, "is neither a JSON array nor an object")
    position = _beyond_space(text, begins + 1)
    separator = "" if text.startswith("]", position) else ","
    while separator == ",":
        end = _end(text, position)
        yield position, end
        position = _beyond_space(text, end)
        separator = text[position : position + 1]
        if separator not in {",", "]"}:
            raise _Wrong(position, "not JSON: a comma or the end of the array is missing")
        position = _beyond_space(text, position + 1) if separator == "," else position
    _expect_end(text, position + 1)


def _end(text: str, begins: int) -> int:
    try:
        return _DECODER.raw_decode(text, begins)[1]
    except RecursionError as exc:
        raise _Wrong(begins, "the value is nested too deep to read") from exc
    except json.JSONDecodeError as exc:
        raise _Wrong(begins, "not JSON, or cut off, in the value that begins here") from exc


def _expect_end(text: str, position: int) -> None:
    position = _beyond_space(text, position)
    if position < len(text):
        raise _Wrong(position, "more follows after the end: for a value a line, say --input-format jsonl")


def _beyond_space(text: str, position: int) -> int:
    return _SPACE.match(text, position).end()  # type: ignore[union-attr]  # it matches nothing, too
