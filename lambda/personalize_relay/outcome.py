"""The outcome of an invocation in counts and error codes, for metrics and the log line: nothing of a record."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from personalize_relay.events import Interaction, Parsed, Rejection
from personalize_relay.metrics import Metric, quarantined_for
from personalize_relay.result import Result


class Outcome(msgspec.Struct):
    """Counts, times and codes of one invocation."""

    counts: Counter[str] = msgspec.field(default_factory=Counter)
    errors: list[str] = msgspec.field(default_factory=list)
    """Error codes of the services, and the types and places of the relay's own failures."""
    undelivered: Counter[str] = msgspec.field(default_factory=Counter)
    """How many events were not delivered, by cause."""
    filtered: Counter[str] = msgspec.field(default_factory=Counter)
    """How many payloads the payload mapping dropped, by rule."""
    measures: dict[str, float] = msgspec.field(default_factory=dict)
    """Times in milliseconds, by metric; a metric without a measurement is absent."""

    def fail(self, metric: Metric, error: str) -> None:
        """Count a failure of the relay or of its bucket."""
        self.counts[metric] += 1
        self.errors.append(error)

    def count_quarantined(self, rejections: Sequence[Rejection]) -> None:
        """Count the rejections that the bucket took."""
        self.counts[Metric.EVENTS_QUARANTINED] += len(rejections)
        self.counts.update(quarantined_for(rejection.reason) for rejection in rejections)

    def count_records(self, received: int, reported: int) -> None:
        """Count the records of the batch, and those that come again."""
        self.counts.update({Metric.RECORDS_RECEIVED: received, Metric.RECORDS_REPORTED: reported})

    def count_events(self, contents: Iterable[Parsed], result: Result, *, delivered_before: int, now: float) -> None:
        """Count the events of the records and their fates; `now` is in epoch seconds."""
        parsed = list(contents)
        events = [interaction for each in parsed for interaction in each.interactions]
        filtered = [rule for each in parsed for rule in each.filtered]
        self.errors += [*result.configuration_errors, *result.uncured_errors]
        self.undelivered.update(result.undelivered.values())
        settled = len(result.delivered) + len(result.shadowed) + len(result.rejected) + delivered_before
        self.filtered.update(filtered)
        self.counts.update(
            {
                Metric.EVENTS_RECEIVED: sum(each.count for each in parsed),
                Metric.EVENTS_DELIVERED: len(result.delivered),
                Metric.EVENTS_SHADOWED: len(result.shadowed),
                Metric.EVENTS_FILTERED: len(filtered),
                Metric.EVENTS_UNDELIVERED: len(events) - settled,
                Metric.CALLS: result.calls,
                Metric.RETRIES: result.retries,
                Metric.THROTTLES: result.throttles,
                Metric.CONFIGURATION_ERRORS: len(result.configuration_errors),
                Metric.UNKNOWN_MEMBERS: sum(each.unknown_members for each in parsed),
                Metric.RENAMED_MEMBERS: sum(each.renamed_members for each in parsed),
                Metric.MISSING_SENT_AT: sum(not each.sent_at_given for each in events),
                Metric.REPEATED_EVENT_IDS: _repeated_ids(events),
            }
        )
        self.measures.update(_times(events, result, now))


def _times(events: Iterable[Interaction], result: Result, now: float) -> Iterator[tuple[str, float]]:
    delivered = [each for each in events if each.source in result.delivered]
    ages = [now - each.event.sent_at for each in delivered if each.sent_at_given]
    if delivered:
        yield Metric.DELIVERY_LAG, max(0.0, now - min(each.arrival for each in delivered)) * 1000
    if ages:
        yield Metric.EVENT_AGE, max(0.0, sum(ages) / len(ages)) * 1000
    if result.answers:
        yield Metric.LATENCY, result.seconds / result.answers * 1000


def _repeated_ids(interactions: Sequence[Interaction]) -> int:
    if len({each.event.event_id for each in interactions}) == len(interactions):  # as in nearly every batch
        return 0
    first: dict[tuple[str, str], Interaction] = {}
    repeated = 0
    for each in interactions:
        other = first.setdefault((each.tracking_id, each.event.event_id), each)
        repeated += other is not each and _content(other) != _content(each)
    return repeated


def _content(interaction: Interaction) -> tuple[object, ...]:
    return interaction.session_id, interaction.user_id, interaction.event
