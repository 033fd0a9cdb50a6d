"""The batch processor: parse each record, deliver all together, settle each.

A record is settled when each of its events is delivered or durably quarantined. Any other is reported to the mapping,
which resumes at the lowest record reported and sends all from there on again.
"""

import math
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord

from personalize_relay.delivery import Delivery
from personalize_relay.errors import DeliveryError
from personalize_relay.events import Interaction, Parsed, Rejection, Trackers
from personalize_relay.metrics import Metric, quarantined_for
from personalize_relay.quarantine import Quarantine
from personalize_relay.records import Record, position
from personalize_relay.reports import Report
from personalize_relay.requests import lanes
from personalize_relay.terms import SETTLE_MARGIN, Terms

MAX_EVENTS = 20_000
"""Events that an invocation takes on; records above them come again. A batch may hold millions, in small records."""
PATIENCE_WITH_TRACKERS = 1800.0
"""Seconds of age up to which a record's rejection is doubted while its tracker has taken nothing."""
PATIENCE_WITH_EVENTS = 900.0
"""Seconds of age up to which an event is tried that alone fails again and again."""


class Outcome(msgspec.Struct):
    """What an invocation came to, for its metrics and its log line: counts and error codes, nothing of a record."""

    counts: Counter[str] = msgspec.field(default_factory=Counter)
    errors: list[str] = msgspec.field(default_factory=list)
    """Error codes of the services, and types and places of the relay's own failures."""
    undelivered: Counter[str] = msgspec.field(default_factory=Counter)
    """How many events were not delivered, by cause."""
    measures: dict[str, float] = msgspec.field(default_factory=dict)
    """Times, in milliseconds, by metric: what there was nothing to measure of is absent."""


class RelayProcessor(BatchProcessor):
    """Powertools batch processor that takes the batch as a whole, and reports each record that isn't settled.

    `clock` gives seconds, monotonic, the same as the delivery's; `now` gives epoch seconds; `wait` lets seconds pass.
    Powertools takes `parse` as the record handler.
    """

    def __init__(  # noqa: PLR0913 - all that the outside world is to it
        self,
        *,
        delivery: Delivery,
        quarantine: Quarantine,
        trackers: Trackers,
        clock: Callable[[], float],
        now: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        super().__init__(EventType.KinesisDataStreams, raise_on_entire_batch_failure=False)
        self.outcome = Outcome()
        self._delivery = delivery
        self._quarantine = quarantine
        self._trackers = trackers
        self._clock = clock
        self._now = now
        self._wait = wait

    def parse(self, record: KinesisStreamRecord) -> tuple[Record, Parsed]:
        """Read a record, and the events in it."""
        read = Record.read(record)
        return read, read.parse(self._trackers)

    def process(self) -> list[tuple[Any, ...]]:
        """Settle what can be settled in the time that the invocation has."""
        end = self._clock() + self.lambda_context.get_remaining_time_in_millis() / 1000
        self.outcome = Outcome()
        batch = [KinesisStreamRecord(record) for record in self.records]
        unsettled: set[int] = set()
        contents = self._parse_all(batch, unsettled)
        report = self._deliver(contents, unsettled, end)
        unsettled.update(_without_outcome(contents, report))
        self._store_rejected(_rejections(contents, report), unsettled)
        self._count(batch, contents, report, unsettled)
        if self.outcome.errors:
            # What failed comes again at once, with all above it. That neither mends it nor spares retries: rest first.
            self._wait(max(0.0, end - SETTLE_MARGIN - self._clock()))
        return [self._answer(record, unsettled) for record in batch]

    def _parse_all(self, batch: Iterable[KinesisStreamRecord], unsettled: set[int]) -> list[tuple[Record, Parsed]]:
        contents: list[tuple[Record, Parsed]] = []
        events = 0
        for record in batch:
            if events >= MAX_EVENTS:
                unsettled.add(position(record))
                continue
            try:
                contents.append(self.handler(record))
                events += contents[-1][1].count
            except Exception as exc:  # noqa: BLE001 - a bug of ours must not take the record's neighbours with it
                unsettled.add(position(record))
                self.outcome.errors.append(where(exc))
                self.outcome.counts[Metric.INTERNAL_ERRORS] += 1
        return contents

    def _deliver(self, contents: Iterable[tuple[Record, Parsed]], unsettled: set[int], end: float) -> Report:
        # What comes again in any case isn't sent now: it would only be sent twice.
        below = min(unsettled, default=math.inf)
        sent = [parsed for record, parsed in contents if record.position < below]
        now = self._now()
        overdue = (parsed for record, parsed in contents if now - record.arrival > PATIENCE_WITH_TRACKERS)
        return self._delivery.deliver(
            lanes(interaction for parsed in sent for interaction in parsed.interactions),
            Terms(
                end=end,
                quarantining=any(parsed.rejections for parsed in sent),
                overdue={each.tracking_id for parsed in overdue for each in parsed.interactions},
                aged={record.position for record, _ in contents if now - record.arrival > PATIENCE_WITH_EVENTS},
            ),
        )

    def _store_rejected(self, rejected: list[tuple[Record, list[Rejection]]], unsettled: set[int]) -> None:
        """Store what lies below the lowest unsettled record; what lies above comes again, and would be stored again."""
        below = min(unsettled, default=math.inf)
        now = [(record, rejections) for record, rejections in rejected if record.position < below]
        unsettled.update(record.position for record, _ in rejected if record.position > below)
        if not now:
            return
        try:
            self._quarantine.write(now)
        except DeliveryError as exc:
            unsettled.update(record.position for record, _ in now)
            self.outcome.errors.append(str(exc))
            self.outcome.counts[Metric.QUARANTINE_WRITE_ERRORS] += 1
            return
        for _, rejections in now:
            self.outcome.counts[Metric.EVENTS_QUARANTINED] += len(rejections)
            self.outcome.counts.update(quarantined_for(rejection.reason) for rejection in rejections)

    def _count(
        self,
        batch: list[KinesisStreamRecord],
        contents: list[tuple[Record, Parsed]],
        report: Report,
        unsettled: set[int],
    ) -> None:
        events = [interaction for _, parsed in contents for interaction in parsed.interactions]
        self.outcome.errors.extend([*report.configuration_errors, *report.uncured_errors])
        self.outcome.undelivered.update(report.undelivered.values())
        self.outcome.counts.update(
            {
                Metric.RECORDS_RECEIVED: len(batch),
                Metric.RECORDS_REPORTED: len(unsettled),
                Metric.EVENTS_RECEIVED: sum(parsed.count for _, parsed in contents),
                Metric.EVENTS_DELIVERED: len(report.delivered),
                Metric.EVENTS_UNDELIVERED: len(events) - len(report.delivered) - len(report.rejected),
                Metric.CALLS: report.calls,
                Metric.RETRIES: report.retries,
                Metric.THROTTLES: report.throttles,
                Metric.CONFIGURATION_ERRORS: len(report.configuration_errors),
                Metric.UNKNOWN_MEMBERS: sum(parsed.unknown_members for _, parsed in contents),
                Metric.MISSING_SENT_AT: sum(not interaction.sent_at_given for interaction in events),
                Metric.REPEATED_EVENT_IDS: _repeated_ids(events),
            }
        )
        self.outcome.measures.update(self._times(contents, report))

    def _times(self, contents: Iterable[tuple[Record, Parsed]], report: Report) -> Iterator[tuple[str, float]]:
        now = self._now()
        delivered = [
            (record.arrival, interaction)
            for record, parsed in contents
            for interaction in parsed.interactions
            if interaction.source in report.delivered
        ]
        ages = [now - interaction.event.sent_at for _, interaction in delivered if interaction.sent_at_given]
        if delivered:
            yield Metric.DELIVERY_LAG, max(0.0, now - min(arrival for arrival, _ in delivered)) * 1000
        if ages:
            yield Metric.EVENT_AGE, max(0.0, sum(ages) / len(ages)) * 1000
        if report.answers:
            yield Metric.LATENCY, report.seconds / report.answers * 1000

    def _answer(self, record: KinesisStreamRecord, unsettled: set[int]) -> tuple[Any, ...]:
        if unsettled and position(record) in unsettled:
            return self.failure_handler(record, (DeliveryError, DeliveryError("not settled yet"), None))
        return self.success_handler(record, None)


def _rejections(contents: Iterable[tuple[Record, Parsed]], report: Report) -> list[tuple[Record, list[Rejection]]]:
    """The records with rejected events, by the relay or by Personalize, each with its rejections in order."""
    by_service: dict[int, list[Rejection]] = {}
    for source, rejection in sorted(report.rejected.items()):
        by_service.setdefault(source.sequence_number, []).append(rejection)
    both = ((record, [*parsed.rejections, *by_service.get(record.position, [])]) for record, parsed in contents)
    return [(record, sorted(rejections, key=lambda each: each.index or 0)) for record, rejections in both if rejections]


def _without_outcome(contents: Iterable[tuple[Record, Parsed]], report: Report) -> set[int]:
    """The positions of records with an event that is known neither as delivered nor as rejected."""
    settled = report.delivered | report.rejected.keys()
    sources = [interaction.source for _, parsed in contents for interaction in parsed.interactions]
    return {source.sequence_number for source in sources if source not in settled}


def _repeated_ids(interactions: Iterable[Interaction]) -> int:
    first: dict[tuple[str, str], tuple[object, ...]] = {}
    repeated = 0
    for each in interactions:
        content = (each.session_id, each.user_id, each.event)
        repeated += first.setdefault((each.tracking_id, each.event.event_id), content) != content
    return repeated


def where(exc: BaseException) -> str:
    """The type of an exception and the line that raised it: its text may hold a payload."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{type(exc).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
