"""A sample clickstream: the same records each time, good ones and one of every kind of bad.

Sessions come and go, a couple of dozen at a time, as they would in a small shop.
"""

import gzip
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from local.demo.packed import PACKED, EventMembers, lines, text

SESSIONS = 300
ACTIVE_SESSIONS = 24
EVENTS_PER_SESSION = 20
EACH_BAD_KIND = 5
EACH_PACKED_KIND = 5
EVENTS_PACKED = 10
CUT_OFF = 3
"""The place of the cut-off payload in its record."""
BEGINS = 1_767_225_600
"""The first click, 2026-01-01T00:00:00Z, in epoch seconds."""
LASTS = 60 * (SESSIONS + 4)
"""Seconds, from the first click to after the last."""
REFUSED_ITEM = "item-withdrawn"
"""Events with this item keep the record contract, and the Personalize fake of the demo rejects them."""
MAX_EVENTS_PER_CALL = 10

CITIES = ("Zürich", "São Paulo", "Kraków", "東京", "Αθήνα", "Reykjavík", "القاهرة")
KINDS = ("view", "view", "view", "click", "click", "add-to-cart", "purchase")


@dataclass(frozen=True, slots=True)
class Dating:
    """Dates the sample: its first click in epoch seconds, and how long one of its seconds lasts."""

    begins: float = BEGINS
    second: float = 1

    def of(self, moment: float) -> float:
        """The date of a moment, which is in the sample's seconds after its first click."""
        return self.begins + moment * self.second


USUAL = Dating()


@dataclass(frozen=True, slots=True)
class SampleEvent:
    """One event of the sample, and how it should end."""

    session: str
    user: str | None
    index: int | None = None
    """Its place in its payload's `eventList`; None for a payload that is one event, or can't be read at all."""
    event_id: str | None = None
    """The id its producer gave it, if any."""
    sub_sequence: str | None = None
    """Its payload's place in a record of several, as docs/events.md has it; None for a record that is one payload."""
    reason: str | None = None
    """Why it will be quarantined; None for a good one."""
    dropped: str | None = None
    """The rule of the payload mapping that will drop it."""

    @property
    def is_good(self) -> bool:
        """Whether the relay should deliver it."""
        return self.reason is None and self.dropped is None


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """One record to produce."""

    partition_key: str
    data: bytes
    events: tuple[SampleEvent, ...]


def sample(sessions: int = SESSIONS, seed: int = 1, dating: Dating = USUAL) -> list[SampleRecord]:
    """The records in the order they happen: about twenty good events a session, and a few packed and bad ones.

    There are five of each kind of these, each in its own session. `dating` applies to the good ones, and changes
    nothing else.
    """
    # Two, so that the sessions are those of `unpacked`.
    draw, visits = random.Random(seed), random.Random(seed)  # noqa: S311 - the same sample each time is the point
    others = [_bad(kind, number) for kind in BAD for number in range(EACH_BAD_KIND)]
    others += [_packed(kind, number, visits, dating) for kind in PACKED for number in range(EACH_PACKED_KIND)]
    others += [_with_one_cut_off(number, visits, dating) for number in range(EACH_PACKED_KIND)]
    return mixed([_session(number, draw, dating) for number in range(sessions)], others, draw)


def mixed(
    sessions: list[list[SampleRecord]], others: Sequence[SampleRecord], draw: random.Random
) -> list[SampleRecord]:
    """The sessions' records, interleaved as visits come and go, with the others anywhere between."""
    records = list(_interleave(sessions, draw))
    for record in others:
        records.insert(draw.randint(0, len(records)), record)
    return records


def unpacked(sessions: int, seed: int = 1) -> list[SampleRecord]:
    """Only the good records with a single payload."""
    draw = random.Random(seed)  # noqa: S311 - as above
    return mixed([_session(number, draw, USUAL) for number in range(sessions)], [], draw)


def fewest_calls(batches: Sequence[Sequence[SampleRecord]]) -> int:
    """The fewest PutEvents calls that could deliver the batches, if no batch waits for another.

    A call takes up to ten events of one user and session, and a session's events stay in order.
    """
    calls = 0
    for batch in batches:
        good = [event for record in batch for event in record.events if event.is_good]
        for session in {event.session for event in good}:
            users = [event.user for event in good if event.session == session]
            calls += sum(-(-len(list(run)) // MAX_EVENTS_PER_CALL) for _, run in groupby(users))
    return calls


def _interleave(sessions: list[list[SampleRecord]], draw: random.Random) -> Iterator[SampleRecord]:
    waiting = [list(reversed(session)) for session in reversed(sessions)]
    active: list[list[SampleRecord]] = []
    while waiting or active:
        while waiting and len(active) < ACTIVE_SESSIONS:
            active.append(waiting.pop())
        session = draw.choice(active)
        yield session.pop()
        if not session:
            active.remove(session)


def _session(number: int, draw: random.Random, dating: Dating) -> list[SampleRecord]:
    """One visit: anonymous, of a known user, or of one who logs in half-way."""
    session = f"session-{number:04}"
    user = f"user-{number % 97:03}"
    login = draw.choice((0, 0, EVENTS_PER_SESSION // 2, EVENTS_PER_SESSION))
    stamps_ids = draw.random() < 0.7  # noqa: PLR2004 - the other producers leave it to the relay
    records: list[SampleRecord] = []
    made = 0
    while made < EVENTS_PER_SESSION:
        known = user if made >= login else None
        room = (EVENTS_PER_SESSION if known else login) - made
        count = min(draw.choice((1, 1, 1, 1, 1, 1, 3, 5)), room)
        events = [_event(number, made + step, draw, dating, stamps_ids=stamps_ids) for step in range(count)]
        records.append(_record(session, known, events))
        made += count
    return records


def _event(session: int, place: int, draw: random.Random, dating: Dating, *, stamps_ids: bool) -> EventMembers:
    event: EventMembers = {
        "eventType": draw.choice(KINDS),
        "itemId": f"item-{draw.randrange(500):03}",
        "sentAt": dating.of(session * 60 + place * 7 + draw.choice((0, 0.25, 0.5))),
    }
    if stamps_ids:
        event["eventId"] = f"click-{session:04}-{place:02}"
    if draw.random() < 0.5:  # noqa: PLR2004 - half of them
        event["properties"] = {"city": draw.choice(CITIES), "device": draw.choice(("phone", "desktop"))}
    if event["eventType"] == "view":
        event["impression"] = [f"item-{draw.randrange(500):03}" for _ in range(draw.randint(1, 8))]
    if event["eventType"] == "purchase":
        event |= {"eventValue": round(draw.uniform(1, 200), 2), "recommendationId": f"RID-{draw.randrange(10**6):06}"}
    return event


def _record(session: str, user: str | None, events: list[EventMembers]) -> SampleRecord:
    """One event as a flat record, several as a PutEvents request."""
    about = {"sessionId": session} | ({"userId": user} if user else {})
    flat = len(events) == 1
    payload = about | (events[0] if flat else {"eventList": events})
    expected = tuple(
        SampleEvent(session, user, None if flat else index, event.get("eventId")) for index, event in enumerate(events)
    )
    return SampleRecord(session, text(payload), expected)


def _packed(kind: str, number: int, draw: random.Random, dating: Dating) -> SampleRecord:
    """A visit whose events are in one record."""
    session = f"session-packed-{list(PACKED).index(kind)}-{number}"
    events, expected = _visit(session, draw, dating)
    return SampleRecord(session, PACKED[kind](events), tuple(expected))


def _with_one_cut_off(number: int, draw: random.Random, dating: Dating) -> SampleRecord:
    """A visit whose events are in one record, one of them unreadable."""
    session = f"session-cut-{number}"
    events, expected = _visit(session, draw, dating)
    parts = lines(events).split(b"\n")
    parts[CUT_OFF] = parts[CUT_OFF][:-9]
    expected[CUT_OFF] = replace(expected[CUT_OFF], event_id=None, reason="invalid_json")
    return SampleRecord(session, b"\n".join(parts), tuple(expected))


def _visit(session: str, draw: random.Random, dating: Dating) -> tuple[list[EventMembers], list[SampleEvent]]:
    """The events of a visit, each as its own payload, and how they should end."""
    user = f"user-{draw.randrange(97):03}"
    about = {"sessionId": session, "userId": user}
    events = [about | _event(0, place, draw, dating, stamps_ids=False) for place in range(EVENTS_PACKED)]
    return events, [SampleEvent(session, user, sub_sequence=str(place)) for place in range(EVENTS_PACKED)]


def _click(**members: object) -> bytes:
    event = {"sessionId": "session-bad", "eventType": "click", "itemId": "item-001", "sentAt": BEGINS}
    return text(event | members)


BAD: dict[str, tuple[bytes, str]] = {
    "cut off": (_click()[:-9], "invalid_json"),
    "not UTF-8": (_click().replace(b"item-001", b"item-\xff"), "invalid_utf8"),
    "a bare value": (b"42", "not_an_object"),
    "blank": (b" ", "empty_record"),
    "half compressed": (gzip.compress(_click(), mtime=0)[:-9], "compressed_record"),
    "aggregated": (bytes.fromhex("f3899ac2") + _click() + bytes(16), "bad_checksum"),
    "session null": (_click(sessionId="null"), "placeholder_text"),
    "no event type": (_click(eventType=None), "missing_member"),
    "a fraction for an item": (_click(itemId=17.5), "wrong_type"),
    "an endless user": (_click(userId="u" * 300), "wrong_length"),
    "too many impressions": (_click(impression=[f"item-{number:03}" for number in range(26)]), "wrong_length"),
    "a local time": (_click(sentAt="2026-01-01T00:00:00"), "invalid_timestamp"),
    "a clock never set": (_click(sentAt=300_000_000), "timestamp_out_of_range"),
    "a reserved property": (_click(properties={"userId": "somebody"}), "forbidden_property"),
    "another tracker": (_click(trackingId="somebody-elses"), "tracker_not_allowed"),
    "not a number": (_click(eventValue=float("nan")), "invalid_number"),
    "one item twice": (_click(itemId=None, item_id="item-001", ITEM_ID="item-002"), "ambiguous_member"),
    "of another format": (
        text({"messageId": "m", "type": "track", "timestamp": "2026-01-01T00:00:00Z", "anonymousId": "session-bad"}),
        "foreign_format",
    ),
    "a withdrawn item": (_click(itemId=REFUSED_ITEM), "rejected_by_personalize"),
}
"""Each kind of bad record: its data, and the reason for its quarantine."""


def _bad(kind: str, number: int) -> SampleRecord:
    data, reason = BAD[kind]
    session = f"session-bad-{list(BAD).index(kind)}-{number}"
    expected = SampleEvent(session, None, reason=reason)
    return SampleRecord(session, data.replace(b"session-bad", session.encode()), (expected,))


def reasons(records: Sequence[SampleRecord]) -> Counter[str]:
    """How many events of the records should be quarantined, by reason."""
    return Counter(event.reason for record in records for event in record.events if event.reason)


def dropped(records: Sequence[SampleRecord]) -> Counter[str]:
    """How many payloads of the records the payload mapping should drop, by rule."""
    return Counter(event.dropped for record in records for event in record.events if event.dropped)
