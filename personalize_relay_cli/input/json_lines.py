"""The payloads of JSON Lines: each line that isn't blank, whatever it holds."""

import io
from collections.abc import Iterator

from personalize_relay_cli.input.opening import UTF16, as_text, encoding, no_text
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.problems import Misuse

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a line; a Kinesis record has at most 10 MiB."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def payloads(file: str, opened: io.BufferedReader, remarks: Remarks) -> Iterator[tuple[int, int, bytes]]:
    """Each payload with the number of its line and the bytes before it; these are 0 in UTF-16. Raises Misuse."""
    lines = _recoded(file, opened) if encoding(opened) == UTF16 else _lines(opened)
    empty = True
    for number, (offset, line) in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            raise Misuse(f"{file}:{number}: the line is longer than {LONGEST_LINE >> 20} MiB: is this JSON Lines?")
        data = line.rstrip(b"\r\n")
        if not data or data.isspace():
            remarks.blank += 1
            continue
        empty = False
        yield number, offset, data
    if empty:
        remarks.nothing_in(file, "holds nothing")


def _lines(opened: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for line in iter(lambda: opened.readline(LONGEST_LINE + 1), b""):
        marked = len(_BYTE_ORDER_MARK) if offset == 0 and line.startswith(_BYTE_ORDER_MARK) else 0
        yield offset + marked, line[marked:]
        offset += len(line)


def _recoded(file: str, opened: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    """The lines of UTF-16 as UTF-8."""
    number = 1
    with as_text(opened, newline="\n") as text:
        try:
            for line in iter(lambda: text.readline(LONGEST_LINE + 1), ""):
                yield 0, line.encode()
                number += 1
        except UnicodeDecodeError as exc:
            raise no_text(file, text, number) from exc
