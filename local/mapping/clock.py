"""The speed of an event source mapping: its pauses, and its clock, which tests may run faster than the world's."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """The pauses of a mapping. Lambda documents only the poll each second; its other pauses are longer.

    In each second of the world, `time_scale` seconds pass on the mapping's clock, which windows, record ages and
    back-offs follow: so a record can be 12 hours old within a minute.
    """

    time_scale: float = 1.0
    poll_seconds: float = 1.0
    """Between two reads of a shard that found nothing, in the world's time, unless somebody waits for the drain."""
    discover_seconds: float = 1.0
    """Between two looks at the mapping and for new shards, in the world's time, with the same exception."""
    first_backoff: float = 0.1
    """Before the second attempt at a batch, on the mapping's clock; doubled each time."""
    longest_backoff: float = 2.0

    def backoff(self, attempts: int) -> float:
        """Seconds on the mapping's clock to wait after this many failed attempts."""
        return min(self.longest_backoff, self.first_backoff * 2.0 ** min(attempts - 1, 30))


@dataclass(frozen=True, slots=True)
class MappingClock:
    """The mapping's clock: shows Unix time when it is made, and then runs `scale` times as fast."""

    scale: float = 1.0
    origin: float = field(default_factory=time.time)

    def of(self, timestamp: float) -> float:
        """The clock's time at a Unix time."""
        return self.origin + (timestamp - self.origin) * self.scale

    def now(self) -> float:
        """The clock's time now."""
        return self.of(time.time())

    def seconds_until(self, moment: float) -> float:
        """The seconds of the world until a moment on this clock; never negative."""
        return max(0.0, (moment - self.now()) / self.scale)
