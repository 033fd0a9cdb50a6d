"""A client turns a request into a PutEvents call, and whatever comes of the call into an answer."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.personalize import PersonalizeFake
from local.personalize_answers import DENIED, INTERNAL_ERROR, THROTTLED, UNAVAILABLE
from local.personalize_answers import Answer as Reply
from local.personalize_faults import Delay, Fault, Hang
from personalize_relay.clients import Answer, Boto3Client, PutEventsClient
from personalize_relay.events import Event, Interaction, MetricAttribution, Source
from personalize_relay.requests import Request

EVERY_MEMBER = Event(
    event_id="id-1",
    event_type="purchase",
    sent_at=1_780_000_000.25,
    event_value=9.5,
    item_id="item",
    properties='{"color":"gr\u00fcn"}',
    recommendation_id="RID-1",
    impression=("a", "b"),
    metric_attribution=MetricAttribution("home page"),
)


def request(*events: Event, user: str | None = "user", tracker: str = "tracker") -> Request:
    return Request(
        interactions=tuple(
            Interaction(
                source=Source(number),
                tracking_id=tracker,
                user_id=user,
                session_id="session",
                event=event,
                sent_at_given=True,
            )
            for number, event in enumerate(events or [EVERY_MEMBER])
        )
    )


@pytest.fixture
def personalize() -> Iterator[PersonalizeFake]:
    """The service, on loopback."""
    with PersonalizeFake(trackers=["tracker"]) as running:
        yield running


@pytest.fixture
def client(personalize: PersonalizeFake, monkeypatch: pytest.MonkeyPatch) -> PutEventsClient:
    """A client set up as on Lambda: by the environment alone."""
    environment = {
        "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": "5",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Boto3Client(max_in_flight=4)


def answer(client: PutEventsClient, asked: Request) -> Answer:
    ticket = client.submit(asked)
    ((answered, got),) = client.poll(10)
    assert answered == ticket
    return got


def test_every_member_arrives_as_it_was_meant(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    assert answer(client, request()) == Answer(200)
    accepted = personalize.accepted["id-1"]
    assert (accepted.tracking_id, accepted.user_id, accepted.session_id) == ("tracker", "user", "session")
    assert accepted.event == {
        "eventId": "id-1",
        "eventType": "purchase",
        "sentAt": datetime.fromtimestamp(1_780_000_000.25, UTC).timestamp(),
        "eventValue": 9.5,
        "itemId": "item",
        "properties": '{"color":"gr\u00fcn"}',
        "recommendationId": "RID-1",
        "impression": ["a", "b"],
        "metricAttribution": {"eventAttributionSource": "home page"},
    }


def test_an_absent_member_is_not_sent_at_all(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    assert answer(client, request(Event(event_id="id-2", event_type="click", sent_at=1e9), user=None)) == Answer(200)
    assert personalize.accepted["id-2"].user_id is None
    assert set(personalize.accepted["id-2"].event) == {"eventId", "eventType", "sentAt"}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (THROTTLED, Answer(THROTTLED.status, "ThrottlingException")),
        (
            Reply(status=429, code="TooManyRequestsException", retry_after=7),
            Answer(429, "TooManyRequestsException", 7.0),
        ),
        (Reply(status=400, code="InvalidInputException"), Answer(400, "InvalidInputException")),
        (DENIED, Answer(DENIED.status, "AccessDeniedException")),
        (INTERNAL_ERROR, Answer(500, INTERNAL_ERROR.code)),
    ],
)
def test_the_services_error_comes_through_and_is_not_retried_here(
    client: PutEventsClient, personalize: PersonalizeFake, reply: Reply, expected: Answer
) -> None:
    personalize.inject(Fault(reply))
    assert answer(client, request()) == expected
    assert personalize.call_count == 1


def test_an_error_without_a_body_comes_through_by_its_status(
    client: PutEventsClient, personalize: PersonalizeFake
) -> None:
    personalize.inject(Fault(Reply(status=503)))
    assert answer(client, request()).status == 503


def test_an_unknown_tracker_comes_through(client: PutEventsClient) -> None:
    assert answer(client, request(tracker="other")) == Answer(404, "ResourceNotFoundException")


@pytest.mark.parametrize("reset", ["before the answer", "in the body"])
def test_a_connection_lost_is_no_success(client: PutEventsClient, personalize: PersonalizeFake, reset: str) -> None:
    broken = Reply(status=200, reset="in the body" if reset == "in the body" else "before the answer")
    personalize.inject(Fault(broken))
    got = answer(client, request())
    assert got.status == 0
    assert got.error


def test_an_answer_that_does_not_come_is_given_up(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    personalize.inject(Fault(Hang()))
    assert answer(client, request()) == Answer(0, "ReadTimeoutError")


def test_nobody_there_is_no_success(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    personalize.__exit__()
    got = answer(client, request())
    assert got == Answer(0, "EndpointConnectionError")
    personalize.clear()


def test_calls_are_under_way_at_once(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    personalize.inject(Fault(Delay(0.2)))
    tickets = {client.submit(request()) for _ in range(4)}
    answered: dict[int, Answer] = {}
    while len(answered) < 4:
        answered.update(client.poll(5))
    assert set(answered) == tickets
    assert personalize.most_in_flight == 4


def test_waiting_ends_when_the_time_is_up(client: PutEventsClient) -> None:
    assert client.poll(0.01) == []


def test_unavailable_is_503() -> None:
    assert UNAVAILABLE.status == 503
