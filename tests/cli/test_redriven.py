"""The ledger: of two that send the same, one does; what a dead run claimed is known, and can be taken over."""

import json
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from personalize_relay_cli.problems import Problem
from personalize_relay_cli.recovery.bucket import Bucket
from personalize_relay_cli.recovery.redriven import MAX_ATTEMPTS, Ledger, LedgerPage
from personalize_relay_cli.recovery.set_aside import EventPosition, Flaw
from tests.cli.s3_bucket import NAME, S3

SOURCE = "quarantine/a.jsonl"
KEY = f"redriven/{SOURCE}"
EVENTS: list[EventPosition] = [("1", None), ("2", 0), ("2:3.0", 1)]
AT = datetime(2026, 11, 24, tzinfo=UTC)


def ledger(s3: S3, run: str) -> Ledger:
    return Ledger(Bucket(cast("Any", s3), NAME), run=run, now=lambda: AT)


def read(ledger: Ledger) -> LedgerPage:
    page = ledger.read(SOURCE)
    assert isinstance(page, LedgerPage)
    return page


def claimed(ledger: Ledger, *events: EventPosition, take_over: bool = False) -> set[EventPosition]:
    return set(ledger.claim(SOURCE, read(ledger), events or EVENTS, take_over=take_over)[0])


def settle(ledger: Ledger, sent: set[EventPosition], unknown: AbstractSet[EventPosition] = frozenset()) -> None:
    ledger.settle(SOURCE, read(ledger), sent=sent, unknown=unknown)


@pytest.mark.parametrize("before", [(), (("9", None),)])
def test_two_that_claim_at_the_same_time_get_each_event_once(before: tuple[EventPosition, ...]) -> None:
    """Whether the ledger is new or there: between the other's look and its write this one claims."""
    s3 = S3()
    if before:
        settle(ledger(s3, "earlier"), set(before))
    first: set[EventPosition] = set()
    s3.before_put = lambda: first.update(claimed(ledger(s3, "first"), *EVENTS[:2]))
    second = claimed(ledger(s3, "second"))
    assert first == set(EVENTS[:2])
    assert second == set(EVENTS[2:])
    assert {mark.run for mark in read(ledger(s3, "reader")).claims.values()} == {"first", "second"}
    assert read(ledger(s3, "reader")).sent == set(before)


def test_what_is_sent_is_nobodys_any_more() -> None:
    s3 = S3()
    one = ledger(s3, "one")
    claimed(one)
    settle(one, set(EVENTS[:2]))
    assert read(ledger(s3, "reader")).sent == set(EVENTS[:2])
    assert not read(ledger(s3, "reader")).claims
    assert claimed(ledger(s3, "two")) == set(EVENTS[2:])
    assert claimed(ledger(s3, "three"), take_over=True) == set(EVENTS[2:])


def test_a_claim_stands_until_it_is_taken_over_and_keeps_what_its_run_sent() -> None:
    s3 = S3()
    dead = ledger(s3, "dead")
    claimed(dead)
    assert claimed(ledger(s3, "two")) == set()
    assert claimed(ledger(s3, "three"), take_over=True) == set(EVENTS)
    settle(dead, {EVENTS[0]})  # it was not dead
    assert read(ledger(s3, "reader")).sent == {EVENTS[0]}
    assert {mark.run for mark in read(ledger(s3, "reader")).claims.values()} == {"three"}


def test_what_may_have_been_sent_stays_claimed() -> None:
    s3 = S3()
    one = ledger(s3, "one")
    claimed(one)
    settle(one, {EVENTS[0]}, {EVENTS[1]})
    assert read(ledger(s3, "reader")).claims.keys() == {EVENTS[1]}


def test_a_claim_whose_answer_was_lost_is_its_runs() -> None:
    """The SDK asks again, and is refused as the first put went through."""
    s3 = S3()
    one = ledger(s3, "one")
    s3.before_put = lambda: claimed(one)
    assert claimed(one) == set(EVENTS)


def test_a_ledger_that_expires_between_look_and_write_is_begun_anew() -> None:
    s3 = S3()
    claimed(ledger(s3, "one"), EVENTS[0])
    s3.before_put = lambda: s3.objects.pop(KEY)
    assert claimed(ledger(s3, "two"), EVENTS[1]) == {EVENTS[1]}


def test_a_ledger_that_never_rests_is_given_up() -> None:
    s3 = S3()
    attempts = 0

    def meddle() -> None:
        nonlocal attempts
        attempts += 1
        claimed(ledger(s3, f"other-{attempts}"), (str(100 + attempts), None))
        s3.before_put = meddle

    s3.before_put = meddle
    with pytest.raises(Problem, match="changed by others"):
        claimed(ledger(s3, "one"))
    assert attempts == MAX_ATTEMPTS


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[:-9],
        lambda body: json.dumps(json.loads(body) | {"schema": "personalize-relay.redriven/2"}).encode(),
        lambda _body: b"{}",
        lambda body: body.replace(b"00Z", b"00"),
    ],
)
def test_a_ledger_that_cant_be_read_is_named_and_not_written(change: Callable[[bytes], bytes]) -> None:
    s3 = S3()
    claimed(ledger(s3, "one"))
    s3.objects[KEY] = spoilt = change(s3.objects[KEY])
    flaw = ledger(s3, "two").read(SOURCE)
    assert isinstance(flaw, Flaw)
    assert flaw.key == KEY
    with pytest.raises(Problem, match=KEY):
        ledger(s3, "two").claim(SOURCE, LedgerPage({}), EVENTS, take_over=True)
    assert s3.objects[KEY] == spoilt


def test_a_ledger_names_events_by_their_places_alone() -> None:
    s3 = S3()
    claimed(ledger(s3, "one"))
    settle(ledger(s3, "one"), {EVENTS[0]}, set(EVENTS))
    document = json.loads(s3.objects[KEY])
    assert document == {
        "schema": "personalize-relay.redriven/1",
        "source": SOURCE,
        "entries": [
            {"state": "sent", "run": "one", "at": "2026-11-24T00:00:00Z", "events": [["1", None]]},
            {"state": "claimed", "run": "one", "at": "2026-11-24T00:00:00Z", "events": [["2", 0], ["2:3.0", 1]]},
        ],
    }
