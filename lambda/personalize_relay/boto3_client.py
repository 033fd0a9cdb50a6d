"""Call PutEvents through boto3, in threads: with the SDK's own HTTP, signing, endpoint and credentials, and its CPU."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec

from personalize_relay.clients import CONNECT_TIMEOUT, TIMEOUT, Answer
from personalize_relay.errors import error_code
from personalize_relay.events import Event
from personalize_relay.requests import Request

if TYPE_CHECKING:
    from mypy_boto3_personalize_events.client import PersonalizeEventsClient


class Boto3Client:
    """A PutEventsClient on `boto3.client("personalize-events").put_events`; the SDK's own retries are off.

    botocore sets one timeout for all calls of a client, so this client ignores a call's own: the call may outlast its
    invocation.
    """

    def __init__(self, *, max_in_flight: int) -> None:
        self._client = _boto3_client(max_in_flight)
        self._threads = ThreadPoolExecutor(max_in_flight, thread_name_prefix="put-events")
        self._answers: SimpleQueue[tuple[int, Answer]] = SimpleQueue()
        self._tickets = 0

    def submit(self, request: Request, timeout: float) -> int:  # noqa: ARG002 - see the class
        """See PutEventsClient."""
        self._tickets += 1
        self._threads.submit(self._call, self._tickets, request)
        return self._tickets

    def poll(self, timeout: float) -> list[tuple[int, Answer]]:
        """See PutEventsClient."""
        answers = []
        try:
            answers.append(self._answers.get(timeout=timeout))
            while True:
                answers.append(self._answers.get_nowait())
        except Empty:
            return answers

    def _call(self, ticket: int, request: Request) -> None:
        try:
            response = self._client.put_events(**_parameters(request))
        except Exception as exc:  # noqa: BLE001 - whatever it is, the engine must hear of it, or the call is lost
            self._answers.put((ticket, _failure(exc)))
        else:
            self._answers.put((ticket, Answer(response["ResponseMetadata"]["HTTPStatusCode"])))


def _boto3_client(max_in_flight: int) -> "PersonalizeEventsClient":
    # boto3 and botocore are slow to import, and only this client needs them.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    client: PersonalizeEventsClient = boto3.session.Session().client(
        "personalize-events",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=TIMEOUT - CONNECT_TIMEOUT,
            max_pool_connections=max_in_flight,
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
        ),
    )
    return client


def _parameters(request: Request) -> dict[str, Any]:
    """The keyword arguments of `put_events`; a userId that is None must be absent."""
    parameters: dict[str, Any] = {
        "trackingId": request.tracking_id,
        "sessionId": request.session_id,
        "eventList": [_event(event) for event in request.events],
    }
    return parameters if request.user_id is None else {**parameters, "userId": request.user_id}


def _event(event: Event) -> dict[str, Any]:
    # botocore first turns a number into a local time; it sends only a datetime with a zone unchanged.
    return {**msgspec.to_builtins(event), "sentAt": datetime.fromtimestamp(event.sent_at, UTC)}


def _failure(exc: Exception) -> Answer:
    response: dict[str, Any] = getattr(exc, "response", {})  # a botocore ClientError has the service's answer
    if not response:
        return Answer(0, type(exc).__name__)
    metadata = response.get("ResponseMetadata", {})
    retry_after = metadata.get("HTTPHeaders", {}).get("retry-after", "")
    return Answer(
        metadata.get("HTTPStatusCode", 0),
        error_code(response.get("Error", {}).get("Code", "")),
        float(retry_after) if retry_after.isdecimal() else 0.0,
    )
