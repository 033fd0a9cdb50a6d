"""The `relay` command: each subcommand's own module parses and prints, and ends here with its exit status."""

import signal
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from cli import doctor, failed, produce, status, validate
from cli.problems import INTERRUPTED, Problem

HELP = """
Send events to Amazon Personalize through the relay, and look after what became of them.

Works on the stage that --stage names, with your AWS credentials; with --local on the system that `make local` runs.
Exit status: 0 done, 1 something was rejected or failed, 2 wrong usage.
"""

app = typer.Typer(
    name="relay",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(validate.validate)
app.command()(produce.produce)
app.add_typer(failed.app, name="failed")
app.command()(status.status)
app.command()(doctor.doctor)


def main() -> None:
    """Run the command, and end the process with its exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command to its end; a problem is one line on standard error."""
    try:
        return int(app(arguments, prog_name="relay", standalone_mode=False) or 0)
    except Problem as exc:
        return _ended(str(exc), exc.exit_status)
    except TyperException as exc:
        said = exc.format_message()  # nothing where the help was shown for want of a subcommand
        return _ended(f"{said.rstrip('.')}; see --help", exc.exit_code) if said else exc.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _ended(message: str, exit_status: int) -> int:
    sys.stderr.write(f"relay: {message}\n")
    return exit_status


if __name__ == "__main__":
    main()
