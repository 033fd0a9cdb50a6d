"""`relay produce`, as installed, against the emulator: nothing missing, nothing under two ids, a session in order."""

import base64
import json
import os
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.system import System
from tests.e2e.conftest import PATIENCE, Relay
from tests.e2e.kinesis_proxy import THROTTLED, KinesisProxy

COMMAND = str(Path(sys.executable).with_name("relay"))
SESSIONS = 20


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own command
        [COMMAND, "produce", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*words: str, given: str = "") -> tuple[int, str, str]:
    """Run it to its end; returns the exit status, what it printed and what it complained of."""
    with start(*words) as process:
        printed, complained = process.communicate(given, timeout=PATIENCE)
    assert "Traceback" not in complained
    return process.returncode, printed, complained


def port(system: System) -> str:
    return system.emulator.endpoint.rpartition(":")[2]


@pytest.fixture
def proxy(system: System) -> Iterator[KinesisProxy]:
    with KinesisProxy(system.emulator.endpoint) as running:
        yield running


@pytest.fixture(autouse=True)
def settled(relay: Relay) -> Iterator[None]:
    """What a test sent is not to turn up in the next one."""
    yield
    relay.settle()


def stampless(relay: Relay, count: int) -> list[dict[str, Any]]:
    """Events without eventId, the sessions in turns."""
    events = [relay.event(number, session=str(number % SESSIONS)) for number in range(count)]
    return [{name: value for name, value in event.items() if name != "eventId"} for event in events]


def write(file: Path, events: list[dict[str, Any]]) -> Path:
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return file


def assert_all_once_and_in_order(relay: Relay, count: int) -> None:
    relay.settle()
    assert relay.personalize.accepted_count == count  # one more would be an event under two ids
    for session in range(SESSIONS):
        expected = [f"canary-item-{number}" for number in range(session, count, SESSIONS)]
        assert relay.delivered(str(session)) == expected


@pytest.mark.whole
def test_a_throttled_stream_gets_every_event_under_one_id_and_in_order(relay: Relay, tmp_path: Path) -> None:
    """Every third record fails twice, and others of its call don't; the first calls are turned away whole."""
    count = 300
    file = write(tmp_path / "clicks.jsonl", stampless(relay, count))

    def fails(entry: dict[str, str], tries: int) -> bool:
        event = json.loads(base64.b64decode(entry["Data"]))
        return int(event["itemId"].rpartition("-")[2]) % 3 == 0 and tries < 2

    with KinesisProxy(relay.system.emulator.endpoint, fails) as proxy:
        proxy.refusals = [(400, THROTTLED), (500, "InternalFailure")]
        words = [str(file), "--local", "--port", str(proxy.port), "--format", "json", "--one-event-a-record"]
        status, printed, complained = run(*words)
    assert (status, complained) == (0, "")
    account = json.loads(printed)
    assert (account["read"], account["sent"], account["rejected"], account["left"]) == (count, count, 0, 0)
    assert account["retries"] >= count // 3 * 2
    for call in proxy.calls:
        keys = Counter(entry["PartitionKey"] for entry in call)
        assert max(keys.values()) == 1
    assert_all_once_and_in_order(relay, count)


def test_killed_and_run_again_nothing_is_missing(relay: Relay, proxy: KinesisProxy, tmp_path: Path) -> None:
    """Killed while the stream has records that it was never told of: they come twice, under one id."""
    count = 600
    checkpoint = tmp_path / "clicks.at"
    words = [str(write(tmp_path / "clicks.jsonl", stampless(relay, count))), "--local", "--checkpoint", str(checkpoint)]
    with start(*words, "--port", str(proxy.port), "--rate", "200") as process:
        wait_for_headway(process, checkpoint)
        proxy.withholding = True
        assert proxy.withheld.wait(PATIENCE)
        process.kill()
    status, printed, complained = run(*words, "--port", port(relay.system), "--format", "json")
    assert (status, complained) == (0, "")
    account = json.loads(printed)
    assert account["settledBefore"] > 0
    assert account["settledBefore"] + account["sent"] == count
    assert_all_once_and_in_order(relay, count)
    assert max(each.count for each in relay.personalize.accepted.values()) == 2


def wait_for_headway(process: subprocess.Popen[str], checkpoint: Path) -> None:
    """Wait until a checkpoint says that something is settled."""
    while not (checkpoint.exists() and json.loads(checkpoint.read_text())["files"]):
        assert process.poll() is None, "it ended before it could be stopped"


@pytest.mark.whole
def test_ctrl_c_ends_it_well_and_says_how_to_go_on(relay: Relay, proxy: KinesisProxy, tmp_path: Path) -> None:
    count = 600
    file = write(tmp_path / "clicks.jsonl", stampless(relay, count))
    words = [str(file), "--local", "--checkpoint", str(tmp_path / "clicks.at"), "--port", str(proxy.port)]
    with start(*words, "--rate", "200", "--format", "json") as process:
        assert proxy.called.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        printed, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    first = json.loads(printed)
    assert 0 < first["sent"] == first["read"] - first["left"] < count
    said, _, command = complained.partition("; to go on with the others, run: ")
    assert said == f"relay: {first['sent']} of {count} lines read are settled"
    name, produce, *again = shlex.split(command)
    assert (name, produce) == ("relay", "produce")
    status, printed, _ = run(*again)
    assert status == 0
    second = json.loads(printed)
    assert 0 < second["settledBefore"] <= first["sent"]
    assert second["settledBefore"] + second["sent"] == count
    assert_all_once_and_in_order(relay, count)


@pytest.mark.parametrize("together", [True, False], ids=["sessions together", "sessions in turns"])
def test_a_file_takes_hardly_more_calls_than_it_must(relay: Relay, tmp_path: Path, *, together: bool) -> None:
    """On a stream of which each invocation takes what has come: records of a session need not meet in one."""
    events = stampless(relay, 50 * SESSIONS)
    if together:
        events.sort(key=lambda event: int(event["sessionId"].rpartition("-")[2]))
    before = relay.personalize.call_count
    file = write(tmp_path / "clicks.jsonl", events)
    assert run(str(file), "--local", "--port", port(relay.system))[0] == 0
    assert_all_once_and_in_order(relay, len(events))
    assert 0.9 * (relay.personalize.call_count - before) <= 5 * SESSIONS


def test_ctrl_c_is_heard_while_a_pipe_is_silent(relay: Relay, proxy: KinesisProxy) -> None:
    with start("-", "--local", "--port", str(proxy.port)) as process:
        assert process.stdin
        process.stdin.write(json.dumps(relay.event(1)) + "\n")
        process.stdin.flush()
        assert proxy.called.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stdout
        assert process.stdout.read().startswith("1 read = 1 sent + 0 rejected")


def test_a_file_sent_twice_is_trained_on_once_and_identical_lines_stay_two(relay: Relay, tmp_path: Path) -> None:
    event = stampless(relay, 1)[0]
    listed = {"sessionId": event["sessionId"], "eventList": [{"eventType": "x", "sentAt": 1_790_000_000}] * 3}
    file = write(tmp_path / "clicks.jsonl", [event, listed, event])
    for _ in range(2):
        assert run(str(file), "--local", "--port", port(relay.system))[0] == 0
    relay.settle()
    assert [each.count for each in relay.personalize.accepted.values()] == [2] * 5


def test_what_the_relay_would_reject_is_not_sent_and_named_without_its_content(
    relay: Relay, proxy: KinesisProxy, tmp_path: Path
) -> None:
    large = relay.event(1, properties={}) | {"unknown": "canary" * 200_000}
    file = write(tmp_path / "clicks.jsonl", [relay.event(0), relay.event(1, sentAt="canary"), large])
    with file.open("a") as opened:
        opened.write("canary\n")
    status, printed, complained = run(str(file), "--local", "--port", str(proxy.port))
    assert status == 1
    assert printed.startswith("4 read = 1 sent + 3 rejected in ")
    reasons = [line.removeprefix(f"{file}:").split(": ")[:2] for line in complained.splitlines()]
    assert reasons == [["2", "invalid_timestamp"], ["3", "record_too_large"], ["4", "invalid_json"]]
    assert "canary" not in (printed + complained).replace(str(file), "")
    assert sum(map(len, proxy.calls)) == 1


def test_what_keeps_it_from_sending_is_said_in_a_line(relay: Relay, proxy: KinesisProxy, tmp_path: Path) -> None:
    file = str(write(tmp_path / "clicks.jsonl", [relay.event(0)]))
    at_proxy = ("--local", "--port", str(proxy.port))
    for said, words in [
        ("PutRecords was refused: ResourceNotFoundException", (file, *at_proxy, "--stream", "nobody-has-it")),
        ("Could not connect to the endpoint", (file, "--local", "--port", "9", "--stream", "any")),
    ]:
        assert_one_line(run(*words), 1, said)
    proxy.refusals = [(400, "AccessDeniedException")]
    assert_one_line(run(file, *at_proxy), 1, "PutRecords was refused: AccessDeniedException")


def assert_one_line(ended: tuple[int, str, str], status: int, said: str) -> None:
    assert ended[:2] == (status, "")
    assert ended[2].startswith("relay: ")
    assert said in ended[2]
    assert ended[2].count("\n") == 1


def test_a_closed_pipe_is_no_traceback(relay: Relay, proxy: KinesisProxy) -> None:
    with start("-", "--local", "--port", str(proxy.port)) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(json.dumps(relay.event(1)) + "\n")
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_terminal_gets_a_bar(relay: Relay, tmp_path: Path) -> None:
    file = write(tmp_path / "clicks.jsonl", [relay.event(0)])
    terminal, its_end = os.openpty()
    words = [COMMAND, "produce", str(file), "--local", "--port", port(relay.system)]
    done = subprocess.run(  # noqa: S603 - our own command
        words, stdout=subprocess.PIPE, stderr=its_end, env={**os.environ, "TERM": "xterm"}, check=False
    )
    os.close(its_end)
    assert done.returncode == 0
    assert b"a second" in os.read(terminal, 65536)
    os.close(terminal)
