"""One event of its own through the relay: put on the stream, and waited for until the function has delivered it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import uuid4

from personalize_relay.metrics import Metric
from personalize_relay.names import CONTRACT, MARK
from personalize_relay_cli.health import function_log
from personalize_relay_cli.health.deployed import Deployed
from personalize_relay_cli.health.diagnosis import Finding, ok, unknown, wrong
from personalize_relay_cli.health.function_log import Batch
from personalize_relay_cli.health.workings import RUNBOOK, section

NAME = "test event"
EVENT_TYPE = "relay-doctor"
PATIENCE = timedelta(seconds=90)
_ARRIVAL_MARGIN = timedelta(seconds=2)
"""How far the clocks of this machine, of Kinesis and of Lambda may lie apart."""
_PAUSE = 1.0
_MOST_BATCHES = 100


def event(now: datetime, *, mapped: bool = False) -> bytes:
    """The event: of a session and an id of its own, of no user and no item; `mapped` where the function has a mapping.

    It is in the contract, and says so to a mapping, which then leaves it as it is.
    """
    name = f"{EVENT_TYPE}-{uuid4()}"
    members = {MARK: CONTRACT} if mapped else {}
    members |= {"sessionId": name, "eventId": name, "eventType": EVENT_TYPE, "sentAt": now.isoformat()}
    return json.dumps(members).encode()


def send(deployed: Deployed, wait: Callable[[float], None], patience: timedelta = PATIENCE) -> Iterator[Finding]:
    """Put an event on the stream, and say what became of it."""
    if deployed.settings.shadow:
        says = "not sent: the function is in shadow, and delivers nothing"
        yield unknown(NAME, says, "set shadow to false, and deploy")
        return
    sent = deployed.now()
    data = event(sent, mapped=bool(deployed.settings.mapping))
    key = str(uuid4())
    deployed.ask("kinesis", "put_record", **deployed.stream_parameter, PartitionKey=key, Data=data)
    failed: Batch | None = None
    while deployed.now() < sent + patience:
        batches = _since(deployed, sent)
        delivered = [batch for batch in batches if _delivered(batch)]
        if delivered:
            yield _found(delivered, sent)
            return
        failed = next((batch for batch in batches if batch.errors), failed)
        wait(_PAUSE)
    yield _undelivered(failed, patience)


def _since(deployed: Deployed, sent: datetime) -> list[Batch]:
    return function_log.latest(
        deployed.client("logs"),
        deployed.output("LogGroupName"),
        since=sent,
        until=deployed.now() + _ARRIVAL_MARGIN,
        only=function_log.SETTLED,
        most=_MOST_BATCHES,
    )


def _delivered(batch: Batch) -> bool:
    return batch.counts.get(Metric.EVENTS_DELIVERED, 0) > 0 and not batch.counts.get(Metric.RECORDS_REPORTED)


def _found(delivered: list[Batch], sent: datetime) -> Finding:
    """It was this event for certain where one batch alone delivered one record alone, that arrived when it did."""
    if len(delivered) == 1 and _records(delivered[0]) == 1 and _arrived(delivered[0], sent):
        seconds = delivered[0].counts[Metric.DELIVERY_LAG] / 1000
        return ok(NAME, f"delivered in {seconds:.1f} s; it is recorded in the dataset, as {EVENT_TYPE}")
    records = sum(map(_records, delivered))
    says = f"{records} records were delivered since, and the log doesn't say whether it is among them"
    return unknown(NAME, f"{says}; it is, or will be, recorded in the dataset as {EVENT_TYPE}")


def _records(batch: Batch) -> int:
    return round(batch.counts.get(Metric.RECORDS_RECEIVED, 0))


def _arrived(batch: Batch, sent: datetime) -> bool:
    lag = timedelta(milliseconds=batch.counts.get(Metric.DELIVERY_LAG, 0))
    return abs(batch.at - lag - sent) <= _ARRIVAL_MARGIN


def _undelivered(failed: Batch | None, patience: timedelta) -> Finding:
    seconds = patience // timedelta(seconds=1)
    if failed:
        says = f"not delivered within {seconds} s: the function failed with {', '.join(failed.errors)}"
        return wrong(NAME, says, f"it comes again by itself; see {RUNBOOK}#{section(failed)}")
    return wrong(
        NAME, f"not delivered within {seconds} s, and no batch was settled", f"see {RUNBOOK}#nothing-is-delivered"
    )
