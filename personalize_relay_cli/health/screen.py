"""How a look at the relay is shown: to people in tables, to scripts as JSON."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric, quarantined_for, unit
from personalize_relay_cli.health import readings
from personalize_relay_cli.health.alarms import Alarms
from personalize_relay_cli.health.function_log import Batch
from personalize_relay_cli.health.look import Look, Unread
from personalize_relay_cli.health.readings import Figure

NO_DATA = "no data"
_FLOW = (
    ("records into the stream", readings.INCOMING),
    ("records in, with those that come again", Metric.RECORDS_RECEIVED),
    ("events in them", Metric.EVENTS_RECEIVED),
    ("events delivered", Metric.EVENTS_DELIVERED),
)
_AGES = (
    ("iterator age, greatest", readings.ITERATOR_AGE),
    ("delivery lag, greatest", Metric.DELIVERY_LAG),
)
_SHADOWED = ("events that shadow kept from delivery", Metric.EVENTS_SHADOWED)
_FILTERED = ("events dropped by the mapping's rules", Metric.EVENTS_FILTERED)
_MEMBERS = (
    ("members that the contract doesn't know: not sent", Metric.UNKNOWN_MEMBERS),
    ("members taken under another spelling", Metric.RENAMED_MEMBERS),
)
_COMING_AGAIN = (
    ("events undelivered: they come again", Metric.EVENTS_UNDELIVERED),
    ("PutEvents calls throttled", Metric.THROTTLES),
)
_FAILING = (
    ("configuration errors", Metric.CONFIGURATION_ERRORS),
    ("internal errors", Metric.INTERNAL_ERRORS),
    ("quarantine write errors", Metric.QUARANTINE_WRITE_ERRORS),
    ("function errors", readings.FUNCTION_ERRORS),
    ("records given up, stored in the bucket", readings.GIVEN_UP),
    ("records dropped: they are lost", readings.DROPPED),
    ("records given up that could not be stored", readings.NOT_STORED),
)
_MILLISECONDS = {readings.ITERATOR_AGE, *(name for name in Metric if unit(name) == "Milliseconds")}


def as_json(seen: Look) -> dict[str, Any]:
    """The look for scripts: figures under CloudWatch's names, null where it has no data."""
    return {
        "stack": seen.stack,
        "at": seen.at.isoformat(timespec="seconds"),
        "windowMinutes": seen.window // timedelta(minutes=1),
        "figures": {name: _figure_json(figure) for name, figure in seen.figures.items()},
        "eventsACall": _figure_json(seen.events_a_call),
        "mapping": _json(seen.mapping),
        "alarms": _json(seen.alarms),
        "failures": _json(seen.failures),
    }


def as_tables(seen: Look) -> RenderableType:
    """The look for people, on one screen: what is wrong comes first, as a low one shows the top."""
    return Group(
        Text(f"{seen.stack}  {_time(seen.at)}", style="bold"),
        *_mapping(seen.mapping),
        *_alarms(seen.alarms),
        *_failures(seen.failures),
        Text(""),
        _figures(seen),
    )


def _figure_json(figure: Figure) -> dict[str, float | None]:
    return {"value": figure.value, "before": figure.before}


def _json(part: "str | Alarms | tuple[Batch, ...] | Unread") -> Any:  # noqa: ANN401 - JSON
    if isinstance(part, Unread):
        return {"unread": part.why}
    if isinstance(part, Alarms):
        on = [{"name": each.name, "says": each.says, "since": each.since} for each in part.on]
        return {"on": on, "watched": part.watched, "gone": [*part.gone], "notEmulated": part.not_emulated}
    if isinstance(part, tuple):
        return [{"at": each.at.isoformat(timespec="seconds"), "errors": [*each.errors]} for each in part]
    return part


def _figures(seen: Look) -> Table:
    minutes = seen.window // timedelta(minutes=1)
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column(f"last {minutes} min", justify="right", no_wrap=True)
    table.add_column(f"{minutes} before", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for label, name in _FLOW:
        table.add_row(*_row(label, name, seen.figures[name]))
    shadowed = seen.figures[Metric.EVENTS_SHADOWED]
    for label, name in (*([_SHADOWED] if shadowed.value or shadowed.before else []), _FILTERED):
        table.add_row(*_row(label, name, seen.figures[name]))
    table.add_row(*_row("events a call", "", seen.events_a_call, digits=1))
    for label, name in _AGES:
        table.add_row(*_row(label, name, seen.figures[name]), end_section=name == Metric.DELIVERY_LAG)
    table.add_row(
        *_row("events quarantined", Metric.EVENTS_QUARANTINED, seen.figures[Metric.EVENTS_QUARANTINED], "yellow")
    )
    for reason in Reason:
        figure = seen.figures[quarantined_for(reason)]
        if figure.value or figure.before:
            table.add_row(*_row(f"  {reason}", "", figure, "yellow"))
    for label, name in (*_MEMBERS, *_COMING_AGAIN):
        table.add_row(*_row(label, name, seen.figures[name], "yellow"))
    for label, name in _FAILING:
        table.add_row(*_row(label, name, seen.figures[name], "red"))
    return table


def _row(label: str, name: str, figure: Figure, bad: str = "", digits: int = 0) -> Iterator[Text]:
    """A figure's row; `bad` is the colour of one that isn't 0."""
    yield Text(label)
    yield _cell(name, figure.value, bad if figure.value else "", digits)
    yield _cell(name, figure.before, "", digits)
    yield Text(_trend(figure))


def _cell(name: str, value: float | None, style: str, digits: int) -> Text:
    if value is None:
        return Text(NO_DATA, style="dim italic")
    return Text(_duration(value) if name in _MILLISECONDS else f"{value:,.{digits}f}", style=style)


def _trend(figure: Figure) -> str:
    if figure.value is None or figure.before is None:
        return ""
    return "=" if figure.value == figure.before else "▲" if figure.value > figure.before else "▼"


def _duration(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    for length, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:.1f} {name}"
    return f"{seconds:.1f} s"


def _mapping(state: str | Unread) -> Iterator[Text]:
    if isinstance(state, Unread):
        yield _unread("the mapping", state)
    elif state == "Enabled":
        yield Text("mapping: Enabled")
    else:
        yield Text(f"mapping: {state}: nothing is read from the stream", style="red")


def _alarms(seen: Alarms | Unread) -> Iterator[Text]:
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
        yield Text("last errors in the log:")
        for batch in seen:
            yield Text(f"  {_time(batch.at)}  {', '.join(batch.errors)}", style="yellow")


def _unread(what: str, part: Unread) -> Text:
    return Text(f"{what} can't be read: {part.why}", style="yellow")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
