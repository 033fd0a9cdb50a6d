"""`relay status`."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from personalize_relay_cli.deployment import Deployment, connect
from personalize_relay_cli.health.look import look
from personalize_relay_cli.health.screen import as_json, as_tables
from personalize_relay_cli.options import Output, OutputOption
from personalize_relay_cli.problems import Misuse, Problem

_LONGEST = timedelta(days=1)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def status(
    context: typer.Context,
    *,
    window: Annotated[str, typer.Option("--window", metavar="TIME", help="To look back: 15m, 3h, up to 1d.")] = "15m",
    once: Annotated[bool, typer.Option("--once", help="Don't refresh.")] = False,
    every: Annotated[int, typer.Option("--every", metavar="S", min=1, help="Seconds between looks.")] = 10,
    output: OutputOption = Output.TEXT,
) -> None:
    """Show what flows through the relay and what fails, beside the window before.

    Records and events in, delivered, quarantined by reason, coming again and
    given up; how late they are; the alarms that are on; the last error codes
    in the function's log. Metrics reach CloudWatch up to two minutes late, and
    "no data" is its silence, which is not 0. Ctrl-C ends it.
    A look reads some 50 metrics, which AWS bills at about $0.0005.

      relay status --local
      relay status --stage prod --window 3h --once
      relay status --stage prod --format json | jq .figures.EventsDelivered
    """
    length = minutes(window)
    deployment = connect(**context.obj)
    console = Console(highlight=False)
    if output is Output.JSON:
        typer.echo(json.dumps(as_json(look(deployment, length, datetime.now(UTC))), indent=2))
    elif once or not console.is_terminal or console.is_dumb_terminal:
        console.print(as_tables(look(deployment, length, datetime.now(UTC))), soft_wrap=True)
    else:
        _watch(deployment, length, every, console)


def minutes(window: str) -> timedelta:
    """The window that was asked for; raises Misuse."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", window)
    length = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise Misuse(f"--window {window} is no time from 1m to 1d, such as 15m or 3h; see --help")
    return length


def _watch(deployment: Deployment, window: timedelta, every: int, console: Console) -> None:
    """Look again and again; what fails after the first look may be in passing, and is shown below the last."""
    shown: RenderableType = as_tables(look(deployment, window, datetime.now(UTC)))
    with Live(shown, console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.refresh()
            time.sleep(every)
            try:
                shown = as_tables(look(deployment, window, datetime.now(UTC)))
                live.update(shown)
            except Problem as exc:
                live.update(Group(shown, Text(f"the last look failed: {exc}", style="red")))
