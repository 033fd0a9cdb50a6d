"""Calls to the Personalize fake, as a client makes them and as none would."""

import http.client
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.personalize.server import TEST_CREDENTIALS, PersonalizeFake

type PutEvents = Callable[..., None]


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


ACCEPTED = (200, None)
REFUSED = (400, "InvalidInputException")
