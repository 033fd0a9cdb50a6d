"""One delivery of the engine alone, on virtual time against a scripted API."""

from collections.abc import Callable

from msgspec.structs import replace

from personalize_relay.clients import Answer
from personalize_relay.delivery import Delivery
from personalize_relay.events import Event, Interaction, Source
from personalize_relay.requests import Request, lanes
from personalize_relay.result import Result
from personalize_relay.suspicion import FIRST_TRIAL
from tests.simulation.world import ARRIVAL, Api, Clock, Reply, Script, good, no_jitter

OLD_ENOUGH = FIRST_TRIAL.least_age + 1
"""Seconds since the arrival of an event that may be given up."""
BUSY = Reply(Answer(503, "ServiceUnavailable"), taken=False)
THROTTLED = Reply(Answer(429, "ThrottlingException"), taken=False)
TIMED_OUT = Reply(Answer(0, "ReadTimeoutError"), taken=False)
REJECTED = Reply(Answer(400, "InvalidInputException"), taken=False)
DENIED = Reply(Answer(403, "AccessDeniedException"), taken=False)


def interaction(position: int, session: str = "s", tracker: str = "t") -> Interaction:
    """A good event, by default of the same session and tracker as all others."""
    return Interaction(
        source=Source(position),
        tracking_id=tracker,
        user_id=None,
        session_id=session,
        arrival=ARRIVAL,
        event=Event(event_id=f"e{position}", event_type="click", sent_at=1e9),
        sent_at_given=True,
    )


class Run:
    """One delivery of the given interactions; those below `aged` arrived so long ago that they may be given up."""

    def __init__(  # noqa: PLR0913 - one argument for each thing that varies
        self,
        interactions: list[Interaction],
        script: Script = good,
        *,
        seconds: float = 60,
        most: int = 4,
        doubting: bool = False,
        aged: int = 0,
        clock: Clock | None = None,
        jitter: Callable[[float], float] = no_jitter,
    ) -> None:
        self.clock = clock or Clock()
        self.api = Api(self.clock, script)
        engine = Delivery(self.api, clock=self.clock, jitter=jitter, max_in_flight=most)
        for each in interactions:
            engine.trackers[each.tracking_id].trusted = not doubting
        self.began = self.clock.now
        old = [
            replace(each, arrival=ARRIVAL - OLD_ENOUGH) if each.source.sequence_number < aged else each
            for each in interactions
        ]
        self.result: Result = engine.deliver(lanes(old), end=self.began + seconds, wall=ARRIVAL)

    @property
    def taken(self) -> list[str]:
        """The ids of the events that the API took, in order."""
        return [event.event_id for request in self.api.taken for event in request.events]

    def tries(self, position: int, *, alone: bool = False) -> list[float]:
        """When the calls began that held an event, or it alone: seconds since the delivery began."""
        mine = {f"e{position}"}
        calls = [
            call for call in self.api.calls if mine == ids(call.request) or (mine < ids(call.request) and not alone)
        ]
        return [call.began - self.began for call in calls]


def failing(times: int, reply: Reply) -> Script:
    """A script whose first calls fail."""
    return lambda _request, number: reply if number < times else Reply()


def always(reply: Reply) -> Script:
    """A script whose calls all come to the same."""
    return lambda _request, _number: reply


def rejecting(*bad: int) -> Script:
    """A script that rejects every call that has one of the events."""
    those = {f"e{position}" for position in bad}
    return lambda request, _number: REJECTED if those & ids(request) else Reply()


def ids(request: Request) -> set[str]:
    """The ids of the events in a request."""
    return {event.event_id for event in request.events}
