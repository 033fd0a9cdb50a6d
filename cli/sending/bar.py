"""How far sending has come, on a terminal."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

from cli.sending.runs import Run


@contextmanager
def drawn(run: Run, files: Sequence[str]) -> Iterator[None]:
    """Draws a bar with rate and time left on standard error; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    # Slow to import, and not needed in a script.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    before, headway = _bytes_before(files), run.headway
    columns = (TextColumn("sending"), BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=before.pop("") if before else None, said="")

        def draw() -> None:
            elapsed = bar.tasks[0].elapsed or 1.0
            said = f"{headway.events:,} events, {headway.events / elapsed:,.0f} a second"
            settled = headway.settled
            completed = before.get(settled.file, 0) + settled.offset if settled else 0
            bar.update(task, completed=completed, said=said)

        run.draw = draw
        yield


def _bytes_before(files: Sequence[str]) -> dict[str, int]:
    """How many bytes lie before each file, and under "" of all; nothing unless all are plain JSON Lines."""
    if not all(Path(file).suffix in {".jsonl", ".ndjson"} and Path(file).is_file() for file in files):
        return {}
    totals = accumulate((Path(file).stat().st_size for file in files), initial=0)
    return dict(zip([*files, ""], totals, strict=True))
