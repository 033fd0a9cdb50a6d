"""The delivery engine: lanes of requests in, an outcome for each of their events out.

A single-threaded state machine over a client and a clock, both passed in.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Self

import msgspec

from personalize_relay.clients import Answer, PutEventsClient
from personalize_relay.errors import Reason
from personalize_relay.events import Rejection, Source
from personalize_relay.requests import Lane, Request
from personalize_relay.verdicts import Verdict, judge

MAX_ATTEMPTS = 8
BACKOFF = 0.05
"""Seconds: the most that the first retry waits, doubled at each further one."""
THROTTLED_BACKOFF = 0.5
MAX_BACKOFF = 5.0
SETTLE_MARGIN = 1.0
"""Seconds kept free at the end of an invocation to answer in, though never over half of it."""
QUARANTINE_MARGIN = 6.0
"""The same as soon as there is something to quarantine: building an S3 client takes its time."""
LEAST_TIME_FOR_A_CALL = 0.25


class Cause(StrEnum):
    """Why an event is still undelivered at the end of an invocation."""

    CONFIGURATION = "configuration"
    RETRIES = "retries"
    DEADLINE = "deadline"


class Report(msgspec.Struct):
    """What came of each event: it is in one of the first three. And what it took."""

    delivered: set[Source] = msgspec.field(default_factory=set)
    rejected: dict[Source, Rejection] = msgspec.field(default_factory=dict)
    undelivered: dict[Source, Cause] = msgspec.field(default_factory=dict)
    calls: int = 0
    retries: int = 0
    throttles: int = 0
    configuration_errors: list[str] = msgspec.field(default_factory=list)
    """The error codes that stopped a tracker."""


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

    def deliver(self, lanes: Iterable[Lane], *, end: float, quarantining: bool) -> Report:
        """Deliver what can be delivered before `end` (on the clock), and report on every event.

        `quarantining` keeps the longer margin from the start, for records that are already known to be bad.
        """
        return _Run(self, lanes, end=end, quarantining=quarantining).report()


class _Lane:
    """A lane under way: its first request is the one in flight, or the next to send."""

    def __init__(self, requests: Lane) -> None:
        self.requests = deque(requests)
        self.tracking_id = requests[0].tracking_id
        self.failures = 0
        """Transient failures of the first request so far."""

    def __lt__(self, other: Self) -> bool:
        """What stands lowest in the stream goes first: the checkpoint needs it first."""
        return self.requests[0].sources[0] < other.requests[0].sources[0]

    def advance(self, *instead: Request) -> None:
        """Go on to the next request, after those that come instead of the first."""
        self.requests.popleft()
        self.requests.extendleft(reversed(instead))
        self.failures = 0


class _Run:
    """The deliveries of one invocation."""

    def __init__(self, engine: Delivery, lanes: Iterable[Lane], *, end: float, quarantining: bool) -> None:
        self._engine = engine
        self._end = end
        self._time = end - engine.clock()
        self._deadline = self._end_less(QUARANTINE_MARGIN if quarantining else SETTLE_MARGIN)
        self._lanes = [_Lane(requests) for requests in lanes]
        self._ready = list(self._lanes)
        heapq.heapify(self._ready)
        self._waiting: list[tuple[float, _Lane]] = []
        self._in_flight: dict[int, _Lane] = {}
        self._stopped: set[str] = set()
        """Trackers that are stopped by a configuration error."""
        self._uncured: Cause | None = None
        """Set once a request has run out of attempts or time: all from it on comes again, so no more is sent."""
        self._report = Report()

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
                lane.advance()
            case Verdict.INVALID if len(request.interactions) > 1:
                lane.advance(*request.halves())
            case Verdict.INVALID:
                self._reject(request, answer)
                lane.advance()
            case Verdict.CONFIGURATION:
                self._stop_tracker(lane.tracking_id, answer)
            case Verdict.THROTTLED | Verdict.TRANSIENT as verdict:
                self._retry(lane, answer, throttled=verdict is Verdict.THROTTLED)
                return
        if lane.requests and self._open(lane):
            heapq.heappush(self._ready, lane)

    def _open(self, lane: _Lane) -> bool:
        return self._uncured is None and lane.tracking_id not in self._stopped

    def _reject(self, request: Request, answer: Answer) -> None:
        (interaction,) = request.interactions
        known = answer.error == "InvalidInputException"
        self._report.rejected[interaction.source] = Rejection(
            index=interaction.source.index,
            event_id=interaction.event.event_id,
            reason=Reason.REJECTED_BY_PERSONALIZE if known else Reason.REFUSED_BY_PERSONALIZE,
            detail=f"PutEvents answered {answer.status} {answer.error} to this event alone",
        )
        self._deadline = self._end_less(QUARANTINE_MARGIN)

    def _stop_tracker(self, tracking_id: str, answer: Answer) -> None:
        self._stopped.add(tracking_id)
        self._report.configuration_errors.append(answer.error)
        self._ready = [lane for lane in self._ready if self._open(lane)]
        self._waiting = [(due, lane) for due, lane in self._waiting if self._open(lane)]
        heapq.heapify(self._ready)
        heapq.heapify(self._waiting)

    def _retry(self, lane: _Lane, answer: Answer, *, throttled: bool) -> None:
        lane.failures += 1
        self._report.throttles += throttled
        base = THROTTLED_BACKOFF if throttled else BACKOFF
        wait = self._engine.jitter(min(MAX_BACKOFF, base * 2 ** (lane.failures - 1)))
        due = self._engine.clock() + max(wait, answer.retry_after)
        if lane.failures >= MAX_ATTEMPTS:
            self._stop_sending(Cause.RETRIES)
        elif not self._may_begin(due):
            self._stop_sending(Cause.DEADLINE)
        elif self._open(lane):
            heapq.heappush(self._waiting, (due, lane))

    def _stop_sending(self, cause: Cause) -> None:
        self._uncured = cause
        self._ready.clear()
        self._waiting.clear()

    def _leave_undelivered(self) -> None:
        for lane in self._lanes:
            stopped = lane.tracking_id in self._stopped
            cause = Cause.CONFIGURATION if stopped else self._uncured or Cause.DEADLINE
            for request in lane.requests:
                self._report.undelivered.update(dict.fromkeys(request.sources, cause))
