"""`relay failed` on the deployed relay: what is set aside is found, mended, and sent again once."""

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.demo.clickstream import BEGINS
from local.personalize.faults import Fault, Hang
from local.system import System
from personalize_relay.errors import Reason
from tests.e2e.conftest import PATIENCE, Relay
from tests.e2e.every_failure import UNREADABLE, EveryFailure

RELAY = Path(sys.executable).with_name("relay")
MEND = (
    "merge(@, {sessionId: 'canary-session', eventType: 'click', itemId: 'canary-item', userId: `null`,"
    " impression: `null`, sentAt: `null`, properties: `null`, trackingId: `null`, eventValue: `null`})"
)


class Command:
    """`relay failed` on the records that arrive from now on."""

    def __init__(self, system: System) -> None:
        self._since = datetime.now(UTC).isoformat()
        self._port = system.emulator.endpoint.rpartition(":")[2]
        self._personalize = system.personalize.endpoint
        self.printed: list[str] = []
        """All that it printed without --reveal."""

    def start(self, *words: str, terminal: int | None = None) -> subprocess.Popen[str]:
        """Start it, with nothing of this machine's AWS setup; `terminal` is its standard input."""
        inherited = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
        where = ["--local", "--port", self._port, "--since", self._since]
        return subprocess.Popen(  # noqa: S603 - our own command
            [RELAY, "failed", *words, *where],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": self._personalize, "PATH": os.defpath} | inherited,
        )

    def end(self, started: subprocess.Popen[str]) -> tuple[int, str, str]:
        """Wait for its end; returns exit status, output and errors."""
        output, errors = started.communicate(timeout=PATIENCE)
        if "--reveal" not in started.args:  # type: ignore[operator]  # it is the list above
            self.printed += [output, errors]
        return started.returncode, output, errors

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run it to its end."""
        return self.end(self.start(*words))

    def answer(self, word: str, *words: str) -> tuple[int, str, str]:
        """Run it at a terminal where somebody answers its question."""
        theirs, ours = pty.openpty()
        try:
            os.write(theirs, f"{word}\n".encode())
            return self.end(self.start(*words, terminal=ours))
        finally:
            os.close(theirs)
            os.close(ours)


@pytest.fixture
def command(system: System) -> Command:
    return Command(system)


def listed(output: str) -> dict[str, tuple[int, int, int]]:
    """Records, events and those sent again, by reason."""
    groups = json.loads(output)["groups"]
    return {each["reason"]: (each["records"], each["events"], each["sentAgain"]) for each in groups}


def contents(system: System) -> tuple[object, object]:
    """All that the bucket and the stream hold."""
    kinesis = system.client("kinesis")
    shards = kinesis.list_shards(StreamName=system.stream)["Shards"]
    records = []
    for shard in shards:
        iterator = kinesis.get_shard_iterator(
            StreamName=system.stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records.append([each["SequenceNumber"] for each in kinesis.get_records(ShardIterator=iterator)["Records"]])
    return system.objects(""), records


def test_every_kind_of_failure_is_found_mended_and_sent_again_once_though_two_are_at_it(
    relay: Relay, command: Command
) -> None:
    """And what can't be mended is left, and nothing of a record is printed or noted."""
    failures = EveryFailure(relay)
    assert failures.reasons.keys() == set(Reason)
    assert len(relay.discards) == 1
    count = len(failures.event_ids) + 1
    before = contents(relay.system)
    looks = [
        command.start("list", "--format", "json"),
        command.start("list", "--shard", "shardId-000000000099"),
        command.start("show", failures.crashed, "--reveal"),
        command.start("redrive", "--transform", MEND, "--dry-run", "--format", "json"),
        command.start("redrive"),
    ]
    (status, output, _), (_, _, unknown), (_, revealed, _), (_, planned, _), (unasked, _, said) = map(
        command.end, looks
    )
    assert status == 0
    assert listed(output) == {reason: (number, number, 0) for reason, number in failures.reasons.items()} | {
        "too_many_events": (1, 501, 0),
        "retry_attempts_exhausted": (1, 2, 0),
    }
    assert unknown.startswith("relay: no record of shardId-000000000099 is set aside in this time; there are some")
    assert "canary-event-x" in revealed
    assert "RetryAttemptsExhausted" in revealed
    assert json.loads(planned)["toSend"] == count
    assert (unasked, "no terminal" in said) == (1, True)
    assert contents(relay.system) == before

    both = [command.start("redrive", "--transform", MEND, "--yes", "--format", "json") for _ in range(2)]
    accounts = [json.loads(output) for _, output, _ in map(command.end, both)]
    assert [each.returncode for each in both] == [1, 1]  # for what can't be read
    assert sum(each["sent"] for each in accounts) == count
    for each in accounts:
        assert each["left"]["unreadable"] == len(UNREADABLE)
        assert each["selected"] == count + len(UNREADABLE) == each["sent"] + sum(each["left"].values())
    relay.settle()

    accepted = relay.personalize.accepted
    (derived,) = accepted.keys() - failures.event_ids
    assert derived.endswith(f"{failures.crashed}:1")
    assert failures.event_ids <= accepted.keys()
    assert {each.count for each in accepted.values()} == {1}
    assert accepted["canary-event-x"].event["sentAt"] == 1_790_000_001
    assert accepted[failures.event_id("another tracker")].event["sentAt"] == BEGINS

    again = [
        command.start("redrive", "--transform", MEND, "--yes", "--format", "json"),
        command.start("show", failures.numbers["many"]),
    ]
    (_, output, _), (_, shown, _) = map(command.end, again)
    account = json.loads(output)
    assert (account["sent"], account["left"]) == (0, {"alreadySent": count, "unreadable": len(UNREADABLE)})
    assert shown.count("sent      event ") == 501
    ledger = b"".join(relay.system.objects("redriven/").values())
    assert failures.numbers["huge"].encode() in ledger
    assert b"canary" not in ledger
    assert "canary" not in "".join(command.printed)


@pytest.mark.whole
def test_what_a_killed_run_has_claimed_is_shown_and_taken_over_past_the_stream(relay: Relay, command: Command) -> None:
    """By --direct, which calls Personalize itself, once somebody at the terminal says so."""
    relay.put(relay.event(1, eventType=None), relay.event(2))
    relay.settle()
    relay.personalize.inject(Fault(Hang(), times=1))
    mend = ("redrive", "--direct", "--transform", "merge(@, {eventType: 'click'})")
    with command.start(*mend, "--yes") as killed:
        relay.personalize.wait_for(lambda fake: fake.in_flight > 0, PATIENCE)
        killed.kill()
    # Its call ends with its connection: released before, it would be carried out.
    relay.personalize.wait_for(lambda fake: fake.in_flight == 0, PATIENCE)
    relay.personalize.clear()
    assert relay.delivered() == ["canary-item-2"]

    runs = [command.start("list"), command.start(*mend, "--yes")]
    (status, shown, _), (left, account, _) = map(command.end, runs)
    assert (status, left) == (0, 1)
    for each in shown, account:
        assert "1 events claimed " in each
        assert "--take-over" in each
    assert command.answer("n", *mend, "--take-over")[0] == 1
    assert relay.delivered() == ["canary-item-2"]
    status, account, plan = command.answer("y", *mend, "--take-over")
    assert status == 0
    assert "would be sent" in plan
    assert "send 1 event? [y/N]" in plan
    assert relay.delivered() == ["canary-item-2", "canary-item-1"]
    status, account, _ = command.run(*mend, "--yes")
    assert status == 0
    assert "nothing to send" in account
    assert "canary" not in "".join(command.printed)


def test_what_is_half_written_or_of_another_version_or_foreign_is_named_with_its_line(
    relay: Relay, command: Command
) -> None:
    hour = f"quarantine/{datetime.now(UTC):year=%Y/month=%m/day=%d/hour=%H}/clicks-shardId-000000000000-1-2-{'0' * 16}"
    mapping = f"aws/lambda/1-2-3/shardId-000000000000/{datetime.now(UTC):%Y/%m/%d}/half"
    older = b'{"schema": "personalize-relay.quarantine/0", "data": "canary"}\n'
    newer = b'{"schema": "personalize-relay.quarantine/3", "data": "canary"}\n'
    put = {
        f"{hour}.jsonl": older + newer + b'{"schema": "personalize-relay.quarantine/2", "data": "canary',
        mapping: b'{"version": "1.0", "payload": "canary',
        "notes.txt": b"canary",
        "quarantine/year=2026/notes.txt": b"canary",
    }
    s3, bucket = relay.system.client("s3"), relay.system.bucket
    for key, body in put.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    try:
        runs = [command.start("list", "--format", "json"), command.start("redrive", "--yes")]
        (status, output, _), (failed, _, errors) = map(command.end, runs)
    finally:
        for key in put:
            s3.delete_object(Bucket=bucket, Key=key)
    assert not put.keys() & relay.system.objects("").keys(), "left for the other tests"
    assert (status, failed) == (1, 1)
    flaws = {(each["key"], each["line"]): each["what"] for each in json.loads(output)["flaws"]}
    assert "quarantine/0 isn't known" in flaws[f"{hour}.jsonl", 1]
    assert "quarantine/3 isn't known" in flaws[f"{hour}.jsonl", 2]
    assert "half-way" in flaws[f"{hour}.jsonl", 3]
    assert "half-way" in flaws[mapping, None]
    assert {key for key, _ in flaws} >= {"notes.txt", "quarantine/year=2026/notes.txt"}
    assert len(flaws) == 6
    for key, line in flaws:
        assert (key if line is None else f"{key}, line {line}: ") in errors
    assert "canary" not in "".join(command.printed)
