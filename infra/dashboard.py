"""The dashboard: is data flowing, what is failing, and where is the limit."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import (
    AlarmStatusWidget,
    Dashboard,
    GraphWidget,
    HorizontalAnnotation,
    IAlarm,
    IMetric,
    IWidget,
    MathExpression,
    PeriodOverride,
    TextWidget,
    YAxisProps,
)
from constructs import Construct

from personalize_relay.errors import Reason
from personalize_relay.metrics import Metric, quarantined_for

from .relay_settings import RelaySettings
from .signals import PERIOD_MINUTES, Signals

WIDTH = 24
HEIGHT = 6
QUOTA = 1000
"""PutEvents calls a second that Personalize takes for a dataset group, unless AWS has raised the quota."""


class RelayDashboard(Construct):
    """Three rows, each under the question that it answers."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RelaySettings,
        signals: Signals,
        alarms: Sequence[IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        Dashboard(
            self,
            "Dashboard",
            default_interval=Duration.hours(3),
            # The limits are drawn for sums over this period.
            period_override=PeriodOverride.INHERIT,
            widgets=[
                [_question("Is data flowing, and how fresh is it?")],
                [*_flow(settings, signals), _states(alarms)],
                [_question("What is failing, and why?")],
                _failures(signals),
                [_question("What does it cost, and where is the limit?")],
                _limits(settings, signals),
            ],
        )


def _flow(settings: RelaySettings, signals: Signals) -> list[IWidget]:
    late = settings.freshness_minutes * 60_000
    return [
        _graph(
            "Records and events",
            *_stream(signals, "IncomingRecords"),
            *_relay(
                signals,
                Metric.RECORDS_RECEIVED,
                Metric.EVENTS_RECEIVED,
                Metric.EVENTS_DELIVERED,
                Metric.EVENTS_SHADOWED,
                Metric.EVENTS_FILTERED,
                Metric.EVENTS_QUARANTINED,
            ),
            share=3,
        ),
        _graph(
            "Age, ms",
            signals.function("IteratorAge", "Maximum"),
            *_stream(signals, "GetRecords.IteratorAgeMilliseconds", statistic="Maximum"),
            signals.relay(Metric.DELIVERY_LAG, "Maximum"),
            signals.relay(Metric.EVENT_AGE, "Average"),
            line=HorizontalAnnotation(value=late, label="late"),
            share=3,
        ),
    ]


def _failures(signals: Signals) -> list[IWidget]:
    return [
        _graph("Quarantined, by reason", *(signals.relay(quarantined_for(reason)) for reason in Reason), stacked=True),
        _graph(
            "Comes again, and why",
            *_relay(
                signals,
                Metric.RECORDS_REPORTED,
                Metric.EVENTS_UNDELIVERED,
                Metric.CONFIGURATION_ERRORS,
                Metric.QUARANTINE_WRITE_ERRORS,
                Metric.INTERNAL_ERRORS,
            ),
            signals.function("Errors"),
        ),
        _graph(
            "Given up",
            signals.mapping("OnFailureDestinationDeliveredEventCount"),
            signals.mapping("DroppedEventCount"),
            signals.function("DestinationDeliveryFailures"),
        ),
        _graph(
            "For producers to mend",
            *_relay(
                signals,
                Metric.MISSING_SENT_AT,
                Metric.REPEATED_EVENT_IDS,
                Metric.UNKNOWN_MEMBERS,
                Metric.RENAMED_MEMBERS,
            ),
        ),
    ]


def _limits(settings: RelaySettings, signals: Signals) -> list[IWidget]:
    quota = QUOTA * PERIOD_MINUTES * 60
    traffic = _traffic(signals)
    share = 2 + len(traffic)
    return [
        _graph(
            "PutEvents calls",
            *_relay(signals, Metric.CALLS, Metric.RETRIES, Metric.THROTTLES),
            right=[signals.relay(Metric.LATENCY, "Average")],
            line=HorizontalAnnotation(value=quota, label=f"{QUOTA} a second"),
            share=3,
        ),
        _graph(
            "What Personalize counts, by tracker",
            *map(_by_tracker, ("PutEventsRequests", "PutEvents4xxErrors", "PutEvents5xxErrors")),
            right=[_by_tracker("PutEventLatency", "Average")],
            share=3,
        ),
        _graph("Events a call", _events_a_call(signals), share=3),
        *traffic,
        _graph(
            "Function",
            signals.function("Duration", "Maximum"),
            signals.function("Duration", "Average"),
            right=[signals.function("ConcurrentExecutions", "Maximum"), signals.function("Throttles")],
            line=HorizontalAnnotation(value=settings.timeout_seconds * 1000, label="timeout"),
            share=share,
        ),
        _graph(
            "Memory, MB",
            signals.relay(Metric.PEAK_MEMORY, "Maximum"),
            line=HorizontalAnnotation(value=settings.memory_mb, label="all there is"),
            share=share,
        ),
    ]


def _traffic(signals: Signals) -> list[IWidget]:
    """The stream's own graph, if the stream is in the dashboard's account."""
    exceeded = _stream(signals, "ReadProvisionedThroughputExceeded", "WriteProvisionedThroughputExceeded")
    return [_graph("Stream", *_stream(signals, "IncomingBytes"), right=exceeded, share=3)] if exceeded else []


def _stream(signals: Signals, *names: str, statistic: str = "Sum") -> list[IMetric]:
    """Kinesis's counts, if the stack can see them."""
    return [signals.stream(name, statistic) for name in names] if signals.sees_stream else []


def _relay(signals: Signals, *names: Metric) -> list[IMetric]:
    return [signals.relay(name) for name in names]


def _events_a_call(signals: Signals) -> IMetric:
    return MathExpression(
        expression="delivered / calls",
        label="events a call",
        using_metrics={
            "delivered": signals.relay(Metric.EVENTS_DELIVERED),
            "calls": signals.relay(Metric.CALLS),
        },
        period=Duration.minutes(PERIOD_MINUTES),
    )


def _by_tracker(name: str, statistic: str = "Sum") -> IMetric:
    """A metric of Personalize's, for all trackers of the account: it counts by ARN, and the stack knows only the id."""
    return MathExpression(
        expression=f"SEARCH('{{AWS/Personalize,EventTrackerArn}} MetricName=\"{name}\"', '{statistic}')",
        label=name,
        period=Duration.minutes(PERIOD_MINUTES),
    )


def _question(text: str) -> IWidget:
    return TextWidget(markdown=f"## {text}", width=WIDTH, height=1)


def _states(alarms: Sequence[IAlarm]) -> IWidget:
    return AlarmStatusWidget(title="Alarms", alarms=alarms, width=WIDTH // 3, height=HEIGHT)


def _graph(
    title: str,
    *left: IMetric,
    right: Sequence[IMetric] = (),
    line: HorizontalAnnotation | None = None,
    stacked: bool = False,
    share: int = 4,
) -> IWidget:
    return GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_annotations=[line] if line else [],
        left_y_axis=YAxisProps(min=0),
        stacked=stacked,
        width=WIDTH // share,
        height=HEIGHT,
    )
