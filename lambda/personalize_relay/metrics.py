"""The relay's metrics, by name. Each is emitted once an invocation; those that page, at once."""

from enum import StrEnum

from personalize_relay.errors import Reason


class Metric(StrEnum):
    """The metrics in CloudWatch; each reason for quarantine has one more, see `quarantined_for`."""

    RECORDS_RECEIVED = "RecordsReceived"
    """Records in the batch; a record that comes again is counted again."""
    RECORDS_REPORTED = "RecordsReported"
    """Records reported to the event source mapping as failed: they come again."""
    EVENTS_RECEIVED = "EventsReceived"
    """Events in those records, good and bad; a record that can't be read counts as one event."""
    EVENTS_DELIVERED = "EventsDelivered"
    """Events that PutEvents took."""
    EVENTS_SHADOWED = "EventsShadowed"
    """Valid events of a function in shadow, which would have called PutEvents for them."""
    EVENTS_FILTERED = "EventsFiltered"
    """Payloads that a rule of the payload mapping dropped; the log line counts them by rule."""
    EVENTS_QUARANTINED = "EventsQuarantined"
    """Rejected events that the bucket took; a record rejected whole counts as one."""
    EVENTS_UNDELIVERED = "EventsUndelivered"
    """Valid events that PutEvents didn't take in time: their records come again."""
    CALLS = "PutEventsCalls"
    """PutEvents calls begun."""
    RETRIES = "PutEventsRetries"
    """Those of the calls that repeat a failed call."""
    THROTTLES = "PutEventsThrottles"
    """Calls that Personalize throttled."""
    CONFIGURATION_ERRORS = "ConfigurationErrors"
    """Calls refused because access, the credentials or the tracker is wrong: a person must act."""
    QUARANTINE_WRITE_ERRORS = "QuarantineWriteErrors"
    """Quarantine objects that the bucket refused: their records come again."""
    INTERNAL_ERRORS = "InternalErrors"
    """Records that the relay itself failed on: it has a bug, and the records come again."""
    UNKNOWN_MEMBERS = "UnknownMembers"
    """Members of events that the contract doesn't know, and that the relay doesn't send."""
    RENAMED_MEMBERS = "RenamedMembers"
    """Members of events that the relay took under another spelling of their name."""
    MISSING_SENT_AT = "MissingSentAt"
    """Events without `sentAt`, dated by their record's arrival."""
    REPEATED_EVENT_IDS = "RepeatedEventIds"
    """Events whose id a different, earlier event of the batch has: Personalize trains only on the first."""
    DELIVERY_LAG = "DeliveryLag"
    """Milliseconds from the arrival of the batch's oldest delivered record to the end of the invocation."""
    EVENT_AGE = "EventAge"
    """Milliseconds from `sentAt` to delivery, on average over the delivered events whose producer gave a `sentAt`."""
    LATENCY = "PutEventsLatency"
    """Milliseconds that a PutEvents call took, on average."""
    PEAK_MEMORY = "PeakMemory"
    """The most megabytes that the function's process has held since it began."""


ALERTS = frozenset({Metric.CONFIGURATION_ERRORS, Metric.QUARANTINE_WRITE_ERRORS, Metric.INTERNAL_ERRORS})
"""The metrics that a person must act on: emitted as they happen."""

_UNITS: dict[str, str] = {
    Metric.DELIVERY_LAG: "Milliseconds",
    Metric.EVENT_AGE: "Milliseconds",
    Metric.LATENCY: "Milliseconds",
    Metric.PEAK_MEMORY: "Megabytes",
}


def quarantined_for(reason: Reason) -> str:
    """The metric that counts the events quarantined for a reason, such as `QuarantinedInvalidJson`."""
    return "Quarantined" + "".join(word.capitalize() for word in reason.split("_"))


def unit(name: str) -> str:
    """The unit of a metric, as CloudWatch names it."""
    return _UNITS.get(name, "Count")
