"""A lane under way: what is left of it, and how its first request has fared."""

from collections import deque
from typing import Self

from personalize_relay.requests import Lane, Request

ATTEMPTS = 8
"""Failures, throttling aside, after which a request is suspected: it may hold an event that the API stumbles over."""
SLOW_ATTEMPTS = 3
SLOW = 10.0
"""The same where they took so many seconds, as time-outs do."""
MOSTLY = 3
"""Requests that are taken for each that fails, if the API is well."""


class Tally:
    """The first attempts of the requests for one tracker, in one invocation: how well the API is."""

    def __init__(self) -> None:
        self.taken = 0
        self.failed = 0


class LaneUnderWay:
    """A lane whose first request is the one in flight, or the next to send."""

    def __init__(self, requests: Lane) -> None:
        self.requests = deque(requests)
        self.tracking_id = requests[0].tracking_id
        self.fresh = True
        """Whether the first request is as it was made: neither sent yet nor a part of one that was."""
        self.error = ""
        """The latest failure."""
        self._parts = 1
        self._begin_original()

    def __lt__(self, other: Self) -> bool:
        """What stands lowest in the stream goes first: the checkpoint needs it first."""
        return self.requests[0].interactions[0].source < other.requests[0].interactions[0].source

    def _begin_original(self) -> None:
        self._begin_request()
        self._suspected = False
        self._failed_parts = 0
        self._before = 0, 0
        self._began = 0.0

    def _begin_request(self) -> None:
        self.failures = 0
        """Failures of the first request so far, throttling included."""
        self._faults = 0

    def advance(self, *instead: Request) -> None:
        """Go on to the next request, after those that come instead of the first."""
        self.requests.popleft()
        self.requests.extendleft(reversed(instead))
        self._parts += len(instead) - 1
        self.fresh = self._parts == 0
        if self.fresh:
            self._parts = 1
            self._begin_original()
        else:
            self._begin_request()

    def split(self) -> None:
        """Go on with the halves of the first request instead."""
        self.advance(*self.requests[0].halves())

    def fail(self, error: str) -> None:
        """Count a failed call."""
        self.failures += 1
        self.error = error

    def begin(self, tally: Tally, now: float) -> None:
        """Note, as a call begins, what others have come to: until it fails, that counts from here."""
        if not self.faulty:
            self._before = tally.taken, tally.failed
            self._began = now

    @property
    def faulty(self) -> bool:
        """Whether its first request has failed, throttling aside, or is a part of one that has."""
        return self._failed_parts > 0

    def suspect(self, tally: Tally, now: float) -> bool:
        """Count the failed call as no throttling; returns whether the request has now failed too often."""
        if not self._faults:
            tally.failed += 1
            self._failed_parts += 1
        self._faults += 1
        part = self._suspected and len(self.requests[0].interactions) > 1
        slow = self._faults >= SLOW_ATTEMPTS and self.failing_for(now) >= SLOW
        too_often = part or slow or self._faults >= ATTEMPTS
        self._suspected = self._suspected or too_often
        return too_often

    def alone(self, tally: Tally) -> bool:
        """Whether most other requests and parts were taken since its first call that failed began: it's no outage."""
        taken, failed = self._before
        return tally.taken - taken > MOSTLY * (tally.failed - failed - self._failed_parts)

    def failing_for(self, now: float) -> float:
        """Seconds since the first of its calls that failed began."""
        return now - self._began
