"""What the relay did lately, and what its alarms say of it."""

from collections.abc import Iterator, Sequence

from personalize_relay.metrics import Metric
from personalize_relay_cli.health.alarms import alarms as alarms_of
from personalize_relay_cli.health.deployed import Deployed
from personalize_relay_cli.health.diagnosis import Finding, ok, unknown, warning, wrong
from personalize_relay_cli.health.function_log import Batch
from personalize_relay_cli.printing import lasting

RUNBOOK = "docs/operations.md"
MOST = 0.5
"""Unknown members for each event, from which producers mean others than the contract's: as the alarm has it."""
_SECTIONS = (
    (Metric.CONFIGURATION_ERRORS, "configuration-errors"),
    (Metric.QUARANTINE_WRITE_ERRORS, "quarantine-write-errors"),
    (Metric.INTERNAL_ERRORS, "internal-errors"),
    (Metric.THROTTLES, "putevents-is-throttled"),
)


def arrivals(deployed: Deployed) -> Iterator[Finding]:
    """Records come; that they don't is a warning, as only the producers know whether they should."""
    name, seen = "arrivals", deployed.arrived
    if seen.value:
        yield ok(name, f"{seen.value:.0f} records in the last hour")
    else:
        says = f"no record came in the last hour, and {seen.before or 0:.0f} in the one before"
        stream = deployed.output("StreamName")
        yield warning(name, says, f"is {stream} what producers write to? See {RUNBOOK}#nothing-arrives")


def batches(deployed: Deployed) -> Iterator[Finding]:
    """The last batch was settled without an error."""
    name, found, now = "last batch", deployed.batches, deployed.now()
    if not found:
        yield unknown(name, "none in a day's log: did nothing arrive?", "try it out with --send-event")
        return
    last, failed = found[0], sum(bool(batch.errors) for batch in found)
    says = f"{lasting((now - last.at).total_seconds())} ago: {_summary(last)}"
    if last.errors:
        yield wrong(name, f"{says}; it failed with {', '.join(last.errors)}", f"see {RUNBOOK}#{section(last)}")
    else:
        yield ok(name, f"{says}; of the last {len(found)}, {failed} had errors" if failed else says)


def members(deployed: Deployed) -> Iterator[Finding]:
    """The contract knows what producers call things; without a batch there is nothing to say."""
    name, found = "members", deployed.batches
    unknown, received = (_sum(found, metric) for metric in (Metric.UNKNOWN_MEMBERS, Metric.EVENTS_RECEIVED))
    says = f"{unknown:.0f} in {received:.0f} events of the last {len(found)} batches are unknown, and not sent"
    if unknown > received * MOST:
        yield wrong(name, says, f"see {RUNBOOK}#members-are-unknown")
    elif found:
        yield ok(name, says if unknown else f"none is unknown in the last {len(found)} batches")


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


def _sum(found: Sequence[Batch], metric: Metric) -> float:
    return sum(batch.counts.get(metric, 0) for batch in found)


def _summary(batch: Batch) -> str:
    counts = batch.counts
    return (
        f"{counts.get(Metric.RECORDS_RECEIVED, 0):.0f} records, events "
        f"delivered {counts.get(Metric.EVENTS_DELIVERED, 0):.0f}, "
        f"quarantined {counts.get(Metric.EVENTS_QUARANTINED, 0):.0f}, "
        f"undelivered {counts.get(Metric.EVENTS_UNDELIVERED, 0):.0f}"
    )
