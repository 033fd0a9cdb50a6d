"""One run of the demo: a clickstream through the deployed relay, an account of every event, a picture."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from itertools import batched

from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.dashboard.deployed import read
from local.demo.clickstream import REFUSED_ITEM, SampleRecord, dropped, fewest_calls, reasons
from local.demo.producer import produce
from local.demo.reconciliation import Position, Reconciliation, named, reconcile
from local.emulator.cdk import PROJECT
from local.personalize.answers import REFUSED_EVENT
from local.personalize.faults import Delay, Fault, Swallow, any_event
from local.system import System

API_LATENCY = 0.02
"""Seconds that each PutEvents call takes."""
LONGEST = 90.0
"""Seconds that the stream may take to drain."""
FEWEST_FULL = 0.9
"""Of the events a call that the sample allows, the share that must be reached."""
REFRESH = 0.25
PLAIN_REFRESH = 5.0
"""The same where the output is no terminal."""
PICTURES = [PROJECT / "build" / "demo" / f"dashboard.{kind}" for kind in ("svg", "png")]
"""The dashboard as the run left it."""


class Demo:
    """One run: the system, what was produced, and what is shown of it."""

    def __init__(self, system: System, console: Console, records: Sequence[SampleRecord]) -> None:
        self.system = system
        self.console = console
        self._records = records
        self._produced: list[tuple[SampleRecord, Position]] = []
        self._failure: Exception | None = None
        self._began = time.monotonic()
        self._began_at = time.time()

    def run(self, *, swallow: bool) -> bool:
        """Run it all; whether every event is accounted for."""
        self._inject(swallow=swallow)
        self._relay()
        holds = self._account()
        self._draw()
        return holds

    def _inject(self, *, swallow: bool) -> None:
        self.system.personalize.inject(Fault(Delay(API_LATENCY)))
        withdrawn = any_event(lambda event: event.get("itemId") == REFUSED_ITEM)
        self.system.personalize.inject(Fault(REFUSED_EVENT, when=withdrawn))
        if swallow:
            one_event: Callable[..., bool] = lambda request: len(request.events) == 1  # noqa: E731
            self.system.personalize.inject(Fault(Swallow(), when=one_event, times=1))

    def _relay(self) -> None:
        """Produce the sample and wait until the stream is drained, showing how far it is."""
        producer = threading.Thread(target=self._produce, daemon=True)
        producer.start()
        if not self.console.is_terminal:
            self._watch(producer, lambda: self.console.print(self._line(), soft_wrap=True), PLAIN_REFRESH)
            return
        with Live(self._progress(), console=self.console, auto_refresh=False) as live:
            self._watch(producer, lambda: live.update(self._progress(), refresh=True), REFRESH)

    def _produce(self) -> None:
        try:
            for placed in produce(self.system.client("kinesis"), self.system.stream, self._records):
                self._produced.append(placed)
        except Exception as exc:  # noqa: BLE001 - shown by the thread that waits for this one
            self._failure = exc

    def _watch(self, producer: threading.Thread, show: Callable[[], None], pause: float) -> None:
        until = time.monotonic() + LONGEST
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
                f"{len(self._produced)} records produced",
                f"{self.system.personalize.accepted_count} events delivered",
                f"{self._calls()} calls",
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
        accepted = {event_id: each.count for event_id, each in self.system.personalize.accepted.items()}
        account = reconcile(self._produced, accepted, self.system.quarantine(), self.system.filtered())
        floor, calls = self._floor(), self._calls()
        fullness = floor / calls if calls else 0.0
        self.console.print(self._table(account, floor, fullness))
        holds = account.holds and fullness >= FEWEST_FULL
        self.console.print("every event is accounted for" if holds else "the account does not hold: see the table")
        return holds

    def _draw(self) -> None:
        self.system.cloudwatch.publish()
        start, end = int(self._began_at), int(time.time()) + 1
        widgets = read(self.system.client, self.system.stack, start, end, 1)
        from local.dashboard import picture  # noqa: PLC0415 - takes a second to import, which the run needn't wait for

        picture.save(widgets, "The dashboard of a demo run", start, end, PICTURES)
        places = " and ".join(os.path.relpath(path) for path in PICTURES)
        self.console.print(f"the dashboard of this run: {places}", soft_wrap=True)

    def _floor(self) -> int:
        """The fewest calls for the sample as it fell on the shards, in batches as large as the mapping takes."""
        shards: dict[str, list[tuple[int, SampleRecord]]] = {}
        for record, position in self._produced:
            shards.setdefault(position.shard_id, []).append((int(position.sequence_number), record))
        size = self.system.mapping.settings.batch_size
        in_order = ([record for _, record in sorted(shard, key=lambda each: each[0])] for shard in shards.values())
        return fewest_calls([batch for shard in in_order for batch in batched(shard, size, strict=False)])

    def _table(self, account: Reconciliation, floor: int, fullness: float) -> Table:
        calls = self._calls()
        table = Table(title=f"{account.produced} events produced, {time.monotonic() - self._began:.1f} s")
        table.add_column("what became of them", no_wrap=True)
        table.add_column("events", justify="right")
        table.add_column("")
        table.add_row("delivered", str(account.delivered))
        for reason, expected in sorted(reasons(self._records).items()):
            table.add_row(f"quarantined: {reason}", str(account.quarantined[reason]), f"{expected} expected")
        for rule, expected in sorted(dropped(self._records).items()):
            table.add_row(f"filtered: {rule}", str(account.filtered[rule]), f"{expected} expected")
        table.add_row("missing", str(len(account.missing)), named(account.missing))
        table.add_row("delivered twice", str(len(account.twice)), named(account.twice))
        table.add_row("unexpected", str(len(account.unexpected)), named(account.unexpected), end_section=True)
        table.add_row("PutEvents client", self.system.put_events_client)
        table.add_row("PutEvents calls", str(calls), f"{floor} at the least")
        table.add_row(
            "events a call", f"{account.delivered / max(calls, 1):.2f}", f"{fullness:.0%} of what the sample allows"
        )
        return table
