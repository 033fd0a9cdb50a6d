"""How far a command has come, on a terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path


@contextmanager
def bar(
    doing: str, total: float | None, what: str, look: Callable[[], tuple[float, int]]
) -> Iterator[Callable[[], None] | None]:
    """A bar with rate and time left on standard error; yields what draws it, None where that is no terminal.

    `look` says how much of the total is done, and how many of `what` that is.
    """
    if not sys.stderr.isatty():
        yield None
        return
    # Slow to import, and not needed in a script.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn(doing), BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    # On one terminal, what is printed goes above the bar; into a pipe it goes as it is.
    aside = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=aside) as progress:
        task = progress.add_task("", total=total, said="")

        def draw() -> None:
            elapsed = progress.tasks[0].elapsed or 1.0
            completed, count = look()
            progress.update(task, completed=completed, said=f"{count:,} {what}, {count / elapsed:,.0f} a second")

        yield draw


def bytes_before(files: Sequence[str]) -> dict[str, int]:
    """How many bytes lie before each file, and under "" of all; nothing unless all are plain JSON Lines.

    Of these alone it is known where in them reading is.
    """
    if not all(Path(file).suffix in {".jsonl", ".ndjson"} and Path(file).is_file() for file in files):
        return {}
    totals = accumulate((Path(file).stat().st_size for file in files), initial=0)
    return dict(zip([*files, ""], totals, strict=True))
