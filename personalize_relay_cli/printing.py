"""What the subcommands write, and how they ask.

Each JSON document of the command is camelCase, begins with its `schema`, and has times in ISO 8601: docs/json.md.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from personalize_relay_cli.problems import FAILED, Misuse

MOST_SHOWN = 1000
"""Characters of a payload or a name."""
MOST_NAMED = 10
"""Names that a sentence holds."""


class Output(StrEnum):
    """How results are printed: for people, or for scripts."""

    TEXT = "text"
    JSON = "json"


def shown(text: bytes | str, most: int = MOST_SHOWN) -> str:
    """What somebody else wrote, as a terminal may show it: nothing in it moves the cursor, and a long one is cut."""
    if isinstance(text, bytes):
        text = text[: 4 * most].decode(errors="backslashreplace")
    cut = text[:most] + "..." * (len(text) > most)
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)


def told(seconds: float) -> str:
    """A moment in epoch seconds as every TIME option takes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lasting(seconds: float) -> str:
    """A length of time in its largest unit: 3 h, 1.5 d."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{round(seconds / size, 1):g} {unit}"
    return f"{round(max(0.0, seconds), 1):g} s"


def counted(counts: Mapping[str, int]) -> str:
    """Counts by name, in the order of the names."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def number(count: int, what: str) -> str:
    """So many of something: 1 record, 1,000 records."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def named(names: Sequence[str]) -> str:
    """Names in a sentence: the first ten."""
    return ", ".join(names[:MOST_NAMED]) + (" and others" if names[MOST_NAMED:] else "")


def columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows in columns, numbers to the right, as wide as they need: a pipe has no width."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.rjust(width) if rows[-1][column].isdigit() else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def say(*lines: str) -> None:
    """Write lines to standard error."""
    for line in lines:
        sys.stderr.write(f"{line}\n")


def remark(said: str) -> None:
    """Say something of the input that a person should know."""
    say(f"relay: {said}")


def print_lines(lines: Iterable[str]) -> None:
    """Write lines to standard output."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # a closed pipe shows here, not at exit


def print_result(output: Output, document: object, lines: Iterable[str]) -> None:
    """Write a result to standard output: the document as JSON, or the lines."""
    if output is Output.JSON:
        lines = [json.dumps(document, default=msgspec.to_builtins, indent=2)]
    print_lines(lines)


def document(kind: str, **members: object) -> dict[str, object]:
    """A JSON document that no struct stands for; a struct has its schema for a tag."""
    return {"schema": f"personalize-relay.{kind}/1", **members}


def choose(*, dry_run: bool, yes: bool) -> None:
    """Refuse to both plan and act."""
    if dry_run and yes:
        raise Misuse("--dry-run changes nothing, --yes acts without asking: which is it?")


def unless_agreed(  # noqa: PLR0913 - a plan, how it is said, and what ends in it
    output: Output, plan: object, lines: Iterable[str], question: str, *, dry_run: bool, status: int
) -> int | None:
    """Show a plan and ask whether to carry it out; returns the exit status where that isn't to be.

    Without a question there is nothing to do. Of a dry run, and without a terminal, the plan is the result.
    """
    asks = bool(question) and not dry_run
    if asks and sys.stdin.isatty():
        say(*lines)
        return None if agreed(question) else FAILED
    print_result(output, plan, lines)
    if asks:
        say("a dry run, as there is no terminal to ask: nothing was done. --yes does it")
    return FAILED if asks else status


def need_terminal(what: str) -> None:
    """Refuse to go on where nobody can be asked."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Misuse(f"{what} asks first, which needs a terminal: give --yes; see --help")


def agreed(question: str) -> bool:
    """Ask whoever is at the terminal; anything but yes is no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
