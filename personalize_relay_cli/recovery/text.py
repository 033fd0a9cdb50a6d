"""How `relay failed` says what it found: lines for people, JSON for scripts; a payload only on request."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from personalize_relay.errors import InvalidRecord
from personalize_relay_cli.advice import REASONS, beyond_detail
from personalize_relay_cli.recovery.groups import Listing
from personalize_relay_cli.recovery.redrive import ALREADY_SENT, CLAIMED, NOT_SENT, UNREADABLE, Account, Claim
from personalize_relay_cli.recovery.redriven import Mark
from personalize_relay_cli.recovery.set_aside import Position, SetAside

_ADVICE = {
    "transform_failed": "--transform must give one event, an object, for each: try it on what `show --reveal` prints",
    **{str(reason): said for reason, said in REASONS.items()},
}


def listing_lines(found: Listing, now: datetime) -> Iterator[str]:
    """The groups as a table, then the claims."""
    if not found.groups:
        yield "nothing that matches is set aside"
        return
    heads = ("reason", "records", "events", "sent again", "first arrival", "last arrival")
    rows = [
        (reason, str(each.records), str(each.events), str(each.sent_again), _time(each.first), _time(each.last))
        for reason, each in sorted(found.groups.items())
    ]
    yield from _columns([heads, *rows])
    yield from claim_lines(found.claims, now)


def listing_json(found: Listing) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "groups": [
            {
                "reason": reason,
                "records": each.records,
                "events": each.events,
                "sentAgain": each.sent_again,
                "firstArrival": _time(each.first),
                "lastArrival": _time(each.last),
            }
            for reason, each in sorted(found.groups.items())
        ],
        "claims": _claims_json(found.claims),
        "flaws": [{"key": each.key, "line": each.line, "what": each.what} for each in found.flaws],
    }


def record_json(record: SetAside, marks: dict[Position, Mark], *, reveal: bool) -> dict[str, Any]:
    """One record, where it is and why; with `reveal` its partition key and payload."""
    number = record.origin.sequence_number
    described = {
        "sequenceNumber": number,
        "stream": record.origin.stream,
        "shardId": record.origin.shard_id,
        "arrival": _time(record.origin.arrival),
        "key": record.key,
        "line": record.line,
        "storedAt": record.stored_at,
        "causes": [
            {"subSequence": each.sub_sequence, "index": each.index, "reason": each.reason, "detail": each.detail}
            for each in record.causes
        ],
        "redriven": [
            {
                "subSequence": of.partition(":")[2] or None,
                "index": index,
                "state": mark.state,
                "run": mark.run,
                "at": mark.at.isoformat(timespec="seconds"),
            }
            for (of, index), mark in marks.items()
            if of.partition(":")[0] == number
        ],
    }
    return described | ({"partitionKey": record.partition_key, "payload": _payload(record)} if reveal else {})


def record_lines(record: SetAside, marks: dict[Position, Mark], *, reveal: bool) -> Iterator[str]:
    """The same for people."""
    said = record_json(record, marks, reveal=reveal)
    yield f"record    {said['sequenceNumber']}"
    yield _printable(f"source    stream {said['stream']}, {said['shardId']}, arrived {said['arrival']}")
    yield _printable(f"stored    {said['key']}, line {said['line']}, at {said['storedAt']}")
    for cause in said["causes"]:
        yield _printable(f"{_place(cause):9} {cause['reason']}: {cause['detail']}")
        if said_more := beyond_detail(cause["reason"]):
            yield f"{'':10}{said_more}"
    for mark in said["redriven"]:
        yield _printable(f"{mark['state']:10}{_place(mark)}, {mark['at']}, by run {mark['run']}")
    if reveal:
        payload = said["payload"]
        yield f"key       {_printable(said['partitionKey'])}"
        # ASCII: what a record holds is not to steer a terminal.
        yield _printable(payload) if isinstance(payload, str) else json.dumps(payload, indent=2)
    else:
        yield "payload   not shown without --reveal"


def account_lines(account: Account, now: datetime, *, planned: bool) -> Iterator[str]:
    """The proof: what was selected is what was sent, rejected again and left."""
    left = account.left
    rows = [
        ("selected", account.selected, ""),
        ("  would be sent" if planned else "  sent", account.sent, ""),
        ("  rejected again", account.rejected_again.total(), _counts(account.rejected_again)),
        ("  left", left.total(), ""),
    ]
    why = {UNREADABLE: _counts(account.unreadable), NOT_SENT: _counts(account.not_sent)}
    rows += [(f"    {cause}", count, why.get(cause, "")) for cause, count in sorted(left.items()) if count]
    yield from (line.rstrip() for line in _columns([(name, str(count), text) for name, count, text in rows]))
    if not account.whole:
        yield "the account does not add up: this is a bug, please report it"
    for reason in sorted(account.rejected_again):
        yield f"{reason}: {_ADVICE.get(reason, 'look at one with `relay failed show`')}"
    if account.examples:
        yield "no --transform mends what is unreadable: send it again from where it came. `relay failed show --reveal`:"
        yield from (f"  {number}" for number in account.examples)
    if account.selected and left[ALREADY_SENT] == account.selected:
        yield "all of it was sent before: nothing to send"
    yield from claim_lines(account.claims, now)


def account_json(account: Account, *, planned: bool) -> dict[str, Any]:
    """The same for scripts; of a dry run `sent` is 0, and `toSend` what would be."""
    left = account.left
    return {
        "dryRun": planned,
        "selected": account.selected,
        "sent": 0 if planned else account.sent,
        "toSend": account.sent if planned else 0,
        "rejectedAgain": dict(account.rejected_again),
        "left": {cause.replace(" ", "_"): count for cause, count in left.items() if count},
        "unreadable": dict(account.unreadable),
        "notSent": dict(account.not_sent),
        "claims": _claims_json(account.claims),
        "flaws": [{"key": each.key, "line": each.line, "what": each.what} for each in account.flaws],
    }


def claim_lines(claims: Sequence[Claim], now: datetime) -> Iterator[str]:
    """Who claims what, and since when."""
    for each in claims:
        age = _age((now - each.at).total_seconds())
        yield _printable(f"{each.events} events claimed {age} ago by run {each.run}, of {each.source}")
    if claims:
        yield f"{CLAIMED}: under way, or died over it. If it died: the same command with --take-over"


def _claims_json(claims: Iterable[Claim]) -> list[dict[str, Any]]:
    return [
        {"source": each.source, "run": each.run, "at": each.at.isoformat(timespec="seconds"), "events": each.events}
        for each in claims
    ]


def _payload(record: SetAside) -> Any:  # noqa: ANN401 - JSON, or the text of what is none
    try:
        payload = record.payload()
    except InvalidRecord:
        return record.data
    try:
        value = json.loads(payload, parse_constant=_finite, parse_float=_finite)
        json.dumps(value)
    except (ValueError, RecursionError):
        return payload.decode(errors="backslashreplace")
    return value


def _finite(digits: str) -> float:
    """What JSON has no word for makes the payload none, and is shown as it is."""
    if not math.isfinite(value := float(digits)):
        raise ValueError(digits)
    return value


def _printable(text: str) -> str:
    """Whoever may write to the bucket chooses it: it is not to steer a terminal."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def _place(said: dict[str, Any]) -> str:
    parts = [("payload", said["subSequence"]), ("event", said["index"])]
    return " ".join(f"{what} {number}" for what, number in parts if number is not None) or "record"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows in columns, numbers to the right, as wide as they need: a pipe has no width."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.rjust(width) if rows[-1][column].isdigit() else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield _printable("  ".join(cells).rstrip())


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
