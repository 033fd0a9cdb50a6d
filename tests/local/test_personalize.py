"""The Personalize fake keeps to the service's contract, remembers what it took, and fails as it is told to."""

import http.client
import json
import random
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from local.personalize import TEST_CREDENTIALS, PersonalizeFake
from local.personalize_answers import (
    BARE_503,
    CUT,
    DENIED,
    INTERNAL_ERROR,
    REFUSED_EVENT,
    RESET,
    THROTTLED,
    THROTTLED_400,
    UNAVAILABLE,
    UNKNOWN_TRACKER,
    Answer,
)
from local.personalize_faults import Delay, Effect, Fault, Hang, Quota, SlowBody, Swallow, any_event
from local.personalize_memory import NO_ANSWER
from local.personalize_requests import MAX_EVENT_BYTES, put_events_shape

type PutEvents = Callable[..., None]

EVENT = put_events_shape().members["eventList"].member  # type: ignore[attr-defined] # a list's shape has a member
STRINGS = ["eventId", "eventType", "itemId", "recommendationId"]


@pytest.fixture
def personalize() -> Iterator[PersonalizeFake]:
    with PersonalizeFake() as running:
        yield running


@pytest.fixture
def put_events(personalize: PersonalizeFake) -> PutEvents:
    return client_of(personalize)


def client_of(
    personalize: PersonalizeFake,
    credentials: Credentials = TEST_CREDENTIALS,
    *,
    read_timeout: float = 10,
) -> PutEvents:
    client = boto3.client(
        "personalize-events",
        endpoint_url=personalize.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32, read_timeout=read_timeout),
    )

    def put(*event_ids: str, session_id: str = "s", **event: object) -> None:
        events = [{**an_event(event_id), **event} for event_id in event_ids or ("e",)]
        client.put_events(trackingId="t", userId="u", sessionId=session_id, eventList=events)

    return put


def an_event(event_id: str) -> dict[str, Any]:
    return {"eventId": event_id, "eventType": "click", "sentAt": datetime(2026, 1, 31, tzinfo=UTC)}


def a_document(**members: object) -> dict[str, Any]:
    event = {"eventId": "e", "eventType": "click", "sentAt": 1769817600}
    return {"trackingId": "t", "sessionId": "s", "eventList": [event], **members}


def with_event(**members: object) -> dict[str, Any]:
    return a_document(eventList=[{"eventId": "e", "eventType": "click", "sentAt": 1769817600, **members}])


def signed(personalize: PersonalizeFake, body: bytes, credentials: Credentials = TEST_CREDENTIALS) -> dict[str, str]:
    request = AWSRequest("POST", f"{personalize.endpoint}/events", data=body)
    SigV4Auth(credentials, "personalize", "eu-west-1").add_auth(request)
    return dict(request.headers.items())


def post(personalize: PersonalizeFake, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str | None]:
    """Send a body as it is, signed well unless headers are given; returns the status and the error type."""
    connection = http.client.HTTPConnection("127.0.0.1", personalize.port, timeout=5)
    connection.request("POST", "/events", body, signed(personalize, body) if headers is None else headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("x-amzn-errortype")


def post_document(personalize: PersonalizeFake, document: object) -> tuple[int, str | None]:
    return post(personalize, json.dumps(document).encode())


def answered(put: Callable[[], None]) -> tuple[int, str]:
    """Call and return the status and the code that boto3 understood."""
    try:
        put()
    except ClientError as exc:
        return exc.response["ResponseMetadata"]["HTTPStatusCode"], exc.response["Error"]["Code"]
    return 200, ""


def limit(member: str, name: str) -> int:
    return int(EVENT.members[member].metadata[name])


ACCEPTED = (200, None)
REFUSED = (400, "InvalidInputException")


def test_success_is_an_empty_200_with_a_request_id(personalize: PersonalizeFake) -> None:
    """The answer is PutEvents' own: status 200, no body, a request id."""
    body = json.dumps(a_document()).encode()
    connection = http.client.HTTPConnection("127.0.0.1", personalize.port, timeout=5)
    connection.request("POST", "/events", body, signed(personalize, body))
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    assert response.getheader("x-amzn-requestid")
    connection.close()


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


def test_only_put_events_is_served(personalize: PersonalizeFake) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", personalize.port, timeout=5)
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert (response.status, response.getheader("x-amzn-errortype")) == (404, "UnknownOperationException")
    connection.close()


def test_a_tracker_that_is_not_known_is_not_found() -> None:
    with PersonalizeFake(trackers={"other"}) as personalize:
        assert answered(client_of(personalize)) == (404, "ResourceNotFoundException")
        assert personalize.accepted == {}


def test_a_signature_with_a_session_token_is_good() -> None:
    credentials = Credentials("key", "secret", "token")
    with PersonalizeFake(credentials=credentials) as personalize:
        body = json.dumps(a_document()).encode()
        assert post(personalize, body, signed(personalize, body, credentials)) == ACCEPTED
        without = signed(personalize, body, Credentials("key", "secret"))
        assert post(personalize, body, without) == (403, "UnrecognizedClientException")


def test_a_body_or_header_changed_after_signing_is_refused(personalize: PersonalizeFake) -> None:
    """What the signature covers can't be altered, not even with the checksum header that would vouch for it."""
    body = json.dumps(a_document()).encode()
    headers = signed(personalize, body)
    wrong = (403, "InvalidSignatureException")
    assert post(personalize, body.replace(b"click", b"clack"), headers) == wrong
    assert post(personalize, body, {**headers, "X-Amz-Date": f"{headers['X-Amz-Date'][:-2]}?Z"}) == wrong
    assert post(personalize, body, {**headers, "X-Amz-Content-SHA256": "0" * 64}) == wrong
    assert post(personalize, body, {**headers, "X-Amz-Date": "20200101T000000Z"}) == wrong


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials("stranger", "test"), "UnrecognizedClientException"),
        (Credentials("test", "guess"), "InvalidSignatureException"),
    ],
)
def test_wrong_credentials_are_refused(personalize: PersonalizeFake, credentials: Credentials, code: str) -> None:
    assert answered(client_of(personalize, credentials)) == (403, code)
    assert personalize.accepted == {}


def test_a_request_without_a_signature_is_refused_unless_signatures_are_off(personalize: PersonalizeFake) -> None:
    body = json.dumps(a_document()).encode()
    assert post(personalize, body, {}) == (403, "MissingAuthenticationTokenException")
    assert post(personalize, body, {"Authorization": "Bearer x"}) == (403, "IncompleteSignatureException")
    with PersonalizeFake(verify_signatures=False) as trusting:
        assert post(trusting, body, {}) == ACCEPTED


def test_events_are_remembered_by_id_and_the_first_stands(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """A repeat is counted, not kept: Personalize trains with the first event of an id."""
    put_events("a", "b", itemId="first")
    put_events("a", itemId="second")
    assert {event_id: (it.event["itemId"], it.count) for event_id, it in personalize.accepted.items()} == {
        "a": ("first", 2),
        "b": ("first", 1),
    }
    assert [(call.event_ids, call.status) for call in personalize.calls] == [(("a", "b"), 200), (("a",), 200)]


def test_sessions_list_their_events_in_order_of_arrival(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    for event_id, session_id in [("1", "x"), ("2", "y"), ("3", "x"), ("1", "x")]:
        put_events(event_id, session_id=session_id)
    assert personalize.sessions == {("t", "x"): ("1", "3"), ("t", "y"): ("2",)}


def test_an_event_without_an_id_gets_a_new_one_each_time(personalize: PersonalizeFake) -> None:
    """So a retry without ids becomes a second row, as with Personalize."""
    event = {"eventType": "click", "sentAt": 1769817600}
    for _ in range(2):
        assert post_document(personalize, a_document(eventList=[event])) == ACCEPTED
    assert personalize.accepted_count == 2


def test_the_session_null_is_answered_and_ignored(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    put_events(session_id="null")
    assert (personalize.call_count, personalize.accepted) == (1, {})


def test_forget_starts_the_memory_afresh(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    put_events("a")
    personalize.forget()
    put_events("b")
    assert (personalize.call_count, list(personalize.accepted), personalize.most_in_flight) == (1, ["b"], 1)


def test_calls_in_flight_are_counted_in_all_and_by_session(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """Two calls of one session held at once are seen as two: what proves order elsewhere can fail."""
    personalize.inject(Fault(Hang()))
    with ThreadPoolExecutor() as pool:
        for event_id, session_id in [("1", "x"), ("2", "x"), ("3", "y")]:
            pool.submit(put_events, event_id, session_id=session_id)
        personalize.wait_for(lambda it: it.in_flight == 3, timeout=5)
        assert [call.status for call in personalize.calls] == [None] * 3
        personalize.clear()
    assert personalize.most_in_flight == 3
    assert personalize.most_in_flight_by_session == {("t", "x"): 2, ("t", "y"): 1}
    assert personalize.in_flight == 0


def test_calls_one_after_the_other_are_never_two_in_flight(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """A call is over before its client knows, so that the next one is no false alarm."""
    for number in range(100):
        put_events(str(number))
    assert personalize.most_in_flight_by_session == {("t", "s"): 1}


def test_wait_for_gives_up_with_the_state_of_things(personalize: PersonalizeFake) -> None:
    with pytest.raises(TimeoutError, match="0 calls, 0 of them under way, 0 events accepted"):
        personalize.wait_for(lambda it: it.call_count == 1, timeout=0.01)


@pytest.mark.parametrize(
    "answer", [THROTTLED, THROTTLED_400, INTERNAL_ERROR, UNAVAILABLE, DENIED, UNKNOWN_TRACKER, REFUSED_EVENT]
)
def test_an_answer_strikes_as_often_as_told(
    personalize: PersonalizeFake, put_events: PutEvents, answer: Answer
) -> None:
    """The struck calls are answered so and accept nothing; then all is well again."""
    fault = personalize.inject(Fault(answer, times=2))
    assert [answered(put_events) for _ in range(3)] == [(answer.status, answer.code)] * 2 + [(200, "")]
    assert [call.error for call in personalize.calls] == [answer.code, answer.code, None]
    assert (fault.struck, personalize.accepted["e"].count) == (2, 1)


def test_an_answer_may_lack_a_body_or_say_when_to_retry(personalize: PersonalizeFake) -> None:
    body = json.dumps(a_document()).encode()
    personalize.inject(Fault(BARE_503, times=1))
    personalize.inject(Fault(Answer(status=429, code="ThrottlingException", retry_after=3)))
    assert post(personalize, body) == (503, None)
    connection = http.client.HTTPConnection("127.0.0.1", personalize.port, timeout=5)
    connection.request("POST", "/events", body, signed(personalize, body))
    assert connection.getresponse().getheader("Retry-After") == "3"
    connection.close()


def test_a_bad_event_fails_its_call_and_no_other(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    personalize.inject(Fault(REFUSED_EVENT, when=any_event(lambda event: event.get("itemId") == "bad")))
    assert answered(lambda: put_events("a", itemId="bad")) == REFUSED
    assert answered(lambda: put_events("b", itemId="good")) == (200, "")
    assert list(personalize.accepted) == ["b"]


@pytest.mark.parametrize("effect", [INTERNAL_ERROR, RESET, CUT])
def test_a_taken_call_is_accepted_and_its_answer_lost(
    personalize: PersonalizeFake, put_events: PutEvents, effect: Effect
) -> None:
    """The retry then brings the same id a second time."""
    personalize.inject(Fault(effect, taken=True, times=1))
    with pytest.raises((ClientError, ConnectionClosedError)):
        put_events("a")
    put_events("a")
    assert personalize.accepted["a"].count == 2


def test_a_taken_call_that_breaks_a_limit_is_refused(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    personalize.inject(Fault(INTERNAL_ERROR, taken=True))
    assert answered(lambda: put_events(itemId="x" * 257)) == REFUSED


@pytest.mark.parametrize("answer", [RESET, CUT])
def test_a_reset_gives_no_answer(personalize: PersonalizeFake, put_events: PutEvents, answer: Answer) -> None:
    """The client sees its connection break, before the answer or in its body, and the memory says so."""
    put_events("warm")
    personalize.inject(Fault(answer, times=1))
    with pytest.raises(ConnectionClosedError):
        put_events("a")
    put_events("b")
    assert (personalize.calls[1].status, personalize.calls[1].error) == (None, NO_ANSWER)
    assert list(personalize.accepted) == ["warm", "b"]


def test_a_hanging_call_ends_with_its_client(personalize: PersonalizeFake) -> None:
    """A client that gives up takes its call with it: nothing is accepted."""
    personalize.inject(Fault(Hang()))
    with pytest.raises(ReadTimeoutError):
        client_of(personalize, read_timeout=0.1)()
    personalize.wait_for(lambda it: it.in_flight == 0, timeout=5)
    assert (personalize.calls[0].error, personalize.accepted) == (NO_ANSWER, {})


def test_a_delay_takes_its_time_anew_for_each_call(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    delays = iter([0.05, 0.0])
    personalize.inject(Fault(Delay(lambda: next(delays))))
    began = time.monotonic()
    put_events("a")
    assert time.monotonic() - began >= 0.05
    put_events("b")
    assert (next(delays, None), personalize.accepted_count) == (None, 2)


def test_a_slow_body_comes_whole_or_too_late(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """The events are accepted either way; a client that stops in mid-body can't know."""
    personalize.inject(Fault(SlowBody(0.05), times=1))
    put_events("a")
    personalize.inject(Fault(SlowBody(60)))
    with pytest.raises(ReadTimeoutError):
        client_of(personalize, read_timeout=0.1)("b")
    personalize.wait_for(lambda it: it.in_flight == 0, timeout=5)
    assert [(call.status, call.error) for call in personalize.calls] == [(200, None), (None, NO_ANSWER)]
    assert list(personalize.accepted) == ["a", "b"]


def test_a_swallowed_event_is_answered_200_and_missing(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    personalize.inject(Fault(Swallow(), times=1))
    put_events("a")
    put_events("b")
    assert ([call.status for call in personalize.calls], list(personalize.accepted)) == ([200, 200], ["b"])


def test_a_quota_lets_through_its_burst_and_then_its_rate() -> None:
    """A token bucket on the fake's clock: two at once, then one for each half second that passes."""
    now = [0.0]
    with PersonalizeFake(clock=lambda: now[0]) as personalize:
        put = client_of(personalize)
        personalize.inject(Fault(Quota(2, burst=2)))
        assert [answered(put)[0] for _ in range(3)] == [200, 200, 429]
        now[0] = 0.5
        assert [answered(put)[0] for _ in range(2)] == [200, 429]
        now[0] = 100.0
        assert [answered(put)[0] for _ in range(3)] == [200, 200, 429]


def test_a_fault_ends_with_its_time_or_when_cleared() -> None:
    now = [10.0]
    with PersonalizeFake(clock=lambda: now[0]) as personalize:
        put = client_of(personalize)
        personalize.inject(Fault(UNAVAILABLE, seconds=5))
        assert answered(put)[0] == 503
        now[0] = 15.0
        assert answered(put)[0] == 200
        personalize.inject(Fault(UNAVAILABLE))
        assert answered(put)[0] == 503
        personalize.clear()
        assert answered(put)[0] == 200


def test_a_share_of_calls_fails_by_seed(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """The same seed strikes the same calls of the same order."""
    personalize.inject(Fault(UNAVAILABLE, share=0.5, seed=7))
    draw = random.Random(7)  # noqa: S311 - the fault's own draws, repeated
    assert [answered(put_events)[0] == 503 for _ in range(20)] == [draw.random() < 0.5 for _ in range(20)]


def test_faults_act_in_the_order_of_injection(personalize: PersonalizeFake, put_events: PutEvents) -> None:
    """One that answers in the service's place uses nothing up of those behind it."""
    personalize.inject(Fault(DENIED, times=1))
    behind = personalize.inject(Fault(UNAVAILABLE, times=1))
    assert [answered(put_events)[0] for _ in range(3)] == [403, 503, 200]
    assert behind.struck == 1


def test_the_end_leaves_no_thread_and_no_port_and_lets_no_client_hang() -> None:
    before = set(threading.enumerate())
    with ThreadPoolExecutor() as pool:
        with PersonalizeFake() as personalize:
            personalize.inject(Fault(Hang()))
            hanging = pool.submit(client_of(personalize))
            personalize.wait_for(lambda it: it.in_flight == 1, timeout=5)
        with pytest.raises(ConnectionClosedError):
            hanging.result(timeout=5)
    assert set(threading.enumerate()) <= before
    with PersonalizeFake(port=personalize.port) as again:
        client_of(again)()


def test_a_fake_closed_early_is_an_endpoint_where_nobody_is(
    personalize: PersonalizeFake, put_events: PutEvents
) -> None:
    put_events("a")
    personalize.close()
    with pytest.raises(EndpointConnectionError):
        put_events("b")
    assert list(personalize.accepted) == ["a"]


def test_a_port_in_use_is_said_at_the_start(personalize: PersonalizeFake) -> None:
    with pytest.raises(OSError, match="address already in use"), PersonalizeFake(port=personalize.port):
        pass


def test_a_predicate_that_fails_fails_the_test() -> None:
    """A bug in a fault must not pass for a fault: the block ends with its exception."""
    careless = Fault(DENIED, when=any_event(lambda event: bool(event["itemId"])))
    with pytest.raises(KeyError):
        run_with(careless)


def run_with(fault: Fault) -> None:
    with PersonalizeFake() as personalize:
        personalize.inject(fault)
        assert answered(client_of(personalize))[0] == 500


def test_it_speaks_tls(tmp_path: Path) -> None:
    """With a certificate it is https, for clients that know its issuer only."""
    certificate, key = make_certificate(tmp_path)
    with PersonalizeFake(tls=(certificate, key)) as personalize:
        assert personalize.endpoint.startswith("https://")
        body = json.dumps(a_document()).encode()
        context = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", personalize.port, timeout=5, context=context)
        connection.request("POST", "/events", body, signed(personalize, body))
        assert connection.getresponse().status == 200
        connection.close()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    name = ["-subj", "/CN=personalize-fake", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *request, *name, *files], check=True, capture_output=True)  # noqa: S603, S607 - fixed words; whichever openssl the machine has
    return certificate, key


def test_it_runs_by_hand_and_ends_on_ctrl_c() -> None:
    """It prints its endpoint first, and what it counted last."""
    command = [sys.executable, "-m", "local.personalize", "--tracker", "t", "--quota", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this project's module
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        fake = PersonalizeFake(port=int(endpoint.rpartition(":")[2]))
        assert [answered(client_of(fake))[0] for _ in range(2)] == [200, 429]
        process.send_signal(2)
        assert process.stdout.read() == "2 calls, 1 events accepted\n"
    assert process.returncode == 0
