"""One shard in a simulated world: records that arrive, and a mapping that gives them to the function by its rules."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local.mapping.backlog import Backlog, Discard, FailureCondition, Invoke, Wait
from local.mapping.invocation import InvokeAnswer, StreamRecord, payload_of, read_answer
from local.mapping.settings import MappingSettings
from tests.simulation.world import ARRIVAL, BEGINNING, Clock, Script, World, click, record

SETTINGS = MappingSettings(
    uuid="mapping",
    stream_arn="stream",
    function_arn="function",
    batch_size=1000,
    window=1.0,
    report_failures=True,
    bisect=True,
    max_retries=1000,
    max_age=12 * 3600,
)
TIMEOUT = 60.0
"""Seconds that an invocation has by default."""


type Make = Callable[[int, str, float], dict[str, Any]]
"""Gives the record of a number, for a session, that arrived at a time of the stream."""


def one_click(number: int, session: str, arrival: float) -> dict[str, Any]:
    """A record with one good event."""
    return record(number, click(session), arrival=arrival)


@dataclass(frozen=True)
class Arrivals:
    """How records come: so many a second, of sessions that each have one event only."""

    shard: int = 0
    per_second: float = 0.0
    """Zero: more than anybody can take, all there from the beginning."""
    count: float = float("inf")
    make: Make = one_click

    def __iter__(self) -> Iterator[StreamRecord]:
        """The records, in order."""
        number = 0
        while number < self.count:
            arrived = BEGINNING + (number / self.per_second if self.per_second else 0.0)
            timestamp = ARRIVAL + arrived - BEGINNING
            session = f"{self.shard}-{number}"
            event = json.dumps(self.make(number, session, timestamp))
            yield StreamRecord(str(number), session, timestamp, arrived, event)
            number += 1


@dataclass
class Shard:
    """A mapping on one shard, that invokes one function after the other until the given time."""

    clock: Clock
    script: Script
    arrivals: Arrivals
    settings: MappingSettings = SETTINGS
    max_in_flight: int = 64
    seed: int = 0
    allowed: tuple[str, ...] = ()
    """Trackers that records may name beside the default."""
    fresh_sandboxes: bool = False
    """Whether each invocation runs in a new sandbox."""
    timeout: float = TIMEOUT
    """Seconds that an invocation has."""
    invocations: int = field(default=0, init=False)
    given_up: Counter[FailureCondition] = field(default_factory=Counter, init=False)
    """Records, by why they were."""
    world: World = field(init=False)

    def __post_init__(self) -> None:
        """Build the world around it."""
        draw = random.Random(self.seed)  # noqa: S311 - a simulation's
        jitter = lambda most: draw.uniform(0, most)
        self.world = World(
            self.script, clock=self.clock, jitter=jitter, max_in_flight=self.max_in_flight, allowed=self.allowed
        )

    @property
    def discarded(self) -> int:
        """How many records it gave up."""
        return self.given_up.total()

    def live(self, until: float) -> None:
        """Invoke until the given time, or until all its records are acknowledged or given up."""
        backlog = Backlog(self.settings, lambda _attempts: 0.0)
        coming = iter(self.arrivals)
        following = next(coming, None)
        while self.clock.now < until:
            while following and following.arrived <= self.clock.now and backlog.waiting[0] <= self.settings.batch_size:
                backlog.add(following, self.clock.now)
                following = next(coming, None)
            if not following and not backlog.count:
                return
            match backlog.next(self.clock.now):
                case Invoke(records):
                    self._invoke(backlog, records)
                case Discard(records, condition):
                    self.given_up[condition] += len(records)
                    backlog.discarded()
                case Wait(ready):
                    self.clock.wait_until(min(ready, until, following.arrived if following else until))

    def _invoke(self, backlog: Backlog, records: tuple[StreamRecord, ...]) -> None:
        if self.fresh_sandboxes:
            self.world.fresh_sandbox()
        self.invocations += 1
        failed = self.world.invoke(json.loads(payload_of(records))["Records"], seconds=self.timeout)
        response = {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
        answer = InvokeAnswer(payload=json.dumps(response).encode())
        backlog.settle(read_answer(records, answer, report_failures=True), self.clock.now)
