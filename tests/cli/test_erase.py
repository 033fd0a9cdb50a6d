"""Exactly a person's events go from the bucket, however they are written and packed, and nothing of others."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from local.demo import kpl
from personalize_relay.mapping_file import load, preset
from personalize_relay_cli.erasure.erase import MAX_ATTEMPTS, Erasure, ErasureAccount
from personalize_relay_cli.erasure.remainder import Eraser
from personalize_relay_cli.erasure.text import account_lines
from personalize_relay_cli.erasure.whom import Whom
from personalize_relay_cli.main import run
from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.recovery.mending import Mender
from personalize_relay_cli.recovery.redrive import Redrive
from personalize_relay_cli.recovery.redriven import Ledger
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.stored import FailureBucket
from tests.cli.s3_bucket import NAME, S3, SHARD, TRACKERS, give_up, quarantine
from tests.cli.test_redrive import Wire
from tests.packing import log_messages, text
from tests.simulation.world import ARRIVAL, click

USER = Whom(user_id="u-7")
ALL = Selection()
AT = datetime(2026, 11, 24, tzinfo=UTC)


def of(user: str | None, number: int = 0, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """An event of a user that is rejected."""
    return click(f"session-{number}", userId=user, eventId=f"{user}-{number}", eventType=None) | members


def parts(s3: S3) -> tuple[FailureBucket, Ledger]:
    bucket = FailureBucket(cast("Any", s3), NAME)
    return bucket, Ledger(bucket, run="run", now=lambda: AT)


def erase(
    s3: S3, whom: Whom = USER, selection: Selection = ALL, *, plan: bool = False, unreadable: bool = False
) -> ErasureAccount:
    return Erasure(*parts(s3), Eraser(whom, selection, unreadable=unreadable), dry_run=plan).run()


def held(s3: S3) -> bytes:
    """All bytes of all records in all versions."""
    found = b""
    for versions in s3.versions.values():
        for body in versions.values():
            found += body + b"".join(map(_data, body.splitlines()))
    return found


def _data(line: bytes) -> bytes:
    document = json.loads(line)
    given = json.loads(document["payload"])["Records"] if "payload" in document else []
    data = [each["kinesis"]["data"] for each in given] or [document.get("data", "")]
    return b"".join(map(base64.b64decode, data))


def sent(s3: S3, mapping: Selection = ALL) -> list[str]:
    """The ids of what a redrive then sends."""
    wire = Wire()
    account = Redrive(*parts(s3), Mender(TRACKERS, marking=mapping.mapping is not None), wire).run(mapping)
    assert account.done
    return [event["eventId"] for event in wire.events]


THEIRS: dict[str, bytes] = {
    "plain": text(of("u-7")),
    "escaped": text(of("u-7")).replace(b'"u-7"', b'"u\\u002d7"'),
    "another spelling": text({"USER_ID" if name == "userId" else name: each for name, each in of("u-7").items()}),
    "an aggregate": kpl.aggregate([text(of("u-7"))]),
    "gzip": gzip.compress(text(of("u-7"))),
    "base64": base64.b64encode(text(of("u-7"))),
    "a list": text([of("u-7"), of("u-7", 1)]),
    "a log message": log_messages([text(of("u-7"))]),
    "two lists": text({"sessionId": "s", "eventList": None, "event_list": [{"user_id": "u-7"}]}),
    "a request": text({"sessionId": "s", "userId": "u-7", "eventList": [{"eventType": None}]}),
    "entries": text({"sessionId": "s", "eventList": [{"userId": "u-7", "eventType": None}]}),
    "two spellings": text(of("u-8") | {"USER_ID": "u-7", "userId": None, "user-id": "u-8"}),
    "an envelope": text({"detail": {"userId": "u-7"}, "sessionId": "s"}),
    "another format": text({"who": {"id": "u-7"}}),
}
OTHERS: dict[str, bytes] = {
    "a longer id": text(of("u-70")),
    "a shorter id": text(of("u-")),
    "the id of something else": text(of("u-8", itemId="u-7")),
    "another case": text(of("U-7")),
    "in an aggregate": kpl.aggregate([text(of("u-70")), text(of("u-8"))]),
    "nobody": text(of(None, itemId="u-7")),
}


@pytest.mark.parametrize("kind", THEIRS)
def test_an_event_of_theirs_goes_however_it_is_written_and_nothing_of_it_stays_in_any_version(kind: str) -> None:
    s3 = S3()
    quarantine(s3, text(of("u-70")), THEIRS[kind])
    give_up(s3, text(of("u-70", 1)), THEIRS[kind])
    account = erase(s3)
    assert [each.removed for each in account.kinds.values()] == [1, 1]
    assert b'u-7"' not in held(s3)
    assert held(s3).count(b'u-70"') == 2
    assert account.done


@pytest.mark.parametrize("kind", OTHERS)
def test_what_only_looks_like_theirs_stays_and_its_object_is_not_written(kind: str) -> None:
    s3 = S3()
    quarantine(s3, OTHERS[kind])
    give_up(s3, OTHERS[kind])
    before = dict(s3.objects)
    account = erase(s3)
    assert (account.found, s3.objects) == (0, before)
    assert not [key for what, key in s3.calls if what in {"put", "delete", "versions"}]


def test_a_number_is_the_id_of_its_digits() -> None:
    s3 = S3()
    quarantine(s3, of("", userId=7), of("", userId=70), of("", userId=7.0), of("", userId=True), of("x", itemId=7))
    assert erase(s3, Whom(user_id="7")).found == 2


def test_of_an_object_of_theirs_alone_nothing_is_left_and_of_others_all_but_the_line() -> None:
    s3 = S3()
    alone, mixed = quarantine(s3, of("u-7")), quarantine(s3, of("u-8"), of("u-7"), of("u-9"), first=11)
    batch = give_up(s3, of("u-7"), of("u-8"))
    lines = s3.objects[mixed].splitlines()
    document = json.loads(s3.objects[batch])
    account = erase(s3)
    assert alone not in s3.objects
    assert s3.objects[mixed].splitlines() == [lines[0], lines[2]]
    left = json.loads(s3.objects[batch])
    assert left["KinesisBatchInfo"].pop("batchSize") == 1
    assert document["KinesisBatchInfo"].pop("batchSize") == 2
    assert json.loads(left.pop("payload"))["Records"] == json.loads(document.pop("payload"))["Records"][1:]
    assert left == document
    assert [(each.objects, each.records, each.removed, each.changed_objects) for each in account.kinds.values()] == [
        (2, 4, 2, 2),
        (1, 2, 1, 1),
    ]
    assert not s3.versions[alone]
    assert {key: list(bodies.values()) for key, bodies in s3.versions.items() if bodies} == {
        key: [body] for key, body in s3.objects.items()
    }


def good(user: str, number: int, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return click(f"s-{number}", userId=user, eventId=None, **members)


PACKED: dict[str, Callable[[list[bytes]], bytes]] = {
    "an aggregate": kpl.aggregate,
    "gzipped lines": lambda payloads: gzip.compress(b"\n".join(payloads)),
    "a list": lambda payloads: b"[" + b",".join(payloads) + b"]",
    "base64 of a list": lambda payloads: base64.b64encode(b"[" + b",".join(payloads) + b"]"),
    "lines in an aggregate": lambda payloads: kpl.aggregate([b"\n".join(payloads), payloads[0]]),
    "a log message": log_messages,
    "an aggregate of the first two and lists": lambda payloads: kpl.aggregate(
        [payloads[0], b"[" + b",".join(payloads[1:3]) + b"]", b"[" + b",".join(payloads[3:1:-1]) + b"]"]
    ),
}


@pytest.mark.parametrize("kind", PACKED)
def test_of_a_record_of_several_users_the_others_stay_under_the_ids_they_had(kind: str) -> None:
    s3 = S3()
    data = PACKED[kind]([text(good(user, number)) for number, user in enumerate(("u-7", "u-70", "u-7", "u-8"))])
    give_up(s3, data)
    untouched = S3()
    give_up(untouched, data)
    account = erase(s3)
    assert (account.kinds["given up"].cut, account.removed_along) == (1, 0)
    assert b'"u-7"' not in held(s3)
    order = {"lines in an aggregate": "7x7x7", "an aggregate of the first two and lists": "7x7x7"}.get(kind, "7x7x")
    before = dict(zip(sent(untouched), order, strict=True))
    assert sent(s3) == [event_id for event_id, user in before.items() if user == "x"]


def test_of_a_request_whose_entries_are_of_several_users_the_others_stay_under_their_ids() -> None:
    s3 = S3()
    users = ("u-8", "u-7", "u-9", "u-7")
    entries = [{"userId": user, "eventType": "click", "sentAt": ARRIVAL - n} for n, user in enumerate(users)]
    give_up(s3, {"sessionId": "s", "eventList": entries})
    assert erase(s3).kinds["given up"].cut == 1
    assert b"u-7" not in held(s3)
    assert sent(s3) == [f"clicks:{SHARD}:101:0", f"clicks:{SHARD}:101:2"]


def test_of_a_quarantined_record_the_reasons_of_others_stay_in_their_places() -> None:
    s3 = S3()
    payloads = [text(of("u-7", 1)), text(good("u-9", 2)), text(of("u-8", 3, eventType=7.5))]
    key = quarantine(s3, kpl.aggregate(payloads))
    assert erase(s3).kinds["quarantined"].cut == 1
    line = json.loads(s3.objects[key])
    assert [(each["subSequence"], each["eventId"]) for each in line["rejected"]] == [("2", "u-8-3")]
    assert line["reason"] == line["rejected"][0]["reason"] == "wrong_type"
    assert b"u-7" not in held(s3)


def test_a_quarantined_record_goes_as_a_whole_where_all_that_is_left_of_it_was_delivered() -> None:
    s3 = S3()
    quarantine(s3, kpl.aggregate([text(of("u-7")), text(good("u-8", 1))]))
    account = erase(s3)
    assert (account.kinds["quarantined"].removed, account.removed_along, s3.objects) == (1, 0, {})


def test_what_cant_be_read_beside_their_event_goes_with_it_and_is_counted() -> None:
    s3 = S3()
    give_up(s3, kpl.aggregate([text(good("u-7", 1)), b"\xff\xff", text(good("u-8", 2))]))
    account = erase(s3)
    assert (account.removed_along, account.kinds["given up"].cut, account.done) == (1, 1, True)
    assert sent(s3) == [f"clicks:{SHARD}:101:2"]
    assert "1 events of others or unreadable payloads removed along" in "\n".join(account_lines(account))


def test_a_record_that_could_not_be_written_without_them_goes_as_a_whole_and_is_counted() -> None:
    s3 = S3()
    huge = text(good("u-8", 1, eventValue=1)).replace(b'"eventValue":1', b'"eventValue":1e999')
    give_up(s3, b"[" + huge + b"," + text(good("u-7", 2)) + b"]", good("u-9", 3))
    account = erase(s3)
    assert (account.kinds["given up"].removed, account.removed_along) == (1, 1)
    assert len(sent(s3)) == 1


def test_a_record_that_would_be_read_otherwise_without_them_goes_as_a_whole() -> None:
    """As one that holds just as many values as are read of a record: what keeps a place holds some more."""
    theirs, wide = text({"userId": "u-7"}), {"sessionId": "s", "x": [""]}
    marks = sum(map((b"[" + text(wide) + b"," + theirs + b"]").count, (b"{", b"[", b",")))
    data = b"[" + text(wide | {"x": [""] * (1_000_000 - marks + 1)}) + b"," + theirs + b"]"
    s3 = S3()
    give_up(s3, data, good("u-8", 1))
    account = erase(s3)
    assert (account.kinds["given up"].removed, account.removed_along) == (1, 1)


def test_an_object_whose_key_begins_alike_keeps_its_versions() -> None:
    s3 = S3()
    batch = give_up(s3, good("u-7", 1))
    s3.put(f"{batch}-2", s3.objects[batch].replace(b"101", b"102"))
    other = give_up(s3, good("u-8", 1), arrival=ARRIVAL + 1)
    s3.put(f"{batch}-3", s3.objects[other])
    assert erase(s3).kinds["given up"].removed == 2
    assert [len(s3.versions[f"{batch}{end}"]) for end in ("", "-2", "-3")] == [0, 0, 1]


def test_the_partition_key_counts_as_an_id() -> None:
    """What names another user stays, under another key; what names nobody, or can't be read, goes."""
    s3 = S3()
    several = kpl.aggregate([text(good("u-8", 5)), text(click("s", userId=None)), b"\xff"])
    batch = give_up(s3, good("u-8", 1), click("s", userId=None), b"\xff", good("u-9", 4), several)
    document = json.loads(s3.objects[batch])
    records = json.loads(document["payload"])
    for record in [*records["Records"][:3], records["Records"][4]]:
        record["kinesis"]["partitionKey"] = "u-7"
    s3.put(batch, json.dumps(document | {"payload": json.dumps(records)}).encode())
    account = erase(s3)
    assert (account.kinds["given up"].removed, account.kinds["given up"].cut, account.removed_along) == (2, 2, 0)
    left = json.loads(json.loads(s3.objects[batch])["payload"])["Records"]
    assert [each["kinesis"]["partitionKey"] for each in left] == ["erased", "partition-key", "erased"]
    assert sent(s3) == [f"clicks:{SHARD}:{place}" for place in ("101", "104", "105:0")]


def test_a_session_goes_without_the_users_other_sessions_and_with_a_user_either() -> None:
    s3 = S3()
    quarantine(s3, of("u-7", 1), of("u-7", 2), of("u-8", 3))
    assert erase(s3, Whom(session_id="session-1"), plan=True).found == 1
    assert erase(s3, Whom(user_id="u-8", session_id="session-1")).found == 2


def test_an_event_in_a_vendors_payload_is_known_by_the_functions_mapping() -> None:
    s3 = S3()
    payloads: list[dict[str, Any]] = [
        {"type": "track", "event": "Viewed", "messageId": user, "anonymousId": "a", "context": {"traits": {}}}
        | {"userId": user, "timestamp": "2026-06-24T09:31:00.000Z"}
        for user in ("u-7", "u-70")
    ]
    give_up(s3, *payloads, text(payloads), {"type": "page", "anonymousId": "u-7"}, {"type": "page", "anonymousId": "b"})
    segment = Selection(mapping=preset("segment"))
    account = erase(s3, USER, segment)
    assert (account.kinds["given up"].removed, account.kinds["given up"].cut) == (2, 1)
    assert b'"u-7"' not in held(s3)
    assert sent(s3, segment) == ["u-70", "u-70"]


ORDERS = """
[[rule]]
name = "orders"
each = "lines"
[rule.event]
sessionId = "visit"
userId = "each.buyer"
eventType = "'buy'"
"""


def test_a_vendors_payload_of_several_users_goes_as_a_whole_and_the_others_are_counted() -> None:
    s3 = S3()
    give_up(s3, {"visit": "s", "lines": [{"buyer": "u-7"}, {"buyer": "u-8"}, {"buyer": "u-9"}]})
    account = erase(s3, USER, Selection(mapping=load(ORDERS, file="m.toml")))
    assert (account.kinds["given up"].removed, account.removed_along) == (1, 2)


def test_a_vendors_payload_of_which_an_event_cant_be_mapped_goes_if_any_value_in_it_is_the_id() -> None:
    s3 = S3()
    lines = [{"buyer": "u-8", "at": ARRIVAL}, {"customer": "u-7", "at": "canary"}]
    give_up(
        s3, {"visit": "s", "lines": lines}, {"visit": "s", "lines": [lines[0], {"customer": "u-70", "at": "canary"}]}
    )
    dated = ORDERS.replace("""eventType = "'buy'\"""", """eventType = "'buy'"\nsentAt = "epoch(each.at)\"""")
    account = erase(s3, USER, Selection(mapping=load(dated, file="m.toml")))
    assert (account.kinds["given up"].removed, account.removed_along) == (1, 1)


def test_without_the_mapping_of_the_function_nothing_is_told_apart() -> None:
    s3 = S3()
    give_up(s3, {"visit": "u-8"})
    with pytest.raises(Misuse, match="--mapping FILE"):
        erase(s3, USER, Selection(lacks_mapping=True))


def test_what_cant_be_read_is_counted_with_what_to_do_and_goes_if_so_asked() -> None:
    s3 = S3()
    quarantine(s3, b'{"userId": "u-7", "sess', of("u-8"), gzip.compress(b"u-7"), b"")
    account = erase(s3)
    assert (account.found, account.unreadable.total(), account.examples, account.done) == (0, 2, ["1", "3"], False)
    said = "\n".join(account_lines(account))
    assert "2 records can't be read" in said
    assert "--unreadable" in said
    account = erase(s3, unreadable=True)
    assert (account.found, account.done) == (2, True)
    assert b"u-7" not in held(s3)


def test_a_plan_says_what_a_run_does_and_writes_nothing() -> None:
    s3 = S3()
    quarantine(s3, of("u-7"), of("u-8"), b"\xff")
    give_up(s3, PACKED["a list"]([text(good("u-7", 1)), text(good("u-8", 1))]))
    before = dict(s3.objects)
    plan = erase(s3, plan=True)
    assert s3.objects == before
    assert not [key for what, key in s3.calls if what in {"put", "delete"}]
    account = erase(s3)
    assert plan == msgspec.structs.replace(account, dry_run=True)
    assert erase(s3).found == 0
    for each in plan, account:
        assert "u-7" not in "\n".join(account_lines(each))


def test_an_object_that_is_changed_meanwhile_is_read_again() -> None:
    s3 = S3()
    key = quarantine(s3, of("u-7"), of("u-8"))
    line = s3.objects[key].splitlines()[0]
    s3.before_put = lambda: s3.put(key, s3.objects[key] + line.replace(b'"1"', b'"3"') + b"\n")
    account = erase(s3)
    assert (account.kinds["quarantined"].records, account.found) == (3, 2)
    assert b"u-7" not in held(s3)


def test_an_object_that_is_changed_all_the_time_is_left_and_named() -> None:
    s3 = S3()
    key = quarantine(s3, of("u-7"), of("u-8"))
    bodies = iter(range(100))

    def change() -> None:
        s3.put(key, s3.objects[key] + b" " * next(bodies) + b"\n")
        s3.before_put = change

    s3.before_put = change
    account = erase(s3)
    assert (account.found, [flaw.key for flaw in account.flaws]) == (0, [key])
    assert sum(what == "put" for what, _ in s3.calls) == MAX_ATTEMPTS


def test_what_was_sent_again_before_stays_known_as_sent() -> None:
    """And the ledger is written anew, so that it expires after the object that is."""
    s3 = S3()
    give_up(s3, PACKED["an aggregate"]([text(good(user, number)) for number, user in enumerate(("u-7", "u-8"))]))
    assert len(sent(s3)) == 2
    (ledger,) = s3.ledgers()
    renewed = len(s3.versions[f"redriven/{ledger}"])
    assert erase(s3).kinds["given up"].cut == 1
    assert sent(s3) == []
    assert len(s3.versions[f"redriven/{ledger}"]) == renewed + 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give --user-id or --session-id"),
        (["--user-id", ""], "give --user-id or --session-id"),
        (["--user-id", "canary", "--dry-run", "--yes"], "which is it?"),
    ],
)
def test_wrong_usage_is_a_line_and_status_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["failed", "erase", *words]) == 2
    errors = capsys.readouterr().err
    assert said in errors
    assert "canary" not in errors
