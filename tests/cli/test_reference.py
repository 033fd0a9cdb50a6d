"""docs/cli.md says what the commands say of themselves."""

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup

from personalize_relay_cli.main import command
from personalize_relay_cli.reference import COMMANDS, document

pytestmark = pytest.mark.slow  # the help of all subcommands takes a process

ROOT = Path(__file__).parents[2]
ROWS = 45


@pytest.fixture(scope="module")
def helped() -> str:
    """What the commands say."""
    return document()


def test_the_document_is_the_commands_own_help(helped: str) -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / "cli.md").read_text() == helped


def test_every_command_is_in_it() -> None:
    found = []
    for name, each in command().commands.items():
        found += [f"{name} {under}" for under in each.commands] if isinstance(each, TyperGroup) else [name]
    assert sorted(["", *found]) == sorted(COMMANDS)


def test_each_help_is_a_screen_with_an_example(helped: str) -> None:
    """At 80 columns, with the command as a person would write it."""
    for section in helped.split("\n## ")[1:]:
        title, shown, _ = re.split(r"\n\n```(?:text)?\n|\n```\n", section)
        assert len(shown.splitlines()) <= ROWS, title
        assert shown.count(f"{title} ") >= 2, title
