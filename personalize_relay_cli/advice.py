"""What to do about each reason to reject an event, and each weakness of events that are taken.

The advice of the reasons is that of docs/events.md, word for word; a test keeps it so.
"""

from enum import StrEnum

from personalize_relay.errors import Reason

REASONS: dict[Reason, str] = {
    Reason.INVALID_BASE64: "the event did not come from Kinesis: look at what invokes the function",
    Reason.EMPTY_RECORD: "send no empty records",
    Reason.COMPRESSED_RECORD: "compress with gzip, or not at all; look at what cuts it off",
    Reason.BAD_CHECKSUM: "look at what changes KPL aggregates on their way",
    Reason.TOO_LARGE: "send it in smaller records: one may inflate to 10 MiB",
    Reason.INVALID_UTF8: "encode the JSON as UTF-8",
    Reason.INVALID_JSON: "send JSON, complete and with its own quotes; the detail says what was seen",
    Reason.NOT_AN_OBJECT: "send an object, or a list of objects; a bare value is no event",
    Reason.FOREIGN_FORMAT: "set `mapping` to the preset that the detail names, or write a mapping",
    Reason.NOT_MAPPED: "add a rule to the mapping, or one that drops it",
    Reason.AMBIGUOUS_MEMBER: "send the member once, under one spelling",
    Reason.TOO_DEEP: "flatten it to 32 levels, and pack it in at most 4 layers",
    Reason.TOO_MANY_EVENTS: "send at most 500 in an `eventList` or a mapping's `each`, and 20,000 in a record",
    Reason.TRACKER_NOT_ALLOWED: "add the tracker to `allowedTrackingIds`, or mend the producer",
    Reason.MISSING_MEMBER: "add the member that the detail names",
    Reason.WRONG_TYPE: "send the type that the detail names",
    Reason.WRONG_LENGTH: "keep to the length that the detail names",
    Reason.PLACEHOLDER_TEXT: "leave the member out, or mend what turns a missing value into a word",
    Reason.INVALID_CHARACTER: "remove the character that the detail names",
    Reason.INVALID_NUMBER: "send a finite number that a double holds",
    Reason.INVALID_TIMESTAMP: "send epoch seconds, or ISO 8601 with a zone",
    Reason.TIMESTAMP_OUT_OF_RANGE: "set the producer's clock; leave `sentAt` out where there is no time",
    Reason.FORBIDDEN_PROPERTY: "rename the key that the detail names",
    Reason.REJECTED_BY_PERSONALIZE: "compare the event with the schema of the interactions dataset",
    Reason.REFUSED_BY_PERSONALIZE: "the detail has the status and code that PutEvents answered",
    Reason.FAILED_REPEATEDLY: "send it again later: PutEvents kept failing on this event while it took others",
}

SAID_BY_DETAIL = frozenset(
    {
        Reason.COMPRESSED_RECORD,
        Reason.TOO_LARGE,
        Reason.INVALID_UTF8,
        Reason.INVALID_JSON,
        Reason.FOREIGN_FORMAT,
        Reason.TOO_DEEP,
        Reason.TOO_MANY_EVENTS,
        Reason.MISSING_MEMBER,
        Reason.WRONG_TYPE,
        Reason.WRONG_LENGTH,
        Reason.INVALID_CHARACTER,
        Reason.INVALID_NUMBER,
        Reason.INVALID_TIMESTAMP,
        Reason.TIMESTAMP_OUT_OF_RANGE,
        Reason.FORBIDDEN_PROPERTY,
        Reason.REFUSED_BY_PERSONALIZE,
    }
)
"""The reasons whose details say what to do: where one is seen, the reason's advice adds nothing."""


def beyond_detail(reason: str) -> str:
    """What to do that the reason's details don't say; empty where they say it all, or it is a condition of Lambda's."""
    return "" if reason in SAID_BY_DETAIL else {str(each): said for each, said in REASONS.items()}.get(reason, "")


class Weakness(StrEnum):
    """Why events that Personalize takes are worth less to it than they might be: a closed list."""

    NO_EVENTS = "no_events"
    SESSION_PER_EVENT = "session_per_event"
    SESSION_WITHOUT_USER = "session_without_user"
    REUSED_EVENT_ID = "reused_event_id"
    IDENTICAL_EVENT = "identical_event"
    WHOLE_SECONDS = "whole_seconds"
    IN_THE_FUTURE = "in_the_future"
    NO_SENT_AT = "no_sent_at"
    EVENT_TYPE_ONCE = "event_type_once"
    RENAMED_MEMBER = "renamed_member"
    UNKNOWN_MEMBER = "unknown_member"
    PROPERTY_NOT_IN_SCHEMA = "property_not_in_schema"
    FIELD_NEVER_FILLED = "field_never_filled"


WEAKNESSES: dict[Weakness, str] = {
    Weakness.NO_EVENTS: "is it the right file?",
    Weakness.SESSION_PER_EVENT: "keep the sessionId for a whole visit: it joins events to their user, and fills calls",
    Weakness.SESSION_WITHOUT_USER: "send the userId once it is known: nothing is learnt about a user from the others",
    Weakness.REUSED_EVENT_ID: "make an eventId for each event: only the first event of an id is trained on",
    Weakness.IDENTICAL_EVENT: "send each with an eventId: nothing else tells one event that is sent twice from two",
    Weakness.WHOLE_SECONDS: "send sentAt with its fraction: events of one second have no order",
    Weakness.IN_THE_FUTURE: "set the producer's clock: above 15 minutes they would be rejected",
    Weakness.NO_SENT_AT: "send sentAt: when the record reaches the stream is not when the user acted",
    Weakness.EVENT_TYPE_ONCE: "is it misspelt? Nothing is learnt from a type with one event",
    Weakness.RENAMED_MEMBER: "send the name as the contract has it: nothing but the relay reads another spelling",
    Weakness.UNKNOWN_MEMBER: "put it into properties: elsewhere it isn't sent to Personalize",
    Weakness.PROPERTY_NOT_IN_SCHEMA: "add a field, or mend the name (fooBar fills FOO_BAR): it is ignored",
    Weakness.FIELD_NEVER_FILLED: "send what fills it (fooBar in properties fills FOO_BAR), or let it be null",
}
