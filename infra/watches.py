"""What is watched: from when on it matters, how urgent it is, and where the runbook has it."""

import math
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import IMetric, MathExpression

from personalize_relay.metrics import Metric

from .relay_settings import RelaySettings
from .signals import PERIOD_MINUTES, Signals

VERY_LATE = 0.5
"""The share of the age from which the mapping gives a record up."""
QUARANTINED_PERCENT = 1
MOST_PERCENT = 50
THROTTLED_PERCENT = 5
"""The function seeks the quota out by having 2 % of its calls throttled."""
FAILED_PERCENT = 5
READS_THROTTLED = 0.05
"""The share of the reads of the stream: each read counts one or none."""
LONG_INVOCATION = 0.8
"""The share of its timeout that an invocation may take while nothing fails."""
MEMORY_NEARLY_FULL = 0.9
"""The share of the function's memory; the process is nearly all that is in it."""
SELDOM = 4
"""Times the longest invocation: what fails in every other one of them keeps an alarm on that asks for two."""

STREAM_UNREAD, STREAM_READ_THROTTLES = "StreamUnread", "StreamReadThrottles"
"""Alarms that only the account of the stream can have."""


class Severity(StrEnum):
    """What an alarm asks of people."""

    PAGE = "page"
    """Events are lost, or will be unless somebody acts now."""
    TICKET = "ticket"
    """Somebody should look on the next working day."""


@dataclass(frozen=True)
class Watch:
    """An alarm in the making: it goes off when `breaching` of the last `periods` lie above the threshold."""

    severity: Severity
    name: str
    metric: IMetric
    _: KW_ONLY
    says: str
    runbook: str
    """The heading of its section, as a link has it."""
    above: float = 0
    periods: int = 3
    breaching: int = 3
    rings_without_data: bool = False
    """Whether a period without a datapoint counts as above the threshold."""
    by_itself: bool = False
    """Whether it pages though another page is on: what it tells of has happened, and no repair undoes it."""


def watches(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """Everything that is watched."""
    yield from _silence(settings, signals)
    yield from _lateness(settings, signals)
    if not settings.shadow:
        # Nothing is meant to be delivered. The others stay: what is bad or late now would be so in earnest, too, and
        # those on calls and the bucket can't ring, as neither is used.
        yield _standstill(settings, signals)
    yield from _blocks(settings, signals)
    yield from _losses(signals)
    yield from _content(signals)
    yield from _failures(settings, signals)
    yield from _throttles(signals)


def _silence(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """Nothing comes, which nothing else tells from a quiet hour: without records nothing fails and nothing is late."""
    if not settings.silence_minutes:
        return
    # The newest count may not have come in yet; the function's comes when the invocation ends.
    counted_late = 1 if signals.sees_stream else _longest_invocation(settings)
    enough = math.ceil(settings.silence_minutes / PERIOD_MINUTES) + counted_late
    yield Watch(
        Severity.PAGE,
        "NothingArrives",
        _expression("IF(FILL(arriving, 0) > 0, 0, 1)", arriving=_arriving(signals)),
        says=f"No record has come for {settings.silence_minutes} minutes.",
        runbook="nothing-arrives",
        periods=enough,
        breaching=enough,
        # What FILL makes of a metric that never had a datapoint isn't documented.
        rings_without_data=True,
    )


def _lateness(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """Events wait: a record is given up at its greatest age, which is never above the stream's retention."""
    by_function = signals.function("IteratorAge", "Maximum")
    # Counts the lag of the stream's other readers, too; but while nothing is invoked Lambda measures none. Readers of
    # an existing stream are other people's: their lag wakes nobody here.
    by_stream = signals.stream("GetRecords.IteratorAgeMilliseconds", "Maximum")
    unread = Severity.PAGE if signals.owns_stream else Severity.TICKET
    stale, very_late = settings.freshness_minutes, settings.max_record_age_minutes * VERY_LATE
    share = f"{VERY_LATE:.0%} of the age from which they are given up"
    for severity, name, metric, waited, minutes in (
        (Severity.TICKET, "EventsLate", by_function, f"over {stale} minutes", stale),
        (Severity.PAGE, "EventsVeryLate", by_function, share, very_late),
        *([(unread, STREAM_UNREAD, by_stream, share, very_late)] if signals.sees_stream else []),
    ):
        yield Watch(
            severity,
            name,
            metric,
            says=f"Records have waited for {waited}.",
            runbook="events-are-late",
            above=minutes * 60_000,
            # One datapoint tells it, and while an invocation lasts there may be no other for a quarter of an hour.
            breaching=1,
        )


def _standstill(settings: RelaySettings, signals: Signals) -> Watch:
    # What arrived in one period may be counted in a later one; and the newest count may not have come in yet, which
    # FILL can't tell from nothing.
    enough = 3 + _longest_invocation(settings)
    return Watch(
        Severity.PAGE,
        "NothingDelivered",
        _expression(
            "IF(FILL(arriving, 0) > 0, IF(FILL(delivered, 0) > 0, 0, 1), 0)",
            arriving=_arriving(signals),
            delivered=signals.relay(Metric.EVENTS_DELIVERED),
        ),
        says="Records arrive, and no event is delivered.",
        runbook="nothing-is-delivered",
        periods=enough,
        breaching=enough,
    )


def _blocks(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """A shard can't get past a record; a failure in passing is over with the next try."""
    for metric, runbook, says in (
        (Metric.CONFIGURATION_ERRORS, "configuration-errors", "Access, credentials or the tracker is wrong."),
        (
            Metric.QUARANTINE_WRITE_ERRORS,
            "quarantine-write-errors",
            "The bucket refuses bad records, and their shards can't get past them.",
        ),
        (
            Metric.INTERNAL_ERRORS,
            "internal-errors",
            "The relay has a bug, and can't get past the records that show it.",
        ),
    ):
        yield Watch(
            Severity.PAGE,
            metric,
            signals.relay(metric),
            says=says,
            runbook=runbook,
            periods=SELDOM * _longest_invocation(settings),
            breaching=2,
        )


def _losses(signals: Signals) -> Iterable[Watch]:
    """Records leave the stream undelivered; of losses nobody is left unaware because of another page."""
    yield Watch(
        Severity.TICKET,
        "RecordsGivenUp",
        signals.mapping("OnFailureDestinationDeliveredEventCount"),
        says="Records ran out of retries or age, and are in the bucket.",
        runbook="records-are-given-up",
        periods=1,
        breaching=1,
    )
    yield Watch(
        Severity.PAGE,
        "RecordsDropped",
        signals.mapping("DroppedEventCount"),
        says="Records ran out of retries or age, and are lost.",
        runbook="records-are-lost",
        periods=1,
        breaching=1,
        by_itself=True,
    )
    yield Watch(
        Severity.PAGE,
        "RecordsNotStored",
        signals.function("DestinationDeliveryFailures"),
        says="The mapping can't store the records that it gives up.",
        runbook="records-are-lost",
        periods=1,
        breaching=1,
        by_itself=True,
    )


def _content(signals: Signals) -> Iterable[Watch]:
    """Producers write what the relay doesn't take, or takes less of than they mean."""
    yield Watch(
        Severity.TICKET,
        "QuarantinedShare",
        _percent(signals.relay(Metric.EVENTS_QUARANTINED), signals.relay(Metric.EVENTS_RECEIVED)),
        says=f"Over {QUARANTINED_PERCENT} % of the events are bad.",
        runbook="events-are-quarantined",
        above=QUARANTINED_PERCENT,
    )
    yield Watch(
        Severity.TICKET,
        Metric.UNKNOWN_MEMBERS,
        _percent(signals.relay(Metric.UNKNOWN_MEMBERS), signals.relay(Metric.EVENTS_RECEIVED)),
        says="Most events have members that the contract doesn't know, and that are not sent.",
        runbook="members-are-unknown",
        above=MOST_PERCENT,
    )


def _failures(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """Invocations end badly, or nearly."""
    yield Watch(
        Severity.TICKET,
        "FunctionErrors",
        _percent(signals.function("Errors"), signals.function("Invocations")),
        says=f"Over {FAILED_PERCENT} % of the invocations crash, time out or run out of memory.",
        runbook="the-function-fails",
        above=FAILED_PERCENT,
        periods=SELDOM * _longest_invocation(settings),
        breaching=2,
    )
    yield Watch(
        Severity.TICKET,
        "LongInvocations",
        # Where a record was reported, the function waited up to its deadline on purpose.
        _expression(
            "IF(FILL(reported, 0) > 0, 0, FILL(duration, 0))",
            reported=signals.relay(Metric.RECORDS_REPORTED),
            duration=signals.function("Duration", "Maximum"),
        ),
        says=f"Batches take over {LONG_INVOCATION:.0%} of the timeout, though nothing fails.",
        runbook="invocations-are-long",
        above=settings.timeout_seconds * 1000 * LONG_INVOCATION,
        periods=3 * _longest_invocation(settings),
    )
    yield Watch(
        Severity.TICKET,
        "MemoryNearlyFull",
        signals.relay(Metric.PEAK_MEMORY, "Maximum"),
        says=f"The function has held over {MEMORY_NEARLY_FULL:.0%} of its memory.",
        runbook="memory-is-nearly-full",
        above=settings.memory_mb * MEMORY_NEARLY_FULL,
        breaching=1,
    )


def _throttles(signals: Signals) -> Iterable[Watch]:
    """A limit holds the relay back."""
    yield Watch(
        Severity.TICKET,
        "FunctionThrottles",
        signals.function("Throttles"),
        says="Lambda has no concurrency left for the function.",
        runbook="the-function-is-throttled",
    )
    if signals.sees_stream:
        yield Watch(
            Severity.TICKET,
            STREAM_READ_THROTTLES,
            signals.stream("ReadProvisionedThroughputExceeded", "Average"),
            says=f"Over {READS_THROTTLED:.0%} of the reads exceed the limit of a shard.",
            runbook="reads-are-throttled",
            above=READS_THROTTLED,
        )
    yield Watch(
        Severity.TICKET,
        "PutEventsThrottles",
        _percent(signals.relay(Metric.THROTTLES), signals.relay(Metric.CALLS)),
        says=f"Personalize throttles over {THROTTLED_PERCENT} % of the calls.",
        runbook="putevents-is-throttled",
        above=THROTTLED_PERCENT,
    )


def _arriving(signals: Signals) -> IMetric:
    """Records that arrive; for a stream of another account, those that the function got."""
    return signals.stream("IncomingRecords") if signals.sees_stream else signals.relay(Metric.RECORDS_RECEIVED)


def _longest_invocation(settings: RelaySettings) -> int:
    """The periods that a batch may take to fill up and be settled: an invocation is counted when it ends."""
    return math.ceil((settings.timeout_seconds + settings.batch_window_seconds) / 60 / PERIOD_MINUTES)


# Every metric is filled: what CloudWatch makes of an absent value in a formula is nothing to build on.
def _percent(part: IMetric, whole: IMetric) -> MathExpression:
    return _expression("IF(FILL(whole, 0) > 0, 100 * FILL(part, 0) / FILL(whole, 1), 0)", part=part, whole=whole)


def _expression(expression: str, **metrics: IMetric) -> MathExpression:
    return MathExpression(expression=expression, using_metrics=metrics, period=Duration.minutes(PERIOD_MINUTES))
