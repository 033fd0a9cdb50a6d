"""Events that keep coming while a test deploys, and what the mapping made of them."""

import json
import threading
from itertools import count
from typing import Self

from local.mapping.mapping import EventSourceMapping
from tests.e2e.account import Account
from tests.e2e.conftest import PATIENCE

BURST = 100
PAUSE = 0.3


class Producer:
    """Writes a burst of events again and again while its `with` block runs; `produced` has the id of each."""

    def __init__(self, account: Account, stream: str) -> None:
        self._kinesis = account.emulator.client("kinesis")
        self._stream = stream
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._produce)
        self.produced: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._stopping.set()
        self._thread.join()

    def put(self, *names: str) -> None:
        """Write an event of each name, spread over 20 sessions."""
        events = [
            {"sessionId": f"s-{place % 20}", "userId": "u", "eventType": "click", "itemId": "i", "eventId": name}
            for place, name in enumerate(names)
        ]
        answer = self._kinesis.put_records(
            StreamName=self._stream,
            Records=[{"Data": json.dumps(event).encode(), "PartitionKey": event["sessionId"]} for event in events],
        )
        assert not answer["FailedRecordCount"]
        self.produced += names

    def _produce(self) -> None:
        for number in count():
            self.put(*(f"event-{number}-{place}" for place in range(BURST)))
            if self._stopping.wait(PAUSE):
                break


def next_batches(mapping: EventSourceMapping, how_many: int) -> list[int]:
    """The sizes of the next batches, less the first of each shard, which may have been under way already."""
    known = len(mapping.invocations)
    assert mapping.wait_until(lambda: len(mapping.invocations) >= known + how_many, PATIENCE), "too few invocations"
    begun: set[str] = set()
    sizes = []
    for each in mapping.invocations[known:]:
        if each.shard in begun:
            sizes.append(each.count)
        begun.add(each.shard)
    return sizes
