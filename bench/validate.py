"""What `relay validate` takes for 100,000 and for a million lines: time, and the most memory it ever held.

    python -m bench.validate

The sample is made in a temporary folder. Each run is a process of its own, so that its memory is its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from local.demo import clickstream

SIZES = (100_000, 1_000_000)
SESSIONS = 500
"""In the part of the sample that is repeated, each time with ids of its own."""


def write(file: Path, lines: int) -> None:
    """Write a sample of so many lines; every event has an id and every session is another."""
    with file.open("wb") as opened:
        for _, line in zip(range(lines), _lines(), strict=False):
            opened.write(line + b"\n")


def _lines() -> Iterator[bytes]:
    records = [each.data for each in clickstream.sample(SESSIONS) if each.data.strip() and b"\n" not in each.data]
    round_ = 0
    while True:
        names = {name: b"%s-%d-" % (name, round_) for name in (b"session", b"click", b"user")}
        for data in records:
            for name, its in names.items():
                data = data.replace(b'"%s-' % name, b'"%s' % its)  # noqa: PLW2901 - the same record
            yield data
        round_ += 1


def measure(file: Path) -> tuple[float, float, float, dict[str, dict[str, int]]]:
    """Seconds by the clock and of processor, peak resident MiB and what was found, of one run."""
    command = [str(Path(sys.executable).with_name("relay")), "validate", str(file), "--format", "json"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own command
        assert process.stdout is not None  # noqa: S101 - asked for above
        found = json.loads(process.stdout.read())
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, found


def main() -> None:
    """Measure and print."""
    print("| lines | events | seconds | CPU s | lines/CPU s | peak MiB |\n" + "|---:" * 6 + "|")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        for lines in SIZES:
            file = Path(folder, f"{lines}.jsonl")
            write(file, lines)
            seconds, busy, peak, found = measure(file)
            events = sum(found["events"].values())
            row = (f"{lines:,}", f"{events:,}", f"{seconds:.1f}", f"{busy:.1f}", f"{lines / busy:,.0f}", f"{peak:.0f}")
            print(f"| {' | '.join(row)} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
