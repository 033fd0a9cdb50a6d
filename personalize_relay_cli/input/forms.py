"""How a file holds its payloads: its suffix says it, else its beginning."""

from enum import StrEnum
from pathlib import Path

from personalize_relay_cli.input.opening import STANDARD_INPUT, as_text, open_bytes, translating
from personalize_relay_cli.input.separators import SEPARATORS
from personalize_relay_cli.problems import Misuse

LOOKED_AT = 64 * 1024
"""Characters of a file without a suffix."""


class Format(StrEnum):
    """How a file holds its payloads."""

    JSON_LINES = "jsonl"
    JSON = "json"
    CSV = "csv"


_SUFFIXES = {
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".json": Format.JSON,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
}


def form_of(file: str, *, rows: bool = False) -> Format:
    """The file's format; raises Misuse where neither suffix nor beginning says it. Standard input is JSON Lines.

    With `rows`, what would be CSV, or nothing known, is lines: of a format without a header, which a mapping reads.
    """
    if file == STANDARD_INPUT:
        return Format.JSON_LINES
    suffix = Path(file.removesuffix(".gz")).suffix.lower()
    # What is read from a pipe to be looked at is gone.
    form = _SUFFIXES.get(suffix) or (_form_of_text(_beginning(file)) if Path(file).is_file() else None)
    if rows and form in {None, Format.CSV}:
        return Format.JSON_LINES
    if form is None:
        raise Misuse(f"{file}: is it jsonl, json or csv? Say so with --input-format")
    return form


def _beginning(file: str) -> str:
    with translating(file), open_bytes(file) as opened, as_text(opened, errors="replace") as text:
        return text.read(LOOKED_AT).lstrip()


def _form_of_text(text: str) -> Format | None:
    line, line_end, _ = text.partition("\n")
    if text.startswith("["):
        return Format.JSON
    if text.startswith("{"):
        # An object that goes on behind the first line is no line of JSON Lines.
        return Format.JSON if line_end and not line.rstrip().endswith("}") else Format.JSON_LINES
    if any(separator in line for separator in SEPARATORS):
        return Format.CSV
    return None if text else Format.JSON_LINES
