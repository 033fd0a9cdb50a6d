"""One run of the demo: a clickstream through the deployed relay, an account of every event, a picture."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.dashboard.deployed import read
from local.dashboard.page import Page
from local.demo.clickstream import REFUSED_ITEM, SampleRecord, fewest_calls
from local.demo.paced import paced
from local.demo.producer import produce
from local.demo.reconciliation import StreamPosition, reconcile
from local.demo.spells import Spell
from local.demo.table import Calls, table
from local.emulator.cdk import PROJECT
from local.mapping.invocation import InvocationResult
from local.personalize.answers import DENIED, REFUSED_EVENT, THROTTLED
from local.personalize.faults import Delay, Fault, Swallow, any_event
from local.system import System

API_LATENCY = 0.02
"""Seconds that each PutEvents call takes."""
LONGEST = 90.0
"""Seconds that the stream may take to drain."""
FEWEST_FULL = 0.9
"""The share that must be reached of the events a call that the batches allow."""
REFRESH = 0.25
PLAIN_REFRESH = 5.0
"""The same if the output isn't a terminal."""
PICTURES = [PROJECT / "build" / "demo" / f"dashboard.{kind}" for kind in ("svg", "png")]
"""The dashboard at the end of the run."""


class Demo:
    """One run: the system, the produced records, and the output about them.

    Producing the records takes `seconds`, with these spells in them; 0 means as fast as possible.
    """

    def __init__(
        self,
        system: System,
        console: Console,
        records: Sequence[SampleRecord],
        *,
        seconds: float = 0,
        spells: Sequence[Spell] = (),
    ) -> None:
        self.system = system
        self.console = console
        self._records = records
        self._seconds = seconds
        self._spells = spells
        self._produced: list[tuple[SampleRecord, StreamPosition]] = []
        self._failure: Exception | None = None
        self._began = time.monotonic()
        self._began_at = time.time()

    def run(self, *, swallow: bool) -> bool:
        """Run everything; return whether every event is accounted for."""
        self._inject(swallow=swallow)
        self._relay()
        holds = self._account()
        self._draw()
        return holds

    def _inject(self, *, swallow: bool) -> None:
        self.system.personalize.inject(Fault(Delay(API_LATENCY)))
        withdrawn = any_event(lambda event: event.get("itemId") == REFUSED_ITEM)
        self.system.personalize.inject(Fault(REFUSED_EVENT, when=withdrawn))
        for spell in self._spells:
            if fault := spell.fault(self._seconds):
                self.system.personalize.inject(fault)
        if swallow:
            one_event: Callable[..., bool] = lambda request: len(request.events) == 1  # noqa: E731
            self.system.personalize.inject(Fault(Swallow(), when=one_event, times=1))

    def _relay(self) -> None:
        """Produce the sample and wait until the stream is drained, showing the progress."""
        producer = threading.Thread(target=self._produce, daemon=True)
        producer.start()
        if not self.console.is_terminal:
            self._watch(producer, lambda: self.console.print(self._line(), soft_wrap=True), PLAIN_REFRESH)
            return
        with Live(self._progress(), console=self.console, auto_refresh=False) as live:
            self._watch(producer, lambda: live.update(self._progress(), refresh=True), REFRESH)

    def _produce(self) -> None:
        try:
            kinesis = self.system.client("kinesis")
            for chunk in paced(self._records, self._seconds):
                self._produced += produce(kinesis, self.system.stream, chunk)
        except Exception as exc:  # noqa: BLE001 - the thread that waits for this one shows it
            self._failure = exc

    def _watch(self, producer: threading.Thread, show: Callable[[], None], pause: float) -> None:
        until = time.monotonic() + self._seconds + LONGEST
        while producer.is_alive() and time.monotonic() < until:
            producer.join(pause)
            show()
        if self._failure:
            raise self._failure
        while not self.system.mapping.wait_until_drained(pause) and time.monotonic() < until:
            show()
        show()

    def _line(self) -> str:
        quarantined = self.system.quarantined().total()
        return ", ".join(
            [
                f"{len(self._produced):,} of {len(self._records):,} records produced",
                f"{self.system.personalize.accepted_count:,} events delivered in {self._calls():,} calls",
                f"{quarantined} quarantined",
                f"lag {self.system.mapping.lag:.1f} s",
            ]
        )

    def _progress(self) -> Table:
        delivered, calls = self.system.personalize.accepted_count, self._calls()
        table = Table(title=f"relaying, {time.monotonic() - self._began:.0f} s", show_header=False)
        table.add_row("records produced", f"{len(self._produced)} of {len(self._records)}")
        table.add_row("events delivered", str(delivered))
        table.add_row("PutEvents calls", f"{calls}, {delivered / max(calls, 1):.1f} events each")
        for reason, count in sorted(self.system.quarantined().items()):
            table.add_row(f"quarantined: {reason}", str(count))
        table.add_row("lag", f"{self.system.mapping.lag:.1f} s")
        return table

    def _calls(self) -> int:
        return self.system.personalize.call_count

    def _account(self) -> bool:
        memory = self.system.personalize
        accepted = {event_id: each.count for event_id, each in memory.accepted.items()}
        account = reconcile(self._produced, accepted, self.system.quarantine(), self.system.filtered())
        errors = Counter(call.error for call in memory.calls)
        throttled, denied = errors[THROTTLED.code], errors[DENIED.code]
        answered = errors.total() - throttled - denied
        calls = Calls(answered, fewest_calls(list(self._batches())), throttled, denied)
        took = time.monotonic() - self._began
        client = self.system.put_events_client
        self.console.print(table(account, calls, [record for record, _ in self._produced], took, client))
        holds = account.holds and calls.fullness >= FEWEST_FULL
        self.console.print("every event is accounted for" if holds else "the account does not hold: see the table")
        return holds

    def _draw(self) -> None:
        self.system.cloudwatch.publish()
        start, end = int(self._began_at), int(time.time()) + 1
        widgets = read(self.system.client, self.system.stack, start, end, 1)
        from local.dashboard import picture  # noqa: PLC0415 - the import takes a second, and the run need not wait

        bands = [spell.band(self._began_at, self._seconds) for spell in self._spells]
        picture.save(widgets, Page("The dashboard of a demo run", start, end, bands), PICTURES)
        places = " and ".join(os.path.relpath(path) for path in PICTURES)
        self.console.print(f"the dashboard of this run: {places}", soft_wrap=True)

    def _batches(self) -> Iterator[list[SampleRecord]]:
        """The records in the batches in which the event source mapping settled them."""
        shards: dict[str, dict[int, SampleRecord]] = {}
        for record, position in sorted(self._produced, key=lambda each: int(each[1].sequence_number)):
            shards.setdefault(position.shard_id, {})[int(position.sequence_number)] = record
        for each in self.system.mapping.invocations:
            if each.result in {InvocationResult.SUCCEEDED, InvocationResult.PARTIAL}:
                last = int(each.resume_at) - 1 if each.resume_at else int(each.last)
                shard = shards.get(each.shard, {})
                yield [record for place, record in shard.items() if int(each.first) <= place <= last]
