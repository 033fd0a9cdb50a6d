"""Each selected event is sent, rejected again or left for a reason, whatever ends the run, and never twice."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from msgspec import UNSET

from local.demo import kpl
from personalize_relay.events import Origin
from personalize_relay.parsing import parse
from personalize_relay_cli.problems import Problem
from personalize_relay_cli.recovery.account import (
    ALREADY_SENT,
    CLAIMED,
    LEDGER_FLAWED,
    MAX_FAULTS,
    NOT_SENT,
    UNREADABLE,
    RedriveAccount,
)
from personalize_relay_cli.recovery.groups import listing
from personalize_relay_cli.recovery.mending import Mended, Mender, NotMended, compiled
from personalize_relay_cli.recovery.redrive import Redrive
from personalize_relay_cli.recovery.redriven import Ledger
from personalize_relay_cli.recovery.resending import ChunkOutcome
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.stored import FailureBucket
from personalize_relay_cli.recovery.text import account_lines, listing_lines
from tests import packing
from tests.cli.s3_bucket import NAME, S3, SHARD, TRACKERS, give_up, quarantine, quarantined_by_0_1
from tests.packing import text
from tests.simulation.world import ARRIVAL, click

AT = datetime(2026, 11, 24, tzinfo=UTC)
MEND = "merge(@, {eventType: 'click'})"


class Wire:
    """A sender that keeps what it is given; `rejects` and `fails` have the ids of events that come to something else.

    It ends the run by an error at the chunk of that number.
    """

    def __init__(self, *, rejects: Sequence[str] = (), fails: Sequence[str] = (), dies_at: int | None = None) -> None:
        self.chunks: list[list[dict[str, Any]]] = []
        self._rejects = rejects
        self._fails = fails
        self._dies_at = dies_at

    def send(self, chunk: Sequence[Mended]) -> ChunkOutcome:
        """See Sender."""
        if len(self.chunks) == self._dies_at:
            raise KeyboardInterrupt
        self.chunks.append([json.loads(each.payload) for each in chunk])
        ids = {each.position: each.interaction.event.event_id for each in chunk}
        failed = {position: "Throttled" for position, event_id in ids.items() if event_id in self._fails}
        rejected = {position: "rejected_by_personalize" for position, each in ids.items() if each in self._rejects}
        return ChunkOutcome(ids.keys() - failed.keys() - rejected.keys(), rejected, failed)

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that it was given."""
        return [event for chunk in self.chunks for event in chunk]


class Work:
    """A bucket and runs over it."""

    def __init__(self) -> None:
        self.s3 = S3()
        self._runs = 0

    def begin(self, wire: Wire | None, transform: str | None = MEND, **options: Any) -> Redrive:  # noqa: ANN401
        """A run that has not begun."""
        self._runs += 1
        bucket, ledger = self._parts(f"run-{self._runs}")
        return Redrive(bucket, ledger, Mender(TRACKERS, compiled(transform) if transform else None), wire, **options)

    def run(self, wire: Wire | None, transform: str | None = MEND, **options: Any) -> RedriveAccount:  # noqa: ANN401
        """A run to its end; its account adds up."""
        account = self.begin(wire, transform, **options).run(Selection())
        assert account.whole
        return account

    def shown(self) -> str:
        """What `list` says."""
        bucket, ledger = self._parts("reader")
        return "\n".join(listing_lines(listing(bucket, ledger, Selection()), AT + timedelta(hours=3)))

    def _parts(self, run: str) -> tuple[FailureBucket, Ledger]:
        bucket = FailureBucket(cast("Any", self.s3), NAME)
        return bucket, Ledger(bucket, run=run, now=lambda: AT)


def bad(number: int, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return click("canary", eventId=f"canary-{number}", eventType=None) | members


@pytest.fixture
def work() -> Work:
    """Two records that can be mended; one that can't, with one that can't be read; and a batch of two."""
    work = Work()
    quarantine(work.s3, bad(1), bad(2))
    quarantine(work.s3, bad(3, itemId=7.5), b"canary", first=11, arrival=ARRIVAL + 3600)
    give_up(work.s3, click("canary", eventId="canary-4"), click("canary"))
    return work


def test_all_that_can_be_mended_is_sent_once_and_the_rest_accounted_for(work: Work) -> None:
    wire = Wire()
    account = work.run(wire)
    assert (account.selected, account.sent) == (6, 4)
    assert account.rejected_again == {"wrong_type": 1}
    assert +account.left == {UNREADABLE: 1}
    assert account.unreadable == {"invalid_json": 1}
    assert account.examples == ["12"]
    assert not account.done
    ids = ["canary-4", "clicks:shardId-000000000000:102", "canary-1", "canary-2"]
    assert [event["eventId"] for event in wire.events] == ids
    said = "\n".join(account_lines(account, AT))
    assert "`relay failed show --reveal`:\n  12" in said
    assert "\n1 wrong_type: itemId is a number" in said
    assert "canary" not in said
    assert b"canary" not in b"".join(body for key, body in work.s3.objects.items() if key.startswith("redriven/"))


def test_a_second_run_sends_nothing_and_says_so_even_with_another_transform(work: Work) -> None:
    work.run(Wire())
    wire = Wire()
    account = work.run(wire, transform=None)
    assert not wire.chunks
    assert +account.left == {ALREADY_SENT: 4, UNREADABLE: 1}
    only_sent = RedriveAccount(selected=2, left=Counter({ALREADY_SENT: 2}))
    assert only_sent.done
    assert "nothing to send" in "\n".join(account_lines(only_sent, AT))
    rows = {words[0]: words[1:5] for words in map(str.split, work.shown().splitlines())}
    assert rows["missing_member"] == ["3", "3", "2", "1"]
    assert rows["retry_attempts_exhausted"] == ["2", "2", "2", "0"]


def test_a_plan_is_what_a_run_does_and_writes_nothing(work: Work) -> None:
    before = dict(work.s3.objects)
    plan = work.run(None)
    assert work.s3.objects == before
    assert not [key for what, key in work.s3.calls if what == "put"]
    account = work.run(Wire())
    assert (plan.selected, plan.to_send, plan.rejected_again, +plan.left) == (
        account.selected,
        account.sent,
        account.rejected_again,
        +account.left,
    )
    assert (plan.to_send, plan.sent, plan.dry_run) == (4, 0, True)


def test_a_plan_reveals_the_first_event_of_each_reason_before_and_after_where_that_is_asked_for(work: Work) -> None:
    assert work.run(None).samples is UNSET
    samples = work.run(None, reveal=True).samples
    assert samples is not UNSET
    first = {each.reason: each for each in samples}
    assert len(first) == len(samples)
    missing = first["missing_member"]
    assert missing.before is not None
    assert missing.after is not None
    assert (missing.before["eventType"], missing.after["eventType"]) == (None, "click")
    assert missing.before["eventId"] == missing.after["eventId"] == "canary-1"
    unmended = {each.reason: each for each in work.run(None, transform=None, reveal=True).samples or ()}
    assert (unmended["missing_member"].after, unmended["missing_member"].rejected) == (None, "missing_member")


def test_each_kind_of_fault_is_told_with_its_count_however_many_reasons_are_one(work: Work) -> None:
    quarantine(work.s3, bad(5, sessionId=None), bad(6), bad(7), bad(8, itemId=7.5), first=21)
    plan = work.run(None, transform=None)
    said = "\n".join(account_lines(plan, AT))
    missing = [line.partition(" missing_member: ")[::2] for line in said.splitlines() if " missing_member: " in line]
    assert missing == [
        ("4", "eventType is missing"),
        ("2", "eventType is missing; itemId is a number with a fraction, must be a string or a whole number"),
        ("1", "sessionId is missing; eventType is missing"),
    ]
    assert (plan.rejected_again["missing_member"], plan.details) == (7, {"missing_member": "eventType is missing"})
    assert "transform_failed: --transform must give" in "\n".join(account_lines(work.run(None, transform="'a'"), AT))


def test_kinds_of_faults_beyond_a_bound_are_counted_together() -> None:
    account = RedriveAccount()
    for length in range(2 * MAX_FAULTS):
        account.reject(NotMended("wrong_length", f"itemId has {length + 257} characters, may have 256"))
    lines = [line for line in account_lines(account, AT) if "wrong_length: " in line]
    assert len(lines) == MAX_FAULTS + 1
    assert lines[-1] == f"{MAX_FAULTS} wrong_length: of other kinds"


def test_what_personalize_rejects_or_the_stream_turns_away_is_left_and_free_for_the_next_run(work: Work) -> None:
    account = work.run(Wire(rejects=["canary-1"], fails=["canary-4"]))
    assert account.sent == 2
    assert account.rejected_again == {"rejected_by_personalize": 1, "wrong_type": 1}
    assert +account.left == {NOT_SENT: 1, UNREADABLE: 1}
    assert account.not_sent == {"Throttled": 1}
    wire = Wire()
    assert work.run(wire).sent == 2
    assert [event["eventId"] for event in wire.events] == ["canary-4", "canary-1"]


def test_a_run_that_gets_nothing_through_ends(work: Work) -> None:
    redrive = work.begin(Wire(fails=["canary-1", "canary-2"]))
    with pytest.raises(Problem, match="nothing gets through, so the rest was not tried: Throttled"):
        redrive.run(Selection())
    assert redrive.account.whole
    assert redrive.account.sent == 2
    assert work.run(Wire()).sent == 2


def test_a_run_ended_in_the_middle_leaves_a_claim_on_what_may_be_sent_and_no_more(work: Work) -> None:
    redrive = work.begin(Wire(dies_at=2), rate=1, wait=lambda _seconds: None)
    with pytest.raises(KeyboardInterrupt):
        redrive.run(Selection())
    assert redrive.account.whole
    assert (redrive.account.sent, +redrive.account.left) == (2, {NOT_SENT: 2})
    assert "1 events claimed 3 h ago by run run-1" in work.shown()
    assert (work.run(None).to_send, work.run(None, take_over=True).to_send) == (1, 2)
    wire = Wire()
    account = work.run(wire)
    assert [event["eventId"] for event in wire.events] == ["canary-2"]
    assert +account.left == {ALREADY_SENT: 2, CLAIMED: 1, UNREADABLE: 1}
    assert "--take-over" in "\n".join(account_lines(account, AT))
    wire = Wire()
    assert work.run(wire, take_over=True).sent == 1
    assert [event["eventId"] for event in wire.events] == ["canary-1"]
    assert "claimed" not in work.shown()


def test_a_run_ended_before_it_sends_accounts_for_what_it_chose(work: Work) -> None:
    def end() -> None:
        raise KeyboardInterrupt

    work.s3.before_put = end
    run = work.begin(wire := Wire())
    with pytest.raises(KeyboardInterrupt):
        run.run(Selection())
    assert run.account.whole
    assert run.account.left[NOT_SENT] > 0
    assert not wire.events


def test_a_record_that_is_stored_twice_is_sent_once_also_by_the_next_run(work: Work) -> None:
    """As when the function stores a bad record and dies before it says so: Lambda gives up the whole batch."""
    give_up(work.s3, bad(1), bad(2), first=1)
    wire = Wire()
    account = work.run(wire)
    assert sorted(event["eventId"] for event in wire.events).count("canary-1") == 1
    assert (account.sent, account.left[ALREADY_SENT]) == (4, 2)
    again = Wire()
    assert work.run(again).sent == 0
    assert work.begin(again).run(Selection(reasons=frozenset({"missing_member"}))).sent == 0
    assert not again.chunks


def test_an_object_whose_ledger_cant_be_read_is_left_alone(work: Work) -> None:
    work.run(Wire(rejects=["canary-1"]))
    (key,) = [key for key in work.s3.objects if key.startswith("redriven/quarantine") and "-1-2-" in key]
    work.s3.objects[key] = b"{"
    wire = Wire()
    account = work.run(wire)
    assert not wire.chunks
    assert account.left[LEDGER_FLAWED] == 2
    assert [flaw.key for flaw in account.flaws] == [key]
    assert not account.done


def test_a_rate_spreads_events_evenly(work: Work) -> None:
    now = 100.0
    sent_at: list[float] = []

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    class Stamped(Wire):
        def send(self, chunk: Sequence[Mended]) -> ChunkOutcome:
            sent_at.extend([now] * len(chunk))
            return super().send(chunk)

    work.run(Stamped(), rate=2.0, clock=lambda: now, wait=wait)
    assert sent_at == [100.0, 100.0, 101.0, 101.0]
    sent_at.clear()
    work.s3.objects = {key: body for key, body in work.s3.objects.items() if not key.startswith("redriven/")}
    work.run(Stamped(), rate=0.5, clock=lambda: now, wait=wait)
    assert [when - sent_at[0] for when in sent_at] == [0.0, 2.0, 4.0, 6.0]


def test_of_a_record_of_thousands_of_lines_the_bad_ones_are_sent_and_by_the_next_run_none() -> None:
    work = Work()
    lines = [text(click(f"s{number}")) for number in range(3000)]
    lines[1234], lines[2999] = text(bad(1234, eventId=None)), text(bad(2999))
    quarantine(work.s3, b"\n".join(lines))
    account = work.run(wire := Wire())
    assert (account.selected, account.sent, account.done) == (2, 2, True)
    assert [event["eventId"] for event in wire.events] == [f"clicks:{SHARD}:1:1234", "canary-2999"]
    account = work.run(again := Wire())
    assert (account.selected, +account.left, again.chunks) == (2, {ALREADY_SENT: 2}, [])


def test_the_payloads_of_a_given_up_record_go_out_under_the_ids_that_the_function_derives() -> None:
    work = Work()
    events = [{"eventType": "click", "sentAt": ARRIVAL - number} for number in range(2)]
    lines = text(click("b")) + b"\n" + text({"sessionId": "c", "eventList": events})
    data = kpl.aggregate([text(click("a")), lines, packing.WRAPPERS["gzip"](text(click("d"))), b"canary"])
    give_up(work.s3, data)
    account = work.run(wire := Wire())
    assert (account.sent, account.unreadable) == (5, {"retry_attempts_exhausted": 1})
    origin = Origin(stream="clicks", shard_id=SHARD, sequence_number="101", arrival=ARRIVAL)
    taken = parse(data, origin, TRACKERS).interactions
    assert [event["eventId"] for event in wire.events] == [each.event.event_id for each in taken]
    assert wire.events[3]["eventId"] == f"clicks:{SHARD}:101:1.1:1"


def test_what_version_0_1_set_aside_and_sent_in_part_is_sent_once() -> None:
    """Its ledger named events by their sequence numbers and their places in `eventList`, as they still are."""
    work = Work()
    whole = {"index": None, "eventId": None, "detail": ""}
    events = [{"eventType": None, "sentAt": ARRIVAL} for _ in range(2)]
    key = quarantined_by_0_1(
        work.s3,
        (kpl.aggregate([text(bad(1)), text(click("canary"))]), [whole | {"reason": "aggregated_record"}]),
        (packing.WRAPPERS["gzip"](text(bad(2))), [whole | {"reason": "compressed_record"}]),
        (text(bad(3)), [whole | {"reason": "missing_member"}]),
        (
            text({"sessionId": "s", "eventList": events}),
            [whole | {"index": index, "reason": "missing_member"} for index in range(2)],
        ),
    )
    entry = {"run": "older", "at": "2026-11-24T00:00:00Z"}
    entries = [entry | {"state": "sent", "events": [["3", None], ["4", 0]]}]
    ledger = {"schema": "personalize-relay.redriven/1", "source": key, "entries": entries}
    work.s3.put(f"redriven/{key}", json.dumps(ledger).encode())
    account = work.run(wire := Wire())
    assert (account.selected, account.sent, +account.left) == (6, 4, {ALREADY_SENT: 2})
    derived = f"clicks:{SHARD}"
    assert [event["eventId"] for event in wire.events] == ["canary-1", f"{derived}:1:1", "canary-2", f"{derived}:4:1"]
    assert work.run(Wire()).sent == 0
    rows = {words[0]: words[1:5] for words in map(str.split, work.shown().splitlines())}
    assert rows["aggregated_record"] == ["1", "2", "2", "0"]
    assert rows["missing_member"] == ["2", "3", "3", "0"]
