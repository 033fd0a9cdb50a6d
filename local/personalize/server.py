"""A stand-in for Amazon Personalize's PutEvents on 127.0.0.1: real HTTP, the service's limits, faults on request.

In a test: `with PersonalizeFake() as personalize:` and point a client at `personalize.endpoint`.
By hand: `python -m local.personalize --port 8001`.
"""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from aiohttp import web
from botocore.credentials import Credentials

from local.personalize import signatures
from local.personalize.answers import (
    MALFORMED,
    OK,
    UNKNOWN_OPERATION,
    UNKNOWN_TRACKER,
    HttpAnswer,
    invalid_input,
    reset,
    response,
    send_first_byte,
    send_raw,
)
from local.personalize.faults import Exchange, Fault, Injected
from local.personalize.memory import Memory
from local.personalize.requests import ReceivedRequest, parse, violation

HOST = "127.0.0.1"
TEST_CREDENTIALS = Credentials("test", "test")
GRACE = 0.05
"""Seconds for calls under way when the fake ends; aiohttp takes 0 for no limit, and a hanging call would hold it up."""
IGNORED_SESSION = "null"
"""PutEvents answers 200 to this sessionId and ignores the events (aws/aws-sdk-js#3371)."""


@dataclass(kw_only=True, eq=False)
class PersonalizeFake(Memory):
    """The fake: a server in a thread of its own while the `with` block runs, and a memory of what it was sent.

    `port` 0 is any free one. `tls` is a certificate and its key, as PEM files. `trackers` None knows every tracker.
    `clock` counts seconds, for quotas and for faults that end.
    """

    port: int = 0
    tls: tuple[Path, Path] | None = None
    trackers: Collection[str] | None = None
    credentials: Credentials = TEST_CREDENTIALS
    verify_signatures: bool = True
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        super().__init__()
        self._injected: tuple[Injected, ...] = ()
        self._broken: Exception | None = None
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="personalize-fake")

    @property
    def endpoint(self) -> str:
        """The URL to give to a client as its endpoint."""
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.port}"

    def inject(self, fault: Fault) -> Injected:
        """Put a fault to work behind those already there; what is returned counts the calls it struck."""
        injected = Injected(fault, self.clock())
        self._injected = (*self._injected, injected)
        return injected

    def clear(self) -> None:
        """Lift every fault and let the calls that hang go on."""
        self._injected = ()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._release)

    def close(self) -> None:
        """Close the port and every connection before the `with` block ends; doing so again does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        error = self._started.exception()
        if error:
            self._thread.join()
            raise error
        return self

    def __exit__(self, *_exc_info: object) -> None:
        """Close, and raise what a fault's predicate raised, as no call may hide it."""
        self.close()
        if self._broken:
            raise self._broken

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._released = asyncio.Event()
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=GRACE)
        await runner.setup()
        try:
            await self._listen(runner)
            await self._stopping.wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.ServerRunner) -> None:
        try:
            context = _server_context(*self.tls) if self.tls else None
            await web.TCPSite(runner, HOST, self.port, ssl_context=context).start()
        except (OSError, OverflowError) as exc:
            self._stopping.set()
            self._started.set_exception(exc)
        else:
            self.port = runner.addresses[0][1]
            self._started.set_result(None)

    def _release(self) -> None:
        self._released.set()
        self._released = asyncio.Event()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        if (http.method, http.path) != ("POST", "/events"):
            return response(UNKNOWN_OPERATION)
        request = parse(await http.read())
        call = self._begin(request)
        try:
            return await self._send(http, await self._answer(http, request), call)
        except ConnectionError:
            raise  # the client is gone, which is its right
        except Exception as exc:
            self._broken = self._broken or exc
            raise
        finally:
            self._end(call, None)

    async def _answer(self, http: web.BaseRequest, request: ReceivedRequest) -> HttpAnswer:
        refusal = await self._signature_refusal(http) if self.verify_signatures else None
        if refusal:
            return refusal
        exchange = Exchange(request=request, clock=self.clock, released=self._released)
        return await self._proceed(exchange, iter(self._injected))

    async def _signature_refusal(self, http: web.BaseRequest) -> HttpAnswer | None:
        signed = signatures.Signed(method=http.method, url=str(http.url), headers=http.headers, body=await http.read())
        return signatures.refusal(signed, self.credentials, datetime.now(UTC))

    async def _proceed(self, exchange: Exchange, faults: Iterator[Injected]) -> HttpAnswer:
        """Take the call through the faults that are left, then to the service."""
        now = self.clock()
        struck = next((injected.fault for injected in faults if injected.strikes(exchange.request, now)), None)
        if struck is None:
            return self._put_events(exchange)
        if struck.taken:
            return await self._spoil(struck, exchange, await self._proceed(exchange, faults))
        return await struck.does.strike(exchange, lambda: self._proceed(exchange, faults))

    async def _spoil(self, fault: Fault, exchange: Exchange, answer: HttpAnswer) -> HttpAnswer:
        async def proceed() -> HttpAnswer:
            return answer

        return await fault.does.strike(exchange, proceed) if answer == OK else answer

    def _put_events(self, exchange: Exchange) -> HttpAnswer:
        """Do what the service does with a request that reaches it."""
        request = exchange.request
        if not isinstance(request.document, dict):
            return MALFORMED
        problem = violation(request)
        if problem:
            return invalid_input(problem)
        if self.trackers is not None and request.tracking_id not in self.trackers:
            return UNKNOWN_TRACKER
        if not exchange.swallowed and request.session_id != IGNORED_SESSION:
            self._accept(request)
        return OK

    async def _send(self, http: web.BaseRequest, answer: HttpAnswer, call: int) -> web.StreamResponse:
        """Send what the answer says; the call is over before its client can know, so that tests may look at once."""
        begun = await send_first_byte(http, answer) if answer.streamed else None
        self._end(call, answer)
        if answer.raw:
            send_raw(http, answer.raw)
        elif answer.reset != "never":
            reset(http)
        elif begun:
            await begun.write_eof(answer.body[1:])
        return begun or response(answer)


def _server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
