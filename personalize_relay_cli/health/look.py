"""One look at a deployed relay: what flows, what fails, and which alarms are on."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from personalize_relay_cli.deployment import Deployment
from personalize_relay_cli.health import alarms, function_log, readings
from personalize_relay_cli.health.alarms import AlarmStates
from personalize_relay_cli.health.function_log import Batch
from personalize_relay_cli.health.readings import Figure
from personalize_relay_cli.problems import Problem, translating

MOST_FAILURES = 5


class Unread(msgspec.Struct, frozen=True):
    """Why a part could not be looked at."""

    unread: str


class Look(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="schema", tag="personalize-relay.status/1"
):
    """All that was seen: figures under CloudWatch's names, without a value where it has no data."""

    stack: str
    at: datetime
    window_minutes: int
    figures: Mapping[str, Figure]
    events_a_call: Figure
    mapping: str | Unread
    """The mapping's state in Lambda's own word."""
    alarms: AlarmStates | Unread
    failures: tuple[Batch, ...] | Unread
    """The last batches of the window that something failed in, newest first."""


def look(deployment: Deployment, window: timedelta, now: datetime) -> Look:
    """Look once; raises Problem where not even the metrics can be read."""
    client = deployment.client
    wanted = readings.signals(deployment)
    uuid, group = deployment.output("EventSourceMappingId"), deployment.output("LogGroupName")
    with translating():
        figures = readings.read(client("cloudwatch"), wanted, window, now)
    return Look(
        stack=deployment.stack,
        at=now,
        window_minutes=window // timedelta(minutes=1),
        figures=figures,
        events_a_call=readings.events_a_call(figures),
        mapping=_or_why(lambda: str(client("lambda").get_event_source_mapping(UUID=uuid)["State"])),
        alarms=_or_why(lambda: alarms.alarms(client, deployment.stack)),
        failures=_or_why(
            lambda: tuple(
                function_log.latest(
                    client("logs"),
                    group,
                    since=now - window,
                    until=now,
                    only=function_log.FAILED,
                    most=MOST_FAILURES,
                )
            )
        ),
    )


def _or_why[Seen](see: Callable[[], Seen]) -> Seen | Unread:
    try:
        with translating():
            return see()
    except Problem as exc:
        return Unread(str(exc))
