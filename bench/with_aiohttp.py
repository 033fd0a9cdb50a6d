"""The same records by aiohttp, its calls signed by botocore's SigV4Auth.

It is as lean as the two allow: one event loop and its connections outlive the invocation, there are no cookies, and
nothing of botocore is loaded but its signer. It leaves out the SDK's retries: what fails is reported, and comes again.
"""

import asyncio
import atexit
import os
import ssl
from collections.abc import Iterator

import aiohttp
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from bench import grouping
from bench.grouping import ClickGroup
from bench.workloads import Handler, LambdaEvent


class Caller:
    """Makes PutEvents calls on one event loop; a connection for each of those in flight."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._url = URL(os.environ["AWS_ENDPOINT_URL_PERSONALIZE_EVENTS"]) / "events"
        self._signer = SigV4Auth(_credentials(), "personalize", os.environ["AWS_REGION"])

    async def put(self, request: ClickGroup) -> None:
        """Make one call; raises ClientError for any answer but a success."""
        call = AWSRequest("POST", str(self._url), {"Content-Type": "application/json"}, grouping.body(request))
        self._signer.add_auth(call)
        async with self._session.post(self._url, data=call.data, headers=call.headers.items()) as answer:
            await answer.read()


def grouped_by_session(in_flight: int) -> Handler:
    """Requests of up to ten events, a session after another in as many tasks as may be in flight."""
    loop = asyncio.new_event_loop()
    session = loop.run_until_complete(_session(in_flight))
    atexit.register(lambda: loop.run_until_complete(session.close()))
    caller = Caller(session)

    def handler(event: LambdaEvent, _context: LambdaContext) -> LambdaEvent:
        return grouping.response(loop.run_until_complete(_relay(caller, grouping.sessions(event), in_flight)))

    return handler


async def _relay(caller: Caller, sessions: list[list[ClickGroup]], in_flight: int) -> list[str]:
    """Send all; the sequence numbers of those that were not taken."""
    failed: list[str] = []
    waiting = iter(sessions)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(in_flight):
            tasks.create_task(_send_each(caller, waiting, failed))
    return failed


async def _send_each(caller: Caller, waiting: Iterator[list[ClickGroup]], failed: list[str]) -> None:
    for session in waiting:
        for request in session:
            try:
                await caller.put(request)
            except (aiohttp.ClientError, TimeoutError):
                failed.extend(grouping.numbers(request))


async def _session(in_flight: int) -> aiohttp.ClientSession:
    trusted = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=in_flight, ssl=trusted),
        cookie_jar=aiohttp.DummyCookieJar(),
        raise_for_status=True,
    )


def _credentials() -> Credentials:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return Credentials(*(os.environ[name] for name in names))
