"""The `relay` command: each subcommand's own module parses and prints, and ends here with its exit status."""

import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, cast

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from personalize_relay_cli import doctor, erase, failed, mapped, options, produce, replay, rollback, status, validate
from personalize_relay_cli.problems import FAILED, INTERRUPTED, MISUSED, Problem, bug

HELP = """
Send events to Amazon Personalize through the relay, and look after what became of them.

Works on the stage that --stage names, with your AWS credentials; with --local on the system that `make local` runs.
The options below may stand before or behind the subcommand, and the last of a name counts.

[bold]relay validate clicks.jsonl[/]
[bold]relay --stage prod status[/], or [bold]relay status --stage prod[/]

Exit status: 0 done, 1 something was rejected or failed, 2 wrong usage, 130 ended by Ctrl-C.
"""

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if asked:
        typer.echo(f"relay {metadata.version('personalize-relay')}")
        raise typer.Exit


@app.callback(help=HELP)
def _relay(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    stage: options.StageOption = "dev",
    local: options.LocalOption = False,
    port: options.PortOption = options.LOCAL_PORT,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    version: Annotated[  # noqa: ARG001 - its callback ends the command
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    context.obj = {"stage": stage, "local": local, "port": port, "profile": profile, "region": region}


app.command()(validate.validate)
app.command()(produce.produce)
app.add_typer(mapped.app, name="map")
failed.app.command()(erase.erase)
app.add_typer(failed.app, name="failed")
app.command()(replay.replay)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(rollback.rollback)


def command() -> TyperGroup:
    """The command with all its subcommands."""
    return options.spread(cast("TyperGroup", typer.main.get_command(app)))


def main() -> None:
    """Run the command, and end the process with its exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _ready_streams()
    try:
        exit_status = run(sys.argv[1:])
    except OSError as exc:  # of files that are read there are Problems: it is the output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what would be written at the end
        exit_status = _ended(f"can't go on: {(exc.strerror or type(exc).__name__).lower()}", FAILED)
    except Exception as exc:  # noqa: BLE001 - a traceback would show its text
        exit_status = _ended(bug(exc), FAILED)
    sys.exit(exit_status)


def run(arguments: Sequence[str]) -> int:
    """Run the command to its end; a problem is one line on standard error."""
    if any(map(_is_no_text, arguments)):
        return _ended("an argument is not UTF-8: rename the file, or give it as standard input", MISUSED)
    try:
        return int(command()(arguments, prog_name="relay", standalone_mode=False) or 0)
    except Problem as exc:
        return _ended(str(exc), exc.exit_status)
    except TyperException as exc:
        said = exc.format_message()  # nothing where the help was shown for want of a subcommand
        return _ended(f"{said.rstrip('.')}; see --help", exc.exit_code) if said else exc.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _ready_streams() -> None:
    """A stream that is closed is an empty one, and what an output has no character for is escaped."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for as long as it runs
    for output in (sys.stdout, sys.stderr):
        cast("io.TextIOWrapper", output).reconfigure(errors="backslashreplace")


def _is_no_text(argument: str) -> bool:
    """Whether bytes that are not UTF-8 were given, which Python holds as surrogates."""
    return any("\ud800" <= each <= "\udfff" for each in argument)


def _ended(message: str, exit_status: int) -> int:
    sys.stderr.write(f"relay: {message}\n")
    return exit_status


if __name__ == "__main__":
    main()
