"""The table at the end of the demo: what became of every event, and how many calls it took."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from local.demo.clickstream import SampleRecord, dropped, reasons
from local.demo.reconciliation import Reconciliation, named


@dataclass(frozen=True, slots=True)
class Calls:
    """PutEvents calls of a run."""

    answered: int
    """Calls that were neither throttled nor denied."""
    fewest: int
    """The fewest calls that could have delivered the same batches."""
    throttled: int
    denied: int

    @property
    def fullness(self) -> float:
        """The events a call, as a share of what the batches allow."""
        return self.fewest / self.answered if self.answered else 0.0


def table(account: Reconciliation, calls: Calls, records: Sequence[SampleRecord], seconds: float, client: str) -> Table:
    """The account of these records, which took so long, and the calls that this client made."""
    drawn = Table(title=f"{len(records):,} records holding {account.produced:,} events, {seconds:.1f} s")
    drawn.add_column("what became of them", no_wrap=True)
    drawn.add_column("events", justify="right")
    drawn.add_column("")
    drawn.add_row("delivered", f"{account.delivered:,}")
    for reason, expected in sorted(reasons(records).items()):
        drawn.add_row(f"quarantined: {reason}", f"{account.quarantined[reason]:,}", f"{expected:,} expected")
    for rule, expected in sorted(dropped(records).items()):
        drawn.add_row(f"filtered: {rule}", f"{account.filtered[rule]:,}", f"{expected:,} expected")
    drawn.add_row("missing", f"{len(account.missing):,}", named(account.missing))
    drawn.add_row("delivered twice", f"{len(account.twice):,}", named(account.twice))
    drawn.add_row("unexpected", f"{len(account.unexpected):,}", named(account.unexpected), end_section=True)
    drawn.add_row("PutEvents calls answered", f"{calls.answered:,}", f"{calls.fewest:,} at the least")
    drawn.add_row("throttled besides", f"{calls.throttled:,}", "made again")
    drawn.add_row("denied besides", f"{calls.denied:,}", "made again")
    each, most = (account.delivered / max(count, 1) for count in (calls.answered, calls.fewest))
    drawn.add_row("events a call", f"{each:.2f}", f"{most:.2f} at the most")
    drawn.add_row("made by", client)
    return drawn
