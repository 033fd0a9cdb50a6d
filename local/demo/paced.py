"""Yields records when they are due."""

import time
from collections.abc import Callable, Iterator, Sequence

from local.demo.clickstream import SampleRecord

TICK = 0.2
"""Seconds from one chunk to the next."""


def paced(
    records: Sequence[SampleRecord],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Sequence[SampleRecord]]:
    """Yield the records in chunks, evenly over so many seconds; all at once for 0."""
    began, ticks = clock(), max(1, round(seconds / TICK))
    for tick in range(ticks):
        sleep(max(0.0, began + tick * TICK - clock()))
        if chunk := records[tick * len(records) // ticks : (tick + 1) * len(records) // ticks]:
            yield chunk
