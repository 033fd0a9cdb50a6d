"""Say what checks found, as text or as JSON; of an event there is nothing in it but what is asked to be revealed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from personalize_relay.errors import Reason
from personalize_relay.events import Rejection, dotted
from personalize_relay_cli import advice
from personalize_relay_cli.advice import Weakness
from personalize_relay_cli.checking.checks import Checks
from personalize_relay_cli.checking.observations import Warned
from personalize_relay_cli.input.reading import Line
from personalize_relay_cli.printing import shown

_FACTS = {
    Weakness.NO_EVENTS: "there are no good events",
    Weakness.SESSION_PER_EVENT: "{count} of {of} sessions have a single event",
    Weakness.SESSION_WITHOUT_USER: "{count} of {of} sessions are never joined to a user",
    Weakness.REUSED_EVENT_ID: "events that differ from an earlier one of their eventId: {count}",
    Weakness.IDENTICAL_EVENT: "events without an eventId, identical to an earlier one: {count}",
    Weakness.WHOLE_SECONDS: "{count} of {of} sentAt are whole seconds, in sessions of several events",
    Weakness.IN_THE_FUTURE: "{count} of {of} events are ahead of their arrival",
    Weakness.NO_SENT_AT: "{count} of {of} events have no sentAt",
    Weakness.EVENT_TYPE_ONCE: "{count} of {of} event types are seen once",
    Weakness.RENAMED_MEMBER: "members in another spelling than the contract's: {count}",
    Weakness.UNKNOWN_MEMBER: "members that are not known: {count}",
    Weakness.PROPERTY_NOT_IN_SCHEMA: "properties without a field in the schema: {count}",
    Weakness.FIELD_NEVER_FILLED: "required fields that no event fills: {count}",
}


def rejected(line: Line, rejection: Rejection, slips: Mapping[str, str], *, reveal: bool) -> str:
    """The line for an event that would be rejected, and one more with its payload if that is to be seen.

    `slips` has for a member that it lacks the name that the producer likely gave it.
    """
    place = f"{line.file}:{line.number}" + (f"/{dotted(rejection.sub_sequence)}" if rejection.sub_sequence else "")
    place += "" if rejection.index is None else f"[{rejection.index}]"
    said = f"{place}: {rejection.reason}: {rejection.detail}"
    if slips and reveal:
        said += f"; did you mean {', '.join(f'{member} by {shown(name)}' for member, name in slips.items())}?"
    elif slips:
        said += f"; did you misspell {', '.join(slips)}? See --reveal"
    return f"{said}\n    {shown(line.data)}" if reveal else said


def summary(checks: Checks, warnings: Sequence[Warned], unlisted: int, *, blank: int) -> Iterator[str]:
    """The lines that follow those of the rejected events: what to do about a reason is said here, once."""
    if unlisted:
        yield f"and {unlisted:,} more, which are only counted: --max-errors shows them"
    if checks.reasons:
        yield ""
        yield from (f"{count:>9,}  {_with_advice(reason)}" for reason, count in checks.reasons.most_common())
    if checks.filtered:
        yield ""
        yield from (f"{count:>9,}  filtered: {shown(rule)}" for rule, count in checks.filtered.most_common())
    if warnings:
        yield ""
        yield from (f"warning: {warned.weakness}: {fact(warned)}; {_what_to_do(warned)}" for warned in warnings)
    yield ""
    yield f"lines   {checks.good_lines:>9,} good {checks.bad_lines:>9,} bad" + (f" {blank:>9,} blank" if blank else "")
    filtered = f" {checks.filtered.total():>9,} filtered" if checks.filtered else ""
    yield f"events  {checks.good_events:>9,} good {checks.bad_events:>9,} bad{filtered}"


def listed(line: Line, rejection: Rejection, slips: Mapping[str, str], *, reveal: bool) -> dict[str, Any]:
    """An event that would be rejected, for JSON."""
    return {
        "file": line.file,
        "line": line.number,
        "subSequence": dotted(rejection.sub_sequence) if rejection.sub_sequence else None,
        "index": rejection.index,
        "reason": rejection.reason,
        "detail": rejection.detail,
        "advice": advice.REASONS[rejection.reason],
        "slips": [{"member": member} | ({"name": shown(name)} if reveal else {}) for member, name in slips.items()],
    } | ({"payload": shown(line.data)} if reveal else {})


def report(
    checks: Checks, warnings: Sequence[Warned], rejections: Sequence[dict[str, Any]], unlisted: int, *, blank: int
) -> dict[str, Any]:
    """All that was found, for JSON."""
    return {
        "schema": "personalize-relay.validate/1",
        "lines": {"good": checks.good_lines, "bad": checks.bad_lines, "blank": blank},
        "events": {"good": checks.good_events, "bad": checks.bad_events},
        "reasons": dict(checks.reasons.most_common()),
        "filtered": dict(checks.filtered.most_common()),
        "rejections": list(rejections),
        "unlisted": unlisted,
        "warnings": [_listed_warning(warned) for warned in warnings],
    }


def fact(warned: Warned) -> str:
    """What a warning says, without what to do."""
    of = "" if warned.of is None else f"{warned.of:,}"
    said = _FACTS[warned.weakness].format(count=f"{warned.count:,}", of=of)
    about = [*warned.fields, *map(shown, warned.names)]
    where = [f"first {warned.first[0]}:{warned.first[1]}"] if warned.first else []
    return (
        "approximately " * warned.approximately
        + said
        + "".join(f" ({', '.join(part)})" for part in (about, where) if part)
    )


def _with_advice(reason: Reason) -> str:
    said = advice.beyond_detail(reason)
    return f"{reason}: {said}" if said else reason


def _what_to_do(warned: Warned) -> str:
    return advice.WEAKNESSES[warned.weakness]


def _listed_warning(warned: Warned) -> dict[str, Any]:
    file, line = warned.first or (None, None)
    return {
        "warning": warned.weakness,
        "count": warned.count,
        "of": warned.of,
        "approximately": warned.approximately,
        "file": file,
        "line": line,
        "fields": warned.fields,
        "names": [shown(name) for name in warned.names],
        "advice": _what_to_do(warned),
    }
