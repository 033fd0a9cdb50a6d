"""What is set aside of another system is mapped, mended and sent as an event of the contract, or counted as left."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from personalize_relay.events import Origin
from personalize_relay.mapping import Mapping
from personalize_relay.mapping_file import load, preset, read, source
from personalize_relay.parsing import parse
from personalize_relay.settings import Settings
from personalize_relay_cli.failed import mapped
from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.recovery.account import ALREADY_SENT, FILTERED, UNREADABLE, RedriveAccount
from personalize_relay_cli.recovery.mending import Mender, compiled
from personalize_relay_cli.recovery.redrive import Redrive
from personalize_relay_cli.recovery.selection import Selection
from tests.cli.s3_bucket import TRACKERS, give_up, quarantine
from tests.cli.test_redrive import Wire, Work
from tests.simulation.world import ARRIVAL, click

AT = "2026-06-24T09:31:00.000Z"
SHARD = "clicks:shardId-000000000000"
SEGMENT = preset("segment")
PAGE = {"type": "page", "anonymousId": "a"}
BY_SEGMENT = Selection(mapping=SEGMENT)


def track(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"type": "track", "event": "Viewed", "anonymousId": "a", "messageId": "m", "timestamp": AT} | members


def products(*skus: object, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return track(properties={"products": [{"sku": sku} for sku in skus]}, **members)


class MappedWork(Work):
    """A bucket and runs over it that mark what they send."""

    def go(self, wire: Wire, selection: Selection = BY_SEGMENT, transform: str | None = None) -> RedriveAccount:
        """A run to its end; its account adds up."""
        self._runs += 1
        mender = Mender(TRACKERS, compiled(transform) if transform else None, marking=True)
        account = Redrive(*self._parts(f"run-{self._runs}"), mender, wire).run(selection)
        assert account.whole
        return account


@pytest.fixture
def work() -> MappedWork:
    return MappedWork()


def taken(events: Sequence[dict[str, Any]], mapping: Mapping | None) -> list[str]:
    """The ids of what the function takes of them."""
    origin = Origin(stream="clicks", shard_id="s", sequence_number="1", arrival=ARRIVAL)
    parsed = [parse(json.dumps(each).encode(), origin, TRACKERS, mapping) for each in events]
    return [each.event.event_id for one in parsed for each in one.interactions]


def test_a_batch_that_lambda_gave_up_is_mapped_and_each_payload_accounted_for(work: MappedWork) -> None:
    give_up(work.s3, track(), PAGE, products("p-1", "p-2", messageId="n"), {"type": "heartbeat"}, b"canary")
    wire = Wire()
    account = work.go(wire)
    assert [each["eventId"] for each in wire.events] == ["m", "n:0", "n:1"]
    assert (account.selected, account.sent) == (6, 3)
    assert account.rejected_again == {"not_mapped": 1}
    assert +account.left == {FILTERED: 1, UNREADABLE: 1}
    assert msgspec.to_builtins(account)["left"] == {"filteredByTheMapping": 1, "unreadable": 1}
    for mapping in None, SEGMENT, preset("snowplow"):
        assert taken(wire.events, mapping) == ["m", "n:0", "n:1"]
    again = work.go(Wire())
    assert (again.sent, again.left[ALREADY_SENT]) == (0, 3)


def test_nothing_is_left_to_do_where_all_the_rest_is_filtered(work: MappedWork) -> None:
    give_up(work.s3, track(), PAGE)
    assert work.go(Wire()).done


def test_an_event_without_an_id_keeps_that_of_its_place(work: MappedWork) -> None:
    give_up(work.s3, products("p-1", "p-2", messageId=None), track(messageId=None))
    lines = (PAGE, track(messageId=None))
    give_up(work.s3, b"\n".join(json.dumps(each).encode() for each in lines), first=201, arrival=ARRIVAL + 1)
    wire = Wire()
    work.go(wire)
    places = ["101:0", "101:1", "102", "201:1"]
    assert sorted(each["eventId"] for each in wire.events) == [f"{SHARD}:{place}" for place in places]


def test_of_a_quarantined_payload_only_the_rejected_events_are_mapped_and_mended(work: MappedWork) -> None:
    quarantine(work.s3, products("p-1", 7.5), mapping=SEGMENT)
    assert work.go(Wire()).rejected_again == {"wrong_type": 1}
    wire = Wire()
    assert work.go(wire, transform="{itemId: 'p-2', eventType: eventType}").sent == 1
    assert [(each["eventId"], each["itemId"], each["sentAt"]) for each in wire.events] == [("m:1", "p-2", AT)]
    assert taken(wire.events, SEGMENT) == ["m:1"]


LINES = """
[[rule]]
name = "orders"
each = "lines"
[rule.event]
sessionId = "visit"
eventType = "'buy'"
eventId = "each.id"
sentAt = "epoch(each.at)"
"""
ORDER = {"visit": "s", "lines": [{"id": "l-1", "at": AT}, {"id": "l-2", "at": "canary"}, {"id": "l-3", "at": AT}]}
BY_LINES = Selection(mapping=load(LINES, file="m.toml"))


def test_of_a_payload_whose_entry_could_not_be_mapped_only_that_entry_is_sent_once_it_can_be(work: MappedWork) -> None:
    quarantine(work.s3, ORDER, mapping=BY_LINES.mapping)
    wire = Wire()
    assert work.go(wire, BY_LINES).rejected_again == {"invalid_timestamp": 1}
    mended = load(LINES.replace("epoch(each.at)", "lines[0].at"), file="m.toml")
    assert work.go(wire, Selection(mapping=mended)).sent == 1
    assert [each["eventId"] for each in wire.events] == ["l-2"]


def test_of_a_payload_that_lambda_gave_up_the_entries_that_can_be_mapped_are_sent(work: MappedWork) -> None:
    give_up(work.s3, ORDER)
    wire = Wire()
    account = work.go(wire, BY_LINES)
    assert [each["eventId"] for each in wire.events] == ["l-1", "l-3"]
    assert (account.sent, account.rejected_again) == (2, {"invalid_timestamp": 1})


def test_an_event_that_the_mapping_makes_no_longer_is_rejected_again_and_not_lost_sight_of(work: MappedWork) -> None:
    quarantine(work.s3, products("p-1", 7.5), mapping=SEGMENT)
    one = load(
        '[[rule]]\nname = "all"\n[rule.event]\nsessionId = "anonymousId"\neventType = "event"\n', file="one.toml"
    )
    account = work.go(Wire(), Selection(mapping=one))
    assert (account.selected, account.rejected_again) == (1, {"not_mapped": 1})


def test_what_a_mapping_was_missing_for_is_sent_once_there_is_one(work: MappedWork) -> None:
    quarantine(work.s3, track(), products("p-1", "p-2", messageId="n"))
    assert work.go(Wire(), Selection()).sent == 0
    wire = Wire()
    assert work.go(wire).done
    assert [each["eventId"] for each in wire.events] == ["m", "n:0", "n:1"]


def test_rows_of_text_are_read_as_the_mapping_reads_them(work: MappedWork) -> None:
    rows = next(
        each.input
        for each in read(source("snowplow"), file="snowplow").tests
        if each.events and not each.input.lstrip().startswith("{")
    )
    quarantine(work.s3, rows.encode(), arrival=ARRIVAL + 10**7)
    assert work.go(Wire(), Selection(mapping=preset("snowplow"))).sent == 1


def test_what_is_of_the_contract_already_is_mended_as_it_is_and_marked_again(work: MappedWork) -> None:
    marked = {"$schema": "personalize-relay.event/1"}
    listed = marked | {"sessionId": "s", "eventList": [{"eventType": "v", "itemId": 7.5, "sentAt": ARRIVAL}]}
    quarantine(work.s3, marked | click(eventType=None, eventId="e"), listed, mapping=SEGMENT)
    wire = Wire()
    account = work.go(wire, Selection(lacks_mapping=True), "{eventType: 'mended', itemId: 'i'}")
    assert (account.sent, taken(wire.events, SEGMENT)) == (2, ["e", f"{SHARD}:2:0"])


def test_without_the_file_of_the_functions_mapping_what_needs_it_is_not_sent_unmapped(work: MappedWork) -> None:
    quarantine(work.s3, click(eventType=None))
    wire = Wire()
    with pytest.raises(Misuse, match="by a mapping that is a file: give it as --mapping FILE"):
        work.go(wire, Selection(lacks_mapping=True))
    assert not wire.events


def test_a_tracker_is_looked_for_in_what_the_mapping_makes(work: MappedWork) -> None:
    toml = '[[rule]]\nname = "all"\n[rule.event]\nsessionId = "s"\neventType = "t"\ntrackingId = "shop"\n'
    give_up(work.s3, {"s": "1", "t": "v", "shop": "other"}, {"s": "2", "t": "v"})
    chosen = Selection(mapping=load(toml, file="m.toml"), default_tracker="tracker")
    for tracker, session in ("other", "1"), ("tracker", "2"):
        wire = Wire()
        work.go(wire, Selection(mapping=chosen.mapping, default_tracker="tracker", tracker=tracker))
        assert [each["sessionId"] for each in wire.events] == [session]


def test_the_functions_own_preset_is_used_unless_another_mapping_is_given(tmp_path: Path) -> None:
    def deployed(mapping: str, salt: str = "") -> Settings:
        return Settings(tracking_id="t", quarantine_bucket="b", mapping=mapping, mapping_salt=salt)

    chosen = [
        mapped(Selection(), given, deployed(own))
        for given, own in ((None, ""), (None, "segment"), ("dms", "segment"), ("dms", "mapping.toml"), ("dms", ""))
    ]
    assert [each.mapping and each.mapping.name for each in chosen] == [None, "segment", "dms", "dms", "dms"]
    assert not any(each.lacks_mapping for each in chosen)
    assert mapped(Selection(), None, deployed("mapping.toml")).lacks_mapping
    file = tmp_path / "m.toml"
    file.write_text('[[rule]]\nname="all"\n[rule.event]\nsessionId="hash(id)"\neventType="kind"\n')
    salted = [mapped(Selection(), str(file), deployed("mapping.toml", salt)).mapping for salt in ("one", "one", "two")]
    first, same, other = (each.map({"id": "x", "kind": "v"}).events for each in salted if each)
    assert first == same != other
