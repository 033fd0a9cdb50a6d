"""The screen: no data looks different from 0, and what can't be read is said so."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric, quarantined_for
from personalize_relay_cli.health import readings
from personalize_relay_cli.health.alarms import Alarm, AlarmStates
from personalize_relay_cli.health.function_log import Batch
from personalize_relay_cli.health.look import Look, Unread
from personalize_relay_cli.health.readings import Figure
from personalize_relay_cli.health.screen import as_tables
from personalize_relay_cli.main import run
from personalize_relay_cli.status import window_since

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
NAMES = (
    *(readings.INCOMING, readings.ITERATOR_AGE, readings.FUNCTION_ERRORS),
    *(readings.GIVEN_UP, readings.DROPPED, readings.NOT_STORED),
    *Metric,
    *map(quarantined_for, Reason),
)
QUIET = Look(
    stack="personalize-relay-dev",
    at=AT,
    window_minutes=15,
    figures=dict.fromkeys(NAMES, Figure()),
    events_a_call=Figure(),
    mapping="Enabled",
    alarms=AlarmStates(on=(), watched=21, gone=(), not_emulated=0),
    failures=(),
)


def shown(seen: Look, figures: Mapping[str, Figure] | None = None) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(as_tables(replace(seen, figures={**seen.figures, **(figures or {})})), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def row(screen: str, label: str) -> list[str]:
    """The cells of a row."""
    (line,) = [line for line in screen.splitlines() if line.startswith(label)]
    return [cell.strip() for cell in line.split("│")[1:]]


@pytest.mark.parametrize(
    ("name", "label", "figure", "cells"),
    [
        ("EventsDelivered", "events delivered", Figure(12345, 0), ["12,345", "0", "▲"]),
        ("EventsDelivered", "events delivered", Figure(0, None), ["0", "-", ""]),
        ("EventsDelivered", "events delivered", Figure(), ["-", "-", ""]),
        ("ConfigurationErrors", "configuration errors", Figure(1, 1), ["1", "1", "="]),
        ("IteratorAge", "iterator age", Figure(5400_000, 340), ["1.5 h", "0.3 s", "▲"]),
        ("EventsFiltered", "events dropped by the mapping", Figure(7, 7), ["7", "7", "="]),
        ("UnknownMembers", "members unknown", Figure(3, 0), ["3", "0", "▲"]),
        ("RenamedMembers", "members in another spelling", Figure(2, None), ["2", "-", ""]),
        ("EventsShadowed", "events kept back by shadow", Figure(0, 9), ["0", "9", "▼"]),
        ("QuarantinedInvalidJson", "  invalid_json", Figure(0, 2), ["0", "2", "▼"]),
    ],
)
def test_a_figure_stands_beside_the_one_before(name: str, label: str, figure: Figure, cells: list[str]) -> None:
    assert row(shown(QUIET, {name: figure}), label) == cells


def test_of_reasons_only_those_with_events_are_shown() -> None:
    assert "invalid_json" not in shown(QUIET)


def test_shadow_is_shown_only_where_it_is_on() -> None:
    assert "shadow" not in shown(QUIET)


def test_a_mapping_that_is_disabled_an_alarm_and_the_last_errors_are_shown() -> None:
    alarm = Alarm("Alarms1", "page: Access is wrong. Runbook: docs/operations.md#configuration-errors", "09:29")
    failed = Batch(at=AT, counts={}, errors=("AccessDeniedException",))
    on = AlarmStates(on=(alarm,), watched=21, gone=(), not_emulated=0)
    seen = replace(QUIET, mapping="Disabled", alarms=on, failures=(failed,))
    screen = shown(seen)
    assert "mapping: Disabled: nothing is read" in screen
    assert "alarms: 1 of 21 on" in screen
    assert alarm.says in screen
    assert "09:30:00Z  AccessDeniedException" in screen
    assert "AccessDeniedException" in screen.partition("records into")[0], "a terminal of 24 lines shows the top"


def test_what_can_not_be_read_is_neither_none_nor_an_end() -> None:
    denied = Unread("DescribeAlarms was refused: AccessDenied")
    seen = replace(QUIET, alarms=denied, failures=denied, mapping=denied)
    assert shown(seen).count("can't be read: DescribeAlarms was refused: AccessDenied") == 3
    assert msgspec.to_builtins(seen)["alarms"] == {"unread": denied.unread}


def test_scripts_get_null_for_no_data() -> None:
    document = msgspec.to_builtins(QUIET)
    assert document["figures"]["EventsDelivered"] == {"value": None, "before": None}
    assert document["windowMinutes"] == 15


def test_the_failing_rows_come_first_and_all_fits_a_screen_of_80_by_24() -> None:
    """With three kinds of failure, an alarm and an error in the log; what is cut off by more is the flow."""
    names = (readings.DROPPED, "ConfigurationErrors", "PutEventsThrottles")
    alarm = Alarm("Alarms1", "page: Access is wrong. Runbook: docs/operations.md#access", "2026-11-24 09:29Z")
    seen = replace(
        QUIET,
        figures={**QUIET.figures, **dict.fromkeys(names, Figure(123_456, 1)), "EventsDelivered": Figure(12_345_678, 1)},
        alarms=AlarmStates(on=(alarm,), watched=21, gone=(), not_emulated=0),
        failures=(Batch(at=AT, counts={}, errors=("AccessDeniedException",)),),
    )
    console = Console(file=io.StringIO(), width=80)
    console.print(as_tables(seen, "every 10 s, Ctrl-C ends"))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert len(lines) <= 24
    assert lines[0].endswith("every 10 s, Ctrl-C ends")
    rows = [line.partition("│")[0].strip() for line in lines if "│" in line]
    failing = ["records dropped: they are lost", "configuration errors", "PutEvents calls throttled"]
    assert rows[:4] == [*failing, "records into the stream"]
    assert "none: records not even stored, records given up, internal errors" in console.file.getvalue()


@pytest.mark.parametrize(("window", "length"), [("1m", 1), ("15m", 15), ("3h", 180), ("1d", 1440)])
def test_a_window_is_minutes_hours_or_a_day(window: str, length: int) -> None:
    assert window_since(window) == timedelta(minutes=length)


@pytest.mark.parametrize("window", ["", "0m", "15", "2d", "1441m", "1.5h", "-3h", "15 m", "2099-01-01"])
def test_any_other_window_is_misuse(window: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--window", window]) == 2
    assert "--window" in capsys.readouterr().err
