"""How fast a mapping goes: its clock, which tests may run ahead of the world's, and its pauses."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Pauses of a mapping; Lambda publishes none but the poll of a second, and its others are longer.

    `time_scale` seconds of the mapping's clock pass in each second of the world: windows, record ages and back-offs
    follow it, so that a record can be 12 hours old within a minute.
    """

    time_scale: float = 1.0
    poll_seconds: float = 1.0
    """Between two reads of a shard that found nothing, in the world's time, unless someone waits until it's drained."""
    discover_seconds: float = 1.0
    """Between two looks at the mapping and for new shards, in the world's time; the same."""
    first_backoff: float = 0.1
    """Before the second attempt at a batch, on the mapping's clock; doubled each time."""
    longest_backoff: float = 2.0

    def backoff(self, attempts: int) -> float:
        """Seconds on the mapping's clock to wait after this many attempts that came to nothing."""
        return min(self.longest_backoff, self.first_backoff * 2.0 ** min(attempts - 1, 30))


@dataclass(frozen=True, slots=True)
class MappingClock:
    """The mapping's clock: Unix time from when it was made on, `scale` times as fast."""

    scale: float = 1.0
    origin: float = field(default_factory=time.time)

    def of(self, timestamp: float) -> float:
        """What it showed, or will show, at a Unix time."""
        return self.origin + (timestamp - self.origin) * self.scale

    def now(self) -> float:
        """What it shows."""
        return self.of(time.time())

    def seconds_until(self, moment: float) -> float:
        """How long that is in the world's time; never negative."""
        return max(0.0, (moment - self.now()) / self.scale)
