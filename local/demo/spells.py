"""The spells of a demo run: when something goes wrong, and how."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from local.dashboard.page import Band
from local.personalize.answers import DENIED
from local.personalize.faults import Effect, Fault, Quota
from local.personalize.requests import ReceivedRequest


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which something is wrong; begins and ends as shares of the time that producing takes."""

    label: str
    begins: float
    ends: float
    colour: str
    """Its colour on the picture of the dashboard."""
    effect: Callable[[], Effect] | None = None
    """Makes the fault of Personalize, if the spell is one."""

    def fault(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> Fault | None:
        """The spell's fault, if producing takes so many seconds and begins now."""
        began = clock()

        def on(_request: ReceivedRequest) -> bool:
            return self.begins * seconds <= clock() - began < self.ends * seconds

        return Fault(self.effect(), when=on) if self.effect else None

    def band(self, began: float, seconds: float) -> Band:
        """The spell on a picture, if producing began at this Unix time."""
        return Band(self.label, began + self.begins * seconds, began + self.ends * seconds, self.colour)


QUOTA = 10.0
"""PutEvents calls a second that Personalize takes while it throttles."""
THROTTLING = Spell(f"Personalize takes {QUOTA:.0f} calls a second", 0.25, 0.42, "#fdebc8", lambda: Quota(QUOTA))
DENIAL = Spell("access is denied", 0.54, 0.6, "#f8cfcc", lambda: DENIED)
CARELESSNESS = Spell("a producer loses session ids and misspells names", 0.7, 0.87, "#dcdcf5")
