"""`relay failed`: what could not be delivered."""

import typer

from cli.problems import Problem

app = typer.Typer(no_args_is_help=True, help="What could not be delivered.")


@app.command("list")
def list_() -> None:
    """Not there yet."""
    raise Problem("not there yet")
