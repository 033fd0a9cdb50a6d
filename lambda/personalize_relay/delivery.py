"""The delivery engine: takes lanes of requests, and gives the fate of each of their events.

The engine is a single-threaded state machine over a client and a clock, both passed in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from personalize_relay.backoff import LONGEST_RETRY_AFTER, longest_wait
from personalize_relay.clients import Answer, PutEventsClient
from personalize_relay.deadline import Deadline
from personalize_relay.errors import Reason
from personalize_relay.events import Rejection, Source
from personalize_relay.lane import Lane
from personalize_relay.requests import Request
from personalize_relay.result import Cause, Result
from personalize_relay.suspicion import FIRST_TRIAL, NEXT_TRIAL, Step
from personalize_relay.timeout import Timeout
from personalize_relay.tracker import SUSPECT, Tracker
from personalize_relay.verdicts import LET_THROUGH, Verdict, judge


class Delivery:
    """Delivers lanes through a client: one request of a lane at a time, many lanes at once.

    `clock` gives monotonic seconds. `jitter` draws a wait between zero and the seconds it is given. `alert` gets the
    error code of each answer that only a person can cure, as the answer comes.
    """

    def __init__(
        self,
        client: PutEventsClient,
        *,
        clock: Callable[[], float],
        jitter: Callable[[float], float],
        max_in_flight: int,
        alert: Callable[[str], None] = lambda _code: None,
    ) -> None:
        self.client = client
        self.clock = clock
        self.jitter = jitter
        self.max_in_flight = max_in_flight
        self.alert = alert
        self.timeout = Timeout()
        self.trackers: dict[str, Tracker] = defaultdict(Tracker)

    def deliver(
        self,
        lanes: Iterable[list[Request]],
        *,
        end: float,
        wall: float,
        quarantining: bool = False,
        doubting: bool = True,
    ) -> Result:
        """Deliver as much as possible until `end`, on the engine's clock; `wall` is the time now, in epoch seconds.

        `quarantining` means that there are bad records already, so the engine must keep time to store them. Without
        `doubting`, the engine rejects events, or gives them up, as if it had tried them and their trackers for long: a
        person chose these events.
        """
        return _Run(self, lanes, end=end, wall=wall, quarantining=quarantining, doubting=doubting).result()


class _Call(msgspec.Struct, frozen=True):
    tracker: Tracker
    lane: Lane
    began: float
    timeout: float


class _Run:
    """The deliveries of one invocation."""

    def __init__(  # noqa: PLR0913 - as `deliver` takes them
        self,
        engine: Delivery,
        lanes: Iterable[list[Request]],
        *,
        end: float,
        wall: float,
        quarantining: bool,
        doubting: bool,
    ) -> None:
        now = engine.clock()
        self._engine = engine
        self._doubting = doubting
        self._deadline = Deadline(now=now, end=end, quarantining=quarantining)
        self._wall = wall - now
        """The difference between epoch seconds and the engine's time."""
        self._in_flight: dict[int, _Call] = {}
        """The calls under way, by ticket."""
        self._result = Result()
        by_tracker: dict[str, list[list[Request]]] = defaultdict(list)
        for requests in lanes:
            by_tracker[requests[0].tracking_id].append(requests)
        self._trackers = [engine.trackers[tracking_id] for tracking_id in by_tracker]
        for tracker, requests_of in zip(self._trackers, by_tracker.values(), strict=True):
            tracker.begin(requests_of, now=now, wall=wall, doubting=doubting)

    def result(self) -> Result:
        """Run until every event is settled, or no more can be done in time."""
        while self._under_way():
            self._begin_calls()
            for ticket, answer in self._engine.client.poll(self._pause()):
                # A call from an earlier invocation has no lane here: that invocation reported its records.
                if call := self._in_flight.pop(ticket, None):
                    self._settle(call, answer)
        for tracker in self._trackers:
            self._leave_undelivered(tracker)
        return self._result

    def _under_way(self) -> bool:
        now = self._engine.clock()
        if self._in_flight:
            return now < self._deadline.at
        return any(tracker.has_work for tracker in self._trackers) and self._deadline.leaves_time(now)

    def _begin_calls(self) -> None:
        now = self._engine.clock()
        while self._has_room(now):
            ready = [tracker for tracker in self._trackers if tracker.may_begin(now)]
            if not ready:
                return
            # A slow tracker would otherwise take all calls in flight. Of equals, take the one that waited longest.
            tracker = min(ready, key=lambda each: each.in_flight)
            self._trackers.remove(tracker)
            self._trackers.append(tracker)
            self._begin_call(tracker, now)

    def _begin_call(self, tracker: Tracker, now: float) -> None:
        lane = tracker.begin_call(now)
        timeout = min(self._engine.timeout.seconds(lane.timeouts), self._deadline.at - now)
        ticket = self._engine.client.submit(lane.first, timeout)
        self._in_flight[ticket] = _Call(tracker, lane, now, timeout)
        self._result.calls += 1
        self._result.retries += lane.failures > 0

    def _has_room(self, now: float) -> bool:
        return len(self._in_flight) < self._engine.max_in_flight and self._deadline.leaves_time(now)

    def _pause(self) -> float:
        now = self._engine.clock()
        until = self._deadline.at
        if self._has_room(now):
            until = min([until, *(tracker.next(now) for tracker in self._trackers)])
        return max(0.0, until - now)

    def _settle(self, call: _Call, answer: Answer) -> None:
        tracker, lane, request = call.tracker, call.lane, call.lane.first
        now = self._engine.clock()
        verdict = judge(answer)
        tracker.settle(lane, verdict, call.began, now)
        self._result.answers += 1
        self._result.seconds += now - call.began
        if verdict in LET_THROUGH:
            self._engine.timeout.note(now - call.began)
        match verdict:
            case Verdict.DELIVERED:
                self._result.delivered.update(request.sources)
                self._set_aside(tracker.trust(first_attempt=lane.failures == 0))
                lane.advance()
                tracker.queue(lane)
            case Verdict.INVALID if len(request.interactions) > 1:
                lane.split()
                tracker.queue(lane)
            case Verdict.INVALID:
                lane.advance()
                self._reject(tracker, request, answer)
                tracker.queue(lane)
            case Verdict.CONFIGURATION:
                lane.fail(answer.error)
                self._report_configuration(answer.error)
                tracker.queue(lane)
            case Verdict.THROTTLED:
                self._result.throttles += 1
                self._fail(call, answer, now)
                self._retry(tracker, lane, answer, now, throttled=True)
            case Verdict.TRANSIENT:
                self._fail(call, answer, now)
                self._suspect(tracker, lane, answer, now)

    def _fail(self, call: _Call, answer: Answer, now: float) -> None:
        timed_out = not answer.status and now - call.began >= call.timeout
        call.lane.fail(answer.error or f"HTTP {answer.status}", timed_out=timed_out)

    def _retry(self, tracker: Tracker, lane: Lane, answer: Answer, now: float, *, throttled: bool) -> None:
        wait = self._engine.jitter(longest_wait(max(1, lane.failures), throttled=throttled))
        tracker.queue_later(lane, now + max(wait, min(answer.retry_after, LONGEST_RETRY_AFTER)))

    def _suspect(self, tracker: Tracker, lane: Lane, answer: Answer, now: float) -> None:
        """Look for the event that a request fails on, and give the event up or go on trying.

        Don't report a persistent failure early: Lambda would redeliver it and everything after it at once.
        """
        request = lane.first
        trial = FIRST_TRIAL if self._doubting and not tracker.gave_up_lately(answer.error, now) else NEXT_TRIAL
        trial = trial.within(self._deadline.time)
        age = self._wall + now - request.interactions[0].arrival
        suspected = lane.suspicion.suspected
        step = lane.suspicion.note_failure(now, events=len(request.interactions), age=age, trial=trial)
        if lane.suspicion.suspected and not suspected:
            tracker.replace_on_probation()
        match step:
            case Step.KEEP:
                self._retry(tracker, lane, answer, now, throttled=False)
            case Step.SPLIT:
                lane.split()
                self._retry(tracker, lane, answer, now, throttled=False)
            case Step.GIVE_UP:
                lane.suspicion.begin_again()
                lane.advance()
                tracker.give_up(answer.error, now)
                why = f"PutEvents answered {answer.status} {answer.error} to this event alone, again and again"
                self._set_aside(_rejection(request, Reason.FAILED_REPEATEDLY, why))
                tracker.queue(lane)

    def _reject(self, tracker: Tracker, request: Request, answer: Answer) -> None:
        known = answer.error == "InvalidInputException"
        reason = Reason.REJECTED_BY_PERSONALIZE if known else Reason.REFUSED_BY_PERSONALIZE
        why = f"PutEvents answered {answer.status} {answer.error} to this event alone"
        rejected = _rejection(request, reason, why)
        if tracker.on_probation:
            tracker.rejected.update(rejected)
        else:
            self._set_aside(rejected)

    def _set_aside(self, rejected: dict[Source, Rejection]) -> None:
        if rejected:
            self._result.rejected.update(rejected)
            self._deadline.keep_time_to_quarantine()

    def _report_configuration(self, error: str) -> None:
        self._result.configuration_errors.append(error)
        self._engine.alert(error)

    def _leave_undelivered(self, tracker: Tracker) -> None:
        left = [lane for lane in tracker.lanes if lane.requests]
        errors = [lane.error for lane in left if lane.failures]
        suspect = bool(tracker.rejected) and not errors
        if suspect:
            self._report_configuration(SUSPECT)
        if not tracker.denied:
            self._result.uncured_errors += errors
        cause = Cause.CONFIGURATION if suspect or tracker.denied else Cause.DEADLINE
        self._result.undelivered.update(dict.fromkeys(tracker.rejected, Cause.CONFIGURATION))
        for lane in left:
            for request in lane.requests:
                self._result.undelivered.update(dict.fromkeys(request.sources, cause))


def _rejection(request: Request, reason: Reason, detail: str) -> dict[Source, Rejection]:
    (interaction,) = request.interactions
    source = interaction.source
    return {
        source: Rejection(
            sub_sequence=source.sub_sequence,
            index=source.index,
            event_id=interaction.event.event_id,
            reason=reason,
            detail=detail,
        )
    }
