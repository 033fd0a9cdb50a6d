"""Account for every event of a produced sample: delivered once, quarantined, or named as missing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.clickstream import SampleEvent, SampleRecord

MAX_NAMED = 5

type Place = tuple[str, str | None, int | None]
"""Where a rejected event stood: its record's sequence number, its sub-sequence, and its index."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where Kinesis put a record."""

    stream: str
    shard_id: str
    sequence_number: str

    def event_id(self, event: SampleEvent) -> str:
        """The id that docs/events.md promises for an event without one."""
        places = (event.sub_sequence, event.index)
        known = [str(place) for place in places if place is not None]
        return ":".join([self.stream, self.shard_id, self.sequence_number, *known])


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The account of a run; it holds when nothing is missing, delivered twice, unexpected or for another reason."""

    produced: int
    delivered: int
    quarantined: Counter[str]
    missing: tuple[str, ...]
    """Names of events that are neither delivered nor quarantined as they should be."""
    twice: tuple[str, ...]
    """Ids that were accepted more than once."""
    unexpected: tuple[str, ...]
    """Names of what arrived and was not produced, or arrived in the wrong place."""

    @property
    def holds(self) -> bool:
        """Whether produced = delivered + quarantined, each event as it should be."""
        settled = self.delivered + self.quarantined.total()
        return not (self.missing or self.twice or self.unexpected) and settled == self.produced


def reconcile(
    produced: Iterable[tuple[SampleRecord, Position]],
    accepted: Mapping[str, int],
    quarantine: Iterable[Mapping[str, Any]],
) -> Reconciliation:
    """Compare what was produced with what Personalize accepted and the bucket holds.

    `accepted` counts acceptances by eventId; `quarantine` are the bucket's lines, as docs/events.md describes them.
    """
    good, bad = _expected(produced)
    stored = {
        (line["source"]["sequenceNumber"], rejection["subSequence"], rejection["index"]): str(rejection["reason"])
        for line in quarantine
        for rejection in line["rejected"]
    }
    undelivered = [f"event {event_id}" for event_id in sorted(good - accepted.keys())]
    unstored = [_named(*at, reason) for at, reason in bad.items() if stored.get(at) != reason]
    unknown = [f"event {event_id}" for event_id in sorted(accepted.keys() - good)]
    misplaced = [_named(*at, reason) for at, reason in stored.items() if at not in bad]
    return Reconciliation(
        produced=len(good) + len(bad),
        delivered=len(good & accepted.keys()),
        quarantined=Counter(stored.values()),
        missing=(*undelivered, *unstored),
        twice=tuple(event_id for event_id, count in accepted.items() if count > 1),
        unexpected=(*unknown, *misplaced),
    )


def _expected(
    produced: Iterable[tuple[SampleRecord, Position]],
) -> tuple[set[str], dict[Place, str]]:
    """The ids to be delivered; and the reason of each to be quarantined, by its place."""
    good: set[str] = set()
    bad: dict[Place, str] = {}
    for record, position in produced:
        for event in record.events:
            if event.reason:
                bad[position.sequence_number, event.sub_sequence, event.index] = event.reason
            else:
                good.add(event.event_id or position.event_id(event))
    return good, bad


def _named(sequence_number: str, sub_sequence: str | None, index: int | None, reason: str) -> str:
    within = (("payload", sub_sequence), ("event", index))
    places = "".join(f", {what} {place}" for what, place in within if place is not None)
    return f"{reason} in record {sequence_number}{places}"


def named(names: Iterable[str]) -> str:
    """The first few of some names, and how many more there are."""
    listed = list(names)
    more = len(listed) - MAX_NAMED
    return ", ".join(listed[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
