"""How far reading has come, on a terminal."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from personalize_relay_cli.input.opening import STANDARD_INPUT
from personalize_relay_cli.input.reading import Line

STEP = 2000
"""Lines between two looks at the bar."""


def watched(lines: Iterator[Line], files: Sequence[str]) -> Iterator[Line]:
    """The same lines, with a bar on standard error where that is a terminal and the files' sizes are known."""
    total = _size(files)
    return _drawn(lines, files, total) if total and sys.stderr.isatty() else lines


def _size(files: Sequence[str]) -> int:
    """The bytes of all files; 0 where one is a pipe or compressed."""
    if any(file == STANDARD_INPUT or file.endswith(".gz") or not Path(file).is_file() for file in files):
        return 0
    return sum(Path(file).stat().st_size for file in files)


def _drawn(lines: Iterator[Line], files: Sequence[str], total: int) -> Iterator[Line]:
    # Slow to import, and seldom needed.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    # On one terminal, what is printed goes above the bar; into a pipe it goes as it is.
    aside = sys.stdout.isatty()
    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=aside) as bar:
        task = bar.add_task("checking", total=total)
        ends = _ends(files)
        for count, line in enumerate(lines):
            if count % STEP == 0:
                bar.update(task, completed=ends[line.file] + line.offset)
            yield line


def _ends(files: Sequence[str]) -> dict[str, int]:
    """How many bytes lie before each file."""
    before: dict[str, int] = {}
    for total, file in zip(_totals(files), files, strict=True):
        before.setdefault(file, total)
    return before


def _totals(files: Sequence[str]) -> Iterator[int]:
    total = 0
    for file in files:
        yield total
        total += Path(file).stat().st_size
