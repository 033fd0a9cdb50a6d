"""The demo sends its records when they are due, and its spells begin and end when its picture says so."""

import io
import re
from collections import Counter
from itertools import chain

import pytest
from rich.console import Console

from local.demo.careless import amid, careless
from local.demo.clickstream import LASTS, Dating, sample
from local.demo.paced import paced
from local.demo.reconciliation import Reconciliation
from local.demo.spells import CARELESSNESS, DENIAL, THROTTLING, Spell
from local.demo.table import Calls, table
from local.personalize.requests import ReceivedRequest

RECORDS = sample(3)
NOW = 1_790_000_000


class Clock:
    """A clock that goes on only while somebody sleeps, or a request takes its time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds


def test_the_records_come_in_their_order_evenly_over_the_time() -> None:
    clock = Clock()
    chunks = [(clock(), chunk) for chunk in paced(RECORDS, 10, clock, clock.sleep)]
    assert list(chain.from_iterable(chunk for _, chunk in chunks)) == RECORDS
    assert [moment for moment, _ in chunks] == pytest.approx([tick * 0.2 for tick in range(50)])
    sizes = [len(chunk) for _, chunk in chunks]
    assert max(sizes) - min(sizes) <= 1


def test_a_slow_stream_holds_nothing_up_twice() -> None:
    """What is late is sent at once, and the end is where it should be."""
    clock = Clock()
    for _ in paced(RECORDS, 10, clock, clock.sleep):
        clock.sleep(2 if clock() == 0 else 0)
    assert clock() == pytest.approx(9.8)


def test_without_a_time_all_records_come_at_once() -> None:
    assert list(paced(RECORDS, 0)) == [RECORDS]


def test_the_careless_records_come_within_their_spell_and_all_in_their_order() -> None:
    spell = Spell("a spell", 0.5, 0.7, "#ffffff")
    others = careless()
    mixed = amid(RECORDS, others, spell)
    assert [record for record in mixed if record not in others] == RECORDS
    places = [place for place, record in enumerate(mixed) if record in others]
    assert [mixed[place] for place in places] == others
    assert places[0] >= int(0.5 * len(RECORDS))
    assert places[-1] <= 0.7 * len(RECORDS) + len(others)
    assert Counter(event.reason for record in others for event in record.events) == {None: 120, "missing_member": 60}


def test_a_spell_strikes_while_its_band_lasts() -> None:
    clock = Clock()
    request = ReceivedRequest(
        document={}, size=0, tracking_id="tracker", user_id=None, session_id="s-1", events=(), event_ids=()
    )
    fault = DENIAL.fault(100, clock)
    assert fault
    struck = []
    for second in range(100):
        clock.now = second + 0.5
        if fault.when(request):
            struck.append(second)
    band = DENIAL.band(NOW, 100)
    assert (struck[0], struck[-1] + 1) == (band.start - NOW, band.end - NOW)
    assert CARELESSNESS.fault(100) is None


def test_spells_do_not_overlap() -> None:
    """Or nobody could tell what a curve shows."""
    ends = [moment for spell in (THROTTLING, DENIAL, CARELESSNESS) for moment in (spell.begins, spell.ends)]
    assert ends == sorted(set(ends))
    assert ends[0] > 0
    assert ends[-1] < 1


def test_the_sample_may_be_dated_as_it_happens() -> None:
    dating = Dating(NOW, 30 / LASTS)
    assert (dating.of(0), dating.of(LASTS)) == (NOW, NOW + 30)


def test_the_table_bridges_records_and_events_and_says_how_full_the_calls_could_be() -> None:
    account = Reconciliation(
        produced=6_575, delivered=6_500, quarantined=Counter(), filtered=Counter(), missing=(), twice=(), unexpected=()
    )
    printed = io.StringIO()
    drawn = table(account, Calls(1_000, 900, 30, 4), RECORDS, 33.5, "curl")
    Console(file=printed, width=80).print(drawn)
    said = " ".join(re.findall(r"[^\s\u2500-\u257f]+", printed.getvalue()))
    assert f"{len(RECORDS)} records holding 6,575 events, 33.5 s" in said
    assert "PutEvents calls answered 1,000 900 at the least throttled besides 30 made again denied besides 4" in said
    assert "events a call 6.50 7.22 at the most" in said
