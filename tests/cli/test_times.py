"""Every option that has a TIME takes the same texts for it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from typer.core import TyperCommand, TyperGroup, TyperOption

from personalize_relay_cli.main import command, run
from personalize_relay_cli.times import moment

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = 3600


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("2h", 2 * HOUR),
        ("3d", 72 * HOUR),
        ("90m", 1.5 * HOUR),
        ("10s", 10),
        ("2026-11-24T12:00:00Z", 0),
        ("2026-11-24T13:00:00+01:00", 0),
        ("2026-11-24T12:00", 0),
        ("2026-11-24", 12 * HOUR),
        (f"{NOON.timestamp():.0f}", 0),
        (f"{NOON.timestamp():.0f}500", -0.5),
    ],
)
def test_a_time_is_iso_8601_in_utc_unless_it_says_otherwise_epoch_time_or_so_long_ago(text: str, ago: float) -> None:
    assert moment(text, NOON) == NOON.timestamp() - ago


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2 h", "-3d", "", "999999d", "0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59", "-1", "canary"],
)
def test_any_other_text_is_refused_without_being_said(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601") as raised:
        moment(text, NOON)
    assert "canary" not in str(raised.value)


def commands(group: TyperGroup, *before: str) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Each subcommand with the words that call it."""
    for name, each in group.commands.items():
        if isinstance(each, TyperGroup):
            yield from commands(each, *before, name)
        elif isinstance(each, TyperCommand):
            yield (*before, name), each


def timed() -> list[list[str]]:
    """The options that have a TIME, each with the words that call its subcommand."""
    return [
        [*words, param.opts[0]]
        for words, its in commands(command())
        for param in its.params
        if isinstance(param, TyperOption) and param.metavar == "TIME"
    ]


@pytest.mark.parametrize("words", timed(), ids=" ".join)
def test_each_option_refuses_what_is_no_time_in_a_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(timed()) >= 9
    assert run([*words, "yesterday"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words[-1] in line
    assert "ISO 8601" in line
