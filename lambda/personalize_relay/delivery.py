"""The delivery engine: lanes of requests in, an outcome for each of their events out.

A single-threaded state machine over a client and a clock, both passed in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from personalize_relay.backoff import longest_wait
from personalize_relay.clients import Answer, PutEventsClient
from personalize_relay.errors import Reason
from personalize_relay.events import Rejection, Source
from personalize_relay.lane import LaneUnderWay, Tally
from personalize_relay.pace import Pace
from personalize_relay.probation import MAX_REFUSED, SUSPECT_TRACKER, Probation
from personalize_relay.reports import Cause, Report
from personalize_relay.requests import Lane, Request
from personalize_relay.schedule import Schedule
from personalize_relay.terms import Deadline, Terms
from personalize_relay.verdicts import Verdict, judge


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
        self.pace = Pace()
        self.trusted: set[str] = set()
        """Trackers that have taken an event in this sandbox."""

    def deliver(self, lanes: Iterable[Lane], terms: Terms) -> Report:
        """Deliver what can be delivered in time, and report on every event."""
        return _Run(self, lanes, terms).report()


class _Run:
    """The deliveries of one invocation."""

    def __init__(self, engine: Delivery, lanes: Iterable[Lane], terms: Terms) -> None:
        self._engine = engine
        self._terms = terms
        self._deadline = Deadline(terms, engine.clock())
        self._tallies: dict[str, Tally] = defaultdict(Tally)
        self._schedule = Schedule()
        self._in_flight: dict[int, tuple[LaneUnderWay, float]] = {}
        """By ticket, and when the call began."""
        self._stopped: set[str] = set()
        """Trackers that are stopped by a configuration error."""
        self._report = Report()
        self._probations: dict[str, Probation[LaneUnderWay]] = {}
        self._lanes = [LaneUnderWay(requests) for requests in lanes]
        for lane in self._lanes:
            self._queue(lane)

    def report(self) -> Report:
        """Run until all is settled or nothing more can be done in time."""
        while self._under_way():
            self._begin_calls()
            for ticket, answer in self._engine.client.poll(self._pause()):
                # A call that an earlier invocation gave up on has no lane here: its records were reported.
                if call := self._in_flight.pop(ticket, None):
                    self._settle(*call, answer)
        self._leave_undelivered()
        return self._report

    def _under_way(self) -> bool:
        now = self._engine.clock()
        if self._in_flight:
            return now < self._deadline.at
        return bool(self._schedule) and self._deadline.leaves_time(now)

    def _begin_calls(self) -> None:
        now = self._engine.clock()
        while self._has_room(now) and self._schedule.ready(now) and self._engine.pace.admits(now):
            lane = self._schedule.take()
            self._engine.pace.begin(now)
            lane.begin(self._tallies[lane.tracking_id], now)
            ticket = self._engine.client.submit(lane.requests[0], self._deadline.at - now)
            self._in_flight[ticket] = lane, now
            self._report.calls += 1
            self._report.retries += lane.failures > 0

    def _has_room(self, now: float) -> bool:
        return len(self._in_flight) < self._engine.max_in_flight and self._deadline.leaves_time(now)

    def _pause(self) -> float:
        now = self._engine.clock()
        until = self._deadline.at
        if self._has_room(now):
            until = min(until, self._engine.pace.next if self._schedule.ready(now) else self._schedule.next_due())
        return max(0.0, until - now)

    def _settle(self, lane: LaneUnderWay, began: float, answer: Answer) -> None:
        request = lane.requests[0]
        verdict = judge(answer)
        now = self._engine.clock()
        self._engine.pace.settle(verdict, began, now)
        self._report.answers += 1
        self._report.seconds += now - began
        match verdict:
            case Verdict.DELIVERED:
                self._tallies[lane.tracking_id].taken += lane.failures == 0
                self._report.delivered.update(request.sources)
                self._trust(lane.tracking_id)
                lane.advance()
                self._queue(lane)
            case Verdict.INVALID if len(request.interactions) > 1:
                lane.split()
                self._queue(lane)
            case Verdict.INVALID:
                lane.advance()
                self._reject(request, answer, whole=lane.fresh)
                self._queue(lane)
            case Verdict.CONFIGURATION:
                self._stop_tracker(lane.tracking_id, answer.error)
            case Verdict.THROTTLED | Verdict.TRANSIENT:
                self._retry(lane, answer, throttled=verdict is Verdict.THROTTLED)

    def _queue(self, lane: LaneUnderWay) -> None:
        """Have the lane's next request sent, if it has one and nothing speaks against it."""
        if not lane.requests or not self._open(lane):
            return
        probation = self._probation(lane.tracking_id)
        if probation and lane.fresh and not probation.admits():
            probation.held.append(lane)
        else:
            lane.fresh = False
            self._schedule.add(lane)

    def _open(self, lane: LaneUnderWay) -> bool:
        return lane.tracking_id not in self._stopped

    def _probation(self, tracking_id: str) -> Probation[LaneUnderWay] | None:
        """The tracker's probation; None once it is trusted, or where events are old enough to be doubted first."""
        if tracking_id in self._terms.overdue or tracking_id in self._engine.trusted:
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
        reason = Reason.REJECTED_BY_PERSONALIZE if known else Reason.REFUSED_BY_PERSONALIZE
        rejection = _rejection(
            request, reason, f"PutEvents answered {answer.status} {answer.error} to this event alone"
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
            self._deadline.keep_time_to_quarantine()

    def _stop_tracker(self, tracking_id: str, error: str) -> None:
        self._stopped.add(tracking_id)
        self._report.configuration_errors.append(error)
        self._schedule.drop(tracking_id)

    def _retry(self, lane: LaneUnderWay, answer: Answer, *, throttled: bool) -> None:
        lane.fail(answer.error or f"HTTP {answer.status}")
        self._report.throttles += throttled
        if not self._open(lane):
            return
        if throttled or not self._suspect(lane, answer):
            wait = self._engine.jitter(longest_wait(lane.failures, throttled=throttled))
            self._schedule.add_later(lane, self._engine.clock() + max(wait, answer.retry_after))

    def _suspect(self, lane: LaneUnderWay, answer: Answer) -> bool:
        """Look for the event that a request fails on, and give it up once it is old; returns whether it did.

        There is no hurry to report what fails on: all from it on would come again at once. It is tried to the end.
        """
        tally = self._tallies[lane.tracking_id]
        now = self._engine.clock()
        if not lane.suspect(tally, now):
            return False
        self._replace_on_probation(lane.tracking_id)
        request = lane.requests[0]
        if len(request.interactions) > 1:
            lane.split()
            return False
        (source,) = request.sources
        old = source.sequence_number in self._terms.aged
        tried = lane.failing_for(now) >= self._deadline.trial
        if not (old and tried and lane.alone(tally)):
            return False
        lane.advance()
        why = f"PutEvents answered {answer.status} {answer.error} to this event alone, again and again"
        self._set_aside({source: _rejection(request, Reason.FAILED_REPEATEDLY, why)})
        self._queue(lane)
        return True

    def _replace_on_probation(self, tracking_id: str) -> None:
        probation = self._probations.get(tracking_id)
        if probation and (held := probation.replace()):
            held.fresh = False
            self._schedule.add(held)

    def _leave_undelivered(self) -> None:
        left = [lane for lane in self._lanes if lane.requests]
        failing = {lane.tracking_id for lane in left if lane.failures}
        for tracking_id, probation in self._probations.items():
            if probation.rejected and tracking_id not in self._stopped | failing:
                self._stop_tracker(tracking_id, SUSPECT_TRACKER)
            self._report.undelivered.update(dict.fromkeys(probation.rejected, Cause.CONFIGURATION))
        for lane in left:
            if lane.failures:
                self._report.uncured_errors.append(lane.error)
            cause = Cause.CONFIGURATION if lane.tracking_id in self._stopped else Cause.DEADLINE
            for request in lane.requests:
                self._report.undelivered.update(dict.fromkeys(request.sources, cause))


def _rejection(request: Request, reason: Reason, detail: str) -> Rejection:
    (interaction,) = request.interactions
    return Rejection(index=interaction.source.index, event_id=interaction.event.event_id, reason=reason, detail=detail)
