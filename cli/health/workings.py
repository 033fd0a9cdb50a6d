"""What the relay did lately, and what its alarms say of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cli.health import function_log
from cli.health.alarms import alarms as alarms_of
from cli.health.deployed import Deployed
from cli.health.diagnosis import Finding, ok, unknown, wrong
from cli.health.function_log import Batch
from personalize_relay.metrics import Metric

RUNBOOK = "docs/operations.md"
LOOKED_BACK = timedelta(days=1)
_RECENT = 10
_SECTIONS = (
    (Metric.CONFIGURATION_ERRORS, "configuration-errors"),
    (Metric.QUARANTINE_WRITE_ERRORS, "quarantine-write-errors"),
    (Metric.INTERNAL_ERRORS, "internal-errors"),
    (Metric.THROTTLES, "putevents-is-throttled"),
)


def batches(deployed: Deployed) -> Iterator[Finding]:
    """The last batch was settled without an error."""
    name, now = "last batch", deployed.now()
    found = function_log.latest(
        deployed.client("logs"),
        deployed.output("LogGroupName"),
        since=now - LOOKED_BACK,
        until=now,
        only=function_log.SETTLED,
        most=_RECENT,
    )
    if not found:
        yield unknown(name, "none in a day's log: did nothing arrive?", "try it out with --send-event")
        return
    last, failed = found[0], sum(bool(batch.errors) for batch in found)
    says = f"{_ago(now, last.at)}: {_summary(last)}"
    if last.errors:
        yield wrong(name, f"{says}; it failed with {', '.join(last.errors)}", f"see {RUNBOOK}#{section(last)}")
    else:
        yield ok(name, f"{says}; of the last {len(found)}, {failed} had errors" if failed else says)


def alarms(deployed: Deployed) -> Iterator[Finding]:
    """None is on, and all are there."""
    _ = deployed.stack
    name, seen = "alarms", alarms_of(deployed.client, deployed.deployment.stack)
    for alarm in seen.on:
        says, _, runbook = alarm.says.partition(" Runbook: ")
        yield wrong(name, f"{alarm.name} since {alarm.since}: {says}", f"see {runbook or RUNBOOK}")
    for gone in seen.gone:
        yield wrong(name, f"{gone} is not there: nobody would be told", "deploy the stage again, which puts it right")
    if not seen.on and not seen.gone and seen.watched:
        yield ok(name, f"none of {seen.watched} is on")
    if seen.not_emulated:
        yield unknown(name, f"{seen.not_emulated} more can't be checked here: the emulator doesn't hold them")


def section(batch: Batch) -> str:
    """Where the runbook has what a batch failed of."""
    return next((part for metric, part in _SECTIONS if batch.counts.get(metric)), "nothing-is-delivered")


def _summary(batch: Batch) -> str:
    counts = batch.counts
    return (
        f"{counts.get(Metric.RECORDS_RECEIVED, 0):.0f} records, events "
        f"delivered {counts.get(Metric.EVENTS_DELIVERED, 0):.0f}, "
        f"quarantined {counts.get(Metric.EVENTS_QUARANTINED, 0):.0f}, "
        f"undelivered {counts.get(Metric.EVENTS_UNDELIVERED, 0):.0f}"
    )


def _ago(now: datetime, then: datetime) -> str:
    minutes = max(0, (now - then) // timedelta(minutes=1))
    return "less than a minute ago" if minutes == 0 else f"{minutes} minutes ago"
