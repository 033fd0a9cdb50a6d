"""Call PutEvents: a request in, an answer out, neither of them ever an exception to the caller."""

from typing import Protocol

import msgspec

from personalize_relay.requests import Request

CONNECT_TIMEOUT = 1.0
TIMEOUT = 5.0
"""The most seconds that a call may take in all."""


class Answer(msgspec.Struct, frozen=True):
    """The result of a call: the HTTP status (0 if no answer came) and the service's or the network's error."""

    status: int
    error: str = ""
    """The service's error code, or the name of the failure before it answered; empty after a success."""
    retry_after: float = 0.0
    """Seconds that the service asked to wait."""


class PutEventsClient(Protocol):
    """Makes PutEvents calls, many at a time; one thread drives it."""

    def submit(self, request: Request, timeout: float) -> int:
        """Begin a call; returns its ticket at once.

        After `timeout` seconds, or TIMEOUT if that is less, the client gives the call up: an answer with status 0.
        """

    def poll(self, timeout: float) -> list[tuple[int, Answer]]:
        """Wait up to `timeout` seconds for answers; return those that came, each with its ticket.

        They may include an answer that an earlier invocation no longer waited for.
        """
