"""How a simulated shard fares over time: what is taken a second, how far it lags, what it costs in calls."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

from tests.simulation.shard import Shard
from tests.simulation.world import BEGINNING


class Progress:
    """What a shard whose records have each a session of their own has come to; seconds from the beginning."""

    def __init__(self, shard: Shard) -> None:
        self.asked = [call.began - BEGINNING for call in shard.world.api.calls]
        self.times: Counter[int] = Counter()
        """How often each record was taken, by its sequence number."""
        self.taken: dict[int, float] = {}
        """When each was taken first."""
        self._per_second = shard.arrivals.per_second
        for call in shard.world.api.calls:
            if call.reply.taken and not call.given_up:
                for source in call.request.sources:
                    self.times[source.sequence_number] += 1
                    self.taken.setdefault(source.sequence_number, call.due - BEGINNING)

    @property
    def sent_a_unique_one(self) -> float:
        """How often a record was taken, on average."""
        return self.times.total() / len(self.times)

    def accepted(self, begin: float, end: float) -> float:
        """Records a second that were taken for the first time."""
        return sum(begin <= when < end for when in self.taken.values()) / (end - begin)

    def calls(self, begin: float, end: float) -> int:
        """Calls that were made."""
        return sum(begin <= when < end for when in self.asked)

    def lags(self, begin: int, end: int) -> Iterator[float]:
        """The age of the oldest record that isn't taken, each ten seconds."""
        all_until: list[float] = []
        for number in range(len(self.taken) + 1):
            if number not in self.taken:
                break
            all_until.append(max(self.taken[number], all_until[-1] if all_until else 0.0))
        for now in range(begin, end, 10):
            oldest = bisect_right(all_until, now)
            yield max(0.0, now - oldest / self._per_second)

    def delays(self, begin: float) -> list[float]:
        """Seconds from arrival to being taken, of what was taken from then on."""
        return [when - number / self._per_second for number, when in self.taken.items() if when >= begin]
