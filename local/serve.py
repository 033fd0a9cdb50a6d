"""`make local`: keep the relay running on this machine for events of your own, until Ctrl-C."""

import argparse
import sys
from functools import partial
from pathlib import Path

from rich.console import Console

from local.emulator.clients import CREDENTIALS, REGION
from local.system import System
from local.terminal import ending_well, telling

BY_MAKE = 'With make: make local ARGS="--port 4567".'
PORT, MOST_PORT = 4566, 65_535
LOOK = 1.0
"""Seconds between two looks at the events."""

COMMANDS = """
Send events, one JSON object a line (the contract is docs/events.md):

  echo '{{"sessionId": "s-1", "eventType": "view", "itemId": "i-1"}}' | \\
    {relay} produce - --local --port {port}

See what becomes of them:

  {relay} status --local --port {port}
  {relay} failed list --local --port {port}
  {relay} doctor --local --port {port}

With the AWS command line:

  export {environment}
  aws kinesis put-record --stream-name {stream} --partition-key s-1 \\
    --cli-binary-format raw-in-base64-out --data '{{"sessionId": "s-1", "eventType": "view"}}'
  aws s3 cp --recursive s3://{bucket}/quarantine/ .   # the bad events
  aws logs tail {log}                                 # the function's log

A second server stands in for Personalize; so that `relay failed redrive --direct` finds it:

  export AWS_ENDPOINT_URL_PERSONALIZE_EVENTS={personalize}

Ctrl-C ends everything.
"""

MAPPED = """
The function reads the stream by the mapping {mapping}. It takes an event of the contract, as above, only with the
member "$schema": "personalize-relay.event/1".
"""


def main() -> int:
    """Serve; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__, epilog=BY_MAKE)
    parser.add_argument(
        "--port",
        type=_port,
        default=PORT,
        help="Serve AWS on this port of 127.0.0.1 (default: %(default)d).",
    )
    parser.add_argument(
        "--mapping",
        metavar="PRESET|FILE",
        help="Make events of other payloads by this preset or TOML file (default: take the relay's own events).",
    )
    options = parser.parse_args()
    context = {"mapping": options.mapping} if options.mapping else {}
    console = Console()
    with ending_well(console), System(context, port=options.port, tell=telling(console)) as system:
        console.print(_commands(system), markup=False, highlight=False, soft_wrap=True)
        if options.mapping:
            console.print(MAPPED.format(mapping=options.mapping), markup=False, highlight=False, soft_wrap=True)
        _watch(system, console)
    return 0


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port from 1 to {MOST_PORT}")


def _commands(system: System) -> str:
    aws = CREDENTIALS | {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": system.emulator.endpoint}
    return COMMANDS.format(
        relay=_relay(),
        port=system.emulator.endpoint.rpartition(":")[2],
        stream=system.stream,
        bucket=system.bucket,
        log=system.outputs["LogGroupName"],
        personalize=system.personalize.endpoint,
        environment=" ".join(f"{name}={value}" for name, value in aws.items()),
    )


def _relay() -> Path:
    """The command's path, as one can call it from here."""
    command = Path(sys.executable).with_name("relay")
    return command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command


def _watch(system: System, console: Console) -> None:
    """Print a line whenever records have settled."""
    seen = 0
    while True:
        settled = system.mapping.counters.acknowledged
        if settled > seen:
            console.print(_settled(system, settled), soft_wrap=True)
        seen = settled
        system.mapping.wait_until(partial(_more_than, system, seen), LOOK)


def _more_than(system: System, seen: int) -> bool:
    return system.mapping.counters.acknowledged > seen


def _settled(system: System, records: int) -> str:
    """The line that counts each delivered event once, and how many deliveries repeated one."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(system.quarantined().items()))
    fake = system.personalize
    again = f" ({fake.repeated_count:,} came again)" if fake.repeated_count else ""
    return (
        f"{records:,} records settled: {fake.accepted_count:,} different events delivered{again} "
        f"in {fake.call_count:,} calls; quarantined: {reasons or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main())
