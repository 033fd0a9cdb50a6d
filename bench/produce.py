"""How fast `relay produce` fills a stream, beside a loop of put_record and beside full calls with no work of ours.

    python -m bench.produce

All three send to the emulator, in turns, each in a process of its own. The third sends ready-made calls, one after
another and in threads: what the emulator takes at most. Where the relay is near to that, the emulator limits it.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, count, islice
from pathlib import Path
from statistics import median
from typing import Any

from local.demo.clickstream import unpacked
from local.emulator.clients import client_factory
from local.emulator.emulator import Emulator
from personalize_relay_cli.sending.outbox import MAX_RECORDS_PER_CALL
from personalize_relay_cli.sending.put_records import IN_FLIGHT

TURNS = 5
EVENTS = 20_000
LOOP_EVENTS = 1_000
"""Fewer, as it is slow."""
SHARDS = 4
SESSIONS = 500
"""In the part of the sample that is repeated, each time with sessions of its own."""


def main() -> None:
    """Measure and print."""
    contestants: dict[str, tuple[int, Callable[[Path, str, str], float]]] = {
        "loop of put_record": (LOOP_EVENTS, in_a_process(loop)),
        "relay produce": (EVENTS, relay_produce),
        "full calls, one after another": (EVENTS, in_a_process(full_calls)),
        f"full calls, {IN_FLIGHT} at once": (EVENTS, in_a_process(full_calls_at_once)),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        files = {size: write(Path(folder, f"{size}.jsonl"), size) for size in (LOOP_EVENTS, EVENTS)}
        for turn in range(TURNS):
            for number, (name, (size, send)) in enumerate(contestants.items()):
                stream = f"turn-{turn}-{number}"
                emulator.client("kinesis").create_stream(StreamName=stream, ShardCount=SHARDS)
                rates[name].append(size / send(files[size], emulator.endpoint, stream))
                emulator.client("kinesis").delete_stream(StreamName=stream)
    report({name: (median(its), min(its), max(its)) for name, its in rates.items()})


def report(rates: dict[str, tuple[float, float, float]]) -> None:
    """Print a row a contestant; ratios of the medians against the loop."""
    (base, *_), *_ = rates.values()
    print(f"{os.cpu_count()} cores, medians of {TURNS} turns, {EVENTS:,} events, {SHARDS} shards\n")  # noqa: T201
    print("| | events/s | from | to | ratio |\n|---|---:|---:|---:|---:|")  # noqa: T201
    for name, (middle, least, most) in rates.items():
        print(f"| {name} | {middle:,.0f} | {least:,.0f} | {most:,.0f} | {middle / base:.1f} |")  # noqa: T201


def write(file: Path, events: int) -> Path:
    """Write so many good events of the sample, none with an id, each round with sessions of its own."""
    file.write_bytes(b"".join(json.dumps(event).encode() + b"\n" for event in islice(_events(), events)))
    return file


def _events() -> Iterator[dict[str, Any]]:
    decoded = [json.loads(record.data) for record in unpacked(SESSIONS)]
    for round_ in count():
        for event in decoded:
            if "eventList" not in event:
                its = {name: value for name, value in event.items() if name != "eventId"}
                yield its | {"sessionId": f"{event['sessionId']}-{round_}"}


def relay_produce(file: Path, endpoint: str, stream: str) -> float:
    """The seconds that the installed command takes, its start not counted: its own account has them."""
    command = str(Path(sys.executable).with_name("relay"))
    port = endpoint.rpartition(":")[2]
    words = [command, "produce", str(file), "--stream", stream, "--local", "--port", port, "--format", "json"]
    account = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603 - our own
    return float(account["seconds"])


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


def full_calls(file: Path, endpoint: str, stream: str, at_once: int = 1) -> float:
    """Ready-made calls of 500 records, whose answers nobody looks at."""
    kinesis = client_factory(endpoint)("kinesis")
    lines = file.read_bytes().splitlines()
    entries = [{"PartitionKey": str(number), "Data": line} for number, line in enumerate(lines)]
    calls = list(batched(entries, MAX_RECORDS_PER_CALL, strict=False))
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(lambda call: kinesis.put_records(StreamName=stream, Records=list(call)), calls):
            pass
    return time.perf_counter() - began


def full_calls_at_once(file: Path, endpoint: str, stream: str) -> float:
    """The same, as many at once as the relay makes."""
    return full_calls(file, endpoint, stream, IN_FLIGHT)


if __name__ == "__main__":
    main()
