"""What the subcommands write, and how they ask."""

import json
import sys
from collections.abc import Iterable


def say(lines: Iterable[str]) -> None:
    """Write lines to standard error."""
    for line in lines:
        sys.stderr.write(f"{line}\n")


def print_lines(lines: Iterable[str]) -> None:
    """Write lines to standard output."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # a closed pipe shows here, not at exit


def print_json(value: object) -> None:
    """Write a value to standard output as JSON."""
    print_lines([json.dumps(value, indent=2)])


def agreed(question: str) -> bool:
    """Ask whoever is at the terminal; anything but yes is no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def number(count: int, what: str) -> str:
    """So many of something: 1 record, 1,000 records."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
