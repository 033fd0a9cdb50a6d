"""The payloads of a CSV file: a row is one event, its header names the members.

Commas, semicolons or tabs separate its cells. A dotted name is a member of a member, such as `properties.color`; an
empty cell is an absent member, and any other a text: what a text means is the record contract's to say. For a mapping a
column is the member of its very name, whatever that is.
"""

import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from personalize_relay_cli.input.columns import Header
from personalize_relay_cli.input.opening import no_text
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.input.separators import separator_of
from personalize_relay_cli.problems import Misuse

LIST = ["impression"]
LIST_SEPARATOR = "|"


def payloads(
    file: str, opened: io.TextIOWrapper, remarks: Remarks, *, mapped: bool = False
) -> Iterator[tuple[int, bytes]]:
    """Each row as a JSON object, with the line that it begins on; raises Misuse. `mapped`: a mapping reads them."""
    begins = 1
    table: _Table | None = None
    try:
        beginning = _beginning(opened)
        separator = separator_of(beginning[-1])
        rows = csv.reader(chain(beginning, opened), strict=True, delimiter=separator)
        for cells in rows:
            if not any(cells):
                remarks.blank += 1
            elif table is None:
                header = Header(f"{file}:{begins}", separator, [cell.strip() for cell in cells])
                table = _Table(header, remarks, mapped=mapped)
            else:
                yield begins, table.row(f"{file}:{begins}", cells)
            begins = rows.line_num + 1
    except csv.Error as exc:
        raise Misuse(f"{file}:{begins}: is not CSV: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise no_text(file, opened, begins) from exc
    if table is None or not table.rows:
        remarks.nothing_in(file, "has a header and no rows" if table else "holds nothing")


def _beginning(opened: io.TextIOWrapper) -> list[str]:
    """The lines to the first that isn't blank."""
    lines = [opened.readline()]
    while lines[-1] and not lines[-1].strip():
        lines.append(opened.readline())
    return lines


class _Table:
    """The rows under a header."""

    def __init__(self, header: Header, remarks: Remarks, *, mapped: bool) -> None:
        self.rows = 0
        self._header = header
        self._lists = [] if mapped else [LIST]
        self._paths = header.as_named() if mapped else header.paths(reveal=remarks.reveal)
        if header.is_numbered:
            remarks.say(f"{header.place}: column 1 has no name: it is taken for the rows' numbers, and skipped")

    def row(self, place: str, cells: list[str]) -> bytes:
        """A row as a JSON object."""
        self.rows += 1
        if len(cells) != len(self._header.names):
            raise Misuse(f"{place}: is not CSV as its header says: {len(cells)} cells, not {len(self._header.names)}")
        if self._header.is_numbered and not cells[0].isdecimal():
            raise Misuse(f"{place}: column 1 has no name in the header, and holds more than the rows' numbers")
        payload: dict[str, Any] = {}
        for path, cell in zip(self._paths, cells[self._header.is_numbered :], strict=True):
            if cell:
                inner = payload
                for name in path[:-1]:
                    inner = inner.setdefault(name, {})
                inner[path[-1]] = cell.split(LIST_SEPARATOR) if path in self._lists else cell
        return msgspec.json.encode(payload)
