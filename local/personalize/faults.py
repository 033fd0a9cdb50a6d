"""Faults for the Personalize fake: small values that say which calls they strike and what becomes of those.

A fault is a step on the way of a call: it may hold the call, answer in the service's place, or change the answer that
comes back. Several injected faults are steps in a row, in the order of injection:

    personalize.inject(Fault(Delay(0.02)))                      # every call takes 20 ms
    personalize.inject(Fault(THROTTLED, times=3))               # the next three are throttled
    personalize.inject(Fault(UNAVAILABLE, share=0.2, seed=7))   # a fifth of the rest fails
    personalize.inject(Fault(INTERNAL_ERROR, taken=True, times=1))  # accepted, but the answer is lost
    personalize.inject(Fault(REFUSED_EVENT, when=any_event(lambda event: event.get("itemId") == "bad")))

Every `local.personalize.answers.Answer` is an effect too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Protocol

from local.personalize.answers import THROTTLED, HttpAnswer
from local.personalize.requests import EventMembers, ReceivedRequest

type Proceed = Callable[[], Awaitable[HttpAnswer]]
type Condition = Callable[[ReceivedRequest], bool]


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One call on its way through the faults."""

    request: ReceivedRequest
    clock: Callable[[], float]
    released: asyncio.Event
    swallowed: bool = False


class Effect(Protocol):
    """What a fault does; `proceed` gives what the rest of the way answers."""

    async def strike(self, exchange: Exchange, proceed: Proceed, /) -> HttpAnswer:
        """Answer the call, with or without proceeding."""
        ...


def any_call(_request: ReceivedRequest) -> bool:
    """Match every call."""
    return True


def any_event(predicate: Callable[[EventMembers], bool]) -> Condition:
    """Match the calls with an event that satisfies the predicate: one bad event fails its call."""
    return lambda request: any(map(predicate, request.events))


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to which calls, for how many of them and how long.

    With `taken` the call is carried out first and its events accepted; the fault then spoils the answer alone.
    A call the service refuses is refused all the same.
    """

    does: Effect
    _: KW_ONLY
    when: Condition = any_call
    times: int | None = None
    seconds: float | None = None
    share: float = 1.0
    """Of the calls that match, drawn in order of arrival from a generator of this `seed`."""
    seed: int = 0
    taken: bool = False


class Injected:
    """A fault at work: counts the calls it struck."""

    def __init__(self, fault: Fault, now: float) -> None:
        self.fault = fault
        self.struck = 0
        self._until = None if fault.seconds is None else now + fault.seconds
        self._random = random.Random(fault.seed)  # noqa: S311 - repeatable draws are the point

    def strikes(self, request: ReceivedRequest, now: float) -> bool:
        """Decide whether this call is struck, and count it if so."""
        struck = not self._spent(now) and self.fault.when(request) and self._random.random() < self.fault.share
        self.struck += struck
        return struck

    def _spent(self, now: float) -> bool:
        return self.struck == self.fault.times or (self._until is not None and now >= self._until)


@dataclass(frozen=True, slots=True)
class Delay:
    """Hold the call for a time before it goes on, in seconds; a callable is asked anew for each call."""

    seconds: float | Callable[[], float]

    async def strike(self, _exchange: Exchange, proceed: Proceed, /) -> HttpAnswer:
        """Wait, then go on."""
        await asyncio.sleep(self.seconds() if callable(self.seconds) else self.seconds)
        return await proceed()


@dataclass(frozen=True, slots=True)
class Hang:
    """Hold the call until `clear()` releases it, or its client or the fake closes the connection."""

    async def strike(self, exchange: Exchange, proceed: Proceed, /) -> HttpAnswer:
        """Wait for the release, then go on."""
        await exchange.released.wait()
        return await proceed()


@dataclass(frozen=True, slots=True)
class SlowBody:
    """Send the head and the first byte of the answer's body at once, the rest after some seconds."""

    seconds: float

    async def strike(self, _exchange: Exchange, proceed: Proceed, /) -> HttpAnswer:
        """Go on, and slow down what comes back."""
        return replace(await proceed(), body_seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Swallow:
    """Answer 200 and forget the events, so that a count of what arrived must find them missing."""

    async def strike(self, exchange: Exchange, proceed: Proceed, /) -> HttpAnswer:
        """Mark the call as one not to remember, then go on."""
        exchange.swallowed = True
        return await proceed()


@dataclass(slots=True)
class Quota:
    """Let `per_second` calls through, `burst` of them at once, and refuse the others: a token bucket.

    One Quota is one bucket, wherever it is injected.
    """

    per_second: float
    burst: float = 1.0
    refusal: HttpAnswer = THROTTLED
    _tokens: float = field(init=False)
    _filled: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    async def strike(self, exchange: Exchange, proceed: Proceed, /) -> HttpAnswer:
        """Go on for a token, else refuse."""
        self._fill(exchange.clock())
        if self._tokens < 1:
            return self.refusal
        self._tokens -= 1
        return await proceed()

    def _fill(self, now: float) -> None:
        elapsed = 0.0 if self._filled is None else now - self._filled
        self._filled = now
        self._tokens = min(self.burst, self._tokens + elapsed * self.per_second)
