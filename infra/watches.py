"""The signals that alarms watch: their thresholds, how urgent they are, and their sections of the runbook."""

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
"""The share of the record age: at the full age, the event source mapping gives a record up."""
QUARANTINED_PERCENT = 1
MOST_PERCENT = 50
THROTTLED_PERCENT = 5
"""At the quota, 2 % are normal: the function finds the quota by meeting it."""
FAILED_PERCENT = 5
READS_THROTTLED = 0.05
"""The share of the stream's reads: each read counts as 1 or 0."""
LONG_INVOCATION = 0.8
"""The share of the timeout that an invocation may take while nothing fails."""
MEMORY_NEARLY_FULL = 0.9
"""The share of the function's memory, nearly all of which is the process's."""
SELDOM = 4
"""How many of the longest invocations an alarm looks back over: a failure in every other one keeps it on."""

STREAM_UNREAD, STREAM_READ_THROTTLES = "StreamUnread", "StreamReadThrottles"
"""Alarms that only the stream's own account can have."""


class Severity(StrEnum):
    """How soon somebody must act on an alarm."""

    PAGE = "page"
    """Events are lost, or will be unless somebody acts now."""
    TICKET = "ticket"
    """Somebody should look on the next working day."""


@dataclass(frozen=True)
class Watch:
    """An alarm to make: it goes off when `breaching` of the last `periods` are above the threshold."""

    severity: Severity
    name: str
    metric: IMetric
    _: KW_ONLY
    says: str
    runbook: str
    """The anchor of its section."""
    above: float = 0
    periods: int = 3
    breaching: int = 3
    rings_without_data: bool = False
    """Whether a period without a datapoint counts as above the threshold."""
    by_itself: bool = False
    """Whether it pages even while another page is on, because the loss that it reports has already happened."""


def watches(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """Every alarm to make."""
    yield from _silence(settings, signals)
    yield from _lateness(settings, signals)
    if not settings.shadow:
        # In shadow the function delivers nothing. The other alarms stay: events that are bad or late now would be so in
        # earnest, too; and the alarms on calls and the bucket can't go off, because nothing uses either.
        yield _standstill(settings, signals)
    yield from _blocks(settings, signals)
    yield from _losses(signals)
    yield from _content(signals)
    yield from _failures(settings, signals)
    yield from _throttles(signals)


def _silence(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """No record comes. No other alarm notices: without records, nothing fails and nothing is late."""
    if not settings.silence_minutes:
        return
    # CloudWatch may not have the newest count yet; the function's own count comes when its invocation ends.
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
        # No document says what FILL makes of a metric that never had a datapoint.
        rings_without_data=True,
    )


def _lateness(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """Events wait. Lambda gives a record up at its greatest age, which is always below the stream's retention."""
    by_function = signals.function("IteratorAge", "Maximum")
    # The stream's figure includes the lag of its other readers, but Lambda measures none while it invokes nothing. The
    # readers of an existing stream may be other people's: their lag must wake nobody here.
    by_stream = signals.stream("GetRecords.IteratorAgeMilliseconds", "Maximum")
    unread = Severity.PAGE if signals.owns_stream else Severity.TICKET
    stale, very_late = settings.freshness_minutes, settings.max_record_age_minutes * VERY_LATE
    share = f"{VERY_LATE:.0%} of the age at which Lambda gives them up"
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
            # One datapoint is enough, and a long invocation may keep the next one back for a quarter of an hour.
            breaching=1,
        )


def _standstill(settings: RelaySettings, signals: Signals) -> Watch:
    # A delivery may be counted in a later period than the record's arrival; and CloudWatch may not have the newest
    # count yet, which FILL can't tell from 0.
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
    """A shard can't get past a record. A passing failure is over with the next attempt."""
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
    """Lambda gives records up undelivered. A loss pages even while another page is on."""
    yield Watch(
        Severity.TICKET,
        "RecordsGivenUp",
        signals.mapping("OnFailureDestinationDeliveredEventCount"),
        says="Lambda gave up records, and stored them in the bucket.",
        runbook="records-are-given-up",
        periods=1,
        breaching=1,
    )
    yield Watch(
        Severity.PAGE,
        "RecordsDropped",
        signals.mapping("DroppedEventCount"),
        says="Lambda gave up records, and didn't store them.",
        runbook="records-are-lost",
        periods=1,
        breaching=1,
        by_itself=True,
    )
    yield Watch(
        Severity.PAGE,
        "RecordsNotStored",
        signals.function("DestinationDeliveryFailures"),
        says="Lambda can't store the records that it gives up.",
        runbook="records-are-lost",
        periods=1,
        breaching=1,
        by_itself=True,
    )


def _content(signals: Signals) -> Iterable[Watch]:
    """Producers write events that the relay rejects, or members that it leaves out."""
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
        says=f"100 events have over {MOST_PERCENT} unknown members, and the relay leaves these out.",
        runbook="members-are-unknown",
        above=MOST_PERCENT,
    )


def _failures(settings: RelaySettings, signals: Signals) -> Iterable[Watch]:
    """Invocations fail, or nearly do."""
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
        # If the function reported a record, it waited up to its deadline on purpose.
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
    """The records that arrive; for a stream of another account, those that the function received."""
    return signals.stream("IncomingRecords") if signals.sees_stream else signals.relay(Metric.RECORDS_RECEIVED)


def _longest_invocation(settings: RelaySettings) -> int:
    """The periods that a batch may take to fill up and settle: Lambda counts an invocation when it ends."""
    return math.ceil((settings.timeout_seconds + settings.batch_window_seconds) / 60 / PERIOD_MINUTES)


# FILL every metric, because CloudWatch doesn't promise what a formula makes of an absent value.
def _percent(part: IMetric, whole: IMetric) -> MathExpression:
    return _expression("IF(FILL(whole, 0) > 0, 100 * FILL(part, 0) / FILL(whole, 1), 0)", part=part, whole=whole)


def _expression(expression: str, **metrics: IMetric) -> MathExpression:
    return MathExpression(expression=expression, using_metrics=metrics, period=Duration.minutes(PERIOD_MINUTES))
