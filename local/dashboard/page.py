"""What a picture of a dashboard is of, beside the widgets."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of Unix time that is marked on every graph, and in the page's head by its label."""

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
