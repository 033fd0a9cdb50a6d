"""How fast `relay produce` fills a stream, and how full it leaves the PutEvents calls.

    python -m bench.produce [RELAY ...]

First on the emulator, beside a loop of put_record and beside full calls with no work of ours, in turns, each in a
process of its own: where the relay is near to the last, the emulator limits it. Then against a stand-in that answers
after 20 or 100 ms, and takes what an on-demand stream takes, 4,000 records a second at first and more later
(https://docs.aws.amazon.com/streams/latest/dev/how-do-i-size-a-stream.html).

RELAY is another installation's `relay`, to compare with this one's.
"""

import json
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import batched
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from local.emulator.clients import client_factory
from local.emulator.emulator import Emulator
from personalize_relay_cli.sending.outbox import MAX_RECORDS_PER_CALL

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

TURNS = 5
EVENTS = 20_000
LOOP_EVENTS = 1_000
"""Fewer, as it is slow."""
SHARDS = 4
STREAMS = [(0.02, 4_000), (0.1, 4_000), (0.1, 16_000)]
"""Seconds that a call takes, and records a second that the stream takes."""
FILES: dict[str, tuple[int, int, bool]] = {
    "20,000 events, 2,000 sessions, each together": (20_000, 2_000, True),
    "20,000 events, 2,000 sessions, in turns": (20_000, 2_000, False),
    "1,000 events, 4 sessions, in turns": (1_000, 4, False),
}
"""Events and sessions of a file, and whether a session's events stand together."""
OUR_OWN = str(Path(sys.executable).with_name("relay"))


def main() -> None:
    """Measure and print."""
    relays = {"relay produce": OUR_OWN} | {f"relay produce of {each}": each for each in sys.argv[1:]}
    with tempfile.TemporaryDirectory() as folder:
        on_the_emulator(relays, Path(folder))
        on_slow_streams(relays, Path(folder))


def on_the_emulator(relays: dict[str, str], folder: Path) -> None:
    """All contestants in turns; ratios of the medians against the loop."""
    contestants: dict[str, tuple[int, Callable[[Path, str, str], float]]] = {
        "loop of put_record": (LOOP_EVENTS, in_a_process(loop)),
        **{name: (EVENTS, partial(on_emulator, relay)) for name, relay in relays.items()},
        "full calls of ready records": (EVENTS, in_a_process(full_calls)),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    with Emulator() as emulator:
        files = {size: write(folder / f"{size}.jsonl", size, size // 40) for size in (LOOP_EVENTS, EVENTS)}
        for turn in range(TURNS):
            for number, (name, (size, send)) in enumerate(contestants.items()):
                stream = f"turn-{turn}-{number}"
                emulator.client("kinesis").create_stream(StreamName=stream, ShardCount=SHARDS)
                rates[name].append(size / send(files[size], emulator.endpoint, stream))
                emulator.client("kinesis").delete_stream(StreamName=stream)
    base = median(rates["loop of put_record"])
    say(f"{os.cpu_count()} cores, medians of {TURNS} turns, {EVENTS:,} events, {SHARDS} shards of the emulator\n")
    say("| | events/s | from | to | ratio |\n|---|---:|---:|---:|---:|")
    for name, its in rates.items():
        say(f"| {name} | {median(its):,.0f} | {min(its):,.0f} | {max(its):,.0f} | {median(its) / base:.1f} |")


def on_slow_streams(relays: dict[str, str], folder: Path) -> None:
    """Each file to each stream; a turn each, as little but the stand-in's own time is in it."""
    say("\n| stream | file | | events/s | records | PutEvents calls | fewest |\n|---|---|---|---:|---:|---:|---:|")
    for latency, records in STREAMS:
        for title, (events, sessions, together) in FILES.items():
            file = write(folder / "slow.jsonl", events, sessions, together=together)
            fewest = sessions * math.ceil(events / sessions / 10)
            for name, relay in relays.items():
                with slow_stream(latency, records) as port:
                    seconds = produce(relay, file, port, "any")
                    with urlopen(f"http://127.0.0.1:{port}/seen") as answer:
                        seen = json.load(answer)
                say(
                    f"| {latency * 1000:.0f} ms, {records:,}/s | {title} | {name} | {events / seconds:,.0f}"
                    f" | {seen['records']:,} | {seen['calls']:,} | {fewest / seen['calls']:.0%} |"
                )


def say(line: str) -> None:
    """Print a line of the report as soon as it is known."""
    print(line, flush=True)  # noqa: T201


def write(file: Path, events: int, sessions: int, *, together: bool = False) -> Path:
    """Write so many events, none with an id; the sessions in turns, or each `together`."""
    each = events // sessions
    numbers = range(events)
    session_of: Callable[[int], int] = (lambda number: number // each) if together else lambda number: number % sessions
    file.write_bytes(b"".join(json.dumps(_event(number, session_of(number))).encode() + b"\n" for number in numbers))
    return file


def _event(number: int, session: int) -> dict[str, Any]:
    return {
        "sessionId": f"session-{session:06}",
        "userId": f"user-{session:06}",
        "eventType": "view",
        "itemId": f"item-{number % 997}",
        "sentAt": 1_790_000_000 + number,
        "properties": {"page": "detail", "position": number % 20},
    }


def on_emulator(relay: str, file: Path, endpoint: str, stream: str) -> float:
    """The seconds that a `relay produce` takes."""
    return produce(relay, file, int(endpoint.rpartition(":")[2]), stream)


def produce(relay: str, file: Path, port: int, stream: str) -> float:
    """The seconds that a command takes, its start not counted: its own account has them."""
    words = [relay, "produce", str(file), "--stream", stream, "--local", "--port", str(port), "--format", "json"]
    return float(json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)["seconds"])  # noqa: S603


@contextmanager
def slow_stream(latency: float, records: int) -> Iterator[int]:
    """The port of a stand-in for a stream."""
    words = [sys.executable, "-m", "bench.slow_stream", str(latency), str(records)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            assert process.stdout  # noqa: S101 - it is a pipe
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def in_a_process(send: Callable[[Path, str, str], float]) -> Callable[[Path, str, str], float]:
    """The same, in a process of its own."""

    def sent(file: Path, endpoint: str, stream: str) -> float:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(send, (file, endpoint, stream))

    return sent


def loop(file: Path, endpoint: str, stream: str) -> float:
    """A call a record, one after another."""
    kinesis = client_factory(endpoint)("kinesis")
    lines = file.read_bytes().splitlines()
    began = time.perf_counter()
    for line in lines:
        kinesis.put_record(StreamName=stream, PartitionKey=json.loads(line)["sessionId"], Data=line)
    return time.perf_counter() - began


def full_calls(file: Path, endpoint: str, stream: str) -> float:
    """Ready-made calls of 500 records, one after another, whose answers nobody looks at."""
    kinesis = client_factory(endpoint)("kinesis")
    lines = file.read_bytes().splitlines()
    entries: list[PutRecordsRequestEntryTypeDef] = [
        {"PartitionKey": str(number), "Data": line} for number, line in enumerate(lines)
    ]
    calls = list(batched(entries, MAX_RECORDS_PER_CALL, strict=False))
    began = time.perf_counter()
    for call in calls:
        kinesis.put_records(StreamName=stream, Records=list(call))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
