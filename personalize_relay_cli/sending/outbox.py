"""What waits to be sent: one record of a partition key at a time, so that a key's records keep their order.

PutRecords may fail a record and take the next of the same key: no call holds two records of a key, and none is sent
while another of its key is under way or waits to be tried again.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass
from itertools import count

MAX_RECORDS_PER_CALL = 500
MAX_BYTES_PER_CALL = 5 * 1024 * 1024
"""Of the data and the partition keys; AWS takes 10 MiB of newer accounts."""
MAX_RECORD_BYTES = 1024 * 1024
"""Of its data and its partition key."""


@dataclass(slots=True, eq=False)
class Entry[Of]:
    """One record on its way."""

    key: str
    data: bytes
    events: int
    of: Of
    """What it was made of."""
    number: int = 0
    """Its turn among all entries."""
    tries: int = 0
    first_tried: float = 0.0

    @property
    def size(self) -> int:
        """Its bytes, as Kinesis counts them."""
        return len(self.data) + len(self.key.encode())


class Outbox[Of]:
    """Entries in the order they were put as far as they can be sent, those of one key strictly one after another."""

    def __init__(self) -> None:
        self._ready: list[tuple[int, Entry[Of]]] = []
        self._behind: dict[str, deque[Entry[Of]]] = {}
        """By the key of each entry that was handed out, or may be: those that wait for it."""
        self._again: list[tuple[float, int, Entry[Of]]] = []
        self._numbers = count(1)

    def __bool__(self) -> bool:
        return bool(self._behind)

    def put(self, entry: Entry[Of]) -> None:
        """Add an entry."""
        entry.number = next(self._numbers)
        behind = self._behind.get(entry.key)
        if behind is None:
            self._behind[entry.key] = deque()
            heapq.heappush(self._ready, (entry.number, entry))
        else:
            behind.append(entry)

    def ready(self, now: float) -> int:
        """How many entries can be sent now."""
        while self._again and self._again[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._again)[1:])
        return len(self._ready)

    def next_due(self) -> float:
        """When an entry that failed may be tried again; infinity if none waits for that."""
        return self._again[0][0] if self._again else math.inf

    def take(self, now: float, max_events: float = math.inf) -> list[Entry[Of]]:
        """The entries of a call, as many as it can hold; of more events only where a single entry has them."""
        taken: list[Entry[Of]] = []
        events, size = 0, 0
        while len(taken) < MAX_RECORDS_PER_CALL and self.ready(now):
            entry = self._ready[0][1]
            events, size = events + entry.events, size + entry.size
            if taken and (events > max_events or size > MAX_BYTES_PER_CALL):
                break
            taken.append(heapq.heappop(self._ready)[1])
        return taken

    def settle(self, entry: Entry[Of]) -> None:
        """The entry was taken by the stream: the next of its key is ready."""
        behind = self._behind[entry.key]
        if behind:
            after = behind.popleft()
            heapq.heappush(self._ready, (after.number, after))
        else:
            del self._behind[entry.key]

    def fail(self, entry: Entry[Of], due: float) -> None:
        """The entry is to be tried again from `due` on."""
        heapq.heappush(self._again, (due, entry.number, entry))

    def give_up(self, entry: Entry[Of]) -> list[Entry[Of]]:
        """Try the entry no more; returns it and all that waited behind it, which must not overtake it."""
        return [entry, *self._behind.pop(entry.key)]
