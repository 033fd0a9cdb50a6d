"""What it costs to read an event: from the record as Lambda hands it over to the interaction, by how it is packed.

    python -m bench.reading

Each way is read in turns with the others, so that a busy moment meets them all; CPU time, the least of the turns. The
limit is what the decoder alone takes for the same bytes.
"""

import base64
import gzip
import time
from collections.abc import Callable, Iterator

import msgspec

from bench import report
from bench.workloads import DENSE
from local.demo import kpl
from personalize_relay import mapping_file
from personalize_relay.events import Trackers
from personalize_relay.mapping import Mapping
from personalize_relay.records import Record

TURNS = 30
RECORDS = 1_000
A_RECORD = 100
"""Events of a record that holds several."""
TRACKERS = Trackers(default="tracker")


class Way:
    """Records packed in one way, and what reads them."""

    def __init__(self, name: str, datas: list[bytes], mapping: Mapping | None = None) -> None:
        self.name = name
        self.events = 0
        self.least = float("inf")
        self._records = [_record(data) for data in datas]
        self._mapping = mapping

    def take_turn(self) -> None:
        """Read all records once."""
        began = time.process_time()
        self.events = sum(record.parse(TRACKERS, self._mapping).count for record in self._records)
        self.least = min(self.least, time.process_time() - began)


def _record(data: bytes) -> Record:
    return Record(
        stream="clicks",
        stream_arn="arn:aws:kinesis:eu-west-1:123456789012:stream/clicks",
        shard_id="shardId-000000000000",
        sequence_number="49590338271490256608559692538361571095921575989136588898",
        position=49590338271490256608559692538361571095921575989136588898,
        partition_key="k",
        arrival=1_795_512_660.0,
        data=base64.b64encode(data).decode(),
    )


def ways() -> Iterator[Way]:
    """Every way, the usual one first."""
    flat = [base64.b64decode(record["kinesis"]["data"]) for record in DENSE.event(RECORDS)["Records"]]
    groups = [flat[at : at + A_RECORD] for at in range(0, len(flat), A_RECORD)]
    yield Way("a record an event", flat)
    yield Way("the same, names misspelt", [_misspelt(each) for each in flat])
    packed: dict[str, Callable[[list[bytes]], bytes]] = {
        "joined by newlines": b"\n".join,
        "a JSON array": lambda group: b"[%b]" % b",".join(group),
        "a KPL aggregate": kpl.aggregate,
        "gzip of lines": lambda group: gzip.compress(b"\n".join(group)),
    }
    for name, pack in packed.items():
        yield Way(f"{A_RECORD} events a record: {name}", [pack(group) for group in groups])
    for preset in mapping_file.PRESETS:
        inputs = _inputs(preset)
        mapping = mapping_file.deployed(mapping_file.source(preset), file=preset, salt="bench")
        yield Way(f"preset {preset}", inputs * (RECORDS // len(inputs)), mapping)


def _misspelt(data: bytes) -> bytes:
    return data.replace(b'"sessionId"', b'"session_id"').replace(b'"itemId"', b'"ItemID"')


def _inputs(preset: str) -> list[bytes]:
    """The payloads of a preset's own tests that become events."""
    read = mapping_file.read(mapping_file.source(preset), file=preset, salt="bench")
    tried = [test.input.encode() for test in read.tests]
    return [each for each in tried if _record(each).parse(TRACKERS, read.mapping).interactions]


def decoding() -> float:
    """Seconds that base64 and JSON alone take for as many records of one event: the limit."""
    encoded = [record["kinesis"]["data"] for record in DENSE.event(RECORDS)["Records"]]

    def turn() -> float:
        began = time.process_time()
        for each in encoded:
            msgspec.json.decode(base64.b64decode(each))
        return time.process_time() - began

    return min(turn() for _ in range(TURNS))


def measure() -> dict[str, float]:
    """Seconds an event, by what a record is; the limit first, then the usual way."""
    measured = list(ways())
    for _ in range(TURNS):
        for way in measured:
            way.take_turn()
    return {"base64 and JSON alone": decoding() / RECORDS} | {way.name: way.least / way.events for way in measured}


if __name__ == "__main__":
    print(report.reading(measure()))  # noqa: T201 - a command's output
