"""The payloads of a CSV file: a row is one event, its header names the members.

A dotted name is a member of a member, such as `properties.color`; an empty cell is an absent member.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from cli.problems import Misuse

NUMBERS = frozenset({"eventValue", "sentAt"})
"""The members whose cells are numbers in CSV, where they read as such; every other is a text."""
LIST = "impression"
LIST_SEPARATOR = "|"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""A number as JSON has it."""


def payloads(file: str, opened: io.TextIOWrapper) -> Iterator[tuple[int, bytes]]:
    """Each row as a JSON object, with the line that it begins on; raises Misuse."""
    rows = csv.reader(opened, strict=True)
    header: list[list[str]] | None = None
    begins = 1
    try:
        for cells in rows:
            if any(cells):
                if header is None:
                    header = _header(file, cells)
                else:
                    yield begins, _row(f"{file}:{begins}", header, cells)
            begins = rows.line_num + 1
    except csv.Error as exc:
        raise Misuse(f"{file}:{begins}: is not CSV: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise Misuse(f"{file}: is not UTF-8, near line {begins}") from exc


def _header(file: str, cells: list[str]) -> list[list[str]]:
    """The path of each column's member."""
    names = [cell.strip() for cell in cells]
    for name in names:
        if not all(name.split(".")):
            raise Misuse(f"{file}:1: column {names.index(name) + 1} of the header has no name")
        if names.count(name) > 1 or any(other.startswith(f"{name}.") for other in names):
            raise Misuse(f"{file}:1: column {names.index(name) + 1} of the header is there twice")
    return [name.split(".") for name in names]


def _row(place: str, header: list[list[str]], cells: list[str]) -> bytes:
    if len(cells) != len(header):
        raise Misuse(f"{place}: is not CSV as its header says: {len(cells)} cells, not {len(header)}")
    payload: dict[str, Any] = {}
    for path, cell in zip(header, cells, strict=True):
        if cell:
            inner = payload
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = _cell(path, cell)
    return msgspec.json.encode(payload)


def _cell(path: list[str], cell: str) -> Any:  # noqa: ANN401 - whatever JSON may hold
    if path[0] in NUMBERS and _NUMBER.fullmatch(cell):
        return msgspec.Raw(cell.encode())  # every digit as it is written
    return cell.split(LIST_SEPARATOR) if path == [LIST] else cell
