"""The delivery engine: lanes of requests in, an outcome for each of their events out.

A single-threaded state machine over a client and a clock, both passed in.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from typing import Self

from personalize_relay.backoff import MAX_ATTEMPTS, longest_wait
from personalize_relay.clients import Answer, PutEventsClient
from personalize_relay.errors import Reason
from personalize_relay.events import Rejection, Source
from personalize_relay.probation import MAX_REFUSED, SUSPECT_TRACKER, Probation
from personalize_relay.reports import Cause, Report
from personalize_relay.requests import Lane, Request
from personalize_relay.verdicts import Verdict, judge

SETTLE_MARGIN = 1.0
"""Seconds kept free at the end of an invocation to answer in, though never over half of it."""
QUARANTINE_MARGIN = 6.0
"""The same as soon as there is something to quarantine: building an S3 client takes its time."""
LEAST_TIME_FOR_A_CALL = 0.25


class Delivery:
    """Delivers lanes through a client: one request of a lane at a time, many lanes at once.

    `clock` gives seconds, monotonic; `jitter` draws a wait between zero and the seconds it is given.
    """

    def __init__(
        self,
        client: PutEventsClient,
        *,
        clock: Callable[[], float],
        jitter: Callable[[float], float],
        max_in_flight: int,
    ) -> None:
        self.client = client
        self.clock = clock
        self.jitter = jitter
        self.max_in_flight = max_in_flight
        self.trusted: set[str] = set()
        """Trackers that have taken an event in this sandbox."""

    def deliver(self, lanes: Iterable[Lane], *, end: float, quarantining: bool, doubting: bool = True) -> Report:
        """Deliver what can be delivered before `end` (on the clock), and report on every event.

        `quarantining` keeps the longer margin from the start, for records that are already known to be bad. While
        `doubting`, a tracker that takes nothing is suspected before its events are.
        """
        return _Run(self, lanes, end=end, quarantining=quarantining, doubting=doubting).report()


class _Lane:
    """A lane under way: its first request is the one in flight, or the next to send."""

    def __init__(self, requests: Lane) -> None:
        self.requests = deque(requests)
        self.tracking_id = requests[0].tracking_id
        self.failures = 0
        """Transient failures of the first request so far."""
        self.fresh = True
        """Whether the first request is as it was made: neither sent yet nor a part of one that was."""
        self._parts = 1

    def __lt__(self, other: Self) -> bool:
        """What stands lowest in the stream goes first: the checkpoint needs it first."""
        return self.requests[0].sources[0] < other.requests[0].sources[0]

    def advance(self, *instead: Request) -> None:
        """Go on to the next request, after those that come instead of the first."""
        self.requests.popleft()
        self.requests.extendleft(reversed(instead))
        self.failures = 0
        self._parts += len(instead) - 1
        self.fresh = self._parts == 0
        self._parts = self._parts or 1


class _Run:
    """The deliveries of one invocation."""

    def __init__(
        self, engine: Delivery, lanes: Iterable[Lane], *, end: float, quarantining: bool, doubting: bool
    ) -> None:
        self._engine = engine
        self._end = end
        self._time = end - engine.clock()
        self._deadline = self._end_less(QUARANTINE_MARGIN if quarantining else SETTLE_MARGIN)
        self._doubting = doubting
        self._ready: list[_Lane] = []
        self._waiting: list[tuple[float, _Lane]] = []
        self._in_flight: dict[int, _Lane] = {}
        self._stopped: set[str] = set()
        """Trackers that are stopped by a configuration error."""
        self._uncured: Cause | None = None
        """Set once a request has run out of attempts or time: all from it on comes again, so no more is sent."""
        self._report = Report()
        self._probations: dict[str, Probation[_Lane]] = {}
        self._lanes = [_Lane(requests) for requests in lanes]
        for lane in self._lanes:
            self._queue(lane)

    def report(self) -> Report:
        """Run until all is settled or nothing more can be done in time."""
        while self._under_way():
            self._begin_calls()
            for ticket, answer in self._engine.client.poll(self._pause()):
                # A call that an earlier invocation gave up on has no lane here: its records were reported.
                if lane := self._in_flight.pop(ticket, None):
                    self._settle(lane, answer)
        self._leave_undelivered()
        return self._report

    def _end_less(self, margin: float) -> float:
        return self._end - min(margin, self._time / 2)

    def _under_way(self) -> bool:
        now = self._engine.clock()
        if self._in_flight:
            return now < self._deadline
        return bool(self._ready or self._waiting) and self._may_begin(now)

    def _may_begin(self, when: float) -> bool:
        return when + LEAST_TIME_FOR_A_CALL <= self._deadline

    def _begin_calls(self) -> None:
        now = self._engine.clock()
        while self._waiting and self._waiting[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._waiting)[1])
        while self._ready and len(self._in_flight) < self._engine.max_in_flight and self._may_begin(now):
            lane = heapq.heappop(self._ready)
            self._in_flight[self._engine.client.submit(lane.requests[0], self._deadline - now)] = lane
            self._report.calls += 1
            self._report.retries += lane.failures > 0

    def _pause(self) -> float:
        until = min(self._waiting[0][0], self._deadline) if self._waiting else self._deadline
        return max(0.0, until - self._engine.clock())

    def _settle(self, lane: _Lane, answer: Answer) -> None:
        request = lane.requests[0]
        match judge(answer):
            case Verdict.DELIVERED:
                self._report.delivered.update(request.sources)
                self._trust(lane.tracking_id)
                lane.advance()
                self._queue(lane)
            case Verdict.INVALID if len(request.interactions) > 1:
                lane.advance(*request.halves())
                self._queue(lane)
            case Verdict.INVALID:
                lane.advance()
                self._reject(request, answer, whole=lane.fresh)
                self._queue(lane)
            case Verdict.CONFIGURATION:
                self._stop_tracker(lane.tracking_id, answer.error)
            case Verdict.THROTTLED | Verdict.TRANSIENT as verdict:
                self._retry(lane, answer, throttled=verdict is Verdict.THROTTLED)

    def _queue(self, lane: _Lane) -> None:
        """Have the lane's next request sent, if it has one and nothing speaks against it."""
        if not lane.requests or not self._open(lane):
            return
        probation = self._probation(lane.tracking_id)
        if probation and lane.fresh and not probation.admits():
            probation.held.append(lane)
        else:
            lane.fresh = False
            heapq.heappush(self._ready, lane)

    def _open(self, lane: _Lane) -> bool:
        return self._uncured is None and lane.tracking_id not in self._stopped

    def _probation(self, tracking_id: str) -> Probation[_Lane] | None:
        """The tracker's probation; None once it is trusted, or where events are old enough to be doubted first."""
        if not self._doubting or tracking_id in self._engine.trusted:
            return None
        return self._probations.setdefault(tracking_id, Probation())

    def _trust(self, tracking_id: str) -> None:
        self._engine.trusted.add(tracking_id)
        if probation := self._probations.pop(tracking_id, None):
            self._set_aside(probation.rejected)
            for lane in probation.held:
                self._queue(lane)

    def _reject(self, request: Request, answer: Answer, *, whole: bool) -> None:
        """Reject the one event of a request; `whole` when all that it was split from is rejected, too."""
        (interaction,) = request.interactions
        known = answer.error == "InvalidInputException"
        rejection = Rejection(
            index=interaction.source.index,
            event_id=interaction.event.event_id,
            reason=Reason.REJECTED_BY_PERSONALIZE if known else Reason.REFUSED_BY_PERSONALIZE,
            detail=f"PutEvents answered {answer.status} {answer.error} to this event alone",
        )
        probation = self._probation(interaction.tracking_id)
        if not probation:
            self._set_aside({interaction.source: rejection})
            return
        probation.rejected[interaction.source] = rejection
        probation.refused += whole
        if probation.refused == MAX_REFUSED:
            self._stop_tracker(interaction.tracking_id, SUSPECT_TRACKER)

    def _set_aside(self, rejected: dict[Source, Rejection]) -> None:
        if rejected:
            self._report.rejected.update(rejected)
            self._deadline = self._end_less(QUARANTINE_MARGIN)

    def _stop_tracker(self, tracking_id: str, error: str) -> None:
        self._stopped.add(tracking_id)
        self._report.configuration_errors.append(error)
        self._ready = [lane for lane in self._ready if self._open(lane)]
        self._waiting = [(due, lane) for due, lane in self._waiting if self._open(lane)]
        heapq.heapify(self._ready)
        heapq.heapify(self._waiting)

    def _retry(self, lane: _Lane, answer: Answer, *, throttled: bool) -> None:
        lane.failures += 1
        self._report.throttles += throttled
        wait = self._engine.jitter(longest_wait(lane.failures, throttled=throttled))
        due = self._engine.clock() + max(wait, answer.retry_after)
        if lane.failures >= MAX_ATTEMPTS:
            self._stop_sending(Cause.RETRIES, answer)
        elif not self._may_begin(due):
            self._stop_sending(Cause.DEADLINE, answer)
        elif self._open(lane):
            heapq.heappush(self._waiting, (due, lane))

    def _stop_sending(self, cause: Cause, answer: Answer) -> None:
        self._uncured = cause
        self._report.uncured_errors.append(answer.error or f"HTTP {answer.status}")
        self._ready.clear()
        self._waiting.clear()

    def _leave_undelivered(self) -> None:
        for tracking_id, probation in self._probations.items():
            if probation.rejected and tracking_id not in self._stopped and self._uncured is None:
                self._stop_tracker(tracking_id, SUSPECT_TRACKER)
            self._report.undelivered.update(dict.fromkeys(probation.rejected, Cause.CONFIGURATION))
        for lane in self._lanes:
            stopped = lane.tracking_id in self._stopped
            cause = Cause.CONFIGURATION if stopped else self._uncured or Cause.DEADLINE
            for request in lane.requests:
                self._report.undelivered.update(dict.fromkeys(request.sources, cause))
