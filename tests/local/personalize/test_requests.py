"""The Personalize fake keeps to every limit of the service's model."""

import json

import pytest
from botocore.exceptions import ClientError

from local.personalize.requests import MAX_EVENT_BYTES, put_events_shape
from local.personalize.server import PersonalizeFake
from tests.local.personalize.put_events import ACCEPTED, REFUSED, PutEvents, a_document, post, post_document, with_event

EVENT = put_events_shape().members["eventList"].member  # type: ignore[attr-defined] # a list's shape has a member
STRINGS = ["eventId", "eventType", "itemId", "recommendationId"]


def limit(member: str, name: str) -> int:
    return int(EVENT.members[member].metadata[name])


@pytest.mark.parametrize("member", STRINGS)
def test_length_limits_of_an_event_are_the_models(personalize: PersonalizeFake, member: str) -> None:
    """A string at its longest is accepted, one longer or empty refused: botocore leaves the maximums to the service."""
    longest = limit(member, "max")
    assert post_document(personalize, with_event(**{member: "x" * longest})) == ACCEPTED
    assert post_document(personalize, with_event(**{member: "x" * (longest + 1)})) == REFUSED
    assert post_document(personalize, with_event(**{member: "x" * (limit(member, "min") - 1)})) == REFUSED


@pytest.mark.parametrize("member", ["trackingId", "userId", "sessionId"])
def test_length_limits_of_a_request_are_the_models(personalize: PersonalizeFake, member: str) -> None:
    longest = int(put_events_shape().members[member].metadata["max"])
    assert post_document(personalize, a_document(**{member: "x" * longest})) == ACCEPTED
    assert post_document(personalize, a_document(**{member: "x" * (longest + 1)})) == REFUSED
    assert post_document(personalize, a_document(**{member: ""})) == REFUSED


def test_a_call_holds_ten_events_and_an_impression_25_items(personalize: PersonalizeFake) -> None:
    """The lists end at the model's sizes, and neither may be empty."""
    most_events = int(put_events_shape().members["eventList"].metadata["max"])
    most_items = limit("impression", "max")
    one = a_document()["eventList"]
    assert (most_events, most_items) == (10, 25)
    assert post_document(personalize, a_document(eventList=one * 10)) == ACCEPTED
    assert post_document(personalize, a_document(eventList=one * 11)) == REFUSED
    assert post_document(personalize, a_document(eventList=[])) == REFUSED
    assert post_document(personalize, with_event(impression=["i"] * 25)) == ACCEPTED
    assert post_document(personalize, with_event(impression=["i"] * 26)) == REFUSED
    assert post_document(personalize, with_event(impression=[])) == REFUSED


def test_properties_are_a_json_object_in_a_string_of_1024_characters(personalize: PersonalizeFake) -> None:
    longest = limit("properties", "max")
    assert post_document(personalize, with_event(properties=properties_of(longest))) == ACCEPTED
    assert post_document(personalize, with_event(properties=properties_of(longest + 1))) == REFUSED


def properties_of(length: int) -> str:
    return json.dumps({"a": "x" * (length - len('{"a": ""}'))})


@pytest.mark.parametrize("properties", ["not json", "[]", '"text"', "{", '{"userId":"u"}', '{"TIMESTAMP":1}', {"a": 1}])
def test_other_properties_are_refused(personalize: PersonalizeFake, properties: object) -> None:
    assert post_document(personalize, with_event(properties=properties)) == REFUSED


@pytest.mark.parametrize("source", ["cms", " cms ", "x" * 1024])
def test_printable_attribution_sources_are_accepted(personalize: PersonalizeFake, source: str) -> None:
    assert post_document(personalize, with_event(metricAttribution={"eventAttributionSource": source})) == ACCEPTED


@pytest.mark.parametrize("source", ["", " ", "é", "a\n", "\t", "x" * 1025, None])
def test_the_pattern_of_attribution_sources_is_enforced(personalize: PersonalizeFake, source: str | None) -> None:
    assert post_document(personalize, with_event(metricAttribution={"eventAttributionSource": source})) == REFUSED


@pytest.mark.parametrize(
    "document",
    [
        *({name: value for name, value in a_document().items() if name != gone} for gone in a_document()),
        a_document(trackingId=None),
        a_document(sessionId=1),
        a_document(eventList={}),
        a_document(eventList=["e"]),
        with_event(eventType=None),
        with_event(sentAt=None),
        with_event(sentAt="2026-01-31T00:00:00Z"),
        with_event(sentAt=True),
        with_event(eventValue="NaN"),
        with_event(eventValue=True),
        with_event(impression="i"),
        with_event(metricAttribution={}),
    ],
)
def test_missing_members_and_wrong_types_are_refused(personalize: PersonalizeFake, document: object) -> None:
    """A required member that is absent or null, and a value of another type, fail the whole call."""
    assert post_document(personalize, document) == REFUSED
    assert personalize.accepted == {}


def test_absent_null_and_unknown_members_are_no_violation(personalize: PersonalizeFake) -> None:
    assert post_document(personalize, {**with_event(itemId=None, eventValue=0, new=1), "userId": None}) == ACCEPTED


def test_an_event_weighs_at_most_ten_kilobytes(personalize: PersonalizeFake) -> None:
    """The quota counts bytes, so that an event within every limit in characters may still be too large."""
    event = with_event(impression=["é" * 256] * 25, properties=properties_of(1024))
    assert len(json.dumps(event, ensure_ascii=False).encode()) > MAX_EVENT_BYTES
    assert post_document(personalize, event) == REFUSED


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"a":NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(personalize: PersonalizeFake, body: bytes) -> None:
    assert post(personalize, body) == (400, "SerializationException")


def test_a_refusal_names_the_member_and_no_value(put_events: PutEvents) -> None:
    with pytest.raises(ClientError, match="itemId") as refused:
        put_events("e", itemId="secret" * 50)
    assert "secret" not in str(refused.value)
