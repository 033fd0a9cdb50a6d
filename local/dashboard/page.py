"""The page around the widgets of a picture: its title, its time, and marked stretches of time."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of Unix time that every graph marks; the page's head has its label."""

    label: str
    start: float
    end: float
    colour: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page's title, and the stretch of Unix time that its graphs show."""

    title: str
    start: int
    end: int
    bands: Sequence[Band] = ()

    @property
    def seconds(self) -> int:
        """How long that is."""
        return self.end - self.start
