"""docs/cli.md says what the commands say of themselves."""

import re
from pathlib import Path

import typer

from cli.main import app
from cli.reference import COMMANDS, document

ROOT = Path(__file__).parents[2]
ROWS = 45


def test_the_document_is_the_commands_own_help() -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / "cli.md").read_text() == document()


def test_every_command_is_in_it() -> None:
    root = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found += [f"{name} {under}" for under in command.commands] if hasattr(command, "commands") else [name]
    assert sorted(found) == sorted(COMMANDS)


def test_each_help_is_a_screen_with_an_example() -> None:
    """At 80 columns, with the command as a person would write it."""
    for section in document().split("\n## ")[1:]:
        title, shown, _ = re.split(r"\n\n```(?:text)?\n|\n```\n", section)
        assert len(shown.splitlines()) <= ROWS, title
        assert shown.count(f"{title} ") >= 2, title
