"""What became of all that `relay produce` read, as text or as JSON; nothing of an event is in it."""

from collections.abc import Iterator

import msgspec

from personalize_relay.errors import Reason
from personalize_relay_cli import advice
from personalize_relay_cli.printing import number, shown
from personalize_relay_cli.sending.producing import TOO_LARGE, Rejected


class Account(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="schema", tag="personalize-relay.produce/2"
):
    """Payloads, each in one of sent, rejected, filtered and left; `events` are those of what was sent."""

    stream: str
    read: int
    sent: int
    rejected: int
    filtered: int
    """Dropped by the mapping."""
    left: int
    """Read but none of these, as the run ended early."""
    settled_before: int
    """Settled by the runs that this one resumed, and not counted as read."""
    events: int
    records: int
    """The Kinesis records that hold them."""
    reasons: dict[str, int]
    rules: dict[str, int]
    """What the mapping dropped, by rule."""
    calls: int
    retries: int
    seconds: float


def lines(account: Account) -> Iterator[str]:
    """The account as text."""
    filtered = f" + {account.filtered:,} filtered" if account.filtered else ""
    left = f" + {account.left:,} left" if account.left else ""
    yield (
        f"{account.read:,} read = {account.sent:,} sent + {account.rejected:,} rejected{filtered}{left}"
        f" in {account.seconds:,.1f} s; {account.stream}"
    )
    yield (
        f"{number(account.events, 'event')} in {number(account.records, 'record')},"
        f" {account.events / max(account.seconds, 0.001):,.0f} a second; {number(account.calls, 'PutRecords call')},"
        f" {number(account.retries, 'record')} sent again"
    )
    if account.settled_before:
        yield f"{account.settled_before:,} were settled by an earlier run, and not sent again"
    for reason, count in sorted(account.reasons.items()):
        what_to_do = _beyond_detail(reason)
        yield f"{count:,} rejected: {reason}" + (f": {what_to_do}" if what_to_do else "")
    yield from (f"{count:,} filtered: {shown(rule)}" for rule, count in sorted(account.rules.items()))


def rejected(what: Rejected, *, reveal: bool) -> str:
    """The line for a payload that is not sent, and one more with the payload if that is to be seen."""
    index = "" if what.index is None else f"[{what.index}]"
    said = f"{what.line.file}:{what.line.number}{index}: {what.reason}: {what.detail}"
    return f"{said}\n    {shown(what.line.data)}" if reveal else said


def _beyond_detail(reason: str) -> str:
    if reason == TOO_LARGE:
        return "split it, or leave out what Personalize has no use for"
    return advice.beyond_detail(Reason(reason))
