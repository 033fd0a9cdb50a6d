"""Put records on a stream of the local system, one for each line of a file: `make local` prints how to call it."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from local.clickstream import SampleRecord
from local.clients import client_factory
from local.producer import produce
from local.terminal import ending_well


def main() -> int:
    """Send the lines; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.send", description=__doc__)
    parser.add_argument("file", help="a file with one record a line, or - for standard input")
    parser.add_argument("--endpoint", required=True, help="where the local system listens")
    parser.add_argument("--stream", required=True, help="the stream's name")
    parser.add_argument("--key", default="local", help="the partition key (default: local)")
    options = parser.parse_args()
    try:
        data = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
    except OSError as exc:
        sys.stderr.write(f"{options.file} can't be read: {exc.strerror}\n")
        return 2
    records = [SampleRecord(options.key, line, ()) for line in data.splitlines() if line.strip()]
    with ending_well(Console(stderr=True)):
        placed = list(produce(client_factory(options.endpoint)("kinesis"), options.stream, records))
    sys.stdout.write(f"{len(placed)} records sent to {options.stream}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
