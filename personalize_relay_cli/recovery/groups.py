"""What is set aside, by reason or one by one, and how much of it was sent again."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby

import msgspec
from msgspec import UNSET, UnsetType

from personalize_relay_cli.recovery.account import Claim, claims
from personalize_relay_cli.recovery.redriven import Ledger, LedgerPage
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import FailureCause, Flaw, SetAside
from personalize_relay_cli.recovery.stored import REDRIVEN, FailureBucket


class Group(msgspec.Struct, kw_only=True, rename="camel"):
    """All that is set aside for one reason."""

    reason: str
    records: int = 0
    events: int = 0
    """As many as a redrive would select: a record that can't be read counts as one."""
    sent_again: int = 0
    left: int = 0
    """Of the events, those that were not sent again."""
    first_arrival: datetime
    last_arrival: datetime


class One(msgspec.Struct, kw_only=True, rename="camel"):
    """A record's event, or all events that it is set aside with for one cause."""

    sequence_number: str
    arrival: datetime
    cause: FailureCause
    events: int
    left: int


class Listing(msgspec.Struct, tag_field="schema", tag="personalize-relay.failed-list/1"):
    """The groups by reason, the claims of runs that are under way or died, and the flaws that can't be read."""

    groups: list[Group] = msgspec.field(default_factory=list)
    each: list[One] | UnsetType = UNSET
    """One by one, where that is asked for."""
    claims: list[Claim] = msgspec.field(default_factory=list)
    flaws: list[Flaw] = msgspec.field(default_factory=list)

    def add(self, one: One, *, same_record: bool) -> None:
        """Count events into the group of their reason."""
        group = next((group for group in self.groups if group.reason == one.cause.reason), None)
        if group is None:
            group = Group(reason=one.cause.reason, first_arrival=one.arrival, last_arrival=one.arrival)
            self.groups = sorted([*self.groups, group], key=lambda each: each.reason)
        group.records += not same_record
        group.events += one.events
        group.left += one.left
        group.sent_again += one.events - one.left
        group.first_arrival = min(group.first_arrival, one.arrival)
        group.last_arrival = max(group.last_arrival, one.arrival)
        if self.each is not UNSET:
            self.each.append(one)


def listing(bucket: FailureBucket, ledger: Ledger, selection: Selection, *, each: bool = False) -> Listing:
    """Count what is selected, a record at a time."""
    found = Listing(each=[] if each else UNSET)
    redriven = {each.key for each in bucket.keys(REDRIVEN)}  # not a call for each object that has no ledger
    for content in bucket.contents(selection):
        found.flaws += content.flaws
        page = ledger.read(content.key) if REDRIVEN + content.key in redriven else LedgerPage({})
        if isinstance(page, Flaw):
            found.flaws.append(page)
            page = LedgerPage({})
        if _count(found, content.records, selection, page):
            found.claims.extend(claims(content.key, page.claims.values()))
    return found


def _count(found: Listing, records: Iterable[SetAside], selection: Selection, page: LedgerPage) -> bool:
    """Count the records of one object; returns whether events of it are selected."""
    sent = page.sent
    any_events = False
    for record in records:
        reasons: set[str] = set()
        for cause, pieces in groupby(selection.pieces(record), key=lambda piece: piece.cause):
            are_sent = [piece.position in sent for piece in pieces]
            one = One(
                sequence_number=record.origin.sequence_number,
                arrival=datetime.fromtimestamp(record.origin.arrival, UTC),
                cause=cause,
                events=len(are_sent),
                left=are_sent.count(False),
            )
            found.add(one, same_record=cause.reason in reasons)
            reasons.add(cause.reason)
        any_events = any_events or bool(reasons)
    return any_events
