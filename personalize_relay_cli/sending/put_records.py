"""Send records to a Kinesis stream: full PutRecords calls, several at once, and only what failed again.

Calls are made by threads; an Outbox keeps the order of each partition key. Delays before a record is tried again have
full jitter. Throttling slows all calls down and ends nothing; what ends it is that the stream takes no record at all
for `give_up_after` seconds, or an answer that no retry can change.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from personalize_relay_cli.deployment import naming
from personalize_relay_cli.problems import Problem
from personalize_relay_cli.sending.headway import Headway, Place
from personalize_relay_cli.sending.outbox import MAX_RECORDS_PER_CALL, Entry, Outbox
from personalize_relay_cli.sending.pace import Pace
from personalize_relay_cli.sending.refusals import THROTTLED, retriable

IN_FLIGHT = 8
_LINGER = 0.2
"""Seconds that a call waits for what is read to fill it."""
_SHORT_LINGER = 0.02
"""The same, where only the end of calls under way can bring more."""
_LOOK = 0.1
"""Seconds between two looks at whether to stop."""
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0

type Put = Callable[[Sequence[Entry[Any]]], list[str]]
"""Makes a PutRecords call; returns the error code of each entry, empty for one that was taken."""


def put_records(kinesis: object, stream: str) -> Put:
    """PutRecords by a boto3 client."""

    def put(entries: Sequence[Entry[Any]]) -> list[str]:
        records = [{"Data": entry.data, "PartitionKey": entry.key} for entry in entries]
        answers = kinesis.put_records(**naming(stream), Records=records)["Records"]  # type: ignore[attr-defined]
        return [answer.get("ErrorCode") or "" for answer in answers]

    return put


class Sender:
    """Sends entries between `start` and `finish` or `stop`; what they become is written in the headway.

    `settled` is called after every call, by the thread that made it; what it raises ends the sending.
    """

    def __init__(
        self, put: Put, headway: Headway, pace: Pace, *, give_up_after: float, settled: Callable[[], None]
    ) -> None:
        self._put = put
        self._headway = headway
        self._pace = pace
        self._give_up_after = give_up_after
        self._settled = settled
        self._outbox = Outbox[Place]()
        self._changed = threading.Condition()
        self._under_way = 0
        self._ended = False
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._last_taken = 0.0
        self.calls = 0
        self.retries = 0
        """How many records were sent again, each time counted."""
        # Daemons: after a second Ctrl-C nothing waits for a call that hangs.
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(IN_FLIGHT)]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def wait_for_room(self, interrupted: Callable[[], bool]) -> bool:
        """Wait until another payload may be read; False once `interrupted` or failed."""
        with self._changed:
            while not (interrupted() or self._stopped.is_set()):
                if self._headway.has_room:
                    return True
                self._changed.wait(_LOOK)
        return False

    def send(self, entry: Entry[Place]) -> None:
        """Take an entry over, to be sent as soon as it can."""
        with self._changed:
            self._outbox.put(entry)
            ready = self._outbox.ready(time.monotonic())
            if ready == 1 or ready % MAX_RECORDS_PER_CALL == 0:
                self._changed.notify()

    def finish(self, interrupted: Callable[[], bool]) -> None:
        """Return when all is sent, or `interrupted`; raises what the sending failed of."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            while not self._stopped.is_set() and (self._outbox or self._under_way) and not interrupted():
                self._changed.wait(_LOOK)
        self.stop()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Begin no further call, and return when those under way have ended."""
        self._stopped.set()
        for thread in self._threads:
            while thread.is_alive():
                thread.join(_LOOK)

    def _work(self) -> None:
        try:
            while batch := self._next():
                self._deliver(batch)
                self._settled()
        except BaseException as exc:  # noqa: BLE001 - `finish` raises it
            with self._changed:
                self._failure = self._failure or exc
                self._stopped.set()
                self._changed.notify_all()

    def _next(self) -> list[Entry[Place]]:
        """The next call's entries; none when it is time to end."""
        first_seen: float | None = None
        with self._changed:
            while not self._stopped.is_set():
                now = time.monotonic()
                ready = self._outbox.ready(now)
                first_seen = (now if first_seen is None else first_seen) if ready else None
                linger = 0.0 if ready >= min(MAX_RECORDS_PER_CALL, self._pace.most) else self._linger()
                if first_seen is not None and now - first_seen >= linger:
                    self._under_way += 1
                    return self._outbox.take(now, self._pace.most)
                self._changed.wait(linger if ready else min(_LOOK, max(0.0, self._outbox.next_due() - now)))
        return []

    def _linger(self) -> float:
        if self._headway.has_room and not self._ended:
            return _LINGER
        return _SHORT_LINGER if self._under_way else 0.0

    def _deliver(self, batch: list[Entry[Place]]) -> None:
        codes: list[str] = []
        try:
            if not self._stopped.wait(self._delay(batch)):
                codes = self._call(batch)
        finally:
            with self._changed:
                self._under_way -= 1
                if codes:
                    self._note(batch, codes)
                self._changed.notify_all()

    def _delay(self, batch: list[Entry[Place]]) -> float:
        with self._changed:
            return self._pace.reserve(sum(entry.events for entry in batch), time.monotonic())

    def _call(self, batch: list[Entry[Place]]) -> list[str]:
        now = time.monotonic()
        for entry in batch:
            entry.tries += 1
            entry.first_tried = entry.first_tried or now
        try:
            return self._put(batch)
        except Exception as exc:  # noqa: BLE001 - raised again unless it is worth a retry
            return [retriable(exc, answered_before=self._last_taken > 0)] * len(batch)

    def _note(self, batch: list[Entry[Place]], codes: list[str]) -> None:
        now = time.monotonic()
        taken = [entry for entry, code in zip(batch, codes, strict=True) if not code]
        failed = [(entry, code) for entry, code in zip(batch, codes, strict=True) if code]
        self.calls += 1
        self.retries += sum(entry.tries > 1 for entry in batch)
        self._headway.send([(entry.of, entry.events) for entry in taken])
        for entry in taken:
            self._outbox.settle(entry)
        self._last_taken = now if taken else self._last_taken
        throttled = sum(entry.events for entry, code in failed if code in THROTTLED)
        self._pace.answered(sum(entry.events for entry in taken), throttled, now)
        for entry, code in failed:
            self._again(entry, code, now)

    def _again(self, entry: Entry[Place], code: str, now: float) -> None:
        if now - max(entry.first_tried, self._last_taken) > self._give_up_after:
            raise Problem(f"the stream took nothing for {self._give_up_after:.0f} seconds: {code}")
        longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(entry.tries - 1, 16))
        self._outbox.fail(entry, now + random.uniform(0, longest))  # noqa: S311 - no secret
