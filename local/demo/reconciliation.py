"""Account for every event of a produced sample: delivered once, quarantined, filtered, or named as missing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.demo.clickstream import SampleEvent, SampleRecord, dropped

MAX_NAMED = 5

type EventPlace = tuple[str, str | None, int | None]
"""The place of a rejected event: its record's sequence number, its sub-sequence, and its index."""


@dataclass(frozen=True, slots=True)
class StreamPosition:
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
    filtered: Counter[str]
    """By rule of the payload mapping: nobody knows more about them."""
    missing: tuple[str, ...]
    """Names of events that are neither delivered nor quarantined as they should be."""
    twice: tuple[str, ...]
    """Ids that were accepted more than once."""
    unexpected: tuple[str, ...]
    """Names of events that nobody produced, or that arrived in the wrong place."""

    @property
    def holds(self) -> bool:
        """Whether produced = delivered + quarantined + filtered, each event as it should be."""
        settled = self.delivered + self.quarantined.total() + self.filtered.total()
        return not (self.missing or self.twice or self.unexpected) and settled == self.produced


def reconcile(
    produced: Iterable[tuple[SampleRecord, StreamPosition]],
    accepted: Mapping[str, int],
    quarantine: Iterable[Mapping[str, Any]],
    filtered: Mapping[str, int] | None = None,
) -> Reconciliation:
    """Compare what was produced with what Personalize accepted and the bucket holds.

    `accepted` counts acceptances by eventId; `quarantine` are the bucket's lines, as docs/events.md describes them;
    `filtered` counts, by rule, the payloads that the function's mapping dropped, by its log.
    """
    placed = list(produced)
    good, bad = _expected(placed)
    drops, counted = dropped([record for record, _ in placed]), Counter(filtered or {})
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
        produced=len(good) + len(bad) + drops.total(),
        delivered=len(good & accepted.keys()),
        quarantined=Counter(stored.values()),
        filtered=counted,
        missing=(*undelivered, *unstored, *(f"{count} filtered: {rule}" for rule, count in (drops - counted).items())),
        twice=tuple(event_id for event_id, count in accepted.items() if count > 1),
        unexpected=(*unknown, *misplaced, *(f"{count} filtered: {rule}" for rule, count in (counted - drops).items())),
    )


def _expected(
    produced: Iterable[tuple[SampleRecord, StreamPosition]],
) -> tuple[set[str], dict[EventPlace, str]]:
    """The ids of the events to deliver, and the reasons of those to quarantine, by place."""
    good: set[str] = set()
    bad: dict[EventPlace, str] = {}
    for record, position in produced:
        for event in record.events:
            if event.reason:
                bad[position.sequence_number, event.sub_sequence, event.index] = event.reason
            elif event.is_good:
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
