"""What is set aside, by reason, and how much of it was sent again."""

from collections.abc import Iterator

import msgspec

from personalize_relay_cli.recovery.redrive import Claim, claims
from personalize_relay_cli.recovery.redriven import Ledger, Page
from personalize_relay_cli.recovery.selection import Piece, Selection
from personalize_relay_cli.recovery.set_aside import Flaw, SetAside
from personalize_relay_cli.recovery.stored import REDRIVEN, FailureBucket, Stored


class Group(msgspec.Struct, kw_only=True):
    """All that is set aside for one reason; arrivals in epoch seconds."""

    records: int = 0
    events: int = 0
    """As many as a redrive would select: a record that can't be read counts as one."""
    sent_again: int = 0
    first: float
    last: float


class Listing(msgspec.Struct):
    """The groups by reason, the claims of runs that are under way or died, and what can't be read."""

    groups: dict[str, Group] = msgspec.field(default_factory=dict)
    claims: list[Claim] = msgspec.field(default_factory=list)
    flaws: list[Flaw] = msgspec.field(default_factory=list)


def listing(bucket: FailureBucket, ledger: Ledger, selection: Selection) -> Listing:
    """Count what is selected, a record at a time."""
    found = Listing()
    ledgers = _Ledgers(bucket, ledger)
    for content in bucket.contents(selection):
        if isinstance(content, Flaw):
            found.flaws.append(content)
            continue
        page = ledgers.of(content.key)
        if isinstance(page, Flaw):
            found.flaws.append(page)
            page = Page({})
        if _count(found, content.records, selection, page):
            found.claims.extend(claims(content.key, page.claims.values()))
    return found


def _count(found: Listing, records: Iterator[SetAside | Flaw], selection: Selection, page: Page) -> int:
    """Count the records of one object; returns how many events are selected."""
    sent = page.sent
    events = 0
    for record in records:
        if isinstance(record, Flaw):
            found.flaws.append(record)
            continue
        pieces = list(selection.pieces(record))
        events += len(pieces)
        for reason in {piece.reason for piece in pieces}:
            of_reason = [piece for piece in pieces if piece.reason == reason]
            _add(found, of_reason, sum(piece.position in sent for piece in of_reason))
    return events


def _add(found: Listing, pieces: list[Piece], sent: int) -> None:
    arrival = pieces[0].record.origin.arrival
    group = found.groups.setdefault(pieces[0].reason, Group(first=arrival, last=arrival))
    group.records += 1
    group.events += len(pieces)
    group.sent_again += sent
    group.first = min(group.first, arrival)
    group.last = max(group.last, arrival)


class _Ledgers:
    """The ledgers of objects asked for in the order of their keys, without a call for each that has none."""

    def __init__(self, bucket: FailureBucket, ledger: Ledger) -> None:
        self._keys: Iterator[Stored] = bucket.keys(REDRIVEN)
        self._next = next(self._keys, None)
        self._ledger = ledger

    def of(self, source: str) -> Page | Flaw:
        while self._next and self._next.key < REDRIVEN + source:
            self._next = next(self._keys, None)
        known = self._next is not None and self._next.key == REDRIVEN + source
        return self._ledger.read(source) if known else Page({})
