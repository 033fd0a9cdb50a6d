"""One event tracker: whether it is doubted, trusted or denied, and when the next call to it may begin.

A wrong tracker is told from bad events here, before the quarantine is full of good ones.
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
from personalize_relay.verdicts import Verdict

PATIENCE = 1800.0
"""Seconds of age up to which a record's rejection is doubted while its tracker has taken nothing."""
ADMITTED = 3
"""Requests that are tried on probation; the others wait for a first success."""
SUSPECT = "SuspectTracker"
"""What stands for the error code of a tracker that refused all of them."""
GIVEN_UP_LATELY = 3600.0
"""Seconds for which an event that was given up shortens the trial of the next."""


class Tracker:
    """The calls to one tracker, kept across the invocations of a sandbox. Times are seconds on the engine's clock.

    On probation it is until it takes an event in this sandbox: it may be the tracker that is wrong. Denied it is from
    an answer that only a person can cure until a call is let through: one after the other probes, with rests between.
    """

    def __init__(self) -> None:
        self.trusted = False
        self._pace = Pace()
        self._rest = Rest()
        self._gave_up: dict[str, float] = {}
        """When, by the error code."""
        self._begin()

    def _begin(self) -> None:
        self.first_attempts = FirstAttempts()
        self.rejected: dict[Source, Rejection] = {}
        """What it rejected on probation: the events may be bad, or the tracker wrong."""
        self.lanes: list[Lane] = []
        self._schedule = Schedule()
        self.in_flight = 0
        """Calls that it has not answered."""
        self._doubted = False
        self._held: deque[Lane] = deque()
        self._admitted = 0

    def __repr__(self) -> str:
        state = "denied" if self.denied else "trusted" if self.trusted else "on probation"
        return f"<Tracker {state}, {self.in_flight} in flight, {self._schedule!r}, {self._pace!r}>"

    def begin(self, lanes: Sequence[list[Request]], *, now: float, wall: float, doubting: bool) -> None:
        """Begin an invocation with these lanes, at a time of the clock and of the stream, in epoch seconds.

        Not doubting, events are rejected by what the tracker answers from the first on.
        """
        self._begin()
        oldest = min(requests[0].interactions[0].arrival for requests in lanes)
        self._pace.expect(
            [each.interactions[-1].arrival for requests in lanes for each in requests], wall - oldest, now
        )
        self._doubted = doubting and wall - oldest <= PATIENCE
        self.lanes = [Lane(requests, self.first_attempts) for requests in lanes]
        for lane in self.lanes:
            self.queue(lane)

    @property
    def on_probation(self) -> bool:
        """Whether its rejections may be its own fault."""
        return self._doubted and not self.trusted

    @property
    def denied(self) -> bool:
        """Whether a call was answered as only a person can cure, and none made since was let through."""
        return bool(self._rest)

    @property
    def has_work(self) -> bool:
        """Whether it has something to send, now or later."""
        return bool(self._schedule)

    def queue(self, lane: Lane) -> None:
        """Have the lane's next request sent in its turn, if it has one that probation lets through."""
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
        """The same for a request that was sent before, from a time on."""
        self._schedule.add_later(lane, due)

    def may_begin(self, now: float) -> bool:
        """Whether a call may begin; while it is denied one at a time, after a rest."""
        if (self.denied and self.in_flight) or now < self._rest.over:
            return False
        return self._schedule.ready(now) and self._pace.admits(now)

    def next(self, now: float) -> float:
        """When it is worth asking again, if no answer comes before."""
        if self.denied and self.in_flight:
            return math.inf
        due = self._pace.next if self._schedule.ready(now) else self._schedule.next_due()
        return max(due, self._rest.over)

    def begin_call(self, now: float) -> Lane:
        """The lane whose first request is to be sent now."""
        lane = self._schedule.take()
        lane.begin_call(now)
        self._pace.begin(now)
        self.in_flight += 1
        return lane

    def settle(self, lane: Lane, verdict: Verdict, began: float, now: float) -> None:
        """Take in the answer to a call that began then."""
        self.in_flight -= 1
        # A request that is suspected fails by itself, where others are taken: that says nothing of the API.
        alone = lane.suspicion.suspected and self.first_attempts.taken > 0
        if not (verdict is Verdict.TRANSIENT and alone):
            self._pace.settle(verdict, began, now)
        if verdict is Verdict.CONFIGURATION:
            self._rest.begin(began, now)
        elif verdict in {Verdict.DELIVERED, Verdict.INVALID}:
            self._rest.end(began)

    def trust(self, *, first_attempt: bool) -> dict[Source, Rejection]:
        """It has taken a request; returns what it rejected on probation, which is now known to be bad."""
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
        """Try another request in the place of one that fails without being refused: it says nothing of the tracker."""
        self._admitted -= 1
        if self._held:
            self.queue(self._held.popleft())

    def give_up(self, error: str, now: float) -> None:
        """An event is given up that alone fails with this error code."""
        self._gave_up[error] = now

    def gave_up_lately(self, error: str, now: float) -> bool:
        """Whether that happened in this sandbox, so that it may again."""
        return now - self._gave_up.get(error, -math.inf) < GIVEN_UP_LATELY
