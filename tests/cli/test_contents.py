"""A record of `relay produce` keeps its session in order, and a mapping's events are taken by whatever function."""

import json
from pathlib import Path
from typing import Any

import pytest

from personalize_relay.errors import Reason
from personalize_relay.events import Interaction, Origin
from personalize_relay.mapping import Mapping
from personalize_relay.mapping_file import PRESETS, preset, read, source
from personalize_relay.parsing import parse
from personalize_relay_cli.mapping.loading import to_send
from personalize_relay_cli.sending.account import lines
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.contents import Content, as_given, by_mapping
from personalize_relay_cli.sending.event_ids import Stamper
from tests.cli.s3_bucket import TRACKERS
from tests.cli.test_produce import EVENT, Stream, produced, write

ORIGIN = Origin(stream="clicks", shard_id="shardId-0", sequence_number="7", arrival=1_795_512_660.0)
"""2026-11-24T09:31:00Z, a minute after what the tests of the presets tell of."""
SEGMENT = preset("segment")
AT = "2026-06-24T09:31:00.000Z"


def track(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"type": "track", "event": "Viewed", "anonymousId": "a", "messageId": "m", "timestamp": AT} | members


PRODUCTS = track(properties={"products": [{"sku": "p-1"}, {"sku": "p-2"}]})
PAGE = {"type": "page", "anonymousId": "a"}
NO_CALL = {"type": "heartbeat"}


def plain(payload: object) -> Content:
    return as_given(json.dumps(payload).encode(), Stamper(64))


def mapped(*payloads: object, mapping: Mapping = SEGMENT) -> Content:
    return by_mapping(b"\n".join(json.dumps(each).encode() for each in payloads), Stamper(64), mapping)


def objects(content: Content) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.data.splitlines()]


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ({"session_id": "s", "userId": "u"}, "s"),
        ({"SESSIONID": "s"}, "s"),
        ({"sessionId": 17}, "17"),
        ({"sessionId": None, "user_id": "u"}, "u"),
        ({"sessionId": " ", "userId": "u"}, "u"),
        ({"Session-Id": "s", "event_list": [{"eventType": "v"}]}, "s"),
        ({"session_id": "one", "SESSION_ID": "another", "userId": "u"}, "u"),
    ],
)
def test_the_key_is_the_session_however_it_is_spelt(payload: dict[str, Any], key: str) -> None:
    assert plain(payload).key == key


@pytest.mark.parametrize("payload", [{"sessionId": "x" * 257}, {"sessionId": 1.5}, {"sessionId": 10**400}, {}, [EVENT]])
def test_what_has_no_session_is_spread_by_its_content(payload: object) -> None:
    assert len(plain(payload).key) == 64


@pytest.mark.parametrize(
    "payload",
    [EVENT | {"event_id": "mine"}, {"sessionId": "s", "EventList": [{"EVENT_ID": "mine", "eventType": "v"}]}],
)
def test_an_id_under_another_spelling_is_the_only_one(payload: dict[str, Any]) -> None:
    (sent,) = objects(plain(payload))
    (event,) = sent.get("eventList", [sent])
    assert event["eventId"] == "mine"
    assert plain(payload).data.lower().replace(b"_", b"").count(b"eventid") == 1


def test_a_line_that_the_function_refuses_is_refused_though_its_names_could_be_mended(tmp_path: Path) -> None:
    """An event of Segment's that happens to hold a session and a type."""
    stream = Stream()
    foreign = track(session_id="s", eventType="v")
    its, rejected = produced(stream, write(tmp_path / "a.jsonl", foreign))
    assert ([each.reason for each in rejected], stream.taken) == (["foreign_format"], [])
    its, _ = produced(stream, write(tmp_path / "a.jsonl", foreign), validating=False)
    assert its.account().sent == 1
    assert parse(stream.taken[0].data, ORIGIN, TRACKERS).rejections


def test_a_calls_events_go_in_one_record_under_the_key_of_the_first() -> None:
    content = mapped(PRODUCTS)
    assert (content.key, content.events, content.filtered) == ("a", 2, ())
    assert [(each["itemId"], each["eventId"]) for each in objects(content)] == [("p-1", "m:0"), ("p-2", "m:1")]


def test_an_event_without_an_id_gets_one_that_depends_on_its_file_alone() -> None:
    anonymous = {name: value for name, value in PRODUCTS.items() if name != "messageId"}
    ids = [each["eventId"] for each in objects(mapped(anonymous))]
    assert len(set(ids)) == 2
    assert ids == [each["eventId"] for each in objects(mapped(anonymous))]


@pytest.mark.parametrize("name", PRESETS)
def test_a_function_with_any_mapping_takes_what_a_preset_makes(name: str) -> None:
    """As it takes it with none, and as a function with that very preset takes the payloads."""
    mapping, made = preset(name), 0
    for test in read(source(name), file=name).tests:
        if test.events is None:
            continue
        given = parse(test.input.encode(), ORIGIN, EVERY, mapping).interactions
        content = by_mapping(test.input.encode(), None, mapping)
        for other in None, SEGMENT, preset("snowplow"):
            taken = parse(content.data, ORIGIN, EVERY, other).interactions
            assert list(map(told, taken)) == list(map(told, given))
        assert content.events == len(given)
        made += len(given)
    assert made > 4


class _Every(frozenset[str]):
    __slots__ = ()

    def __contains__(self, _member: object) -> bool:
        return True


EVERY = type(TRACKERS)(default="tracker", allowed=_Every())


def told(interaction: Interaction) -> tuple[object, ...]:
    """What Personalize gets of it, but for an id that depends on the place."""
    event = interaction.event
    event_id = None if event.event_id.startswith("clicks:") else event.event_id
    about = (interaction.session_id, interaction.user_id, interaction.tracking_id)
    return (*about, event_id, event.event_type, event.sent_at, event.item_id, event.event_value, event.properties)


def test_what_is_of_the_contract_already_passes_a_mapping() -> None:
    marked = {"$schema": "personalize-relay.event/1", **EVENT, "session_id": "mine", "sessionId": None}
    content = mapped(marked, PAGE)
    assert (content.key, content.events, content.filtered) == ("mine", 1, ("other calls",))
    assert objects(content)[0]["$schema"] == "personalize-relay.event/1"


def test_a_record_with_an_entry_that_cannot_be_mapped_is_refused_for_its_reason() -> None:
    purchase = {"event_type": "custom_event", "data": {"event_name": "e", "timestamp_unixtime_ms": "canary"}}
    content = mapped({"mpid": 1, "events": [purchase]}, mapping=preset("mparticle"))
    assert content.bad
    assert (content.data, content.bad.reason) == (b"", Reason.INVALID_TIMESTAMP)


def test_what_the_mapping_drops_is_counted_by_rule_settled_and_no_rejection(tmp_path: Path) -> None:
    stream, file = Stream(), write(tmp_path / "a.jsonl", PAGE, track(), PRODUCTS, NO_CALL, PAGE, track(event=7.5))
    checkpoint = Checkpoint(tmp_path / "at", "clicks", stamped=True, mapping="segment")
    its, rejected = produced(stream, file, checkpoint, mapping=SEGMENT)
    account = its.account()
    assert (account.read, account.sent, account.rejected, account.filtered, account.left) == (6, 2, 2, 2, 0)
    assert (account.events, account.rules) == (3, {"other calls": 2})
    assert [(each.line.number, each.reason) for each in rejected] == [(4, "not_mapped"), (6, "wrong_type")]
    assert [(each.payloads, each.unsettled) for each in its.headway.positions()] == [(6, [])]
    said = list(lines(account))
    assert said[0].startswith("6 read = 2 sent + 2 rejected + 2 filtered in ")
    assert said[-1] == "2 filtered: other calls"


def test_without_validation_what_gives_no_event_is_rejected_all_the_same(tmp_path: Path) -> None:
    stream, file = Stream(), write(tmp_path / "a.jsonl", "{", NO_CALL, track(event=7.5))
    its, rejected = produced(stream, file, mapping=SEGMENT, validating=False)
    assert [each.reason for each in rejected] == ["invalid_json", "not_mapped"]
    assert its.account().sent == 1


def test_a_checkpoint_is_gone_on_from_with_the_mapping_that_it_was_begun_with(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "at", "clicks", stamped=True, mapping="segment").save([])
    Checkpoint(tmp_path / "at", "clicks", stamped=True, mapping="segment")
    with pytest.raises(Exception, match="was begun with --mapping segment: go on so"):
        Checkpoint(tmp_path / "at", "clicks", stamped=True)


def test_the_salt_of_a_hash_is_asked_for_by_its_variables_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.toml").write_text('[[rule]]\nname="all"\n[rule.event]\nsessionId="hash(id)"\neventType="kind"\n')
    monkeypatch.delenv("RELAY_MAPPING_SALT", raising=False)
    with pytest.raises(Exception, match=r"hash\(\), but there is no salt.*RELAY_MAPPING_SALT in the environment"):
        to_send(str(tmp_path / "m.toml"))
    monkeypatch.setenv("RELAY_MAPPING_SALT", "salt")
    mapping = to_send(str(tmp_path / "m.toml"))
    assert mapping
    assert len(mapped({"id": "x", "kind": "y"}, mapping=mapping).key) == 64
