"""One event tracker: whether it is doubted, trusted or denied, and when the next call to it may begin.

This file tells a wrong tracker from bad events, before the quarantine is full of good events.
"""

import math
from collections import deque
from collections.abc import Sequence

from personalize_relay.events import Rejection, Source
from personalize_relay.lane import Lane
from personalize_relay.pace import Pace
from personalize_relay.requests import Request
from personalize_relay.rest import Rest
from personalize_relay.schedule import Schedule
from personalize_relay.suspicion import FirstAttempts
from personalize_relay.verdicts import LET_THROUGH, Verdict

DOUBTED_UP_TO = 1800.0
"""Seconds of a record's age up to which a rejection is doubted while the tracker has taken nothing."""
ADMITTED = 3
"""Requests to try on probation; the others wait for a first success."""
SUSPECT = "SuspectTracker"
"""The error code for a tracker that rejected all of these requests."""
GIVEN_UP_LATELY = 3600.0
"""Seconds for which an event that was given up shortens the trials of the next."""


class Tracker:
    """The calls to one tracker, kept across the invocations of a sandbox. Times are seconds on the engine's clock.

    A tracker is on probation until it takes an event in this sandbox: until then, the tracker may be wrong. It is
    denied from an answer that only a person can cure until a call is let through: meanwhile, one call at a time probes
    it, with rests between.
    """

    def __init__(self) -> None:
        self.trusted = False
        self._pace = Pace()
        self._rest = Rest()
        self._gave_up: dict[str, float] = {}
        """When an event was last given up, by error code."""
        self._begin()

    def _begin(self) -> None:
        self.first_attempts = FirstAttempts()
        self.rejected: dict[Source, Rejection] = {}
        """The rejections on probation: the events may be bad, or the tracker wrong."""
        self.lanes: list[Lane] = []
        self._schedule = Schedule()
        self.in_flight = 0
        """Calls without an answer so far."""
        self._doubted = False
        self._held: deque[Lane] = deque()
        self._admitted = 0

    def __repr__(self) -> str:
        state = "denied" if self.denied else "trusted" if self.trusted else "on probation"
        return f"<Tracker {state}, {self.in_flight} in flight, {self._schedule!r}, {self._pace!r}>"

    def begin(self, lanes: Sequence[list[Request]], *, now: float, wall: float, doubting: bool) -> None:
        """Begin an invocation with these lanes; `now` is on the engine's clock, `wall` in epoch seconds.

        Without `doubting`, the tracker's first rejection already counts against the event.
        """
        self._begin()
        oldest = min(requests[0].interactions[0].arrival for requests in lanes)
        self._pace.expect(
            [each.interactions[-1].arrival for requests in lanes for each in requests], wall - oldest, now
        )
        self._doubted = doubting and wall - oldest <= DOUBTED_UP_TO
        self.lanes = [Lane(requests, self.first_attempts) for requests in lanes]
        for lane in self.lanes:
            self.queue(lane)

    @property
    def on_probation(self) -> bool:
        """Whether its rejections may mean that the tracker is wrong."""
        return self._doubted and not self.trusted

    @property
    def denied(self) -> bool:
        """Whether an answer was one that only a person can cure, and no later call was let through."""
        return bool(self._rest)

    @property
    def has_work(self) -> bool:
        """Whether the tracker has something to send, now or later."""
        return bool(self._schedule)

    def queue(self, lane: Lane) -> None:
        """Have the lane's next request sent in turn, if it has one and probation lets that through."""
        if not lane.requests:
            return
        if self.on_probation and not lane.tried:
            if self._admitted == ADMITTED:
                self._held.append(lane)
                return
            self._admitted += 1
        lane.tried = True
        self._schedule.add(lane)

    def queue_later(self, lane: Lane, due: float) -> None:
        """Have a request that was sent before sent again in turn, but not before `due`."""
        self._schedule.add_later(lane, due)

    def may_begin(self, now: float) -> bool:
        """Whether a call may begin; while the tracker is denied, one at a time and after a rest."""
        if (self.denied and self.in_flight) or now < self._rest.over:
            return False
        return self._schedule.ready(now) and self._pace.admits(now)

    def next(self, now: float) -> float:
        """When to ask again, if no answer comes before."""
        if self.denied and self.in_flight:
            return math.inf
        due = self._pace.next if self._schedule.ready(now) else self._schedule.next_due()
        return max(due, self._rest.over)

    def begin_call(self, now: float) -> Lane:
        """Begin a call; return the lane whose first request to send."""
        lane = self._schedule.take()
        lane.begin_call(now)
        self._pace.begin(now)
        self.in_flight += 1
        return lane

    def settle(self, lane: Lane, verdict: Verdict, began: float, now: float) -> None:
        """Learn the verdict on a call that began at `began`."""
        self.in_flight -= 1
        # A suspected request fails by itself while others are taken: that says nothing about the API.
        alone = lane.suspicion.suspected and self.first_attempts.taken > 0
        if not (verdict is Verdict.TRANSIENT and alone):
            self._pace.settle(verdict, began, now)
        if verdict is Verdict.CONFIGURATION:
            self._rest.begin(began, now)
        elif verdict in LET_THROUGH:
            self._rest.end(began)

    def trust(self, *, first_attempt: bool) -> dict[Source, Rejection]:
        """Trust the tracker, which has taken a request; return its rejections on probation, which now count."""
        self.first_attempts.taken += first_attempt
        if self.trusted:
            return {}
        self.trusted = True
        held, self._held = self._held, deque()
        for lane in held:
            self.queue(lane)
        rejected, self.rejected = self.rejected, {}
        return rejected

    def replace_on_probation(self) -> None:
        """Try another request in place of one that fails without being rejected: it doesn't judge the tracker."""
        self._admitted -= 1
        if self._held:
            self.queue(self._held.popleft())

    def give_up(self, error: str, now: float) -> None:
        """Note that an event which alone fails with this error code is given up."""
        self._gave_up[error] = now

    def gave_up_lately(self, error: str, now: float) -> bool:
        """Whether this sandbox has lately given up an event with this error code, so that more may follow."""
        return now - self._gave_up.get(error, -math.inf) < GIVEN_UP_LATELY
