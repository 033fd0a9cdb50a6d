"""The metrics of the relay, by name, each counted once an invocation, but those that page: at once."""

from enum import StrEnum

from personalize_relay.errors import Reason


class Metric(StrEnum):
    """What CloudWatch shows; a reason for quarantine has a metric of its own beside these, see `quarantined_for`."""

    RECORDS_RECEIVED = "RecordsReceived"
    """Records in the batch; a record that comes again is counted again."""
    RECORDS_REPORTED = "RecordsReported"
    """Records reported to the mapping as failed: they come again."""
    EVENTS_RECEIVED = "EventsReceived"
    """Events in those records, good and bad; a record that can't be read counts as one."""
    EVENTS_DELIVERED = "EventsDelivered"
    """Events that PutEvents took."""
    EVENTS_SHADOWED = "EventsShadowed"
    """Valid events of a function in shadow: PutEvents would have been called for them."""
    EVENTS_FILTERED = "EventsFiltered"
    """Payloads that a rule of the mapping drops; the log line counts them by rule."""
    EVENTS_QUARANTINED = "EventsQuarantined"
    """Rejected events, and records rejected whole, that the bucket took."""
    EVENTS_UNDELIVERED = "EventsUndelivered"
    """Valid events that PutEvents didn't take in time: their records come again."""
    CALLS = "PutEventsCalls"
    """PutEvents calls begun."""
    RETRIES = "PutEventsRetries"
    """Calls among them that repeat one that failed."""
    THROTTLES = "PutEventsThrottles"
    """Calls that the service throttled."""
    CONFIGURATION_ERRORS = "ConfigurationErrors"
    """Calls refused for lack of access, credentials or the tracker: a person must act."""
    QUARANTINE_WRITE_ERRORS = "QuarantineWriteErrors"
    """Quarantine objects that the bucket didn't take: their records come again."""
    INTERNAL_ERRORS = "InternalErrors"
    """Records that the relay itself failed on: a bug, and the records come again."""
    UNKNOWN_MEMBERS = "UnknownMembers"
    """Members of events that the contract doesn't know, and that are not sent."""
    RENAMED_MEMBERS = "RenamedMembers"
    """Members of events that were taken under another spelling of their name."""
    MISSING_SENT_AT = "MissingSentAt"
    """Events dated by their record's arrival, for want of `sentAt`."""
    REPEATED_EVENT_IDS = "RepeatedEventIds"
    """Events of the batch whose id a differing event before them has: Personalize trains on the first only."""
    DELIVERY_LAG = "DeliveryLag"
    """Milliseconds from the arrival of the batch's oldest delivered record to the end of the invocation."""
    EVENT_AGE = "EventAge"
    """Milliseconds from `sentAt` to delivery, on average over the delivered events whose producer gave one."""
    LATENCY = "PutEventsLatency"
    """Milliseconds that a PutEvents call took, on average."""
    PEAK_MEMORY = "PeakMemory"
    """Megabytes that the function's process has held at most since it began."""


ALERTS = frozenset({Metric.CONFIGURATION_ERRORS, Metric.QUARANTINE_WRITE_ERRORS, Metric.INTERNAL_ERRORS})
"""Those that a person must act on: emitted as they happen."""

_UNITS: dict[str, str] = {
    Metric.DELIVERY_LAG: "Milliseconds",
    Metric.EVENT_AGE: "Milliseconds",
    Metric.LATENCY: "Milliseconds",
    Metric.PEAK_MEMORY: "Megabytes",
}


def quarantined_for(reason: Reason) -> str:
    """The metric that counts what is quarantined for a reason, such as `QuarantinedInvalidJson`."""
    return "Quarantined" + "".join(word.capitalize() for word in reason.split("_"))


def unit(name: str) -> str:
    """The unit of a metric, as CloudWatch names it."""
    return _UNITS.get(name, "Count")
