"""What `relay failed` prints has nothing of a record unless asked to, and then nothing that steers a terminal."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest
from msgspec import UNSET

from local.demo import kpl
from personalize_relay_cli.recovery.account import Claim, RedriveAccount
from personalize_relay_cli.recovery.groups import Group, Listing, One, listing
from personalize_relay_cli.recovery.redriven import Ledger, Mark
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import EventPosition, FailureCause, SetAside
from personalize_relay_cli.recovery.stored import FailureBucket
from personalize_relay_cli.recovery.text import account_lines, listing_lines, record_json, record_lines
from tests.cli.s3_bucket import NAME, S3, give_up, quarantine
from tests.cli.test_set_aside import bad, found
from tests.packing import text
from tests.simulation.world import ARRIVAL, click

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PAYLOADS = {
    "an event": bad(1, itemId="canary"),
    "beyond a double": b'{"canary": 1e999}',
    "not a number": b'{"canary": NaN}',
    "5,000 digits": b'{"canary": 1' + b"0" * 5000 + b"}",
    "half a character": b'{"canary": "\\ud800"}',
    "too deep": b"[" * 5000 + b'"canary',
    "an escape sequence": b'canary\x1b[2J\xff\x9b"',
    "nothing": b"",
}


def stored(payload: bytes | dict[str, Any]) -> SetAside:
    s3 = S3()
    give_up(s3, payload)
    ((record,), _) = found(s3)
    return record


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_is_shown_on_request_alone_and_is_harmless(payload: bytes | dict[str, Any]) -> None:
    record = stored(payload)
    for shown in "\n".join(record_lines(record, {}, reveal=False)), json.dumps(record_json(record, {}, reveal=False)):
        assert "canary" not in shown
        assert "partition-key" not in shown
    revealed = "\n".join(record_lines(record, {}, reveal=True))
    assert ("canary" in revealed) == bool(payload)
    assert all(line.isprintable() for line in revealed.splitlines())
    json.loads(json.dumps(record_json(record, {}, reveal=True), allow_nan=False))


def test_a_record_is_shown_with_its_place_its_reasons_what_to_do_and_what_became_of_it() -> None:
    s3 = S3()
    key = quarantine(s3, bad(1))
    ((record,), _) = found(s3)
    mark = Mark("sent", "run-1", datetime(2026, 11, 24, tzinfo=UTC))
    said = "\n".join(record_lines(record, {("1", None): mark, ("2", None): mark}, reveal=False))
    assert f"{key}, line 1" in said
    assert "missing_member: eventType is missing" in said
    assert "that the detail names" not in said
    assert said.count("by run run-1") == 1


def test_each_rejected_event_is_shown_by_its_payload_and_its_place_in_that() -> None:
    s3 = S3()
    events = [{"eventType": kind, "sentAt": ARRIVAL} for kind in ("click", None)]
    lines = text(click()) + b"\n" + text({"sessionId": "canary", "eventList": events})
    quarantine(s3, kpl.aggregate([text(bad(1)), lines]))
    ((record,), _) = found(s3)
    mark = Mark("sent", "run-1", datetime(2026, 11, 24, tzinfo=UTC))
    said = "\n".join(record_lines(record, {("1:1.1", 1): mark, ("10:1.1", 1): mark}, reveal=False))
    assert "payload 0 missing_member: eventType is missing" in said
    assert "payload 1.1 event 1 missing_member: eventType is missing" in said
    assert said.count("sent      payload 1.1 event 1, ") == 1
    shown = record_json(record, {("1:1.1", 1): mark}, reveal=False)
    assert [(each["subSequence"], each["index"]) for each in shown["causes"]] == [("0", None), ("1.1", 1)]
    assert [(each["subSequence"], each["index"]) for each in shown["redriven"]] == [("1.1", 1)]
    assert "canary" not in said + json.dumps(shown)


def test_what_others_wrote_into_the_bucket_steers_no_terminal() -> None:
    escape, now = "\x1b[2J", datetime(2026, 11, 24, tzinfo=UTC)
    record = msgspec.structs.replace(stored(b""), stored_at=escape, causes=(FailureCause(None, escape, escape),))
    marks: dict[EventPosition, Mark] = {(record.origin.sequence_number, None): Mark("sent", escape, now)}
    one = One(sequence_number="1", arrival=now, cause=FailureCause(None, escape, escape), events=1, left=0)
    group = Group(reason=escape, first_arrival=now, last_arrival=now)
    found = Listing(groups=[group], each=[one], claims=[Claim(escape, escape, now, 1)])
    lines = [*record_lines(record, marks, reveal=False), *listing_lines(found, now)]
    lines += account_lines(RedriveAccount(claims=found.claims), now)
    assert all(line.isprintable() for line in lines)
    assert "\\x1b[2J" in "".join(lines)


def test_one_by_one_each_has_its_number_place_reason_detail_and_whether_it_was_sent_again() -> None:
    s3 = S3()
    quarantine(s3, bad(1), {"sessionId": "canary", "eventList": [{"eventType": None, "sentAt": ARRIVAL}]})
    bucket = FailureBucket(cast("Any", s3), NAME)
    found = listing(bucket, Ledger(bucket, run="reader", now=lambda: NOW), Selection(), each=True)
    lines = list(listing_lines(found, NOW))
    assert lines[0] == "1 record: missing_member: eventType is missing"
    assert lines[1] == "2 event 0: missing_member: eventType is missing"
    assert "canary" not in "".join(lines)
    assert found.each is not UNSET
    found.each[0] = msgspec.structs.replace(found.each[0], left=0)
    assert next(listing_lines(found, NOW)).endswith(", sent again")
