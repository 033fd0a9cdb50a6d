"""The one writer of a Kinesis stream: full PutRecords calls, one after another, and again only what failed.

An Outbox keeps the order of each partition key. Delays before a record is tried again have full jitter
(https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Throttling slows all calls down and ends
nothing. Two things end the writing: a stream that takes no record at all for `give_up_after` seconds, and an answer
that no retry can change.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from personalize_relay.contract import MAX_EVENTS_PER_PAYLOAD
from personalize_relay.requests import MAX_EVENTS
from personalize_relay_cli.deployment import naming
from personalize_relay_cli.problems import Problem
from personalize_relay_cli.sending.contents import Content
from personalize_relay_cli.sending.outbox import Entry, Outbox
from personalize_relay_cli.sending.pace import SendingPace
from personalize_relay_cli.sending.refusals import THROTTLED, retriable

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsResultEntryTypeDef as Answer
else:
    Answer = dict

GIVE_UP_AFTER = 300.0
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0
_LOOK = 0.1
"""Seconds between two looks at whether to stop."""

type Put = Callable[[Sequence[Entry[Any]]], Sequence[Answer]]
"""Makes a PutRecords call; returns the answer to each entry, with an `ErrorCode` for one that was not taken."""


class Stuck(Problem):
    """The stream takes nothing any more; `code` is the last thing it said."""

    def __init__(self, seconds: float, code: str) -> None:
        super().__init__(f"the stream took nothing for {seconds:.0f} seconds: {code}")
        self.code = code


def put_records(kinesis: object, stream: str) -> Put:
    """PutRecords by a boto3 client."""

    def put(entries: Sequence[Entry[Any]]) -> Sequence[Answer]:
        records = [{"Data": entry.data, "PartitionKey": entry.key} for entry in entries]
        answers: Sequence[Answer] = kinesis.put_records(**naming(stream), Records=records)["Records"]  # type: ignore[attr-defined]
        return answers

    return put


class Writer[Of]:
    """Sends what is added, when it is asked to; `settled` hears of each entry that the stream took, with its answer.

    `stop` says whether to begin nothing more. With `packing`, events of one addressee share a record.
    """

    def __init__(  # noqa: PLR0913 - all that the outside world is to it
        self,
        put: Put,
        settled: Callable[[Entry[Of], Answer], None],
        *,
        pace: SendingPace | None = None,
        packing: bool = True,
        give_up_after: float = GIVE_UP_AFTER,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._put = put
        self._settled = settled
        self._pace = pace or SendingPace()
        self._packing = packing
        self._give_up_after = give_up_after
        self._stop = stop
        self._clock = clock
        self._wait = wait
        self._outbox = Outbox[Of]()
        self._last_taken = 0.0
        self.calls = 0
        self.records = 0
        """How many records the stream took."""
        self.retries = 0
        """How many records were sent again, each time counted."""

    def __bool__(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._outbox)

    def add(self, content: Content, of: Of) -> None:
        """Take a content over, to be sent behind all others of its key."""
        # A slow pace is to be an even one, but not at the price of PutEvents requests that are not full.
        most = min(MAX_EVENTS_PER_PAYLOAD, max(MAX_EVENTS, self._pace.most)) if self._packing else 1
        self._outbox.put(content, of, most)

    def send(self) -> None:
        """Make one call, as soon as the pace and what failed before allow one; none if it is to stop meanwhile.

        Raises Stuck, or another Problem that no retry can change.
        """
        if not self._outbox.ready(self._clock()):
            self._rest(self._outbox.next_due() - self._clock())
        call = self._outbox.take(self._clock(), self._pace.most)
        if call and self._rest(self._pace.reserve(sum(entry.events for entry in call), self._clock())):
            self._note(call, self._answers(call))

    def flush(self) -> None:
        """Send all that waits, unless it is to stop; raises what `send` raises."""
        while self._outbox and not self._stop():
            self.send()

    def _rest(self, seconds: float) -> bool:
        """Let the seconds pass; False if it is to stop."""
        until = self._clock() + seconds
        while not self._stop():
            left = until - self._clock()
            if left <= 0:
                return True
            self._wait(min(left, _LOOK))
        return False

    def _answers(self, call: list[Entry[Of]]) -> Sequence[Answer]:
        now = self._clock()
        for entry in call:
            entry.first_tried = entry.first_tried or now
            entry.tries += 1
        try:
            return self._put(call)
        except Exception as exc:  # noqa: BLE001 - raised again unless it is worth a retry
            code = retriable(exc, answered_before=self._last_taken > 0)
            return [{"ErrorCode": code} for _ in call]

    def _note(self, call: list[Entry[Of]], answers: Sequence[Answer]) -> None:
        now = self._clock()
        taken = throttled = 0
        self.calls += 1
        self.retries += sum(entry.tries > 1 for entry in call)
        failed: list[tuple[Entry[Of], str]] = []
        for entry, answer in zip(call, answers, strict=True):
            if code := answer.get("ErrorCode"):
                failed.append((entry, code))
                throttled += entry.events if code in THROTTLED else 0
            else:
                taken += entry.events
                self._last_taken = now
                self.records += 1
                self._outbox.settle(entry)
                self._settled(entry, answer)
        self._pace.answered(taken, throttled, now)
        for entry, code in failed:
            self._again(entry, code, now)

    def _again(self, entry: Entry[Of], code: str, now: float) -> None:
        if now - max(entry.first_tried, self._last_taken) > self._give_up_after:
            raise Stuck(self._give_up_after, code)
        longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(entry.tries - 1, 16))
        self._outbox.fail(entry, now + random.uniform(0, longest))  # noqa: S311 - no secret
