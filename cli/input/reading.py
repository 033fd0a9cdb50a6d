"""Read the payloads of input files, one at a time: JSON Lines, a JSON array or object, or CSV, each also as `.gz`.

The memory that reading takes is that of a payload, not of a file. Whether a payload keeps the record contract is not
asked here: a line of JSON Lines may be anything.
"""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

from cli.input import csv_rows, json_values
from cli.problems import Misuse

STANDARD_INPUT = "-"
LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a line; a Kinesis record has at most 10 MiB."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Format(StrEnum):
    """How a file holds its payloads; the value is its suffix."""

    JSON_LINES = "jsonl"
    JSON = "json"
    CSV = "csv"


_SUFFIXES = {".jsonl": Format.JSON_LINES, ".ndjson": Format.JSON_LINES, ".json": Format.JSON, ".csv": Format.CSV}


@dataclass(frozen=True, slots=True)
class Line:
    """One payload of an input file."""

    file: str
    """As it was named; `-` is standard input."""
    number: int
    """The line of the file that it begins on, from 1."""
    offset: int
    """The bytes of the uncompressed file before it, where reading can resume; 0 but in JSON Lines."""
    data: bytes
    """As a record's data would be."""


def read(files: Sequence[str], *, form: Format | None = None) -> Iterator[Line]:
    """The payloads of the files, in order; raises Misuse for what can't be read.

    `form` is that of every file, else each one's suffix decides. Names and suffixes are looked at before this returns,
    so that no work is begun that a misspelt name would cut short. Blank lines are skipped.
    """
    for file in files:
        _check(file)
    forms = [form or _form(file) for file in files]
    return (line for file, its in zip(files, forms, strict=True) for line in _read(file, its))


def _form(file: str) -> Format:
    if file == STANDARD_INPUT:
        return Format.JSON_LINES
    suffix = Path(file.removesuffix(".gz")).suffix.lower()
    if suffix not in _SUFFIXES:
        raise Misuse(f"{file}: is it jsonl, json or csv? Say so with --input-format")
    return _SUFFIXES[suffix]


def _check(file: str) -> None:
    if file == STANDARD_INPUT:
        return
    with _translating(file):
        Path(file).stat()
    if Path(file).is_dir():
        raise Misuse(f"{file}: is a directory; name the files in it")
    if not os.access(file, os.R_OK, effective_ids=True):
        raise Misuse(f"{file}: may not be read: permission denied")


def _read(file: str, form: Format) -> Iterator[Line]:
    with _translating(file), _open(file) as opened:
        if form is Format.JSON_LINES:
            yield from _json_lines(file, opened)
        else:
            payloads = json_values.payloads if form is Format.JSON else csv_rows.payloads
            with _text(opened) as text:
                yield from (Line(file, number, 0, data) for number, data in payloads(file, text))


@contextmanager
def _open(file: str) -> Iterator[IO[bytes]]:
    if file == STANDARD_INPUT:
        opened: Any = nullcontext(sys.stdin.buffer)
    elif file.endswith(".gz"):
        opened = io.BufferedReader(cast("io.RawIOBase", gzip.open(file)))  # noqa: SIM115 - closed below
    else:
        opened = Path(file).open("rb")  # noqa: SIM115 - closed below
    with opened as stream:
        yield stream


@contextmanager
def _text(opened: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(opened, "utf-8-sig", newline="")
    try:
        yield text
    finally:
        text.detach()  # it is its opener's to close


@contextmanager
def _translating(file: str) -> Iterator[None]:
    """Turn what keeps a file from being read into Misuse."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        raise Misuse(f"{file}: is not gzip, or is cut off") from exc
    except OSError as exc:
        raise Misuse(f"{file}: can't be read: {(exc.strerror or str(exc)).lower()}") from exc


def _json_lines(file: str, opened: IO[bytes]) -> Iterator[Line]:
    offset = 0
    for number, line in enumerate(iter(lambda: opened.readline(LONGEST_LINE + 1), b""), start=1):
        if len(line) > LONGEST_LINE:
            raise Misuse(f"{file}:{number}: the line is longer than {LONGEST_LINE >> 20} MiB: is this JSON Lines?")
        before, offset = offset, offset + len(line)
        if before == 0 and line.startswith(_BYTE_ORDER_MARK):
            before, line = len(_BYTE_ORDER_MARK), line.removeprefix(_BYTE_ORDER_MARK)  # noqa: PLW2901 - the same line
        if data := line.rstrip(b"\r\n"):
            if data.isspace():
                continue
            yield Line(file, number, before, data)
