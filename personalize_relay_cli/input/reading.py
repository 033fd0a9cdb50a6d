"""Read the payloads of input files, one at a time: JSON Lines, a JSON array or object, or CSV, each also as `.gz`.

The memory that reading takes is that of a payload, not of a file. Whether a payload keeps the record contract is not
asked here: a line of JSON Lines may be anything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from personalize_relay.mapping import Mapping
from personalize_relay_cli.input import csv_rows, json_lines, json_values
from personalize_relay_cli.input.forms import Format, form_of
from personalize_relay_cli.input.opening import as_text, check, open_bytes, translating
from personalize_relay_cli.input.remarks import Remarks


@dataclass(frozen=True, slots=True)
class Line:
    """One payload of an input file."""

    file: str
    """As it was named; `-` is standard input."""
    number: int
    """The line of the file that it begins on, from 1."""
    offset: int
    """The bytes of the uncompressed file before it, where reading can resume; 0 but in JSON Lines of UTF-8."""
    data: bytes
    """As a record's data would be."""


def read(
    files: Sequence[str],
    *,
    form: Format | None = None,
    remarks: Remarks | None = None,
    mapping: Mapping | None = None,
    wait: Callable[[], None] | None = None,
) -> Iterator[Line]:
    """The payloads of the files, in order; raises Misuse for what can't be read.

    `form` is that of every file, else each one's suffix or beginning decides. Names and formats are looked at before
    this returns, so that no work is begun that a misspelt name would cut short. Blank lines are skipped, and counted in
    `remarks`, which hears of all else that is to be said of a file. What a mapping is to read may have any columns, or
    none where the mapping has its own. `wait` is called again and again while standard input is silent.
    """
    for file in files:
        check(file)
    rows = mapping is not None and mapping.rows is not None
    forms = [form or form_of(file, rows=rows) for file in files]
    heard = Remarks() if remarks is None else remarks
    return (
        line
        for file, its in zip(files, forms, strict=True)
        for line in _read(file, its, heard, wait, mapped=mapping is not None)
    )


def _read(
    file: str, form: Format, remarks: Remarks, wait: Callable[[], None] | None, *, mapped: bool
) -> Iterator[Line]:
    with translating(file), open_bytes(file, wait) as opened:
        if form is Format.JSON_LINES:
            yield from (Line(file, *payload) for payload in json_lines.payloads(file, opened, remarks))
            return
        with as_text(opened) as text:
            payloads = (
                json_values.payloads(file, text, remarks)
                if form is Format.JSON
                else csv_rows.payloads(file, text, remarks, mapped=mapped)
            )
            yield from (Line(file, number, 0, data) for number, data in payloads)
