"""A producer that goes wrong for a while, like a new release of a shop's app: some of its events lose their session.

The others keep it, but under the app's own names, without a time, and among unknown members.
"""

from collections.abc import Sequence

from local.demo.clickstream import SampleEvent, SampleRecord
from local.demo.packed import text
from local.demo.spells import Spell

SESSIONS = 12
EVENTS_PER_SESSION = 15
EACH_LOST = 3
"""One event in so many has lost its session."""


def careless() -> list[SampleRecord]:
    """The producer's records, in order; they have no `sentAt`, so nothing in them depends on the day."""
    return [_record(session, place) for place in range(EVENTS_PER_SESSION) for session in range(SESSIONS)]


def amid(records: Sequence[SampleRecord], others: Sequence[SampleRecord], spell: Spell) -> list[SampleRecord]:
    """The records, with the others spread evenly over those of the spell, all in order."""
    first, last = int(spell.begins * len(records)), int(spell.ends * len(records))
    mixed = list(records[:first])
    for number, other in enumerate(others):
        mixed += records[_place(number, len(others), first, last) : _place(number + 1, len(others), first, last)]
        mixed.append(other)
    return mixed + list(records[last:])


def _place(number: int, of: int, first: int, last: int) -> int:
    return first + number * (last - first) // of


def _record(session: int, place: int) -> SampleRecord:
    key = f"session-careless-{session:02}"
    event = {"EVENT_TYPE": "view", "item_id": f"item-{session * EVENTS_PER_SESSION + place:03}", "appRelease": "4.0.0"}
    if place % EACH_LOST == 0:
        return SampleRecord(key, text(event), (SampleEvent(key, None, reason="missing_member"),))
    return SampleRecord(key, text(event | {"session_id": key}), (SampleEvent(key, None),))
