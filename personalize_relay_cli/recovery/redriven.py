"""The ledger of what was sent again: an object in the bucket for each object of the bucket that events were sent from.

Two operators don't send an event twice: who sends it claims it first, by a conditional put, and notes it as sent
afterwards. An event is named by its sequence number and its place in `eventList`: nothing of it is here.

A ledger expires as everything in the bucket does, and lives longer than what it is about: it is written later.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from personalize_relay_cli.problems import Problem
from personalize_relay_cli.recovery.bucket import Bucket
from personalize_relay_cli.recovery.set_aside import EventPosition, Flaw
from personalize_relay_cli.recovery.stored import REDRIVEN

SCHEMA = "personalize-relay.redriven/1"
MAX_ATTEMPTS = 50


class Mark(msgspec.Struct, frozen=True):
    """What a run did with an event, and when."""

    state: Literal["claimed", "sent"]
    run: str
    at: datetime


class _Entry(msgspec.Struct, kw_only=True):
    state: Literal["claimed", "sent"]
    run: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    events: list[EventPosition]


class _Document(msgspec.Struct, kw_only=True):
    schema: str
    source: str
    entries: list[_Entry]


class LedgerPage(msgspec.Struct, frozen=True):
    """The ledger of one object, as it was read."""

    marks: Mapping[EventPosition, Mark]
    etag: str | None = None
    """None while there is no such object."""

    @property
    def sent(self) -> AbstractSet[EventPosition]:
        """The events that are sent."""
        return {position for position, mark in self.marks.items() if mark.state == "sent"}

    @property
    def claims(self) -> dict[EventPosition, Mark]:
        """The events that are claimed and not noted as sent: a run is at it, or died over it."""
        return {position: mark for position, mark in self.marks.items() if mark.state == "claimed"}


class Ledger:
    """The ledger in a bucket, for one run of the command; `now` gives the time, with a zone."""

    def __init__(self, bucket: Bucket, *, run: str, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self.run = run
        self._now = now

    def read(self, source: str) -> LedgerPage | Flaw:
        """The ledger of an object; a flaw where it can't be read, as that of a later version."""
        key = REDRIVEN + source
        found = self._bucket.read(key)
        if found is None:
            return LedgerPage({})
        try:
            document = msgspec.json.decode(found.body, type=_Document)
        except ValueError:
            return Flaw(key, None, "no ledger: nothing is sent again of what it stands for until it is deleted")
        if document.schema != SCHEMA:
            return Flaw(key, None, "the ledger of another version: use the relay command of that one")
        marks = {
            position: Mark(entry.state, entry.run, entry.at) for entry in document.entries for position in entry.events
        }
        return LedgerPage(marks, found.etag)

    def claim(
        self, source: str, page: LedgerPage, wanted: Iterable[EventPosition], *, take_over: bool
    ) -> tuple[AbstractSet[EventPosition], LedgerPage]:
        """Claim events for this run, those claimed by others only to take over; returns what it got, and the page.

        `page` is the ledger as it was read: if nobody has changed it since, it isn't read again.
        """
        asked = list(wanted)

        def change(page: LedgerPage) -> dict[EventPosition, Mark]:
            mark = Mark("claimed", self.run, self._now())
            free = (each for each in asked if self._free(page.marks.get(each), take_over=take_over))
            return dict(page.marks) | dict.fromkeys(free, mark)

        page = self._update(source, page, change)
        return {each for each in asked if _is_claim_of(self.run, page.marks.get(each))}, page

    def settle(
        self,
        source: str,
        page: LedgerPage,
        *,
        sent: AbstractSet[EventPosition],
        unknown: AbstractSet[EventPosition] = frozenset(),
    ) -> None:
        """Note events as sent, and give back this run's other claims but those of which it isn't known."""

        def change(page: LedgerPage) -> dict[EventPosition, Mark]:
            mark = Mark("sent", self.run, self._now())
            already = page.sent
            kept = {
                position: found
                for position, found in page.marks.items()
                if position in unknown or not _is_claim_of(self.run, found)
            }
            return kept | dict.fromkeys(sent - already, mark)

        self._update(source, page, change)

    def renew(self, source: str) -> None:
        """Write the ledger of an object anew, so that it outlives the object, which was written anew itself."""
        page = self.read(source)
        while isinstance(page, LedgerPage) and page.marks and not self._put(source, page.marks, page.etag):
            page = self.read(source)

    def _free(self, mark: Mark | None, *, take_over: bool) -> bool:
        return mark is None or (mark.state == "claimed" and take_over)

    def _update(
        self, source: str, page: LedgerPage, change: Callable[[LedgerPage], dict[EventPosition, Mark]]
    ) -> LedgerPage:
        """Change a ledger whatever others do to it meanwhile."""
        for _ in range(MAX_ATTEMPTS):
            marks = change(page)
            if marks == page.marks:
                return page
            if etag := self._put(source, marks, page.etag):
                return LedgerPage(marks, etag)
            read = self.read(source)
            if isinstance(read, Flaw):
                raise Problem(str(read))
            page = read
        raise Problem(f"{REDRIVEN}{source} is changed by others all the time: try again later")

    def _put(self, source: str, marks: Mapping[EventPosition, Mark], etag: str | None) -> str | None:
        """Write a ledger unless it has changed; returns its new ETag once it is written."""
        return self._bucket.write(REDRIVEN + source, _encode(source, marks), etag)


def _is_claim_of(run: str, mark: Mark | None) -> bool:
    return mark is not None and mark.state == "claimed" and mark.run == run


def _encode(source: str, marks: Mapping[EventPosition, Mark]) -> bytes:
    events: dict[Mark, list[EventPosition]] = defaultdict(list)
    for position, mark in marks.items():
        events[mark].append(position)
    entries = [_Entry(state=mark.state, run=mark.run, at=mark.at, events=each) for mark, each in events.items()]
    return msgspec.json.encode(_Document(schema=SCHEMA, source=source, entries=entries))
