"""What the Personalize fake remembers of the calls it got, for the thread that tests with it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from local.personalize.answers import HttpAnswer
from local.personalize.requests import EventMembers, ReceivedRequest

NO_ANSWER = "NoAnswer"
"""The `error` of a call that ended without a whole answer: reset, or given up by its client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request and its outcome; `status` is None while it is under way and when it got no whole answer."""

    tracking_id: str
    user_id: str | None
    session_id: str
    event_ids: tuple[str, ...]
    status: int | None = None
    error: str | None = None
    """The code of the error answered, NO_ANSWER, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The first event accepted under its eventId, the one Personalize trains with."""

    event: EventMembers
    tracking_id: str
    user_id: str | None
    session_id: str
    count: int = 1
    """How many times an event with this id was accepted."""


class Memory:
    """Every call and every accepted event, in order of arrival; each attribute read is a consistent snapshot."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._calls: dict[int, Call] = {}
        self._arrivals = 0
        self._under_way: dict[int, tuple[str, str]] = {}
        self._by_lane: dict[tuple[str, str], int] = {}
        self._reset()

    def _reset(self) -> None:
        self._calls.clear()
        self._accepted: dict[str, Accepted] = {}
        self._repeated = 0
        self._most_in_flight = len(self._under_way)
        self._most_by_lane: dict[tuple[str, str], int] = dict(self._by_lane)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call, those under way and those refused included."""
        with self._changed:
            return tuple(self._calls.values())

    @property
    def call_count(self) -> int:
        """How many calls arrived; cheaper than `len(calls)`."""
        with self._changed:
            return len(self._calls)

    @property
    def accepted(self) -> dict[str, Accepted]:
        """The accepted events by eventId, in order of first acceptance."""
        with self._changed:
            return dict(self._accepted)

    @property
    def accepted_count(self) -> int:
        """How many different events were accepted; cheaper than `len(accepted)`."""
        with self._changed:
            return len(self._accepted)

    @property
    def repeated_count(self) -> int:
        """How many times an event was accepted that had been accepted before."""
        with self._changed:
            return self._repeated

    @property
    def sessions(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The ids of the accepted events of each (trackingId, sessionId), in order of first acceptance."""
        sessions: dict[tuple[str, str], list[str]] = {}
        for event_id, accepted in self.accepted.items():
            sessions.setdefault((accepted.tracking_id, accepted.session_id), []).append(event_id)
        return {lane: tuple(event_ids) for lane, event_ids in sessions.items()}

    @property
    def in_flight(self) -> int:
        """How many calls are under way."""
        with self._changed:
            return len(self._under_way)

    @property
    def most_in_flight(self) -> int:
        """How many calls were under way at once, at most."""
        with self._changed:
            return self._most_in_flight

    @property
    def most_in_flight_by_session(self) -> dict[tuple[str, str], int]:
        """How many calls of each (trackingId, sessionId) were under way at once, at most."""
        with self._changed:
            return dict(self._most_by_lane)

    def wait_for(self, predicate: Callable[[Self], bool], timeout: float) -> None:
        """Return once `predicate` holds of this memory, asked after every change; TimeoutError after `timeout` s."""
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(self), timeout):
                raise TimeoutError(
                    f"not so within {timeout} s: {len(self._calls)} calls, "
                    f"{len(self._under_way)} of them under way, {len(self._accepted)} events accepted"
                )

    def forget(self) -> None:
        """Forget every call and event so far; a call under way is no longer listed, but still counts as in flight."""
        with self._changed:
            self._reset()

    def _begin(self, request: ReceivedRequest) -> int:
        """Note an arrival and return its number, for `_end`."""
        with self._changed:
            self._arrivals += 1
            number, lane = self._arrivals, request.lane
            self._calls[number] = Call(
                tracking_id=request.tracking_id,
                user_id=request.user_id,
                session_id=request.session_id,
                event_ids=request.event_ids,
            )
            self._under_way[number] = lane
            in_lane = self._by_lane[lane] = self._by_lane.get(lane, 0) + 1
            self._most_in_flight = max(self._most_in_flight, len(self._under_way))
            self._most_by_lane[lane] = max(self._most_by_lane.get(lane, 0), in_lane)
            self._changed.notify_all()
            return number

    def _end(self, number: int, answer: HttpAnswer | None) -> None:
        """Note the outcome of a call, None for no answer; of two outcomes the first stands."""
        with self._changed:
            lane = self._under_way.pop(number, None)
            if lane is None:
                return
            self._leave(lane)
            if number in self._calls:
                self._calls[number] = _settled(self._calls[number], answer)
            self._changed.notify_all()

    def _leave(self, lane: tuple[str, str]) -> None:
        """Count one call of the lane less; a lane at rest is dropped, or a long run would keep every session."""
        left = self._by_lane.pop(lane) - 1
        if left:
            self._by_lane[lane] = left

    def _accept(self, request: ReceivedRequest) -> None:
        with self._changed:
            for event_id, event in zip(request.event_ids, request.events, strict=True):
                self._repeated += event_id in self._accepted
                self._accepted[event_id] = self._counted(event_id) or Accepted(
                    event=event,
                    tracking_id=request.tracking_id,
                    user_id=request.user_id,
                    session_id=request.session_id,
                )
            self._changed.notify_all()

    def _counted(self, event_id: str) -> Accepted | None:
        known = self._accepted.get(event_id)
        return replace(known, count=known.count + 1) if known else None


def _settled(call: Call, answer: HttpAnswer | None) -> Call:
    if answer is None or answer.reset != "never":
        return replace(call, error=NO_ANSWER)
    return replace(call, status=answer.status, error=answer.code or None)
