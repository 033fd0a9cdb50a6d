"""The same records by awscrt, the AWS SDKs' runtime in C: its HTTP client, its TLS and its signer.

Its Python binding has no pool of connections, so there is one of ours: a connection for each call in flight. The
handler's thread signs and begins the calls, a thread of the runtime does what is left. It leaves out the SDK's retries:
what fails is reported, and comes again.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from io import BytesIO
from queue import SimpleQueue
from typing import NamedTuple
from urllib.parse import urlsplit

from aws_lambda_powertools.utilities.typing import LambdaContext
from awscrt.auth import AwsCredentialsProvider, AwsSigningAlgorithm, AwsSigningConfig, aws_sign_request
from awscrt.exceptions import AwsCrtError
from awscrt.http import HttpClientConnection, HttpHeaders, HttpRequest
from awscrt.io import ClientBootstrap, ClientTlsContext, DefaultHostResolver, EventLoopGroup, TlsContextOptions

from bench import grouping
from bench.grouping import ClickGroup
from bench.workloads import Handler, LambdaEvent

SUCCESS = range(200, 300)


class Ended(NamedTuple):
    """A call that has ended: its session's requests from this one on, and the status or the exception."""

    connection: HttpClientConnection
    session: list[ClickGroup]
    status: "Future[int]"

    def taken(self) -> bool:
        """Whether the service took the request."""
        return not self.status.exception() and self.status.result() in SUCCESS


class Caller:
    """Makes PutEvents calls, one at a time on each of its connections."""

    def __init__(self, in_flight: int) -> None:
        target = urlsplit(os.environ["AWS_ENDPOINT_URL_PERSONALIZE_EVENTS"])
        self._host, self._port = target.hostname, target.port or 443
        loops = EventLoopGroup(1)
        self._bootstrap = ClientBootstrap(loops, DefaultHostResolver(loops))
        options = TlsContextOptions()
        options.override_default_trust_store_from_path(None, os.environ["AWS_CA_BUNDLE"])
        self._tls = ClientTlsContext(options)
        self._credentials = AwsCredentialsProvider.new_default_chain(self._bootstrap)
        self._connections = [self._connect() for _ in range(in_flight)]

    def connections(self) -> list[HttpClientConnection]:
        """As many as may be in flight; those that have closed since the last time are made anew."""
        self._connections = [each if _is_open(each) else self._connect() for each in self._connections]
        return [each.result() for each in self._connections]

    def _connect(self) -> "Future[HttpClientConnection]":
        tls = self._tls.new_connection_options()
        tls.set_server_name(self._host)
        connecting: Future[HttpClientConnection] = HttpClientConnection.new(
            self._host, self._port, self._bootstrap, tls_connection_options=tls
        )
        return connecting

    def begin(self, connection: HttpClientConnection, session: list[ClickGroup], ended: SimpleQueue[Ended]) -> None:
        """Begin the call of a session's first request; when it has ended, it is put in the queue."""
        status: Future[int]
        try:
            stream = connection.request(self._signed(session[0]))
            stream.activate()
            status = stream.completion_future
        except AwsCrtError as exc:
            status = Future()
            status.set_exception(exc)
        status.add_done_callback(lambda done: ended.put(Ended(connection, session, done)))

    def _signed(self, request: ClickGroup) -> HttpRequest:
        body = grouping.body(request)
        headers = HttpHeaders(
            [
                ("Host", f"{self._host}:{self._port}"),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
            ]
        )
        now = AwsSigningConfig(
            algorithm=AwsSigningAlgorithm.V4,
            credentials_provider=self._credentials,
            region=os.environ["AWS_REGION"],
            service="personalize",
        )
        return aws_sign_request(HttpRequest("POST", "/events", headers, BytesIO(body)), now).result()


def _is_open(connecting: "Future[HttpClientConnection]") -> bool:
    return connecting.exception() is None and connecting.result().is_open()


def grouped_by_session(in_flight: int) -> Handler:
    """Requests of up to ten events, a session after another on as many connections as may be in flight."""
    caller = Caller(in_flight)

    def handler(event: LambdaEvent, _context: LambdaContext) -> LambdaEvent:
        return grouping.response(list(_undelivered(caller, grouping.sessions(event))))

    return handler


def _undelivered(caller: Caller, sessions: list[list[ClickGroup]]) -> Iterator[str]:
    """Send all; the sequence numbers of those that were not taken."""
    waiting = iter(sessions)
    ended: SimpleQueue[Ended] = SimpleQueue()
    busy = 0
    for connection, session in zip(caller.connections(), waiting, strict=False):
        caller.begin(connection, session, ended)
        busy += 1
    while busy:
        call = ended.get()
        if not call.taken():
            yield from grouping.numbers(call.session[0])
        if not call.connection.is_open():
            yield from (number for request in call.session[1:] for number in grouping.numbers(request))
            busy -= 1
        elif session := call.session[1:] or next(waiting, []):
            caller.begin(call.connection, session, ended)
        else:
            busy -= 1
    yield from (number for session in waiting for request in session for number in grouping.numbers(request))
