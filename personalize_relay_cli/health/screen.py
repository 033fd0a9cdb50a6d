"""How a look at the relay is shown to people: on a screen of 80 by 24, what fails first."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric, quarantined_for, unit
from personalize_relay_cli.health import readings
from personalize_relay_cli.health.alarms import AlarmStates
from personalize_relay_cli.health.function_log import Batch
from personalize_relay_cli.health.look import Look, Unread
from personalize_relay_cli.health.readings import Figure
from personalize_relay_cli.printing import lasting

NO_DATA = "-"
_FAILING = (
    ("records dropped: they are lost", readings.DROPPED, "red"),
    ("records not even stored: lost", readings.NOT_STORED, "red"),
    ("records given up: in the bucket", readings.GIVEN_UP, "red"),
    ("configuration errors", Metric.CONFIGURATION_ERRORS, "red"),
    ("internal errors", Metric.INTERNAL_ERRORS, "red"),
    ("quarantine write errors", Metric.QUARANTINE_WRITE_ERRORS, "red"),
    ("function errors", readings.FUNCTION_ERRORS, "red"),
    ("PutEvents calls throttled", Metric.THROTTLES, "yellow"),
    ("events undelivered: they come again", Metric.EVENTS_UNDELIVERED, "yellow"),
    ("events quarantined", Metric.EVENTS_QUARANTINED, "yellow"),
    *((f"  {reason}", quarantined_for(reason), "yellow") for reason in Reason),
    ("members unknown: not sent", Metric.UNKNOWN_MEMBERS, "yellow"),
    ("members in another spelling", Metric.RENAMED_MEMBERS, "yellow"),
)
"""Each is shown where it is more than 0; the others are named in a line."""
_FLOW = (
    ("records into the stream", readings.INCOMING),
    ("records read (retries too)", Metric.RECORDS_RECEIVED),
    ("events read", Metric.EVENTS_RECEIVED),
    ("events delivered", Metric.EVENTS_DELIVERED),
    ("iterator age, greatest", readings.ITERATOR_AGE),
    ("delivery lag, greatest", Metric.DELIVERY_LAG),
)
_WHERE_SET = (
    ("events kept back by shadow", Metric.EVENTS_SHADOWED),
    ("events dropped by the mapping", Metric.EVENTS_FILTERED),
)
"""Shown where there are any, as few deployments have a mapping."""
_MILLISECONDS = {readings.ITERATOR_AGE, *(name for name in Metric if unit(name) == "Milliseconds")}


def as_tables(seen: Look, live: str = "") -> RenderableType:
    """The look for people; `live` says what refreshes it."""
    return Group(
        Text.assemble((f"{seen.stack}  {seen.at:%Y-%m-%d %H:%M:%S}Z", "bold"), f"  {live}" if live else ""),
        *_mapping(seen.mapping),
        *_alarms(seen.alarms),
        *_failures(seen.failures),
        Text(""),
        _table(seen),
        *_quiet(seen),
    )


def _table(seen: Look) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("")
    for head in (f"last {seen.window_minutes} min", f"{seen.window_minutes} min before"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("trend", no_wrap=True)
    failing = [each for each in _FAILING if _is_any(seen.figures[each[1]])]
    for label, name, style in failing:
        table.add_row(*_row(label, name, seen.figures[name], style), end_section=name == failing[-1][1])
    for label, name in (*_FLOW, *(each for each in _WHERE_SET if _is_any(seen.figures[each[1]]))):
        table.add_row(*_row(label, name, seen.figures[name]))
    table.add_row(*_row("events a call", "", seen.events_a_call, digits=1))
    return table


def _quiet(seen: Look) -> Iterator[Text]:
    quiet = [label for label, name, _ in _FAILING if not (label.startswith(" ") or _is_any(seen.figures[name]))]
    if quiet:
        yield Text(f"none: {', '.join(label.partition(':')[0] for label in quiet)}", style="dim")
    if any(figure.value is None for figure in _figures(seen)):
        yield Text(f"{NO_DATA}: no data in CloudWatch, which is not 0", style="dim")


def _figures(seen: Look) -> Iterable[Figure]:
    return (seen.figures[name] for _, name in _FLOW)


def _is_any(figure: Figure) -> bool:
    return bool(figure.value or figure.before)


def _row(label: str, name: str, figure: Figure, bad: str = "", digits: int = 0) -> Iterator[Text]:
    """A figure's row; `bad` is the colour of one that isn't 0."""
    yield Text(label)
    yield _cell(name, figure.value, bad if figure.value else "", digits)
    yield _cell(name, figure.before, "", digits)
    yield Text(_trend(figure))


def _cell(name: str, value: float | None, style: str, digits: int) -> Text:
    if value is None:
        return Text(NO_DATA, style="dim")
    return Text(lasting(value / 1000) if name in _MILLISECONDS else f"{value:,.{digits}f}", style=style)


def _trend(figure: Figure) -> str:
    if figure.value is None or figure.before is None:
        return ""
    return "=" if figure.value == figure.before else "▲" if figure.value > figure.before else "▼"


def _mapping(state: str | Unread) -> Iterator[Text]:
    if isinstance(state, Unread):
        yield _unread("the mapping", state)
    elif state == "Enabled":
        yield Text("mapping: Enabled")
    else:
        yield Text(f"mapping: {state}: nothing is read from the stream", style="red")


def _alarms(seen: AlarmStates | Unread) -> Iterator[Text]:
    if isinstance(seen, Unread):
        yield _unread("the alarms", seen)
        return
    elsewhere = f"; {seen.not_emulated} more are not emulated" if seen.not_emulated else ""
    if not seen.on:
        yield Text(f"alarms: none of {seen.watched} is on{elsewhere}")
        return
    yield Text(f"alarms: {len(seen.on)} of {seen.watched} on{elsewhere}", style="red")
    for alarm in seen.on:
        yield Text(f"  since {alarm.since}  {alarm.says or alarm.name}", style="red")


def _failures(seen: tuple[Batch, ...] | Unread) -> Iterator[Text]:
    if isinstance(seen, Unread):
        yield _unread("the function's log", seen)
    elif not seen:
        yield Text("last errors in the log: none")
    else:
        for batch in seen:
            head = "last errors" if batch is seen[0] else ""
            yield Text(f"{head:11}  {batch.at:%Y-%m-%d %H:%M:%S}Z  {', '.join(batch.errors)}", style="yellow")


def _unread(what: str, part: Unread) -> Text:
    return Text(f"{what} can't be read: {part.unread}", style="yellow")
