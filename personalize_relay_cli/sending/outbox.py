"""Entries that wait for their PutRecords call: one of a partition key at a time, so that a key's records keep order.

PutRecords may fail a record and take the next of the same key: no call holds two records of a key, and none is sent
while another of its key waits to be tried again. Events of one addressee that wait behind each other share a record.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from personalize_relay.contract import MAX_EVENTS_PER_PAYLOAD
from personalize_relay.requests import MAX_EVENTS
from personalize_relay_cli.sending.contents import Content, as_one

MAX_RECORDS_PER_CALL = 500
MAX_BYTES_PER_CALL = 5 * 1024 * 1024
"""Of the data and the partition keys; AWS takes 10 MiB of newer accounts."""
MAX_RECORD_BYTES = 1024 * 1024
"""Of its data and its partition key."""
MAX_PACKED_BYTES = 25_000
"""Of a record that several contents share: Kinesis charges a provisioned stream by units of 25 KB."""
_WRAPPING = len('{"eventList":[]}')


@dataclass(slots=True, eq=False)
class Entry[Of]:
    """One record on its way, with one content or several that share it."""

    key: str
    number: int
    """Its turn among all entries."""
    contents: list[Content] = field(default_factory=list)
    of: list[Of] = field(default_factory=list)
    """Whatever each content was made of."""
    events: int = 0
    size: int = 0
    """Bytes as Kinesis counts them: exact for one content, and no less than they are for several."""
    is_closed: bool = False
    """Whether it was handed out for a call: nothing joins it any more."""
    tries: int = 0
    first_tried: float = 0.0

    @property
    def data(self) -> bytes:
        """The record's data."""
        return as_one(self.contents)

    def add(self, content: Content, of: Of) -> None:
        """Take a content in, the first or one that it has room for."""
        self.size += len(content.data) + (1 if self.contents else len(self.key.encode()))
        self.contents.append(content)
        self.of.append(of)
        self.events += content.events

    def has_room(self, content: Content, max_events: float) -> bool:
        """Whether a content may join: for the same addressee, and within the limits."""
        return (
            not self.is_closed
            and content.addressee is not None
            and content.addressee == self.contents[0].addressee
            and self.events + content.events <= max_events
            and self.size + len(content.data) + 1 + _WRAPPING <= MAX_PACKED_BYTES
            and not (self._fills_its_calls and self.size * (1 + MAX_EVENTS / self.events) > MAX_PACKED_BYTES)
        )

    @property
    def _fills_its_calls(self) -> bool:
        """Whether its events make full PutEvents calls: then a few more, without room for ten, would cost one more."""
        return self.events % MAX_EVENTS == 0


class Outbox[Of]:
    """Entries in the order they were put as far as they can be sent, those of one key strictly one after another."""

    def __init__(self) -> None:
        self._ready: list[tuple[int, Entry[Of]]] = []
        self._queues: dict[str, deque[Entry[Of]]] = {}
        """The entries of each key: only the first is ever ready, in a call, or to be tried again."""
        self._again: list[tuple[float, int, Entry[Of]]] = []
        self._numbers = count(1)

    def __bool__(self) -> bool:
        return bool(self._queues)

    def put(self, content: Content, of: Of, max_events: float = MAX_EVENTS_PER_PAYLOAD) -> None:
        """Add a content: to the last entry of its key where that has room, else as an entry of its own.

        An entry is filled with `max_events` events at most.
        """
        queue = self._queues.setdefault(content.key, deque())
        if queue and queue[-1].has_room(content, max_events):
            queue[-1].add(content, of)
            return
        entry = Entry[Of](content.key, next(self._numbers))
        entry.add(content, of)
        queue.append(entry)
        if len(queue) == 1:
            heapq.heappush(self._ready, (entry.number, entry))

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
            entry.is_closed = True
            taken.append(heapq.heappop(self._ready)[1])
        return taken

    def settle(self, entry: Entry[Of]) -> None:
        """The stream took the entry: the next of its key is ready."""
        queue = self._queues[entry.key]
        queue.popleft()
        if queue:
            heapq.heappush(self._ready, (queue[0].number, queue[0]))
        else:
            del self._queues[entry.key]

    def fail(self, entry: Entry[Of], due: float) -> None:
        """The entry is to be tried again from `due` on."""
        heapq.heappush(self._again, (due, entry.number, entry))
