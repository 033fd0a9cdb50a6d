"""Call PutEvents by libcurl: many calls at once on one thread, signed by libcurl, at a fraction of the SDK's CPU."""

import math
import os
import select
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
import pycurl

from personalize_relay.clients import CONNECT_TIMEOUT, TIMEOUT, Answer
from personalize_relay.credentials import Credentials, credentials
from personalize_relay.endpoints import endpoint, region
from personalize_relay.errors import ConfigurationError, error_code
from personalize_relay.events import Event
from personalize_relay.requests import Request

MAX_IDLE = 30
"""Seconds of idling after which a connection is not used again; after a pause as long (a frozen sandbox), none is."""
SIGNING_NAME = "personalize"
NETWORK_ERRORS = {
    pycurl.E_COULDNT_RESOLVE_HOST: "CouldNotResolveHost",
    pycurl.E_COULDNT_CONNECT: "CouldNotConnect",
    pycurl.E_OPERATION_TIMEDOUT: "TimedOut",
    pycurl.E_SSL_CONNECT_ERROR: "TlsFailed",
    pycurl.E_PEER_FAILED_VERIFICATION: "CertificateRefused",
    pycurl.E_GOT_NOTHING: "NoAnswer",
    pycurl.E_SEND_ERROR: "ConnectionLost",
    pycurl.E_RECV_ERROR: "ConnectionLost",
    pycurl.E_PARTIAL_FILE: "ConnectionLost",
}
_AWAITED = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}
"""The events to poll a socket for, by libcurl's name for them."""


class Target(NamedTuple):
    """The place that calls go to: a URL without a path, a region, and a file of the certificates to trust."""

    url: str
    region: str
    ca_bundle: str


class _Body(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    tracking_id: str
    user_id: str | None = None
    session_id: str
    event_list: list[Event]


class _Error(msgspec.Struct):
    """The members of an error's body; which of them names the error depends on who answers."""

    type: str = msgspec.field(default="", name="__type")
    code: str = ""


class CurlClient:
    """A PutEventsClient on libcurl's multi interface; its connections outlive the invocation.

    The client asks `credentials` at each call. `clock` is the wall clock, which goes on while a sandbox is frozen.
    """

    def __init__(
        self, target: Target, credentials: Callable[[], Credentials], max_in_flight: int, clock: Callable[[], float]
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._max_in_flight = max_in_flight
        self._clock = clock
        self._last_use = clock()
        self._tickets = 0
        self._connect()

    def _connect(self) -> None:
        """Begin without connections."""
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._max_in_flight)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._sockets = select.poll()
        self._due = math.inf
        self._idle: list[_Transfer] = []
        self._busy: dict[pycurl.Curl, _Transfer] = {}

    def submit(self, request: Request, timeout: float) -> int:
        """See PutEventsClient."""
        self._drop_stale()
        transfer = self._idle.pop() if self._idle else _Transfer(self._target)
        self._tickets += 1
        transfer.begin(self._tickets, _body(request), self._credentials(), min(timeout, TIMEOUT))
        self._busy[transfer.handle] = transfer
        self._multi.add_handle(transfer.handle)
        return self._tickets

    def poll(self, timeout: float) -> list[tuple[int, Answer]]:
        """See PutEventsClient."""
        self._drop_stale()
        until = time.monotonic() + timeout
        self._advance(0)
        while not (answers := self._answers()):
            left = until - time.monotonic()
            if left <= 0:
                break
            self._advance(left)
        self._last_use = self._clock()
        return answers

    def _advance(self, seconds: float) -> None:
        """Wait up to `seconds` for sockets, and let libcurl go on with those that are ready and with due timers."""
        wait = min(seconds, self._due - time.monotonic())
        for socket, events in self._sockets.poll(max(0, math.ceil(wait * 1000))):
            # libcurl finds an error or a hang-up when it reads the socket.
            reading = pycurl.CSELECT_IN if events & ~select.POLLOUT else 0
            self._multi.socket_action(socket, reading | (pycurl.CSELECT_OUT if events & select.POLLOUT else 0))
        if self._due <= time.monotonic():
            self._due = math.inf
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _watch(self, what: int, socket: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        """Watch a socket for the events that libcurl, which calls this, waits for."""
        if what == pycurl.POLL_REMOVE:
            self._sockets.unregister(socket)
        else:
            self._sockets.register(socket, _AWAITED[what])

    def _set_timer(self, milliseconds: int) -> None:
        """Note when libcurl, which calls this, must go on whatever its sockets do; negative means never."""
        self._due = math.inf if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _answers(self) -> list[tuple[int, Answer]]:
        answers = []
        left = 1
        while left:
            left, succeeded, failed = self._multi.info_read()
            answers += [self._finish(handle, 0) for handle in succeeded]
            answers += [self._finish(handle, code) for handle, code, _text in failed]
        return answers

    def _finish(self, handle: pycurl.Curl, code: int) -> tuple[int, Answer]:
        self._multi.remove_handle(handle)
        transfer = self._busy.pop(handle)
        self._idle.append(transfer)
        return transfer.ticket, transfer.answer(code)

    def _drop_stale(self) -> None:
        # The peers of a frozen sandbox's connections are gone: a call on one of them would hang for its full timeout.
        now = self._clock()
        if now - self._last_use > MAX_IDLE:
            for handle in self._busy:
                self._multi.remove_handle(handle)
            self._multi.close()
            self._connect()
        self._last_use = now


class _Transfer:
    """One libcurl handle, for one call at a time; kept because of its buffers and options."""

    def __init__(self, target: Target) -> None:
        self.ticket = 0
        self.handle = pycurl.Curl()
        self._credentials: Credentials | None = None
        self._body = bytearray()
        self._headers: list[bytes] = []
        for option, value in {
            pycurl.URL: f"{target.url}/events",
            pycurl.POST: 1,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.AWS_SIGV4: f"aws:amz:{target.region}:{SIGNING_NAME}",
            pycurl.CAINFO: target.ca_bundle,
            pycurl.CONNECTTIMEOUT_MS: int(CONNECT_TIMEOUT * 1000),
            pycurl.MAXAGE_CONN: MAX_IDLE,
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.NOSIGNAL: 1,
            pycurl.WRITEFUNCTION: self._body.extend,
            pycurl.HEADERFUNCTION: self._headers.append,
        }.items():
            self.handle.setopt(option, value)

    def begin(self, ticket: int, body: bytes, credentials: Credentials, timeout: float) -> None:
        """Set up the next call."""
        self.ticket = ticket
        self._body.clear()
        self._headers.clear()
        if credentials != self._credentials:
            self._sign_with(credentials)
        self.handle.setopt(pycurl.POSTFIELDS, body)
        self.handle.setopt(pycurl.TIMEOUT_MS, max(1, int(timeout * 1000)))

    def _sign_with(self, credentials: Credentials) -> None:
        headers = ["Content-Type: application/json", "Expect:"]
        if credentials.token:
            headers.append(f"X-Amz-Security-Token: {credentials.token}")
        self.handle.setopt(pycurl.HTTPHEADER, headers)
        self.handle.setopt(pycurl.USERPWD, f"{credentials.access_key}:{credentials.secret_key}")
        self._credentials = credentials

    def answer(self, code: int) -> Answer:
        """The answer to the call that ended with this libcurl code."""
        if code:
            return Answer(0, NETWORK_ERRORS.get(code, f"Curl{code}"))
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        if status < 300:  # noqa: PLR2004 - HTTP's own number
            return Answer(status)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in self._headers)}
        error = error_code(headers.get(b"x-amzn-errortype", b"").decode("latin-1")) or self._error_of_body()
        retry_after = headers.get(b"retry-after", b"")
        return Answer(status, error, float(retry_after) if retry_after.isdigit() else 0.0)

    def _error_of_body(self) -> str:
        try:
            body = msgspec.json.decode(self._body, type=_Error)
        except ValueError:
            return ""
        return error_code(body.type or body.code)


def from_environment(environ: Mapping[str, str], max_in_flight: int) -> CurlClient:
    """A client from the standard AWS settings; raises ConfigurationError if one is missing."""
    bundle = environ.get("AWS_CA_BUNDLE") or _bundled_certificates()
    if not os.path.exists(bundle):  # noqa: PTH110 - pathlib would be loaded for this alone
        raise ConfigurationError("AWS_CA_BUNDLE must be the path of a file of certificates")
    target = Target(endpoint(environ), region(environ), bundle)
    return CurlClient(target, credentials(environ), max_in_flight, time.time)


def _body(request: Request) -> bytes:
    return msgspec.json.encode(
        _Body(
            tracking_id=request.tracking_id,
            user_id=request.user_id,
            session_id=request.session_id,
            event_list=request.events,
        )
    )


def _bundled_certificates() -> str:
    import certifi  # noqa: PLC0415 - not needed where AWS_CA_BUNDLE is set

    return certifi.where()
