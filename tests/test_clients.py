"""Each client turns a request into a PutEvents call, and whatever comes of the call into an answer."""

import gc
import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import certifi
import pytest
from botocore.credentials import Credentials

from local.emulator.certificate import make_certificate
from local.personalize.answers import DENIED, INTERNAL_ERROR, THROTTLED, UNAVAILABLE
from local.personalize.answers import HttpAnswer as Reply
from local.personalize.faults import Delay, Fault, Hang
from local.personalize.requests import ReceivedRequest as Asked
from local.personalize.server import PersonalizeFake
from personalize_relay import credentials, curl_client
from personalize_relay.boto3_client import Boto3Client
from personalize_relay.clients import Answer, PutEventsClient
from personalize_relay.events import Event, Interaction, MetricAttribution, Source
from personalize_relay.requests import Request

ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_MAX_ATTEMPTS": "5",
}
type MakeClient = Callable[..., PutEventsClient]

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
                arrival=1e9,
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


@pytest.fixture(params=["boto3", "curl"])
def make_client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MakeClient:
    """Makes a client of each kind, set up as on Lambda: by the environment alone."""

    def make(endpoint: str, **environment: str) -> PutEventsClient:
        for name, value in ({**ENVIRONMENT, "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": endpoint} | environment).items():
            monkeypatch.setenv(name, value)
        if request.param == "boto3":
            return Boto3Client(max_in_flight=4)
        return curl_client.from_environment(os.environ, 4)

    return make


@pytest.fixture
def client(personalize: PersonalizeFake, make_client: MakeClient) -> PutEventsClient:
    """A client of each kind, for the service on loopback."""
    return make_client(personalize.endpoint)


def answer(client: PutEventsClient, asked: Request) -> Answer:
    ticket = client.submit(asked, 60)
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


def test_the_request_is_the_one_that_botocore_makes(
    personalize: PersonalizeFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Method, path and signature, too: the fake refuses any other."""
    documents: list[object] = []

    def remember(asked: Asked) -> bool:
        documents.append(asked.document)
        return False

    personalize.inject(Fault(Delay(0), when=remember))
    for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint}).items():
        monkeypatch.setenv(name, value)
    for client in (Boto3Client(max_in_flight=4), curl_client.from_environment(os.environ, 4)):
        for asked in (request(), request(EVERY_MEMBER, Event(event_id="id-2", event_type="click", sent_at=1e9))):
            assert answer(client, asked) == Answer(200)
    assert documents[:2] == documents[2:]


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


def test_an_error_code_that_is_none_never_reaches_the_log(
    client: PutEventsClient, personalize: PersonalizeFake
) -> None:
    """What answers may be a proxy that repeats the request: only a name can be a code."""
    personalize.inject(Fault(Reply(status=400, code='refused {"userId":"canary"}')))
    assert answer(client, request()) == Answer(400, "")


def test_an_error_without_a_body_comes_through_by_its_status(
    client: PutEventsClient, personalize: PersonalizeFake
) -> None:
    personalize.inject(Fault(Reply(status=503)))
    assert answer(client, request()).status == 503


def test_an_unknown_tracker_comes_through(client: PutEventsClient) -> None:
    assert answer(client, request(tracker="other")) == Answer(404, "ResourceNotFoundException")


OK_LINE = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK_LINE + b"Content-Length: 2\r\n\r\n{}",
        OK_LINE + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        OK_LINE + b"Connection: close\r\n\r\n",
    ],
    ids=["continue first", "in chunks", "closed instead of counted"],
)
def test_whatever_form_a_success_has_it_is_one(
    client: PutEventsClient, personalize: PersonalizeFake, raw: bytes
) -> None:
    personalize.inject(Fault(Reply(status=200, raw=raw), taken=True))
    assert answer(client, request()) == Answer(200)


def test_an_error_in_chunks_keeps_its_code(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    body = b'{"__type":"ThrottlingException"}'
    head = b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n"
    personalize.inject(Fault(Reply(status=400, raw=head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))))
    assert answer(client, request()) == Answer(400, "ThrottlingException")


@pytest.mark.parametrize("reset", ["before the answer", "in the body"])
def test_a_connection_lost_is_no_success(client: PutEventsClient, personalize: PersonalizeFake, reset: str) -> None:
    broken = Reply(status=200, reset="in the body" if reset == "in the body" else "before the answer")
    personalize.inject(Fault(broken))
    got = answer(client, request())
    assert got.status == 0
    assert got.error


@pytest.mark.slow  # waits for the timeout
def test_an_answer_that_does_not_come_is_given_up(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    personalize.inject(Fault(Hang()))
    assert answer(client, request()) in {Answer(0, "ReadTimeoutError"), Answer(0, "TimedOut")}


def test_nobody_there_is_no_success(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    personalize.__exit__()
    got = answer(client, request())
    assert got in {Answer(0, "EndpointConnectionError"), Answer(0, "CouldNotConnect")}
    personalize.clear()


def test_calls_are_under_way_at_once(client: PutEventsClient, personalize: PersonalizeFake) -> None:
    personalize.inject(Fault(Hang()))
    tickets = {client.submit(request(), 60) for _ in range(4)}
    answered: dict[int, Answer] = {}
    while personalize.in_flight < 4 and not answered:  # none is, before it is given up
        answered.update(client.poll(0.05))
    personalize.clear()
    while len(answered) < 4:
        answered.update(client.poll(5))
    assert set(answered) == tickets
    assert personalize.most_in_flight == 4


def test_waiting_ends_when_the_time_is_up(client: PutEventsClient) -> None:
    assert client.poll(0.01) == []


def test_unavailable_is_503() -> None:
    assert UNAVAILABLE.status == 503


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


# asyncio leaves the socket of a failed handshake to the garbage collector, which warns: here, not in another test.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("trusted", [True, False])
def test_a_call_over_tls_needs_a_trusted_certificate(
    certificate: tuple[Path, Path], make_client: MakeClient, *, trusted: bool
) -> None:
    with PersonalizeFake(tls=certificate) as personalize:
        client = make_client(personalize.endpoint, AWS_CA_BUNDLE=str(certificate[0]) if trusted else certifi.where())
        got = answer(client, request())
        assert personalize.accepted_count == trusted
    gc.collect()
    assert got == Answer(200) if trusted else got.status == 0


def test_a_session_token_is_sent_and_signed(make_client: MakeClient) -> None:
    with PersonalizeFake(credentials=Credentials("test", "test", "the-token")) as personalize:
        assert answer(make_client(personalize.endpoint, AWS_SESSION_TOKEN="the-token"), request()) == Answer(200)  # noqa: S106
        refused = answer(make_client(personalize.endpoint, AWS_SESSION_TOKEN=""), request())
    assert (refused.status, refused.error) == (403, "UnrecognizedClientException")


def test_connections_that_the_server_closed_between_invocations_cost_nothing(make_client: MakeClient) -> None:
    with PersonalizeFake() as personalize:
        client = make_client(personalize.endpoint)
        assert answer(client, request()) == Answer(200)
    with PersonalizeFake(port=personalize.port) as again:
        assert answer(client, request()) == Answer(200)
        assert again.accepted["id-1"].count == 1


def test_connections_of_a_sandbox_frozen_for_minutes_are_not_used_again() -> None:
    """Their other ends are gone without a word: a call on one hangs until it is given up."""
    now = [1000.0]
    with ForgetfulServer() as server:
        target = curl_client.Target(f"http://127.0.0.1:{server.server_address[1]}", "eu-west-1", certifi.where())
        client = curl_client.CurlClient(target, lambda: credentials.Credentials("a", "b", None), 4, lambda: now[0])
        assert answer(client, request()) == Answer(200)
        client.submit(request(), 0.2)
        assert client.poll(5) == [(2, Answer(0, "TimedOut"))], "the server answers once a connection"
        assert answer(client, request()) == Answer(200)
        now[0] += 300
        assert answer(client, request()) == Answer(200)


class ForgetfulServer(socketserver.ThreadingTCPServer):
    """Answers the first request of each connection and no other, as a host that a frozen sandbox once knew."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _OnceOnly)
        self.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.shutdown()
        self.server_close()


class _OnceOnly(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Read one request, answer it, and leave what follows unanswered until the client goes away."""
        length = 0
        while line := self.rfile.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        self.rfile.read(length)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        while self.rfile.read(1):
            pass
