"""Call PutEvents: a request in, an answer out, neither of them ever an exception to the caller."""

from typing import Protocol

import msgspec

from personalize_relay.requests import Request

CONNECT_TIMEOUT = 1.0
TIMEOUT = 5.0
"""Seconds that a call may take in all."""


class Answer(msgspec.Struct, frozen=True):
    """What came of a call: the HTTP status (0 when there was no answer) and the service's or the network's error."""

    status: int
    error: str = ""
    """The error code of the service, or the name of what went wrong before it answered; empty after a success."""
    retry_after: float = 0.0
    """Seconds that the service asked to wait."""


class PutEventsClient(Protocol):
    """Makes PutEvents calls, many at a time; one thread drives it."""

    def submit(self, request: Request, timeout: float) -> int:
        """Begin a call; returns its ticket at once.

        The call is given up after `timeout` seconds, or TIMEOUT if that is less: an answer with status 0.
        """

    def poll(self, timeout: float) -> list[tuple[int, Answer]]:
        """Wait up to `timeout` seconds for answers; returns those that came, each with its ticket.

        An answer that an earlier invocation gave up waiting for may be among them.
        """
