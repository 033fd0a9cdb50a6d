"""The demo's account holds only when every event is where it belongs."""

from typing import Any

import pytest

from local.clickstream import BAD, EACH_BAD_KIND, SESSIONS, SampleEvent, SampleRecord, fewest_calls, reasons, sample
from local.reconciliation import Position, named, reconcile

GOOD = SampleRecord("s", b"", (SampleEvent("s", None, event_id="e1"),))
WITHOUT_ID = SampleRecord("s", b"", (SampleEvent("s", None, index=0), SampleEvent("s", None, index=1)))
BROKEN = SampleRecord("s", b"", (SampleEvent("s", None, reason="invalid_json"),))
PRODUCED = [
    (record, Position("clicks", "shard", str(number))) for number, record in enumerate((GOOD, WITHOUT_ID, BROKEN))
]
DELIVERED = {"e1": 1, "clicks:shard:1:0": 1, "clicks:shard:1:1": 1}


def line(number: str, reason: str = "invalid_json") -> dict[str, Any]:
    return {"source": {"sequenceNumber": number}, "rejected": [{"index": None, "reason": reason}]}


def test_it_holds_when_everything_is_in_its_place() -> None:
    account = reconcile(PRODUCED, DELIVERED, [line("2")])
    assert account.holds
    assert (account.produced, account.delivered, account.quarantined.total()) == (4, 3, 1)


@pytest.mark.parametrize(
    ("delivered", "lines", "what", "name"),
    [
        ({"e1": 1, "clicks:shard:1:0": 1}, [line("2")], "missing", "event clicks:shard:1:1"),
        (DELIVERED, [], "missing", "invalid_json in record 2"),
        (DELIVERED, [line("2", "wrong_type")], "missing", "invalid_json in record 2"),
        (DELIVERED | {"e1": 2}, [line("2")], "twice", "e1"),
        (DELIVERED | {"e9": 1}, [line("2")], "unexpected", "event e9"),
        (DELIVERED, [line("2"), line("0")], "unexpected", "invalid_json in record 0"),
    ],
)
def test_it_names_what_is_not(delivered: dict[str, int], lines: list[dict[str, Any]], what: str, name: str) -> None:
    account = reconcile(PRODUCED, delivered, lines)
    assert not account.holds
    assert getattr(account, what) == (name,)


def test_names_are_listed_up_to_a_few() -> None:
    assert named(str(number) for number in range(7)) == "0, 1, 2, 3, 4 and 2 more"
    assert named(["a"]) == "a"


def test_the_sample_is_the_same_each_time_and_has_what_it_promises() -> None:
    records = sample()
    assert records == sample()
    events = [event for record in records for event in record.events]
    assert len(BAD) >= 8
    assert reasons(records).total() == len(BAD) * EACH_BAD_KIND
    assert len({event.session for event in events if not event.reason}) == SESSIONS
    assert {event.user is None for event in events} == {True, False}
    data = b"".join(record.data for record in records)
    assert all(part in data for part in ("東京".encode(), b'"impression"', b'"properties"', b'"eventList"'))


def test_the_fewest_calls_are_counted_by_hand() -> None:
    def record(session: str, user: str | None, events: int) -> SampleRecord:
        return SampleRecord(session, b"", (SampleEvent(session, user),) * events)

    assert fewest_calls([[record("a", None, 10)]]) == 1
    assert fewest_calls([[record("a", None, 11)]]) == 2
    assert fewest_calls([[record("a", None, 1), record("b", None, 1), record("a", None, 1)]]) == 2
    assert fewest_calls([[record("a", None, 1), record("a", "u", 1), record("a", None, 1)]]) == 3
    assert fewest_calls([[record("a", None, 1)], [record("a", None, 1)]]) == 2
    assert fewest_calls([[BROKEN]]) == 0
