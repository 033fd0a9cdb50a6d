"""The batch processor: parse each record, deliver all together, settle each.

A record is settled when each of its events is delivered or durably quarantined. The processor reports any other record
to the event source mapping, which resumes at the lowest reported record and delivers all from there on again.
"""

import math
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord

from personalize_relay.deadline import SETTLE_MARGIN
from personalize_relay.delivered import Delivered
from personalize_relay.errors import DeliveryError
from personalize_relay.events import Parsed, Rejection, Source, SubSequence, Trackers
from personalize_relay.mapping import Mapping
from personalize_relay.metrics import Metric
from personalize_relay.outcome import Outcome
from personalize_relay.quarantine import LONGEST_WRITE, Quarantine
from personalize_relay.records import Record, position
from personalize_relay.requests import Request, lanes
from personalize_relay.rest import Rest
from personalize_relay.result import Result
from personalize_relay.tracker import SUSPECT

MAX_EVENTS = 20_000
"""The most events of an invocation; records beyond them come again. Small records may hold millions in a batch."""
MAX_INFLATED = 64 * 1024 * 1024
"""The most bytes that an invocation's records may inflate to; records beyond them come again, too."""
MOST_BATCHES = 1000
"""The most batches whose rests are remembered: a batch that another sandbox settled never comes again here."""


class Delivers(Protocol):
    """Sends requests to Personalize, or pretends to."""

    def deliver(self, lanes: Iterable[list[Request]], *, end: float, wall: float, quarantining: bool) -> Result:
        """Deliver as much as possible in time; see Delivery."""


class RelayProcessor(BatchProcessor):
    """Powertools batch processor that handles the batch as a whole, and reports each record that isn't settled.

    `clock` gives monotonic seconds, the same as the delivery's; `now` gives epoch seconds; `wait` lets seconds pass;
    `alert` gets the metric of each failure that a person must fix, as the failure happens. Powertools takes `parse` as
    the record handler, and keeps it as `handler`.
    """

    def __init__(  # noqa: PLR0913 - all that the outside world is to it
        self,
        *,
        delivery: Delivers,
        quarantine: Quarantine,
        trackers: Trackers,
        mapping: Mapping | None = None,
        clock: Callable[[], float],
        now: Callable[[], float],
        wait: Callable[[float], None],
        alert: Callable[[Metric], None] = lambda _metric: None,
    ) -> None:
        super().__init__(EventType.KinesisDataStreams, raise_on_entire_batch_failure=False)
        self.outcome = Outcome()
        self._delivery = delivery
        self._quarantine = quarantine
        self._trackers = trackers
        self._mapping = mapping
        self._clock = clock
        self._now = now
        self._wait = wait
        self._alert = alert
        self._delivered = Delivered()
        self._rest_of_bucket = Rest()
        self._rests: dict[int, Rest] = {}
        """The rests after a bug of ours or with a suspected tracker, which have no call to try again.

        The key is the position from which the batch comes again, because batches of other shards come in between.
        """

    def parse(self, given: dict[str, Any]) -> tuple[Record, Parsed]:
        """Read a record of a Lambda event, and the events in it."""
        read = Record.read(given)
        return read, read.parse(self._trackers, self._mapping)

    def process(self) -> list[tuple[Any, ...]]:
        """Settle as many records as possible in the invocation's time."""
        end = self._clock() + self.lambda_context.get_remaining_time_in_millis() / 1000
        self.outcome = Outcome()
        batch: list[dict[str, Any]] = self.records
        unsettled: set[int] = set()
        contents = self._parse_all(batch, unsettled)
        before = self._delivered_before(contents)
        result = self._deliver(contents, before, unsettled, end)
        unsettled.update(_without_outcome(contents, result, before))
        self._store_rejected(_rejections(contents, result), unsettled, end)
        self._remember(contents, result.delivered, unsettled)
        self.outcome.count_records(len(batch), len(unsettled))
        parsed = (parsed for _, parsed in contents)
        self.outcome.count_events(parsed, result, delivered_before=len(before), now=self._now())
        self._rest(position(batch[0]), unsettled, result, end)
        return [self._answer(record, unsettled) for record in batch]

    def _parse_all(self, batch: Iterable[dict[str, Any]], unsettled: set[int]) -> list[tuple[Record, Parsed]]:
        contents: list[tuple[Record, Parsed]] = []
        events = inflated = 0
        for record in batch:
            if events >= MAX_EVENTS or inflated >= MAX_INFLATED:
                unsettled.add(position(record))
                continue
            try:
                contents.append(self.handler(record))
                events += contents[-1][1].count
                inflated += contents[-1][1].inflated
            except Exception as exc:  # noqa: BLE001 - a bug of ours must not take the record's neighbours with it
                unsettled.add(position(record))
                self._fail(Metric.INTERNAL_ERRORS, where(exc))
        return contents

    def _delivered_before(self, contents: list[tuple[Record, Parsed]]) -> set[Source]:
        """The events of each tracker that has already taken all its events of this batch.

        A tracker with even one event left gets all of them again: they show that the API is well while that one fails.
        """
        if not contents:
            return set()
        shard = contents[0][0].shard
        self._delivered.begin(shard, contents[0][0].position)
        if not self._delivered.any_of(shard):
            return set()
        by_tracker: dict[str, list[Source]] = defaultdict(list)
        for _, parsed in contents:
            for each in parsed.interactions:
                by_tracker[each.tracking_id].append(each.source)
        taken = [sources for sources in by_tracker.values() if self._delivered.all_of(shard, sources)]
        return set().union(*taken)

    def _deliver(
        self, contents: Iterable[tuple[Record, Parsed]], before: set[Source], unsettled: set[int], end: float
    ) -> Result:
        # Don't send what comes again in any case: it would be sent twice.
        below = min(unsettled, default=math.inf)
        sent = [parsed for record, parsed in contents if record.position < below]
        return self._delivery.deliver(
            lanes(each for parsed in sent for each in parsed.interactions if each.source not in before),
            end=end,
            wall=self._now(),
            quarantining=any(parsed.rejections for parsed in sent),
        )

    def _store_rejected(self, rejected: list[tuple[Record, list[Rejection]]], unsettled: set[int], end: float) -> None:
        """Store the records below the lowest unsettled one; those above come again, and would be stored again."""
        below = min(unsettled, default=math.inf)
        now = [(record, rejections) for record, rejections in rejected if record.position < below]
        unsettled.update(record.position for record, _ in rejected if record.position > below)
        if now and not self._store(now, end):
            unsettled.update(record.position for record, _ in now)
            return
        for _, rejections in now:
            self.outcome.count_quarantined(rejections)

    def _store(self, entries: list[tuple[Record, list[Rejection]]], end: float) -> bool:
        """Try until the bucket takes the entries, with rests between; return whether it did in time."""
        while self._wait_until(self._rest_of_bucket.over, end):
            tried = self._clock()
            try:
                self._quarantine.write(entries)
            except DeliveryError as exc:
                self._fail(Metric.QUARANTINE_WRITE_ERRORS, str(exc))
                self._rest_of_bucket.begin(tried, self._clock())
            else:
                self._rest_of_bucket.end(tried)
                return True
        return False

    def _wait_until(self, when: float, end: float) -> bool:
        """Wait until `when`, or until the invocation ends; return whether there is time left for a write.

        If there is nothing to wait for, there is always time: most writes take a tenth of a second.
        """
        now = self._clock()
        if when <= now:
            return True
        last = end - SETTLE_MARGIN
        self._wait(max(0.0, min(when, last) - now))
        return when + LONGEST_WRITE <= last

    def _remember(self, contents: list[tuple[Record, Parsed]], delivered: set[Source], unsettled: set[int]) -> None:
        if unsettled and contents:
            lowest = min(unsettled)
            again = {source for source in delivered if source.sequence_number >= lowest}
            self._delivered.add(contents[0][0].shard, again)

    def _rest(self, first: int, unsettled: set[int], result: Result, end: float) -> None:
        """Rest before the failed records come again, a little longer each time: Lambda itself sends them at once."""
        rest = self._rests.pop(first, None) or Rest()
        if not (self.outcome.counts[Metric.INTERNAL_ERRORS] or SUSPECT in result.configuration_errors):
            return
        now = self._clock()
        rest.begin(now, now)
        self._rests[min(unsettled)] = rest
        if len(self._rests) > MOST_BATCHES:
            del self._rests[next(iter(self._rests))]
        self._wait(max(0.0, min(rest.over, end - SETTLE_MARGIN) - now))

    def _fail(self, metric: Metric, error: str) -> None:
        self.outcome.fail(metric, error)
        self._alert(metric)

    def _answer(self, record: dict[str, Any], unsettled: set[int]) -> tuple[Any, ...]:
        if unsettled and position(record) in unsettled:
            # Powertools takes a failure in the form that `sys.exc_info` returns, and its record as a data class.
            failure = DeliveryError, DeliveryError("not settled yet"), None
            return self.failure_handler(KinesisStreamRecord(record), failure)
        return self.success_handler(record, None)


def _rejections(contents: Iterable[tuple[Record, Parsed]], result: Result) -> list[tuple[Record, list[Rejection]]]:
    """The records with events that the relay or Personalize rejected, each with its rejections in order."""
    by_service: dict[int, list[Rejection]] = {}
    for source, rejection in sorted(result.rejected.items()):
        by_service.setdefault(source.sequence_number, []).append(rejection)
    return [
        (record, sorted([*parsed.rejections, *by_service.get(record.position, [])], key=_place))
        for record, parsed in contents
        if parsed.rejections or record.position in by_service
    ]


def _place(rejection: Rejection) -> tuple[SubSequence, int]:
    return rejection.sub_sequence, rejection.index or 0


def _without_outcome(contents: Iterable[tuple[Record, Parsed]], result: Result, before: set[Source]) -> set[int]:
    """The positions of records with an event that was neither delivered nor rejected."""
    other = result.shadowed | result.rejected.keys() | before
    sources = [interaction.source for _, parsed in contents for interaction in parsed.interactions]
    return {each.sequence_number for each in sources if each not in result.delivered and each not in other}


def where(exc: BaseException) -> str:
    """The type of an exception and the line that raised it; not its text, which may hold a payload."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{type(exc).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
