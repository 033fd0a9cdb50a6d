"""`relay replay` on the deployed relay: what was never delivered is, under the ids that the mapping would give it."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.demo.kpl import aggregate
from personalize_relay.events import Origin
from tests.e2e.conftest import PATIENCE, Relay
from tests.packing import text

RELAY = str(Path(sys.executable).with_name("relay"))


@pytest.fixture
def unread(relay: Relay) -> Iterator[Relay]:
    """The relay while its mapping reads nothing: what arrives is in the stream alone."""
    relay.settle()
    relay.personalize.forget()
    relay.system.mapping.stop()
    try:
        yield relay
    finally:
        relay.system.mapping.start()
        relay.settle()


def replay(relay: Relay, *words: str) -> tuple[int, dict[str, Any]]:
    """Run it to its end; returns its status and what it printed as JSON."""
    port = relay.system.emulator.endpoint.rpartition(":")[2]
    command = [RELAY, "replay", "--local", "--port", port, "--format", "json", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 - our own command
    assert "canary" not in ended.stdout + ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def answer(relay: Relay, word: str, *words: str) -> tuple[int, str]:
    """Run it at a terminal where somebody answers its question; returns its status and what it said there."""
    port = relay.system.emulator.endpoint.rpartition(":")[2]
    theirs, ours = pty.openpty()
    try:
        os.write(theirs, f"{word}\n".encode())
        command = [RELAY, "replay", "--local", "--port", port, *words]
        ended = subprocess.run(command, stdin=ours, stderr=ours, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)  # noqa: S603 - our own command
        return ended.returncode, os.read(theirs, 65536).decode() + ended.stdout.decode()
    finally:
        os.close(theirs)
        os.close(ours)


def stampless(relay: Relay, number: int, session: str) -> dict[str, Any]:
    """An event that names no time or id of its own: both come of its record."""
    event = relay.event(number, session)
    del event["eventId"], event["sentAt"]
    return event


def test_what_was_never_delivered_is_once_by_the_ids_that_the_mapping_gives_it_however_often(unread: Relay) -> None:
    since = datetime.now(UTC)
    numbers = [
        unread.put(stampless(unread, 0, "a"), unread.event(1, "a"), stampless(unread, 2, "a"), key="canary-1"),
        unread.put(aggregate([text(stampless(unread, number, "b")) for number in range(3)]), key="canary-2"),
        unread.put(unread.event(9, "c", eventType=None), key="canary-1"),
    ]
    asked = ("--since", since.isoformat())
    status, plan = replay(unread, *asked, "--dry-run")
    assert (status, plan["read"], plan["dryRun"]) == (0, 5, True)
    status, said = answer(unread, "n", *asked, "--shard", "shardId-000000000999")
    assert (status, "no such shard" in said) == (1, True)
    status, said = answer(unread, "n", "--since", "30d")
    assert (status, "what did is gone" in said) == (1, True)
    status, said = answer(unread, "n", *asked)
    assert (status, "replay 5 records? [y/N]" in said) == (1, True)
    assert not unread.personalize.accepted

    status, done = replay(unread, *asked, "--yes", "--rate", "100")
    assert (status, done["read"], done["settled"], done["invocationsNotCounted"]) == (0, 5, 5, 0)
    assert done["events"] == {"delivered": 6, "quarantined": 1, "filtered": 0}
    accepted = unread.personalize.accepted
    assert {each.count for each in accepted.values()} == {1}
    derived = set(_derived(unread, [numbers[0][0], numbers[0][2]], [()])) | set(
        _derived(unread, numbers[1], [(0,), (1,), (2,)])
    )
    assert accepted.keys() == derived | {unread.event(1, "a")["eventId"]}
    assert unread.delivered("a") == ["canary-item-0", "canary-item-1", "canary-item-2"]
    assert [each["source"]["sequenceNumber"] for each in unread.quarantined] == numbers[2]

    status, said = answer(unread, "y", *asked)
    assert (status, "5 read = 5 settled" in said) == (0, True)
    # In the end the mapping comes to them, too, and sees the same.
    unread.system.mapping.start()
    unread.settle()
    unread.system.mapping.stop()
    again = unread.personalize.accepted
    assert {each.count for each in again.values()} == {3}
    assert {event_id: each.event for event_id, each in again.items()} == {
        event_id: each.event for event_id, each in accepted.items()
    }


def _derived(relay: Relay, numbers: list[str], places: list[tuple[int, ...]]) -> Iterator[str]:
    kinesis, stream = relay.system.client("kinesis"), relay.system.stream
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        held = {each["SequenceNumber"] for each in kinesis.get_records(ShardIterator=iterator)["Records"]}
        for number in held.intersection(numbers):
            origin = Origin(stream=stream, shard_id=shard["ShardId"], sequence_number=number, arrival=0)
            yield from (origin.event_id(place, None) for place in places)
