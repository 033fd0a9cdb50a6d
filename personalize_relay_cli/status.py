"""`relay status`."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from personalize_relay_cli.deployment import Deployment, connect
from personalize_relay_cli.health.look import look
from personalize_relay_cli.health.screen import as_tables
from personalize_relay_cli.options import OutputOption, moment
from personalize_relay_cli.printing import Output, print_result
from personalize_relay_cli.problems import Problem

_LONGEST = timedelta(days=1)


def window_since(text: str) -> timedelta:
    """The parser of --window: whole minutes from a TIME to now, a day at most."""
    length = timedelta(minutes=round((time.time() - moment(text)) / 60))
    if not timedelta() < length <= _LONGEST:
        raise typer.BadParameter(f"{text} is not a minute to a day ago, such as 15m or 3h")
    return length


def status(
    context: typer.Context,
    *,
    window: Annotated[
        timedelta, typer.Option(parser=window_since, metavar="TIME", help="Look back so far, at most 1d.")
    ] = "15m",  # type: ignore[assignment]  # it is parsed, too
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    every: Annotated[int, typer.Option(metavar="S", min=1, help="Look again every S seconds.")] = 10,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show what flows through the relay and what fails.

    The alarms that are on and the last error codes in the function's log; what
    fails, if anything does; records and events in, delivered, and how late they
    are; each beside the window before. Metrics reach CloudWatch up to two
    minutes late; a dash is its silence, which is not 0. Ctrl-C ends it.
    A look reads some 50 metrics, which AWS bills at about $0.0005.

      relay status --local
      relay status --stage prod --window 3h --once
      relay status --stage prod --format json | jq .figures.EventsDelivered
    """
    deployment = connect(**context.obj)
    console = Console(highlight=False)
    if output is Output.JSON:
        print_result(output, look(deployment, window, datetime.now(UTC)), ())
    elif once or not console.is_terminal or console.is_dumb_terminal:
        console.print(as_tables(look(deployment, window, datetime.now(UTC))), soft_wrap=True)
    else:
        _watch(deployment, window, every, console)


def _watch(deployment: Deployment, window: timedelta, every: int, console: Console) -> None:
    """Look again and again; what fails after the first look may be in passing, and is shown below the last."""
    live = f"every {every} s, Ctrl-C ends"
    shown: RenderableType = as_tables(look(deployment, window, datetime.now(UTC)), live)
    with Live(shown, console=console, screen=True, auto_refresh=False) as screen:
        while True:
            screen.refresh()
            time.sleep(every)
            try:
                shown = as_tables(look(deployment, window, datetime.now(UTC)), live)
                screen.update(shown)
            except Problem as exc:
                screen.update(Group(shown, Text(f"the last look failed: {exc}", style="red")))
