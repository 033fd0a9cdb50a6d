"""Open an input file, plain or `.gz`, as the bytes or the text that it holds; what keeps it from that is Misuse."""

import gzip
import io
import os
import select
import sys
import zlib
from collections.abc import Buffer, Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

from personalize_relay_cli.problems import Misuse

STANDARD_INPUT = "-"
UTF8 = "utf-8-sig"
"""With or without its byte order mark."""
UTF16 = "utf-16"
"""With its byte order mark, which says the order."""
_LOOK = 0.1
"""Seconds between two calls of who waits for standard input."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def check(file: str) -> None:
    """Raise Misuse for what is no file that may be read."""
    if file == STANDARD_INPUT:
        return
    if not file:
        raise Misuse("the name of a file is empty: is a variable unset? Write - for standard input")
    with translating(file):
        Path(file).stat()
    if Path(file).is_dir():
        raise Misuse(f"{file}: is a directory; name the files in it")
    if not os.access(file, os.R_OK, effective_ids=True):
        raise Misuse(f"{file}: may not be read: permission denied")


class _Awaited(io.RawIOBase):
    """Reads from a pipe, and calls `wait` before it waits for it and again and again while it does."""

    def __init__(self, pipe: int, wait: Callable[[], None]) -> None:
        self._pipe = pipe
        self._wait = wait

    def readable(self) -> bool:
        return True

    def readinto(self, into: Buffer) -> int:
        patience = 0.0
        while not select.select([self._pipe], [], [], patience)[0]:
            self._wait()
            patience = _LOOK
        return os.readv(self._pipe, [into])


@contextmanager
def open_bytes(file: str, wait: Callable[[], None] | None = None) -> Iterator[io.BufferedReader]:
    """The file's bytes, or those that its gzip holds; `wait` is called again and again while standard input is silent.

    What `wait` raises comes out of the reading.
    """
    if file == STANDARD_INPUT:
        stdin = sys.stdin.buffer
        opened: Any = nullcontext(io.BufferedReader(_Awaited(stdin.fileno(), wait)) if wait else stdin)
    elif file.endswith(".gz"):
        opened = io.BufferedReader(cast("io.RawIOBase", gzip.open(file)))  # noqa: SIM115 - closed below
    else:
        opened = Path(file).open("rb")  # noqa: SIM115 - closed below
    with opened as stream:
        yield stream


def encoding(opened: io.BufferedReader) -> str:
    """UTF-16 for what begins with its mark, else UTF-8; nothing is read."""
    return UTF16 if opened.peek(2).startswith(_UTF16_MARKS) else UTF8


@contextmanager
def as_text(opened: io.BufferedReader, *, newline: str = "", errors: str = "strict") -> Iterator[io.TextIOWrapper]:
    """The text that the bytes are."""
    text = io.TextIOWrapper(opened, encoding(opened), errors=errors, newline=newline)
    try:
        yield text
    finally:
        text.detach()  # it is its opener's to close


def no_text(file: str, text: io.TextIOWrapper, line: int | None = None) -> Misuse:
    """The Misuse of a file whose bytes are not the text that they began as."""
    near = "" if line is None else f", near line {line}"
    return Misuse(f"{file}: is not {'UTF-16' if text.encoding == UTF16 else 'UTF-8'}{near}")


@contextmanager
def translating(file: str) -> Iterator[None]:
    """Turn what keeps a file from being read into Misuse."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        raise Misuse(f"{file}: is not gzip, or is cut off") from exc
    except OSError as exc:
        raise Misuse(f"{file}: can't be read: {(exc.strerror or str(exc)).lower()}") from exc
