"""How far a command has come, on a terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from personalize_relay_cli.sending.runs import Run


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
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task("", total=total, said="")

        def draw() -> None:
            elapsed = progress.tasks[0].elapsed or 1.0
            completed, count = look()
            progress.update(task, completed=completed, said=f"{count:,} {what}, {count / elapsed:,.0f} a second")

        yield draw


@contextmanager
def drawn(run: Run, files: Sequence[str]) -> Iterator[None]:
    """Draws how far a run over files has come."""
    headway = run.headway
    with bar("sending", _bytes(files), "events", lambda: (headway.settled_bytes, headway.events)) as draw:
        run.draw = draw or run.draw
        yield


def _bytes(files: Sequence[str]) -> int | None:
    """How many bytes there are to send; None unless all files are plain JSON Lines."""
    if all(Path(file).suffix in {".jsonl", ".ndjson"} and Path(file).is_file() for file in files):
        return sum(Path(file).stat().st_size for file in files)
    return None
