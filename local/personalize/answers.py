"""What the Personalize fake answers: the service's success and its errors, as small values.

PutEvents documents an empty 200 and InvalidInputException (400) only. The other codes and statuses are those of AWS's
"Common Error Types"; its older pages give throttling and denied access as 400, so tests should see both.
"""

import asyncio
import json
import socket
import struct
import uuid
from dataclasses import dataclass
from typing import Literal

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One HTTP answer; as the effect of a fault it stands in for what the service would have said.

    Without a `code` it has neither a JSON body nor an error type, like an answer of the proxy before the service.
    `retry_after` is in seconds. `body_seconds` lie between the first byte of the body and the rest. With `raw` these
    bytes are sent in place of all of it, and the connection is closed.
    """

    status: int
    code: str = ""
    message: str = ""
    retry_after: int | None = None
    body_seconds: float = 0.0
    reset: Literal["never", "before the answer", "in the body"] = "never"
    raw: bytes = b""

    async def strike(self, _exchange: object, _proceed: object, /) -> "HttpAnswer":
        """Answer without doing anything else."""
        return self

    @property
    def body(self) -> bytes:
        """The body as sent: a message for an error, nothing for a success, unless a body is to be cut or slow."""
        if self.code:
            return json.dumps({"message": self.message}).encode()
        return b"{}" if self.streamed else b""

    @property
    def headers(self) -> dict[str, str]:
        """The service's headers, with a request id made up anew at each reading."""
        error_type = {"x-amzn-errortype": self.code} if self.code else {}
        retry_after = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        request_id = str(uuid.uuid4())
        return {"Content-Type": "application/json", "x-amzn-requestid": request_id, **error_type, **retry_after}

    @property
    def streamed(self) -> bool:
        """Whether the head and the first byte leave before the rest does."""
        return self.body_seconds > 0 or self.reset == "in the body"


def invalid_input(message: str) -> HttpAnswer:
    """Refuse a request for what it holds; the message names the member, never its value."""
    return HttpAnswer(status=400, code="InvalidInputException", message=message)


def invalid_signature(message: str) -> HttpAnswer:
    """Refuse a request for its signature."""
    return HttpAnswer(status=403, code="InvalidSignatureException", message=message)


def response(answer: HttpAnswer) -> web.Response:
    """Make of an answer what aiohttp sends in one go."""
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


async def send_first_byte(http: web.BaseRequest, answer: HttpAnswer) -> web.StreamResponse:
    """Send the head and the first byte of the body, then wait as long as the answer wants."""
    begun = web.StreamResponse(status=answer.status, headers=answer.headers)
    begun.content_length = len(answer.body)
    await begun.prepare(http)
    await begun.write(answer.body[:1])
    await asyncio.sleep(answer.body_seconds)
    return begun


def send_raw(http: web.BaseRequest, raw: bytes) -> None:
    """Send bytes that are an answer only if they say so, then close the connection."""
    if http.transport is not None:
        http.transport.write(raw)
        http.transport.close()


def reset(http: web.BaseRequest) -> None:
    """Close the connection with RST: lingering for no time, the kernel drops what is unsent and sends no FIN."""
    if http.transport is not None:
        connection = http.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        http.transport.abort()


OK = HttpAnswer(status=200)
THROTTLED = HttpAnswer(status=429, code="ThrottlingException", message="Rate exceeded")
THROTTLED_400 = HttpAnswer(status=400, code="ThrottlingException", message="Rate exceeded")
INTERNAL_ERROR = HttpAnswer(status=500, code="InternalFailure", message="The request could not be processed")
UNAVAILABLE = HttpAnswer(status=503, code="ServiceUnavailable", message="The service is temporarily unavailable")
BARE_503 = HttpAnswer(status=503)
DENIED = HttpAnswer(
    status=403, code="AccessDeniedException", message="User is not authorized to perform: personalize:PutEvents"
)
UNKNOWN_TRACKER = HttpAnswer(
    status=404, code="ResourceNotFoundException", message="No event tracker has this trackingId"
)
REFUSED_EVENT = invalid_input("An event in eventList is invalid")
MALFORMED = HttpAnswer(status=400, code="SerializationException", message="The body is not a JSON object")
UNKNOWN_OPERATION = HttpAnswer(status=404, code="UnknownOperationException", message="Only POST /events is served")
UNSIGNED = HttpAnswer(status=403, code="MissingAuthenticationTokenException", message="Missing Authentication Token")
INCOMPLETE_SIGNATURE = HttpAnswer(
    status=403, code="IncompleteSignatureException", message="The Authorization header is not a SigV4 one"
)
UNKNOWN_CREDENTIALS = HttpAnswer(
    status=403,
    code="UnrecognizedClientException",
    message="The security token included in the request is invalid",
)
EXPIRED_TOKEN = HttpAnswer(
    status=403, code="ExpiredTokenException", message="The security token included in the request is expired"
)
RESET = HttpAnswer(status=200, reset="before the answer")
"""The connection is reset before a byte of an answer."""
CUT = HttpAnswer(status=200, reset="in the body")
"""The connection is reset after the head and the first byte of the body."""
