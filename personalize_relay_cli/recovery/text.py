"""How `relay failed` says what it found: lines for people, and records for scripts; a payload only on request."""

import json
import math
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord
from personalize_relay_cli.advice import REASONS, beyond_detail
from personalize_relay_cli.printing import columns, counted, lasting, named, shown, told
from personalize_relay_cli.recovery.account import (
    ALREADY_SENT,
    CLAIMED,
    FILTERED,
    LEDGER_FLAWED,
    NOT_SENT,
    UNREADABLE,
    Claim,
    RedriveAccount,
)
from personalize_relay_cli.recovery.groups import Listing, One
from personalize_relay_cli.recovery.redriven import Mark
from personalize_relay_cli.recovery.set_aside import EventPosition, SetAside

_ADVICE = {
    "transform_failed": "--transform must give one event, an object, for each: see --dry-run --reveal",
    **{str(reason): said for reason, said in REASONS.items()},
}
_LEFT = {
    ALREADY_SENT: "already sent",
    CLAIMED: "claimed by another run",
    UNREADABLE: "unreadable",
    FILTERED: "filtered by the mapping",
    NOT_SENT: "not sent",
    LEDGER_FLAWED: "ledger can't be read",
}


def listing_lines(found: Listing, now: datetime) -> Iterator[str]:
    """One by one where that was asked for, the groups as a table, then the claims."""
    if not found.groups:
        yield "nothing that matches is set aside"
        return
    if found.each:
        yield from map(_one, found.each)
        yield ""
    heads = ("reason", "records", "events", "sent again", "left", "first arrival", "last arrival")
    rows = [
        (
            shown(each.reason),
            *(str(count) for count in (each.records, each.events, each.sent_again, each.left)),
            *(told(moment.timestamp()) for moment in (each.first_arrival, each.last_arrival)),
        )
        for each in found.groups
    ]
    yield from columns([heads, *rows])
    if not found.each:
        yield "--each lists them one by one, `relay failed show SEQUENCE_NUMBER` shows one"
    yield from claim_lines(found.claims, now)


def shard_remark(asked: str | None, known: AbstractSet[str], *, of_a_time: bool) -> str:
    """What there is to say of a shard that nothing is set aside of, beside those that something is of; else nothing.

    With `of_a_time` the known ones are those of the time that was asked for.
    """
    if asked is None or asked in known:
        return ""
    there = f"; there are some of {named(sorted(map(shown, known)))}" if known else ", and none of another shard"
    return f"no record of {asked} is set aside{' in this time' * of_a_time}{there}"


def record_json(record: SetAside, marks: dict[EventPosition, Mark], *, reveal: bool) -> dict[str, Any]:
    """One record, where it is and why; with `reveal` its partition key and payload."""
    number = record.origin.sequence_number
    described = {
        "sequenceNumber": number,
        "stream": record.origin.stream,
        "shardId": record.origin.shard_id,
        "arrival": told(record.origin.arrival),
        "key": record.key,
        "line": record.line,
        "storedAt": record.stored_at,
        "causes": msgspec.to_builtins(record.causes),
        "redriven": [
            {"subSequence": of.partition(":")[2] or None, "index": index, **msgspec.to_builtins(mark)}
            for (of, index), mark in marks.items()
            if of.partition(":")[0] == number
        ],
    }
    return described | ({"partitionKey": record.partition_key, "payload": _payload(record)} if reveal else {})


def record_lines(record: SetAside, marks: dict[EventPosition, Mark], *, reveal: bool) -> Iterator[str]:
    """The same for people."""
    said = record_json(record, marks, reveal=reveal)
    yield f"record    {said['sequenceNumber']}"
    yield shown(f"source    stream {said['stream']}, {said['shardId']}, arrived {said['arrival']}")
    yield shown(f"stored    {said['key']}, line {said['line']}, at {said['storedAt']}")
    for cause in record.causes:
        yield shown(f"{_place(cause.sub_sequence, cause.index):9} {cause.reason}: {cause.detail}")
        if said_more := beyond_detail(cause.reason):
            yield f"{'':10}{said_more}"
    for sent in said["redriven"]:
        place = _place(sent["subSequence"], sent["index"])
        yield shown(f"{sent['state']:10}{place}, {sent['at']}, by run {sent['run']}")
    if reveal:
        payload = said["payload"]
        yield f"key       {shown(said['partitionKey'])}"
        yield shown(payload, len(payload)) if isinstance(payload, str) else _dumped(payload)
    else:
        yield "payload   not shown without --reveal"


def account_lines(account: RedriveAccount, now: datetime) -> Iterator[str]:
    """The proof: what was selected is what was sent, rejected again and left; then the samples, if there are any."""
    left = account.left
    rows = [
        ("selected", account.selected, ""),
        ("  would be sent", account.to_send, "") if account.dry_run else ("  sent", account.sent, ""),
        ("  rejected again", account.rejected_again.total(), counted(account.rejected_again)),
        ("  left", left.total(), ""),
    ]
    why = {UNREADABLE: counted(account.unreadable), NOT_SENT: counted(account.not_sent)}
    rows += [(f"    {_LEFT[cause]}", count, why.get(cause, "")) for cause, count in sorted(left.items()) if count]
    yield from columns([(name, str(count), text) for name, count, text in rows])
    if not account.whole:
        yield "the account does not add up: this is a bug, please report it"
    yield from _fault_lines(account)
    if account.examples:
        yield "no --transform mends what is unreadable: send it again from where it came. `relay failed show --reveal`:"
        yield from (f"  {number}" for number in account.examples)
    if account.selected and left[ALREADY_SENT] == account.selected:
        yield "all of it was sent before: nothing to send"
    for sample in account.samples or ():
        yield f"\n{shown(sample.reason)}, as in {sample.sequence_number}, before:"
        yield _dumped(sample.before)
        yield f"rejected again: {sample.rejected}" if sample.rejected else f"after:\n{_dumped(sample.after)}"
    yield from claim_lines(account.claims, now)


def _fault_lines(account: RedriveAccount) -> Iterator[str]:
    """What is wrong with the events that are rejected again: each detail, and advice where there is none."""
    for reason, count in sorted(account.rejected_again.items()):
        faults = [each for each in account.faults if each.reason == reason]
        for each in sorted(faults, key=lambda each: -each.events):
            yield f"{each.events:,} {reason}: {each.detail}"
        others = count - sum(each.events for each in faults)
        if others:
            what = "of other kinds" if faults else _ADVICE.get(reason, "look at one with `relay failed show`")
            yield f"{others:,} {reason}: {what}"


def claim_lines(claims: Sequence[Claim], now: datetime) -> Iterator[str]:
    """Who claims what, and since when."""
    for each in claims:
        age = lasting((now - each.at).total_seconds())
        yield shown(f"{each.events} events claimed {age} ago by run {each.run}, of {each.source}")
    if claims:
        yield f"{_LEFT[CLAIMED]}: still running, or crashed. If it crashed, run the same command with --take-over"


def _one(one: One) -> str:
    place, count = _place(one.cause.sub_sequence, one.cause.index), "" if one.events == 1 else f" ({one.events} events)"
    state = "" if one.left else ", sent again"
    return shown(f"{one.sequence_number} {place}{count}: {one.cause.reason}: {one.cause.detail}{state}")


def _dumped(value: object) -> str:
    """ASCII: what a record holds is not to steer a terminal."""
    return json.dumps(value, indent=2)


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


def _place(sub_sequence: str | None, index: int | None) -> str:
    parts = [("payload", sub_sequence), ("event", index)]
    return " ".join(f"{what} {number}" for what, number in parts if number is not None) or "record"
