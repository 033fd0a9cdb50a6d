"""What goes wrong in the demo, and when."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spell:
    """A while in which something is wrong, as shares of the time that producing takes."""

    label: str
    begins: float
    ends: float

    def lasts(self, seconds: float, clock: Callable[[], float]) -> Callable[[], bool]:
        """Whether it is on, of a time of so many seconds that begins now."""
        began = clock()
        return lambda: self.begins * seconds <= clock() - began < self.ends * seconds


QUOTA = 10.0
"""PutEvents calls a second that Personalize takes while it throttles."""
THROTTLING = Spell(f"Personalize takes {QUOTA:.0f} calls a second", 0.2, 0.4)
CARELESSNESS = Spell("a producer loses session ids and misspells names", 0.6, 0.8)
