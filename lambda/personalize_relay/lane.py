"""A lane under way: the remaining requests of one session, the first of them in flight or next to send."""

from collections import deque
from typing import Self

from personalize_relay.requests import Request
from personalize_relay.suspicion import FirstAttempts, Suspicion


class Lane:
    """The unsettled requests of one session, in stream order; `others` are its tracker's first attempts."""

    def __init__(self, requests: list[Request], others: FirstAttempts) -> None:
        self.requests = deque(requests)
        self.failures = 0
        """Failures of the first request so far, including throttling."""
        self.timeouts = 0
        """How many of those failures had no answer in time."""
        self.error = ""
        """The latest failure."""
        self.suspicion = Suspicion(others)
        self.tried = False
        """Whether the first request, or the request that it is a half of, was ever let through."""
        self._place = requests[0].interactions[0].source
        self._others = others
        self._parts = 1
        """How many parts of the original request are left."""

    def __repr__(self) -> str:
        return f"<Lane of {len(self.requests)} requests, {self.failures} failures, {self.suspicion!r}>"

    def __lt__(self, other: Self) -> bool:
        """The lane lowest in the stream goes first, because the checkpoint needs it first."""
        return self._place < other._place

    @property
    def first(self) -> Request:
        """The request in flight, or the next to send."""
        return self.requests[0]

    def begin_call(self, now: float) -> None:
        """Note that the first request is being sent."""
        self.suspicion.begin_call(now)

    def fail(self, error: str, *, timed_out: bool = False) -> None:
        """Count a failed call."""
        self.failures += 1
        self.timeouts += timed_out
        self.error = error

    def advance(self) -> None:
        """Go on to the next request, or to the next part of one."""
        self._replace_first()

    def split(self) -> None:
        """Go on with the halves of the first request instead."""
        self._replace_first(*self.first.halves())

    def _replace_first(self, *parts: Request) -> None:
        self.requests.popleft()
        self.requests.extendleft(reversed(parts))
        if self.requests:
            self._place = self.requests[0].interactions[0].source
        self._parts += len(parts) - 1
        self.failures = self.timeouts = 0
        if self._parts:
            self.suspicion.begin_part()
        else:
            self._parts = 1
            self.tried = False
            self.suspicion = Suspicion(self._others)
